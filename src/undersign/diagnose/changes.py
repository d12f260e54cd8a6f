"""What clients do differently: for each part of a request the other values that they sign in its place."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

from ..credentials import parse_origin
from ..errors import ConfigError
from ..http import Request
from .cause import Cause, difference, rank

_PREFIXES = (b"/api", b"/v1", b"/v2", b"/api/v1", b"/api/v2", b"/rest")
_MOST_PERMUTED = 5
_SPACES = ((b"", b"\n"), (b"", b"\r\n"), (b"", b" "), (b" ", b""))
_USUAL_SPACES = len(_SPACES) + 3
_LONGEST_TARGET = 2048
_SMALL_JSON = 4096
_LARGEST_JSON = 256 * 1024
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{4,}={0,2}")


@dataclass(frozen=True, slots=True)
class Change:
    """One part of what is signed with another value than the right one, and the mistakes that lead to it.

    A change that is `lone` is one of very many, and tried without another beside it.
    """

    part: str
    value: Any
    causes: tuple[Cause, ...]
    lone: bool = False

    def __repr__(self) -> str:  # the value may be a secret
        return f"Change({self.part!r}, {[cause.code for cause in self.causes]!r})"


def without_repeats(changes: Iterable[Change], right: dict[str, Any]) -> list[Change]:
    """The changes that change something, in the order of their names, one for each value."""
    found: dict[tuple[str, Any], Change] = {}
    for change in sorted(changes, key=lambda change: (len(change.causes), rank(change.causes[0]))):
        if change.value != right.get(change.part):
            found.setdefault((change.part, change.value), change)
    return list(found.values())


def methods(method: str) -> Iterator[Change]:
    for value in (method.lower(), method.capitalize()):
        detail = "The client signed the method in another case than upper: sign it in upper case."
        yield Change("method", value.encode("latin-1"), (Cause("method-case", detail),))


def content_types(request: Request, default: str) -> Iterator[Change]:
    """`part` is the value in lower case, which is what is right, or as third-party schemes take it: as it is sent."""
    sent = (request.values("content-type") or [""])[0]
    folded = sent.encode("latin-1").lower()
    raw = sent.encode("latin-1")
    media_type, mark, parameters = sent.partition(";")
    cases = [raw, raw.upper(), raw.title(), folded.replace(b"utf-8", b"UTF-8")]
    cases += [folded.replace(b"json", b"JSON").replace(b"xml", b"XML")]
    for value in cases:
        detail = (
            f"The client signed the content type in another case: sign it in lower case ({_differs(folded, value)})."
        )
        yield Change("content-type", value, (Cause("content-type-case", detail),))

    bare = media_type.strip(" \t")
    others = [bare]
    charsets = ("utf-8", "UTF-8", "iso-8859-1")
    others += [f"{bare}{joint}charset={charset}" for charset in charsets for joint in ("; ", ";")]
    others += [f"{bare}; charset={charset}" for charset in ('"utf-8"', "utf8")]
    if mark:
        rest = [parameter.strip(" \t") for parameter in parameters.split(";")]
        others += [";".join([bare, *rest]), "; ".join([bare, *rest]), sent + ";", sent.rstrip(";")]
    for other in others if bare else ():
        value = other.encode("latin-1")
        lower = value.lower()
        detail = (
            "The client signed the content type with other parameters than it sent: sign the header's value as it "
            f"goes out ({_differs(folded, lower)})."
        )
        cause = Cause("content-type-parameters", detail)
        yield Change("content-type", lower, (cause,))
        if value != lower:
            case = Cause(
                "content-type-case", "The client signed the content type in another case: sign it in lower case."
            )
            yield Change("content-type", value, (case, cause))

    accept = (request.values("accept") or [""])[0]
    defaults = {
        default: "a default",
        "application/json": "application/json",
        "": "nothing",
        accept: "the value of Accept",
        "application/json; charset=utf-8": "a default",
        "application/json;charset=utf-8": "a default",
        "application/x-www-form-urlencoded": "a default",
        "text/plain": "a default",
        "application/octet-stream": "a default",
    }
    for other, what in defaults.items():
        detail = f"The client signed {what} instead of the Content-Type header: sign the value that goes out."
        yield Change("content-type", other.encode("latin-1").lower(), (Cause("content-type-default", detail),))


def bodies(request: Request) -> Iterator[Change]:
    """Other bodies, as bytes. The caller hashes each of them once."""
    body = request.body
    is_upload = request.method.upper() == "POST" and "multipart/form-data" in request.media_types()
    if is_upload:
        detail = "The client signed a multipart upload as if it had no body: sign the bytes that are sent."
        yield Change("body", b"", (Cause("multipart-as-empty", detail),))
    else:
        detail = "The client signed the request as if it had no body: sign the bytes that are sent."
        yield Change("body", b"", (Cause("body-empty", detail),))
    if not isinstance(body, bytes) or not body:
        return
    first = [
        *_trailing_newline(body),
        *_line_endings(body),
        *_encoding(body),
        *(_reserialised(body) if len(body) <= _LARGEST_JSON else ()),
    ]
    for code, detail, value in first:
        yield Change("body", value, (Cause(code, detail),))
    for code, detail, value in first:
        if value == body:
            continue
        cheap = [*_trailing_newline(value), *(_line_endings(value) if len(first) < 64 else ())]
        if code not in ("body-reserialised", "body-encoding"):
            cheap += _encoding(value)
        for other, why, twice in cheap:
            if other != code and twice not in (value, body):
                yield Change("body", twice, (Cause(code, detail), Cause(other, why)))


def _trailing_newline(body: bytes) -> list[tuple[str, str, bytes]]:
    found = []
    for value in (body + b"\n", body + b"\r\n", body.removesuffix(b"\n").removesuffix(b"\r"), body.rstrip(b"\r\n")):
        what = "with" if len(value) > len(body) else "without"
        detail = (
            f"The client signed the body {what} a newline at its end and sent it otherwise: sign the bytes that are "
            f"sent ({difference(body, value, 'body')})."
        )
        found.append(("body-trailing-newline", detail, value))
    return found


def _line_endings(body: bytes) -> list[tuple[str, str, bytes]]:
    unix = body.replace(b"\r\n", b"\n")
    found = []
    for value in (unix, unix.replace(b"\n", b"\r\n"), unix.replace(b"\n", b"\r")):
        if value != body:
            detail = (
                "The client signed the body with other line endings than it sent: sign the bytes that are sent "
                f"({difference(body, value, 'body')})."
            )
            found.append(("body-line-endings", detail, value))
    return found


def _encoding(body: bytes) -> list[tuple[str, str, bytes]]:
    if body.isascii():
        return []
    found = []
    pairs = [
        ("utf-8", "latin-1"),
        ("utf-8", "cp1252"),
        ("latin-1", "utf-8"),
        ("cp1252", "utf-8"),
        ("utf-8", "utf-16-le"),
    ]
    for sent, signed in pairs:
        try:
            value = body.decode(sent).encode(signed)
        except UnicodeError:
            continue
        detail = (
            f"The client signed the body in {signed} and sent it otherwise: encode it once, and sign these bytes "
            f"({difference(body, value, 'body')})."
        )
        found.append(("body-encoding", detail, value))
    return found


def _reserialised(body: bytes) -> Iterator[tuple[str, str, bytes]]:
    if body.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        text = body.decode()
        parsed = [json.loads(text)]
        if "." in text or "e" in text.lower():
            parsed.append(json.loads(text, parse_float=_as_javascript))
        yield from _written(body, parsed)
    except (ValueError, RecursionError):
        return


def _written(body: bytes, parsed: list[Any]) -> Iterator[tuple[str, str, bytes]]:
    seen = {body}
    # Indented JSON is written by Python code and slowly, so a large body is written without the rarer combinations.
    large = len(body) > _SMALL_JSON
    for value in parsed:
        orders = [value]
        if not large and isinstance(value, dict) and 1 < len(value) <= 4:
            orders += [dict(items) for items in itertools.permutations(value.items())][1:]
        for place, ordered in enumerate(orders):
            layouts: list[tuple[Any, Any]] = [(None, (",", ":")), (None, (", ", ": "))]
            if place == 0:
                layouts += [(2, None), (4, None)] + ([] if large else [("\t", None)])
            for indent, separators in layouts:
                for sort in (False, True) if place == 0 else (False,):
                    for ascii_only in (False,) if body.isascii() and b"\\u" not in body else (False, True):
                        text = json.dumps(
                            ordered, indent=indent, separators=separators, sort_keys=sort, ensure_ascii=ascii_only
                        )
                        for written in (text, text.replace("/", "\\/")) if "/" in text else (text,):
                            found = written.encode()
                            if found not in seen:
                                seen.add(found)
                                detail = (
                                    "The client wrote the JSON twice, once to sign and once to send, with other "
                                    "spacing, key order or escapes: write it once, and sign the bytes that are sent "
                                    f"({difference(body, found, 'body')})."
                                )
                                yield "body-reserialised", detail, found


def _as_javascript(number: str) -> Any:
    value = float(number)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def targets(request: Request, target: bytes) -> Iterator[Change]:
    """Other targets, and those that two mistakes make of it."""
    for code, detail, value, lone in _targets(request, target):
        yield Change("target", value, (Cause(code, f"{detail} ({_differs(target, value, 'target')})."),), lone)
    if len(target) > _LONGEST_TARGET:
        return
    for code, detail, value, lone in list(_targets(request, target)):
        if value == target or lone or code == "target-absolute":
            continue
        for other, why, twice, _ in _targets(request, value):
            if other != code and twice not in (target, value):
                causes = Cause(code, f"{detail}."), Cause(other, f"{why}.")
                yield Change("target", twice, causes)


def _targets(request: Request, target: bytes) -> Iterator[tuple[str, str, bytes, bool]]:
    path, mark, query = target.partition(b"?")
    as_sent = "sign path and query exactly as they stand on the request line"
    if mark:
        yield "target-no-query", "The client signed the path without the query: sign both", path, False
    for origin in _origins(request):
        detail = "The client signed the whole URL: sign path and query alone"
        yield "target-absolute", detail, origin + target, False
    yield from ((*item, False) for item in _prefixes(request, target, path, mark + query))
    decoded_path, decoded_query = unquote_to_bytes(path), unquote_to_bytes(query)
    with_spaces = unquote_to_bytes(query.replace(b"+", b" "))
    for value in (
        decoded_path + mark + decoded_query,
        decoded_path + mark + with_spaces,
        decoded_path + mark + query,
        path + mark + decoded_query,
        path + mark + with_spaces,
    ):
        detail = f"The client signed the target percent-decoded: {as_sent}"
        yield "target-decoded", detail, value, False
    for value in _reencoded(target, path, mark, query):
        detail = f"The client signed the target with other percent-escapes than it sent: {as_sent}"
        yield "target-reencoded", detail, value, False
    for value in (target + b"#", re.sub(rb"%23", b"#", target)):
        detail = "The client signed a bare #: a fragment is not part of a request, and a # of the path or query is %23"
        yield "target-fragment", detail, value, False
    fields = query.split(b"&") if mark else []
    orders: list[Sequence[bytes]] = [
        sorted(fields, key=lambda field: field.partition(b"=")[0]),
        sorted(fields),
        fields[::-1],
    ]
    sure = len(orders)
    if len(fields) <= _MOST_PERMUTED:
        orders += itertools.permutations(fields)
    for place, order in enumerate(orders):
        detail = "The client signed the query's parameters in another order than it sent them: sign the query as sent"
        yield "target-query-order", detail, path + mark + b"&".join(order), place >= sure


def _origins(request: Request) -> Iterator[bytes]:
    hosts = dict.fromkeys(value for value in request.values("host"))
    known = [request.origin] if request.origin else []
    for host in hosts:
        try:
            known.append(parse_origin(f"https://{host}"))
        except ConfigError:
            continue
    for origin in dict.fromkeys(known):
        host = origin.partition("://")[2]
        for value in (origin, f"https://{host}", f"http://{host}", f"//{host}", host, f"https://{host}:443"):
            yield value.encode("latin-1", "replace")


def _prefixes(request: Request, target: bytes, path: bytes, rest: bytes) -> Iterator[tuple[str, str, bytes]]:
    detail = "The client signed the path without a prefix that it sent, such as a base path: sign the whole path"
    segments = path.split(b"/")
    for count in range(2, min(len(segments), 10)):
        yield "target-no-path-prefix", detail, b"/" + b"/".join(segments[count:]) + rest
    if path == b"/":
        yield "target-no-path-prefix", "The client signed an empty path where it sent a slash: sign the /", rest
    detail = "The client signed the path with a prefix that did not arrive, which a proxy may have taken off"
    announced = (value.encode("latin-1", "replace").rstrip(b"/") for value in request.values("x-forwarded-prefix"))
    for prefix in (*_PREFIXES, *announced):
        yield "target-no-path-prefix", f"{detail}: sign the path as it arrives", prefix + target


def _reencoded(target: bytes, path: bytes, mark: bytes, query: bytes) -> Iterator[bytes]:
    yield _ESCAPE.sub(lambda match: match[0].upper(), target)
    yield _ESCAPE.sub(lambda match: match[0].lower(), target)
    yield path + mark + query.replace(b"%20", b"+")
    yield path + mark + query.replace(b"+", b"%20")
    yield path + mark + query.replace(b"+", b"%2B")
    yield target.replace(b"%20", b"+")
    yield target.replace(b"+", b"%20")
    yield target.replace(b"%", b"%25")
    yield path.replace(b"%", b"%25") + mark + query
    yield path + mark + query.replace(b"%", b"%25")
    for write in _writers():
        new_path = write(unquote_to_bytes(path), "/")
        fields = [
            [unquote_to_bytes(side.replace(b"+", b" ")) for side in field.split(b"=", 1)] for field in query.split(b"&")
        ]
        new_query = b"&".join(b"=".join(write(side, "") for side in field) for field in fields)
        yield new_path + mark + new_query
        yield new_path + mark + query
        yield path + mark + new_query


def _writers() -> list[Callable[[bytes, str], bytes]]:
    """How libraries percent-encode: RFC 3986's unreserved characters, those of browsers, forms, and older rules."""

    def writer(function: Callable[..., str], bare: str) -> Callable[[bytes, str], bytes]:
        return lambda data, safe: function(data, safe=safe + bare).encode("ascii")

    tilde: Callable[[bytes, str], bytes] = lambda data, safe: quote(data, safe=safe).replace("~", "%7E").encode("ascii")  # noqa: E731
    return [
        writer(quote, ""),
        writer(quote_plus, ""),
        writer(quote, "!'()*"),
        writer(quote, "/:@!$'()*,;[]"),
        writer(quote, ":@!$&'()*+,;="),
        writer(quote_plus, "*"),
        writer(quote, "/"),
        tilde,
    ]


