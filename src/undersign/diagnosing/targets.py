"""What clients sign in place of a target: a part of it, more than it, or other spellings."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TypeAlias
from urllib.parse import quote, quote_plus, unquote_to_bytes

from ..core.credentials import parse_origin
from ..core.message import Request
from ..errors import ConfigError
from .cause import Cause, difference
from .changes import Change
from .proxies import PREFIX, TARGET
from .queries import Rewriting, rewritten

_PREFIXES = (b"/api", b"/v1", b"/v2", b"/api/v1", b"/api/v2", b"/rest", b"/public", b"/proxy", b"/backend", b"/gateway")
_MOST_PERMUTED = 5
_MOST_SEGMENTS = 16
_MOST_ESCAPED = 64
_LONGEST_TARGET = 2048
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


Again: TypeAlias = Callable[[bytes], Sequence[Rewriting]]
"""What clients make of a query."""


def targets(request: Request, target: bytes) -> Iterator[Change]:
    """Other targets, and those that two mistakes make of it."""
    again: Again = lambda query: tuple(rewritten(query.decode("latin-1")))  # noqa: E731
    found = list(_targets(request, target, again))
    for code, detail, value, lone in found:
        yield Change("target", value, (_cause(code, detail, target, value),), lone)
    if len(target) > _LONGEST_TARGET:
        return
    again = cache(lambda query: tuple(rewritten(query.decode("latin-1"), 1)))
    for code, detail, value, lone in found:
        if value == target or lone or code in ("target-absolute", "target-normalised", "target-parameter"):
            continue
        for other, why, twice, rare in _targets(request, value, again):
            if other != code and twice not in (target, value) and (not rare or other == "target-normalised"):
                causes = _cause(code, detail, target, twice), _cause(other, why, target, twice)
                yield Change("target", twice, causes)


def _cause(code: str, detail: str, target: bytes, value: bytes) -> Cause:
    what, stop, remedy = detail.partition(". ")
    return Cause(code, f"{what} ({difference(target, value, 'target')}).{stop[1:]}{remedy}")


def _targets(request: Request, target: bytes, again: Again) -> Iterator[tuple[str, str, bytes, int]]:
    path, mark, query = target.partition(b"?")
    as_sent = "sign path and query exactly as they stand on the request line"
    if mark:
        yield "target-no-query", "The client signed the path without the query: sign both", path, False
    for origin in _origins(request):
        detail = "The client signed the whole URL: sign path and query alone"
        yield "target-absolute", detail, origin + target, False
    yield from _slashes(path, mark + query)
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
        if b"~" in value and value.count(b"~") > target.count(b"~"):
            detail += f". Or it sent it so. {TARGET}"
        yield "target-decoded", detail, value, False
    upper = _ESCAPE.sub(lambda match: match[0].upper(), target) == target
    for value in _reencoded(target, path, mark, query):
        detail = f"The client signed the target with other percent-escapes than it sent: {as_sent}"
        if upper and _ESCAPE.sub(lambda match: match[0].upper(), value) == target:
            detail = f"The target was signed with escapes in lower case, and arrived with upper case. {TARGET}"
        yield "target-reencoded", detail, value, False
    fragments = (b"#", b"#top", b"#/", b"#section", b"#main", b"#anchor", b"#fragment", b"#content")
    for value in (re.sub(rb"%23", b"#", target), *(target + fragment for fragment in fragments)):
        detail = "The client signed a bare #: a fragment is not part of a request, and a # of the path or query is %23"
        yield "target-fragment", detail, value, value[-1:] != b"#"
    for value in _resolved(path):
        detail = (
            "The client signed the path as a library resolves it, without dot segments, double slashes or needless "
            "escapes, and sent it as it was: sign the path as it is sent, or send it resolved"
        )
        yield "target-normalised", detail, value + mark + query, False
    for place, value in enumerate(_before_normalising(path, mark, query)):
        detail = f"The target was signed as it arrived no more: a proxy or a library has normalised it. {TARGET}"
        yield "target-normalised", detail, value, 0 if place < 3 else 1 if place < 48 else 2
    yield from _queries(path + mark, query, again)
    for value in (target.lower(), path.lower() + mark + query, path + mark + query.lower(), target.upper()):
        detail = f"The client signed the target in another case than it sent: {as_sent}"
        yield "target-case", detail, value, True
    yield from _parameters(path, mark, query)


def _slashes(path: bytes, rest: bytes) -> Iterator[tuple[str, str, bytes, bool]]:
    if path.startswith(b"/"):
        yield "target-slash", "The client signed the path without the slash that it begins with", path[1:] + rest, False
    both = "sign the path as it is sent"
    if path.endswith(b"/") and path != b"/":
        detail = f"The client signed the path without the slash at its end, and sent it: {both}"
        yield "target-slash", detail, path.rstrip(b"/") + rest, False
        yield "target-slash", f"The client signed a slash that it did not send: {both}", path + b"/" + rest, True
        yield "target-slash", detail, path[:-1].lstrip(b"/") + rest, True
    elif path != b"/":
        detail = f"The client signed a slash at the end of the path that it did not send: {both}"
        yield "target-slash", detail, path + b"/" + rest, False
        yield "target-slash", detail, path[1:] + b"/" + rest, True
    yield "target-slash", f"The client signed two slashes at the start: {both}", b"/" + path + rest, True


def _resolved(path: bytes) -> Iterator[bytes]:
    """The path as URL libraries and fronts resolve it (RFC 3986, section 6.2.2), with double slashes and without."""
    bare = re.sub(rb"%2[eE]", b".", path)
    for value in (path, bare, re.sub(rb"/{2,}", b"/", bare), path.replace(b"\\", b"/")):
        kept: list[bytes] = []
        segments = value.split(b"/")[1:]
        for segment in segments:
            if segment == b".." and kept:
                kept.pop()
            elif segment not in (b".", b".."):
                kept.append(segment)
        if segments and segments[-1] in (b".", b".."):
            kept.append(b"")
        resolved = b"/" + b"/".join(kept)
        if resolved != path:
            yield resolved
    text = unquote_to_bytes(path).decode("utf-8", "replace")
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        if other != text:
            yield quote(other, safe="/~!'()*:@,;$&+=").encode("ascii")
            yield quote(other, safe="/").encode("ascii")


def _before_normalising(path: bytes, mark: bytes, query: bytes) -> Iterator[bytes]:
    """What may have been sent where this arrives: normalising loses it, so the likely ones are tried."""
    rest = mark + query
    if not mark:
        yield path + b"?"
    for escape in (b"%7e", b"%7E"):
        yield path.replace(escape, b"~") + rest
    yield path + rest.replace(b"%7E", b"~")
    places = [place for place, byte in enumerate(path) if byte == 0x2F][:_MOST_SEGMENTS]
    for place in places:
        before, behind = path[:place], path[place + 1 :]
        for written in (b"//", b"%2F", b"%2f", b"/./", b"///"):
            if place or written[:1] == b"/":
                yield before + written + behind + rest
    for first, second in itertools.combinations(places, 2):
        for written in (b"//", b"%2F", b"%2f"):
            if first or written == b"//":
                yield path[:first] + written + path[first + 1 : second] + written + path[second + 1 :] + rest
    for written in (b"//", b"%2F", b"%2f"):
        yield b"/" + path[1:].replace(b"/", written) + rest
    segments = dict.fromkeys(
        [*path.split(b"/")[1:], b"x", b"a", b"b", b"foo", b"api", b"v1", b"v2", b"..", b"tmp", b"old", b"test"]
    )
    for place in places:
        for segment in segments:
            yield path[:place] + b"/" + segment + b"/.." + path[place:] + rest
    if path.endswith(b"/"):
        yield path + b"." + rest
    # Characters that fronts escape, and those that they decode.
    for escape, bare in ((b"%7C", b"|"), (b"%5E", b"^"), (b"%60", b"`"), (b"%5C", b"\\"), (b"%20", b" ")):
        yield path.replace(escape, bare) + rest
    for byte in b"~!'()*:@,;$&+=-._|^`":
        escape, one = b"%%%02X" % byte, bytes([byte])
        if escape in path.upper():
            yield re.sub(escape, lambda _, one=one: one, path, flags=re.IGNORECASE) + rest  # type: ignore[misc]
    for place in range(1, min(len(path), _MOST_ESCAPED)):
        if path[place] not in b"/%" and path[place - 2 : place - 1] != b"%" and path[place - 1 : place] != b"%":
            for written in (b"%%%02X", b"%%%02x"):
                yield path[:place] + written % path[place] + path[place + 1 :] + rest


def _queries(before: bytes, query: bytes, again: Again) -> Iterator[tuple[str, str, bytes, bool]]:
    """The query as clients write it again, which have parsed it."""
    as_sent = "sign the query as it is sent"
    order = f"The client signed the query's parameters in another order than it sent them: {as_sent}"
    for text, written, is_rare in again(query):
        value = before + text.encode("latin-1", "replace")
        if written.others:
            detail = f"The client signed other parameters than it sent, such as lists written otherwise: {as_sent}"
            yield "target-parameter", detail, value, True
        elif written.order:
            yield "target-query-order", order, value, written.changed > 1
        elif written.spelling.startswith("decoded"):
            yield "target-decoded", f"The client signed the query percent-decoded: {as_sent}", value, is_rare
        else:
            detail = f"The client signed the query with other percent-escapes than it sent: {as_sent}"
            yield "target-reencoded", detail, value, is_rare
    fields = query.split(b"&")
    if 2 < len(fields) <= _MOST_PERMUTED:
        for permuted in itertools.permutations(fields):
            yield "target-query-order", order, before + b"&".join(permuted), True


def _parameters(path: bytes, mark: bytes, query: bytes) -> Iterator[tuple[str, str, bytes, bool]]:
    """The query without one of its parameters, which came to it later, and without those that are blank."""
    fields = query.split(b"&") if mark else []
    if len(fields) > 64:
        return
    detail = "The client signed the query without a parameter that it sent: sign the query as it is sent"
    filled = [field for field in fields if field.partition(b"=")[2]]
    for kept in (filled, *(fields[:place] + fields[place + 1 :] for place in reversed(range(len(fields))))):
        yield "target-parameter", detail, path + (mark if kept else b"") + b"&".join(kept), True
    detail = "The client signed the query with an & or = that it did not send: sign the query as it is sent"
    if mark:
        for value in (path + mark + query + b"&", path + mark + b"&" + query, path + mark + query.rstrip(b"&")):
            yield "target-parameter", detail, value, True
        yield "target-parameter", detail, path + query, True


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
        if {*segments[1:count]} <= {b"", b".", b".."}:  # that is a path which was resolved
            continue
        yield "target-no-path-prefix", detail, b"/" + b"/".join(segments[count:]) + rest
    if path == b"/":
        yield "target-no-path-prefix", "The client signed an empty path where it sent a slash: sign the /", rest
    detail = f"The path was signed with a prefix that did not arrive. {PREFIX}"
    announced = (value.encode("latin-1", "replace").rstrip(b"/") for value in request.values("x-forwarded-prefix"))
    for prefix in (*_PREFIXES, *announced):
        yield "target-no-path-prefix", detail, prefix + target


def _reencoded(target: bytes, path: bytes, mark: bytes, query: bytes) -> Iterator[bytes]:
    yield _ESCAPE.sub(lambda match: match[0].upper(), target)
    yield _ESCAPE.sub(lambda match: match[0].lower(), target)
    for change in (bytes.lower, bytes.upper):
        yield _ESCAPE.sub(lambda match, change=change: change(match[0]), path) + mark + query  # type: ignore[misc]
        yield path + mark + _ESCAPE.sub(lambda match, change=change: change(match[0]), query)  # type: ignore[misc]
        for match in itertools.islice(_ESCAPE.finditer(target), 16):
            yield target[: match.start()] + change(match[0]) + target[match.end() :]
    yield path + mark + query.replace(b"+", b"%2B")
    yield target.replace(b"&", b"&amp;")
    yield quote(target, safe="").encode("ascii")
    yield quote(path, safe="").encode("ascii") + mark + query
    for safe in ("!'()*~", "/!'()*~"):
        yield quote(target, safe=safe).encode("ascii")
        yield quote(path, safe=safe).encode("ascii") + mark + query
    for bare in b"~!'()*:@,;$.-_":
        for escape in (b"%%%02X" % bare, b"%%%02x" % bare):
            yield target.replace(bytes([bare]), escape)
            yield path.replace(bytes([bare]), escape) + mark + query
    yield target.replace(b"%20", b"+")
    yield target.replace(b"+", b"%20")
    yield target.replace(b"%", b"%25")
    yield target.replace(b"%2B", b"+").replace(b"%2b", b"+")
    yield target.replace(b"%2C", b",").replace(b"%3A", b":")
    yield path.replace(b"%", b"%25") + mark + query
    yield path + mark + query.replace(b"%", b"%25")
    for write in _writers():
        yield write(unquote_to_bytes(path), "/") + mark + query
        yield write(unquote_to_bytes(path), "/") + mark + _written_query(query, write)


def _written_query(query: bytes, write: Callable[[bytes, str], bytes]) -> bytes:
    fields = [
        [unquote_to_bytes(side.replace(b"+", b" ")) for side in field.split(b"=", 1)] for field in query.split(b"&")
    ]
    return b"&".join(b"=".join(write(side, "") for side in field) for field in fields)


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
        writer(quote, "~-_.!*'()/:?=&,;@$+"),
        writer(quote, "[]"),
        tilde,
        lambda data, safe: quote_plus(data, safe=safe + "*").replace("~", "%7E").encode("ascii"),
        lambda data, safe: _ESCAPE.sub(lambda match: match[0].lower(), quote(data, safe=safe).encode("ascii")),
    ]
