"""What clients sign in place of a body: other bytes of the same content, another content, or none; and its digest."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from urllib.parse import unquote_to_bytes

from ..core.fields import FORM
from ..core.message import Request, body_length
from .cause import Cause, difference
from .changes import Change
from .json_bodies import LARGEST, as_form, as_json, rewritten_json
from .queries import rewritten

_MOST_BYTES = 24 * 1024 * 1024  # of all bodies together: each of them is hashed
_MOST_WITH_TWO = 1024 * 1024
_MOST_UNPACKED = 4 * 1024 * 1024
_NOTHING = (
    *(b"{}", b"[]", b"null", b'""', b"undefined", b"None", b"\n", b" ", b"false"),
    *(
        b"''",
        b"[object Object]",
        b"0",
        b"nil",
        b"NULL",
        b"{}\n",
        b"\r\n",
        b"b''",
        b"true",
        b"\0",
        b"[]\n",
        b"array()",
        b"Array",
    ),
)
_USUAL, _MOST_BESIDE = 60, 160
_FORMS: tuple[Literal["NFD", "NFC", "NFKC"], ...] = ("NFD", "NFC", "NFKC")
_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")

_Found = Iterator[tuple[str, str, bytes]]


def bodies(request: Request) -> Iterator[Change]:
    """Other bodies, as bytes. The caller hashes each of them once."""
    body = request.body
    is_upload = request.method.upper() == "POST" and "multipart/form-data" in request.media_types()
    where = difference(body, b"", "body") if isinstance(body, bytes) else f"{body.length} of them"
    if body_length(body):
        code = "multipart-as-empty" if is_upload else "body-empty"
        what = "a multipart upload as if it had no body" if is_upload else "the request as if it had no body"
        yield Change("body", b"", (Cause(code, f"The client signed {what}: sign the bytes that are sent ({where})."),))
    if not isinstance(body, bytes):
        return
    room = _MOST_BYTES
    first: list[tuple[str, str, bytes]] = []
    for found in _once(request, body):
        room -= len(found[2])
        if room < 0:
            return
        first.append(found)
        yield Change("body", found[2], (Cause(*found[:2]),), lone=_rarity(found, len(first)))
    if len(body) > _MOST_WITH_TWO:
        return
    for place, (code, detail, value) in enumerate(first, 1):
        if value == body or code in ("body-default", "body-format") or _rarity(first[place - 1], place) > 1:
            continue
        cheap = [*_trailing_newline(value), *(_line_endings(value) if len(first) < 64 else ())]
        if code not in ("body-reserialised", "body-encoding"):
            cheap += [found for found in _encoding(value) if not found[2].startswith(b"\xef\xbb\xbf")]
        for other, why, twice in cheap:
            room -= len(twice)
            if room < 0:
                return
            if other != code and twice not in (value, body):
                yield Change("body", twice, (Cause(code, detail), Cause(other, why)))


def _rarity(found: tuple[str, str, bytes], place: int) -> int:
    code, _, value = found
    if place > _MOST_BESIDE and code == "body-reserialised":
        return 2
    return int(place > _USUAL or (code == "body-default" and value not in _NOTHING[:6]))


def _once(request: Request, body: bytes) -> _Found:
    if body:
        yield from _trailing_newline(body)
        yield from _line_endings(body)
        yield from _encoding(body)
        if len(body) <= LARGEST:
            for value in (
                body.strip(b"\"'"),
                b"'" + body + b"'",
                b'"' + body + b'"',
                b"b'" + body + b"'",
                body.replace(b'"', b""),
                body.strip(),
                body.rstrip(b" \t"),
                body + b" ",
                body.replace(b"\\", b""),
                body.replace(b'"', b'\\"'),
                body.removeprefix(b"b'").removesuffix(b"'"),
                body.replace(b'\\"', b'"'),
                *_escaped(body),
            ):
                yield "body-reserialised", _again(body, value, "the body", "quotes or white space"), value
            for value in rewritten_json(body):
                yield "body-reserialised", _again(body, value, "the JSON", "spacing, key order or escapes"), value
            if b"=" in body and FORM in request.media_types():
                for value in _form_again(body):
                    yield "body-reserialised", _again(body, value, "the form", "order or escapes"), value
            for value in (*as_form(body), *(as_json(body) if b"=" in body else ())):
                detail = "The client signed the parameters in another format than it sent them, a form for JSON or the"
                where = difference(body, value, "body")
                yield "body-format", f"{detail} reverse: sign the bytes that are sent ({where}).", value
            for value in _through_base64(body):
                detail = "The client signed the body and sent it in base64, or the reverse, or a gateway changed it"
                where = difference(body, value, "body")
                yield "body-encoding", f"{detail}: sign the bytes that are sent ({where}).", value
        yield from _compressed(request, body)
    for value in _NOTHING:
        detail = "The client signed what its program writes for no body, or for one that it does not understand"
        where = difference(body, value, "body")
        code = "body-default" if value.strip() else "body-trailing-newline"
        yield code, f"{detail}: sign the bytes that are sent ({where}).", value


def _again(body: bytes, value: bytes, what: str, how: str) -> str:
    return (
        f"The client wrote {what} twice, once to sign and once to send, with other {how}: write it once, and sign the "
        f"bytes that are sent ({difference(body, value, 'body')})."
    )


def _trailing_newline(body: bytes) -> list[tuple[str, str, bytes]]:
    found = []
    for value in (body + b"\n", body + b"\r\n", body.rstrip(b"\n"), body.removesuffix(b"\n"), body.rstrip(b"\r\n")):
        what = "with" if len(value) > len(body) else "without"
        detail = (
            f"The client signed the body {what} a newline at its end and sent it otherwise: sign the bytes that are "
            f"sent ({difference(body, value, 'body')})."
        )
        found.append(("body-trailing-newline", detail, value))
    return found


def _line_endings(body: bytes) -> list[tuple[str, str, bytes]]:
    if b"\n" not in body and b"\r" not in body:
        return []
    unix = body.replace(b"\r\n", b"\n")
    values = [unix, unix.replace(b"\n", b"\r\n"), unix.replace(b"\n", b"\r")]
    # A shell that puts a text on one line, and `curl -d @file`, which takes line ends out.
    values += [unix.replace(b"\n", b""), unix.replace(b"\n", b" "), unix.strip(b"\n").replace(b"\n", b" ")]
    values += [unix.replace(b"\n", b"\\n")]
    if len(body) <= LARGEST:
        values.append(b" ".join(body.split()))
        values.append(re.sub(rb"\n\s*", b"", unix))
    found = []
    for value in dict.fromkeys(values):
        if value != body:
            detail = (
                "The client signed the body with other line endings than it sent, or with none: sign the bytes that "
                f"are sent ({difference(body, value, 'body')})."
            )
            found.append(("body-line-endings", detail, value))
    return found


def _encoding(body: bytes) -> list[tuple[str, str, bytes]]:
    values: list[tuple[str, bytes]] = [("UTF-8 with a byte order mark", b"\xef\xbb\xbf" + body)]
    if body.startswith(b"\xef\xbb\xbf"):
        values.append(("UTF-8 without a byte order mark", body[3:]))
    pairs = [("utf-8", "utf-16-le"), ("utf-8", "utf-16-be"), ("utf-8", "utf-16")]
    if not body.isascii():
        pairs += [("utf-8", "latin-1"), ("utf-8", "cp1252"), ("latin-1", "utf-8"), ("cp1252", "utf-8")]
    if len(body) > _MOST_WITH_TWO:
        pairs = [pair for pair in pairs if not pair[1].startswith("utf-16")]
    if b"\0" in body[:4]:
        pairs += [("utf-16-le", "utf-8"), ("utf-16-be", "utf-8"), ("utf-16", "utf-8")]
    for sent, signed in pairs:
        try:
            values.append((signed, body.decode(sent).encode(signed)))
        except UnicodeError:
            continue
    if not body.isascii():
        text = body.decode("utf-8", "replace")
        values += [(f"Unicode's form {form}", unicodedata.normalize(form, text).encode()) for form in _FORMS]
        values += [("ASCII, with ? for letters", text.encode("ascii", "replace"))]
        values += [("ASCII, without letters", text.encode("ascii", "ignore"))]
    found = []
    for signed, value in values:
        detail = (
            f"The client signed the body in {signed} and sent it otherwise: encode it once, and sign these bytes "
            f"({difference(body, value, 'body')})."
        )
        found.append(("body-encoding", detail, value))
    return found


def _form_again(body: bytes) -> Iterator[bytes]:
    for found in rewritten(body.decode("latin-1")):
        yield found.text.encode("latin-1")
    yield body.replace(b"&", b"&amp;")
    yield b"?" + body
    yield unquote_to_bytes(body)
    yield unquote_to_bytes(body.replace(b"+", b" "))


def _escaped(body: bytes) -> Iterator[bytes]:
    """The body as a program's text, and as templates write it into HTML."""
    yield repr(body).encode()
    text = body.decode("utf-8", "surrogateescape")
    for apostrophe in ("&#x27;", "&#039;", "&#39;", "'"):
        yield html.escape(text).replace("&#x27;", apostrophe).encode("utf-8", "surrogateescape")
    yield html.escape(text, quote=False).encode("utf-8", "surrogateescape")
    yield html.unescape(text).encode("utf-8", "surrogateescape")
    yield re.sub(rb"(['\"\\])", rb"\\\1", body)  # addslashes