def secrets(secret: bytes, others: Iterable[tuple[str, bytes]] = ()) -> Iterator[Change]:
    """Other secrets that come of this one, and those of other keys with their key ids."""
    first = list(_spoilt(secret))
    for place, (code, detail, value) in enumerate(first):
        rare = code == "secret-whitespace" and place >= _USUAL_SPACES and value != secret.strip()
        yield Change("secret", value, (Cause(code, detail),), lone=rare)
    for code, detail, value in first[:_USUAL_SPACES]:
        for other, why, twice in _recoded(value):
            if twice != secret:
                yield Change("secret", twice, (Cause(code, detail), Cause(other, why)))
    for place, (key_id, value) in enumerate(others):
        detail = (
            f"The client signed with the secret of the key {key_id!r}: sign with the secret of the key that the "
            "request names, or name the other key."
        )
        yield Change("secret", value, (Cause("secret-other", detail),), lone=place >= 8)


def _spoilt(secret: bytes) -> Iterator[tuple[str, str, bytes]]:
    no_break_space, bom = "\xa0".encode(), "\ufeff".encode()
    detail = "The client signed with a secret that has white space (or a byte order mark) around it: strip it."
    for before, behind in (*_SPACES, (b"", no_break_space), (bom, b""), (no_break_space, b"")):
        yield "secret-whitespace", detail, before + secret + behind
    for space in (b"\t", b"\r", b"\n\n", "\u200b".encode(), b"\xa0"):
        yield "secret-whitespace", detail, secret + space
    for space in (b"\n", b"\t", "\u200b".encode()):
        yield "secret-whitespace", detail, space + secret
    yield "secret-whitespace", detail, b" " + secret + b" "
    detail = (
        "The secret that the verifier holds has white space around it and the client signed without: store it as is."
    )
    for value in (secret.strip(), secret.rstrip(b"\r\n"), secret.lstrip(), secret.rstrip(), secret.removeprefix(bom)):
        yield "secret-whitespace", detail, value
    yield from ((code, why, value) for code, why, value in _recoded(secret) if value)


