"""What clients sign in place of a target: a part of it, more than it, or other spellings."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, quote_plus, unquote_to_bytes

from ..core.credentials import parse_origin
from ..core.message import Request
from ..errors import ConfigError
from .cause import Cause, difference
from .changes import Change

_PREFIXES = (b"/api", b"/v1", b"/v2", b"/api/v1", b"/api/v2", b"/rest")
_MOST_PERMUTED = 5
_LONGEST_TARGET = 2048
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


def targets(request: Request, target: bytes) -> Iterator[Change]:
    """Other targets, and those that two mistakes make of it."""
    for code, detail, value, lone in _targets(request, target):
        yield Change("target", value, (Cause(code, f"{detail} ({difference(target, value, 'target')})."),), lone)
    if len(target) > _LONGEST_TARGET:
        return
    for code, detail, value, lone in list(_targets(request, target)):
        if value == target or lone or code == "target-absolute":
            continue
        for other, why, twice, _ in _targets(request, value):
            if other != code and twice not in (target, value):
                where = difference(target, twice, "target")
                causes = Cause(code, f"{detail} ({where})."), Cause(other, f"{why} ({where}).")
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