def _through_base64(body: bytes) -> Iterator[bytes]:
    yield base64.b64encode(body)
    try:
        yield base64.b64decode(body.strip(), validate=True)
    except ValueError:
        return


def unpacked(request: Request) -> list[bytes]:
    """What a compressed body says; nothing where it is none."""
    body, found = request.body, []
    encoding = ",".join(request.values("content-encoding")).lower()
    if not isinstance(body, bytes) or (not encoding and body[:2] not in (b"\x1f\x8b", b"\x78\x9c")):
        return []
    for bits in (47, -15):  # gzip or zlib by its head, and deflate without one
        unpacker = zlib.decompressobj(bits)
        try:
            value = unpacker.decompress(body, _MOST_UNPACKED)
        except zlib.error:
            continue
        if unpacker.eof:
            found.append(value)
    return found


def _compressed(request: Request, body: bytes) -> _Found:
    for value in unpacked(request):
        detail = "The client signed the body before it compressed it: sign the bytes that are sent, after compressing"
        where = difference(body, value, "body")
        for signed in (value, value + b"\n", value.rstrip(b"\n")):
            yield "body-compressed", f"{detail} ({where}).", signed


def digest_spellings(right: bytes) -> Iterator[Change]:
    """Other encodings of a digest of several parts."""
    values = [right.hex().encode(), right.hex().upper().encode(), base64.b64encode(right)]
    try:
        raw = bytes.fromhex(right.decode("ascii"))
        values += [raw, base64.b64encode(raw), right.upper()]
    except ValueError:
        pass
    for value in values:
        where = difference(right, value, "digest", "as it should be")
        detail = f"The client encoded the inner digest otherwise than is signed here ({where})."
        yield Change("digest form", value, (Cause("body-digest-form", detail),))


