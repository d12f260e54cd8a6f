"""The requests that check_scheme() tries: ordinary ones, changed ones and odd ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

from ..core.message import BodyDigest, Component, Pairs, Request

_ORIGIN = "https://api.example.com"
_JSON = ("Content-Type", "application/json")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_ODD_TARGETS = ("", "*", "/", "//", "http://h/p?q", "/%zz?%=&&=#f", "/\x00 \xff\ud800", "/?" + "a=1&" * 300)
_ODD_VALUES = (
    "",
    " ",
    "0",
    ",",
    ":",
    "=",
    "\x00\r\n",
    "\xff\xfe",
    "\u2028\ud800",
    "a" * 5000,
    "é",
    "NaN",
    "-1",
    "1e999",
)


def ordinary_requests(headers: Pairs) -> tuple[Request, ...]:
    """What clients send: with a query and without, with bodies of several kinds and with none."""
    return (
        Request("GET", "/things", headers, b"", _ORIGIN),
        Request("GET", "/things?b=2&a=1&a=%2f&c", headers, b"", _ORIGIN),
        Request("POST", "/things", (_JSON, *headers), b'{"name": "new"}', _ORIGIN),
        Request("POST", "/things?a=1", (_FORM, *headers), b"x=1&y=%20&x=2", _ORIGIN),
        Request("PUT", "/things/1", (("Content-Type", "text/plain; charset=UTF-8"), *headers), b"\x00\xff", _ORIGIN),
        Request("DELETE", "/things/1", headers, b"", _ORIGIN),
    )


def of_others(request: Request) -> Iterator[Request]:
    """The request as it is signed by nobody, or in ways that are no scheme's of undersign."""
    yield request
    yield Request(request.method, request.target, (), b"", request.origin)
    for value in ("Bearer eyJhbGciOiJub25lIn0.e30.", "Basic dXNlcjpwYXNz", 'Digest username="user", nonce="1"'):
        headers = (*request.headers, ("Authorization", value))
        yield Request(request.method, request.target, headers, request.body, request.origin)


def on_the_way(signed: Request) -> Iterator[tuple[Request, str]]:
    """The signed request as clients, proxies and servers hand it on, each with what has happened to it."""
    headers = signed.headers
    names = {name.lower() for name, _ in headers}
    added = (("Host", _ORIGIN.partition("//")[2]), ("Accept", "*/*"), ("X-Request-Id", "1"), ("Via", "1.1 proxy"))
    others: tuple[tuple[Pairs, str], ...] = (
        (tuple((name.lower(), value) for name, value in headers), "header names in lower case, as HTTP/2 sends them"),
        (tuple((name.title(), value) for name, value in headers), "header names in title case, as WSGI gives them"),
        (headers[::-1], "headers in another order"),
        ((*headers, *(pair for pair in added if pair[0].lower() not in names)), "more headers"),
    )
    for changed, what in others:
        yield Request(signed.method, signed.target, changed, signed.body, signed.origin), what


def tampered(component: Component, signed: Request, credentials: Set[str]) -> list[Request]:
    """The signed request with that part changed; `credentials` are the lower-case names of headers that signing set."""
    method, target, headers, body, origin = signed.method, signed.target, signed.headers, signed.body, signed.origin
    if component is Component.METHOD:
        others = [other for other in ("GET", "POST", "PUT", "DELETE", "PATCH") if other != method]
        return [Request(other, target, headers, body, origin) for other in others]
    if component is Component.TARGET:
        path, mark, query = target.partition("?")
        targets = [f"{path}2{mark}{query}", f"/x{target}", target + ("&" if mark else "?") + "z=1", target.upper()]
        return [Request(method, other, headers, body, origin) for other in targets if other != target]
    if component is Component.BODY and isinstance(body, bytes):
        bodies = [body + b"\n", body[:-1], body.swapcase(), b""]
        return [Request(method, target, headers, other, origin) for other in bodies if other != body]
    if component is Component.AUTHORITY:
        hosts = [pair for pair in headers if pair[0].lower() != "host"]
        return [
            Request(method, target, (*hosts, ("Host", "other.example.com")), body, "https://other.example.com"),
        ]
    if component is Component.CONTENT_TYPE:
        return list(_with_headers(signed, lambda name: name == "content-type"))
    return list(_with_headers(signed, lambda name: name not in credentials and name not in ("content-type", "host")))


def _with_headers(signed: Request, wanted: Callable[[str], bool]) -> Iterator[Request]:
    for place, (name, value) in enumerate(signed.headers):
        if wanted(name.lower()):
            for other in (((name, value + "2"),), ((name, "other"),), ()):
                headers = signed.headers[:place] + other + signed.headers[place + 1 :]
                yield Request(signed.method, signed.target, headers, signed.body, signed.origin)


def odd_requests(signed: Request) -> Iterator[Request]:
    """The request with parts that are absent, repeated, huge, no text, or of another kind."""
    method, target, headers, body, origin = signed.method, signed.target, signed.headers, signed.body, signed.origin
    for other in _ODD_TARGETS:
        yield Request(method, other, headers, body, origin)
    for value in _ODD_VALUES:
        path, mark, query = target.partition("?")
        if mark:
            for place, field in enumerate(fields := query.split("&")):
                changed = [*fields[:place], f"{field.partition('=')[0]}={value}", *fields[place + 1 :]]
                yield Request(method, f"{path}?{'&'.join(changed)}", headers, body, origin)
        for place, (name, old) in enumerate(headers):
            for new in (value, old + value, old[: len(old) // 2] + value):
                yield Request(method, target, (*headers[:place], (name, new), *headers[place + 1 :]), body, origin)
        yield Request(value, target, headers, body, origin)
    for place, (name, old) in enumerate(headers):
        instead: tuple[Pairs, ...] = (), ((name, old), (name, old)), ((name.upper(), old),), ((name, f" \t{old} "),)
        for pairs in instead:
            yield Request(method, target, (*headers[:place], *pairs, *headers[place + 1 :]), body, origin)
        yield Request(method, target, (*headers, (name.replace("-", "_"), "other")), body, origin)
    for other_body in (b"", b"\xff\x00" * 100, b"&&=&%zz", BodyDigest({}, 7), BodyDigest({"md5": "0" * 32}, 7)):
        yield Request(method, target, headers, other_body, origin)
    for other_origin in ("", "http://api.example.com", "no origin"):
        yield Request(method, target, headers, body, other_origin)
    yield Request(method, target + "&" + target.partition("?")[2], headers, body, origin)
