"""What becomes of a secret on its way into a client: white space, quotes, cuts, encodings, and another one."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote_to_bytes

from .cause import Cause
from .changes import Change

_SPACES = ((b"", b"\n"), (b"", b"\r\n"), (b"", b" "), (b" ", b""))
_USUAL_SPACES = len(_SPACES) + 3
_USUAL_OTHERS = 8
_USUAL_QUOTES = 4
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
_SHELL_NAME = re.compile(rb"\$(?:\w+|\{\w*\}?|[#?$!*@-])")
_SHORTEST = 4  # what is left of a secret that was cut: less would fit by chance

# What stands in the place of a secret that was never put in.
_NAMES = (
    "API_KEY",
    "SECRET",
    "API_SECRET",
    "SECRET_KEY",
    "API_SECRET_KEY",
    "APP_SECRET",
    "CLIENT_SECRET",
    "SHARED_SECRET",
    "KEY",
)
_PLACEHOLDERS = (
    *("undefined", "null", "None", "nil", "[object Object]", "false", "NULL", "secret", "changeme", "NaN"),
    *(f"${name}" for name in _NAMES),
    *(f"${{{name}}}" for name in _NAMES),
    *(
        form % name
        for name in ("SECRET", "secret", "API_SECRET")
        for form in ("%%%s%%", "{{%s}}", "{%s}", "<%s>", "%s")
    ),
    *("%s", "%SECRET%", "$SECRET_KEY", "***", "********", "xxx", "test", "'$SECRET'"),
    *("$secret", "${secret}", "$apiSecret", "${apiSecret}", "YOUR_SECRET", "your-secret", "your_secret"),
)

_ENCODE_URI = ";,/?:@&=+$-_.!~*'()#"  # what JavaScript's encodeURI leaves as it is

Recoded = Callable[[bytes], bytes]
_Spoilt = Iterator[tuple[str, str, bytes]]
_AS_IT_IS = "take the secret as it was given out, in the form that the scheme names and no other."


def secrets(
    secret: bytes, others: Iterable[tuple[str, bytes]] = (), *, key_id: bytes = b"", key: Recoded | None = None
) -> Iterator[Change]:
    """Other secrets that come of this one, the key id in its place, and those of other keys with their key ids.

    `key` makes the key of a secret in its written form, such as base64, where a scheme has one: the values are keys.
    """
    first = list(_spoilt(secret))
    if key is not None and key(secret) != secret:  # before what is the same by chance: base64, encoded twice
        detail = "The client took the text of the secret for the key: decode it first, as its scheme says."
        for value in (secret, secret.removeprefix(b"whsec_"), secret.rpartition(b"_")[2]):
            yield Change("secret", value, (Cause("secret-encoding", detail),))
    for place, (code, detail, value) in enumerate(first):
        rare = code == "secret-whitespace" and place >= _USUAL_SPACES and value != secret.strip()
        yield Change("secret", _keyed(key, value), (Cause(code, detail),), lone=rare)
    if key is not None and key(secret) != secret:
        for code, detail, value in _recoded(secret):
            yield Change("secret", value, (Cause(code, detail),))
    for code, detail, value in first[:_USUAL_SPACES]:
        for other, why, twice in _recoded(value):
            if twice != secret:
                yield Change("secret", twice, (Cause(code, detail), Cause(other, why)))
    if key_id:
        detail = "The client signed with the key id in the place of the secret: sign with the secret."
        yield Change("secret", key_id, (Cause("secret-key-id", detail),))
        for place, (code, detail, value) in enumerate([*_quoted(secret), *_cut(secret)]):
            yield Change("secret", _keyed(key, value), (Cause(code, detail),), lone=place >= _USUAL_QUOTES)
        for code, detail, value in _rare(secret):
            yield Change("secret", value, (Cause(code, detail),), lone=True)
        detail = "The client signed with key id and secret, as one text: sign with the secret alone."
        for value in (key_id + b":" + secret, key_id + secret, secret + b":" + key_id, secret + key_id):
            yield Change("secret", value, (Cause("secret-key-id", detail),), lone=True)
        detail = f"The client decoded or encoded the secret twice before it signed: {_AS_IT_IS}"
        for value in _twice(secret if key is None else key(secret)):
            yield Change("secret", value, (Cause("secret-encoding", detail),), lone=True)
        if key is not None:
            for code, detail, value in _recoded(key(secret)):
                yield Change("secret", value, (Cause(code, detail),), lone=True)
            plain = (secret, secret.removeprefix(b"whsec_"), secret.rpartition(b"_")[2])
            for code, detail, value in (*_spoilt(secret), *_quoted(secret), *_cut(secret)):
                if value not in plain:  # which is a text that was not decoded, and no more than that
                    yield Change("secret", value, (Cause(code, detail),), lone=True)
    for place, (owner, value) in enumerate(others):
        detail = (
            f"The client signed with the secret of the key {owner!r}: sign with the secret of the key that the "
            "request names, or name the other key."
        )
        cause = Cause("secret-other", detail)
        yield Change("secret", _keyed(key, value), (cause,), lone=place >= _USUAL_OTHERS)
        if place < _USUAL_OTHERS:
            spaces = Cause("secret-whitespace", "The client signed with white space around that secret: strip it.")
            yield Change("secret", _keyed(key, value + b"\n"), (cause, spaces))


def _keyed(key: Recoded | None, secret: bytes) -> bytes:
    return secret if key is None else key(secret)


def _spoilt(secret: bytes) -> _Spoilt:
    no_break_space, bom = "\xa0".encode(), "\ufeff".encode()
    detail = "The client signed with a secret that has white space (or a byte order mark) around it: strip it."
    for before, behind in (*_SPACES, (b"", no_break_space), (bom, b""), (no_break_space, b"")):
        yield "secret-whitespace", detail, before + secret + behind
    for space in (b"\t", b"\r", b"\n\n", "\u200b".encode(), b"\xa0", b"\v", b"\f", b"  "):
        yield "secret-whitespace", detail, secret + space
    for space in (b"\n", b"\t", "\u200b".encode()):
        yield "secret-whitespace", detail, space + secret
    yield "secret-whitespace", detail, b" " + secret + b" "
    detail = (
        "The secret that the verifier holds has white space around it and the client signed without: store it as is."
    )
    for value in (secret.strip(), secret.rstrip(b"\r\n"), secret.lstrip(), secret.rstrip(), secret.removeprefix(bom)):
        yield "secret-whitespace", detail, value
    if inner := b"".join(secret.split()):
        detail = "The client lost white space inside of the secret: take it as it was given out."
        yield "secret-whitespace", detail, inner
    yield from ((code, why, value) for code, why, value in _recoded(secret) if value)


def _recoded(secret: bytes) -> _Spoilt:
    code, should = "secret-encoding", _AS_IT_IS
    if _BASE64.fullmatch(secret):
        plain = secret.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        if len(plain) % 4 != 1:
            decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4))
            yield code, f"The client decoded the secret from base64 before it signed: {should}", decoded
    if _HEX.fullmatch(secret):
        yield code, f"The client decoded the secret from hex before it signed: {should}", bytes.fromhex(secret.decode())
    for value in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.b64encode(secret).rstrip(b"=")):
        yield code, f"The client encoded the secret in base64 before it signed: {should}", value
    for value in (secret.hex().encode(), secret.hex().upper().encode()):
        yield code, f"The client encoded the secret in hex before it signed: {should}", value
    for value in (
        *(quote(secret, safe=kept).encode() for kept in ("", "/", "!'()*~", _ENCODE_URI)),
        quote_plus(secret).encode(),
        unquote_to_bytes(secret),
    ):
        yield code, f"The client percent-encoded or decoded the secret before it signed: {should}", value
    detail = f"The client decoded the secret as a form is decoded, so that a + is a space, or the reverse: {should}"
    for value in (secret.replace(b"+", b" "), unquote_to_bytes(secret.replace(b"+", b" ")), secret.replace(b" ", b"+")):
        yield code, detail, value
    encodings = [("utf-8", name) for name in ("latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16")]
    encodings += [("latin-1", "utf-8"), ("cp1252", "utf-8")]
    for held, signed in encodings:
        try:
            value = secret.decode(held).encode(signed)
        except UnicodeError:
            continue
        yield code, f"The client encoded the secret as {signed} where {held} is right: {should}", value
    if not secret.isascii():
        text = secret.decode("utf-8", "replace")
        for value in (
            text.encode("ascii", "replace"),
            text.encode("ascii", "ignore"),
            text.encode(),
            secret.decode("latin-1").encode("ascii", "replace"),
        ):
            yield code, f"The client lost the letters of the secret that are not ASCII: {should}", value


def _twice(key: bytes) -> Iterator[bytes]:
    letters = re.sub(
        rb"[^A-Za-z0-9+/]", b"", key.translate(bytes.maketrans(b"-_", b"+/"))
    )  # as decoders do that pass over what is no base64
    yield base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + b"=" * (-len(letters) % 4 % 3))
    for end in (b"\n", b"\r\n"):
        yield base64.b64encode(key + end)
        yield base64.b64encode(key + end) + b"\n"
    yield base64.b64encode(key) + b"\n"
    yield base64.b64encode(base64.b64encode(key))
    yield base64.b64encode(key.hex().encode())
    yield key.hex().encode() + b"\n"
    for first in (key, *(value for _, _, value in _recoded(key))):
        if _BASE64.fullmatch(first):
            plain = first.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
            if len(plain) % 4 != 1:
                yield base64.b64decode(plain + b"=" * (-len(plain) % 4))


def _quoted(secret: bytes) -> _Spoilt:
    code = "secret-quoting"
    detail = "The client signed with quotes, or with marks of a program's text, around the secret: take them off."
    for before, behind in (
        *((b'"', b'"'), (b"'", b"'"), (b"b'", b"'"), (b'b"', b'"'), (b"`", b"`"), (b'"', b""), (b"", b'"')),
        *(
            (b"<", b">"),
            (b"[", b"]"),
            (b"", b","),
            (b"", b";"),
            (b"'", b""),
            (b"", b"'"),
            (b'\\"', b'\\"'),
            (b"=", b""),
            (b"", b"&"),
            (b"&", b""),
            (b"", b"."),
            (b"", b":"),
            (b":", b""),
            (b"$", b""),
            (b"(", b")"),
            (b"{", b"}"),
        ),
        *((b'"', b'"\n'), (b"'", b"'\n")),
        *((opened.encode(), closed.encode()) for opened, closed in ("“”", "\u2018\u2019", "„“", "«»", "””")),
        (b"Bearer ", b""),
        *((b"secret=", b""), (b"SECRET=", b""), (b"API_SECRET=", b""), (b"secret:", b""), (b"secret: ", b"")),
    ):
        yield code, detail, before + secret + behind
    inner = secret.strip(b"\"'`")
    if inner and inner != secret:
        yield code, "The secret that the verifier holds has quotes around it: store it as it was given out.", inner
    detail = (
        "The client signed with a backslash and a letter, or with a backslash that was taken off: take it as it is."
    )
    for value in (secret + b"\\n", secret + b"\\r\\n", secret.replace(b"\\n", b"\n"), secret.replace(b"\n", b"\\n")):
        yield code, detail, value
    for value in (secret.replace(b"\\", b""), secret.replace(b"\\", b"\\\\"), secret.replace(b'"', b'\\"')):
        yield code, detail, value
    for mark in (b"$", b"&", b"!", b"#", b" ", b"`", b"=", b"/"):
        if mark in secret:
            yield code, detail, secret.replace(mark, b"\\" + mark)
    text = secret.decode("utf-8", "surrogateescape")
    for plain in (r"[^\w@%+=:,./-]", r"[ $&'\"\\;()#!`|<>*?~\[\]{}]"):  # as printf %q of a shell
        yield code, detail, re.sub(f"({plain})", r"\\\1", text).encode("utf-8", "surrogateescape")
    if b"%" in secret:
        yield code, detail, secret.replace(b"%", b"%%")
    if b"$" in secret:
        yield (
            code,
            "The client's Makefile or template doubled a $ of the secret: take it as it is.",
            secret.replace(b"$", b"$$"),
        )
        yield (
            code,
            "The client's Makefile or template doubled a $ of the secret: take it as it is.",
            secret.replace(b"$$", b"$"),
        )
    try:
        text = secret.decode()
    except UnicodeError:
        text = secret.decode("latin-1")
    detail = "The client signed with the secret as a program prints it: take the secret itself."
    for shown in (repr(secret), repr(text), f"[{text}]", f"['{text}']", f'["{text}"]', *_wrapped(text)):
        yield code, detail, shown.encode()
    if len(secret) > 1:
        yield code, detail, re.sub(rb"\\(.)", rb"\1", secret)
    try:
        written = json.dumps(secret.decode())
    except UnicodeError:
        written = '""'
    for text in (written[1:-1], written, written[1:-1].replace("/", "\\/"), _ascii_kept(secret)):
        yield code, detail, text.encode()
    detail = (
        "The client signed with the name of the secret, or with a word for nothing, where the secret was to be put."
    )
    for word in _PLACEHOLDERS:
        yield code, detail, word.encode()


def _wrapped(text: str) -> Iterator[str]:
    """The secret as languages show a value that may be absent, and bytes."""
    for word in ("Some", "Optional", "Just"):
        yield f"{word}({text})"
        yield f'{word}("{text}")'
    numbers = list(text.encode("utf-8", "surrogatepass"))
    yield f"[{' '.join(map(str, numbers))}]"
    yield str(numbers)
    yield ",".join(map(str, numbers))


def _ascii_kept(secret: bytes) -> str:
    return json.dumps(secret.decode("utf-8", "replace"), ensure_ascii=False)[1:-1]


def _cut(secret: bytes) -> _Spoilt:
    code = "secret-cut"
    detail = "The client signed with a part of the secret alone, which was cut at a character of it: take all of it."
    if b"$" in secret:
        shell = "The client's shell took a $ in the secret for a variable: write the secret in single quotes."
        yield code, shell, _SHELL_NAME.sub(b"", secret)
    pieces = set[bytes]()
    for mark in b"=#$ &:;,'\"%+/\\|\t\n!":
        if (place := secret.find(mark)) >= 0:
            last = secret.rfind(mark)
            pieces |= {secret[:place], secret[place + 1 :], secret[:last], secret[last + 1 :], secret[: place + 1]}
    pieces |= {secret.rstrip(b"="), secret.replace(b"=", b""), secret.rstrip(b"=") + b"=", secret.rstrip(b"=") + b"=="}
    pieces |= {secret.removeprefix(b"whsec_"), secret.removeprefix(b"sk_"), secret.rpartition(b"_")[2]}
    for value in sorted(pieces):
        if len(value) >= _SHORTEST:
            yield code, detail, value
    detail = "The client signed with the first or the last characters of the secret alone: take all of it."
    for length in {8, 10, 12, 16, 20, 24, 32, 40, 48, 50, 63, 64, 100, 128, 255, len(secret) - 1, len(secret) - 2}:
        if _SHORTEST <= length < len(secret):
            yield code, detail, secret[:length]
    if len(secret) > _SHORTEST:
        yield code, detail, secret[1:]


def _rare(secret: bytes) -> _Spoilt:
    code = "secret-encoding"
    detail = f"The client signed with the letters of the secret in another case: {_AS_IT_IS}"
    text = secret.decode("utf-8", "surrogateescape")
    for changed in (text.lower(), text.upper(), text.swapcase()):
        yield code, detail, changed.encode("utf-8", "surrogateescape")
    detail = f"The client escaped the secret for HTML or XML before it signed, or the reverse: {_AS_IT_IS}"
    pairs = [(b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b'"', b"&quot;"), (b"'", b"&#39;")]
    escaped = unescaped = secret
    for mark, entity in pairs:
        escaped, unescaped = escaped.replace(mark, entity), unescaped.replace(entity, mark)
    in_text = html.escape(text, quote=False).encode("utf-8", "surrogateescape")
    for value in (escaped, escaped.replace(b"&#39;", b"&#x27;"), escaped.replace(b"&#39;", b"'"), in_text, unescaped):
        yield code, detail, value
    detail = f"The client hashed the secret before it signed: {_AS_IT_IS}"
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, secret, usedforsecurity=False)
        for value in (digest.hexdigest().encode(), digest.digest(), base64.b64encode(digest.digest())):
            yield code, detail, value
    detail = "The client signed with an empty secret, as of a variable that is not set: take the secret."
    yield "secret-quoting", detail, b""
    for value in (secret.translate(bytes.maketrans(b"+/", b"-_")), secret.translate(bytes.maketrans(b"-_", b"+/"))):
        yield code, f"The client wrote + and / of the secret as - and _, or the reverse: {_AS_IT_IS}", value
    yield code, f"The client put the secret together with itself: {_AS_IT_IS}", secret + secret
    yield code, f"The client turned the secret round: {_AS_IT_IS}", secret[::-1]