def inner_digests(texts: Sequence[bytes], right: bytes) -> Iterator[Change]:
    """Digests of other parts, or of the same in another order, where `right` is that of the texts."""
    made = next((made for made in _made_of(texts, right)), None)
    if made is None or len(texts) < 2:
        return
    join, write = made
    places = range(len(texts))
    others = [("part-missing", [text for at, text in enumerate(texts) if at != place], join) for place in places]
    others += [("part-missing", [text], b"") for text in texts] + [("concatenation-order", list(texts[::-1]), join)]
    others += [("separator", list(texts), mark) for mark in (b"", b"\n", b":", b"&", b"|", b",", b" ") if mark != join]
    for code, kept, mark in others:
        value = write(mark.join(kept))
        where = difference(right, value, "inner digest", "as it should be")
        detail = f"The client made the inner digest of other parts, or joined them otherwise than is right ({where})."
        yield Change("digest", value, (Cause(code, detail),))


def _made_of(texts: Sequence[bytes], right: bytes) -> Iterator[tuple[bytes, Callable[[bytes], bytes]]]:
    """What joins the texts, and what makes a digest of them, so that it is the right one."""
    forms: tuple[Callable[[bytes], bytes], ...] = (bytes, lambda raw: raw.hex().encode(), base64.b64encode)
    for name, form, join in itertools.product(_ALGORITHMS, forms, (b"", b"\n", b":", b"&", b".", b"|", b",")):

        def write(string: bytes, name: str = name, form: Callable[[bytes], bytes] = form) -> bytes:
            return form(hashlib.new(name, string, usedforsecurity=False).digest())

        if write(join.join(texts)) == right:
            yield join, write


def digest_forms(raw: Callable[[str], bytes], right: bytes, algorithm: str, text: bytes | None) -> Iterator[Change]:
    """Other forms of a digest of the body: `raw` hashes it by a name, `text` is the body itself."""
    encoded: list[tuple[str, bytes]] = []
    for name in (algorithm, *_ALGORITHMS):
        try:
            digest = raw(name)
        except Exception:  # noqa: S112 - of a body that has streamed past there is one digest
            continue
        hexadecimal = digest.hex().encode()
        what = f"the body's {name.upper()}"
        encoded += [(what, form) for form in (base64.b64encode(digest), hexadecimal, hexadecimal.upper(), digest)]
        encoded += [(what, base64.b64encode(hexadecimal)), (what, base64.urlsafe_b64encode(digest))]
        encoded += [
            (what, base64.urlsafe_b64encode(digest).rstrip(b"=")),
            (what, b"SHA-256=" + base64.b64encode(digest)),
        ]
        encoded += [(what, hexadecimal + end) for end in (b"  -", b"  -\n", b"\n", b" *-", b" -")]
        encoded += [(what, f"{name.upper()}{space}(stdin)= ".encode() + hexadecimal) for space in ("", "2-256")]
        encoded += [(what, hashlib.new(name, hexadecimal, usedforsecurity=False).hexdigest().encode())]
    encoded.append(("nothing", b""))
    if text is not None:
        encoded.append(("the body itself", text))
    for place, (what, value) in enumerate(encoded):
        where = difference(right, value, "body digest", "as it should be")
        detail = (
            f"The client put {what} into the string to sign in another form than is signed here: write the digest as "
            f"the scheme says ({where})."
        )
        usual = place < 4 or value == text
        yield Change("digest form", value, (Cause("body-digest-form", detail),), lone=not usual)