def _recoded(secret: bytes) -> Iterator[tuple[str, str, bytes]]:
    code = "secret-encoding"
    should = "take the secret as text in UTF-8, as it was given out."
    if _BASE64.fullmatch(secret):
        plain = secret.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        if len(plain) % 4 != 1:
            decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4))
            yield code, f"The client decoded the secret from base64 before it signed: {should}", decoded
    if len(secret) % 2 == 0 and re.fullmatch(rb"[0-9A-Fa-f]+", secret):
        yield code, f"The client decoded the secret from hex before it signed: {should}", bytes.fromhex(secret.decode())
    for value in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.b64encode(secret).rstrip(b"=")):
        yield code, f"The client encoded the secret in base64 before it signed: {should}", value
    for value in (secret.hex().encode(), secret.hex().upper().encode()):
        yield code, f"The client encoded the secret in hex before it signed: {should}", value
    for value in (quote(secret, safe="").encode(), quote_plus(secret).encode(), unquote_to_bytes(secret)):
        yield code, f"The client percent-encoded or decoded the secret before it signed: {should}", value
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
            secret.decode("latin-1").encode("ascii", "replace"),
        ):
            yield code, f"The client lost the letters of the secret that are not ASCII: {should}", value


def line_endings() -> Iterator[Change]:
    for value, what in ((b"\r\n", "CRLF"), (b"\\n", "a backslash and an n"), (b"\r", "CR")):
        detail = f"The client put {what} between the lines of the string to sign: put one LF."
        yield Change("join", value, (Cause("line-endings", detail),))
    ending = Cause("string-trailing-newline", TRAILING_NEWLINE)
    yield Change("end", b"\n", (ending,))
    yield Change("end", b"\r\n", (ending,))


TRAILING_NEWLINE = "The client signed the string with a newline at its end: end it without one."


def _differs(sent: bytes, signed: bytes, part: str = "content type") -> str:
    return difference(sent, signed, part)
