"""Signed requests as bytes, changed before they are signed and behind it, for the fuzz of middlewares.

What is changed first is signed, so it should be let in or not be signed at all. What is changed on the wire is
whatever someone in between can do: only the law of `fuzz.middlewares` says what may become of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from undersign import CannotSign, ConfigError, Credential, Request, sign

from .echo import KEY_ID, ORIGIN, SCHEMES, SECRET

_PATHS = (
    *("/", "/a", "/a/b", "//a", "/a//b", "/a/./b", "/a/../b", "/a/", "/a;b=1/c", "/%61", "/a%2Fb", "/a%2fb", "/%7e~"),
    *(
        "/a%3Fb",
        "/%C3%A9",
        "/%ff",
        "/a%00b",
        "/a+b%20c",
        "/!$&'()*,:@[]|",
        "/..",
        "/%2e%2e/a",
        "/a%0d%0ab",
        "/%",
        "/%zz",
    ),
    *("/{a}", '/"', "/\\a", "/^`", "/a%5Cb", "/*", "/http://h/a", "/" + "a" * 300),
)
_QUERIES = (
    *(
        "",
        "?",
        "?a=b",
        "?a=b&a=c",
        "?a+b=%2f",
        "??",
        "?a?b",
        "?&&a",
        "?a=%C3%A9",
        "?a=%ff",
        "?v=1.4",
        "?v=2.0",
        "?a=b#c",
    ),
    *(
        "?api_key=x",
        "?sig=x",
        "?a%5B%5D=1",
        "?fkey=x",
        "?a;b",
        "?=",
        "?a=%00",
        "?A=1&a=1",
        "?" + "a=b&" * 100,
        "?a=//../",
    ),
)
_BODIES = (
    b"",
    b"{}",
    b"a=b",
    b"a=b&c=%20",
    b"\0\xff\r\n\r\n",
    b"x" * 5000,
    b"0\r\n\r\n",
    b"sig=1&api_key=2",
    b"a=b&fsig=1",
)
_TYPES = (
    *("application/json", "application/x-www-form-urlencoded", "Application/JSON; Charset=UTF-8", "text/plain", ""),
    *("multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-8"),
)
_VALUES = ("", "a", "a, b", "caf\xe9", "a  b", '"a"', "0", "a;b=c", "x" * 200)
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "LINK")

# Lines that are put among a signed request's own.
_LINES = (
    *("Date: 2024-11-07T10:21:15Z", "date: x", "DATE: {date}", "Date:{date}", "Date: {date} ", "Date : {date}"),
    *("Content-Type: text/plain", "content-type: {type}", "Content_Type: text/plain", "Content-Type:\t{type}"),
    *("X-Name: other", "X_Name: other", "x-name: a", "X-NAME: a", "X-Other: b", "X-Other:", "X.Name: a", "Name: a"),
    *("Authorization: gotom_app_api a:b", "Authorization: Basic YTpi", "AUTHORIZATION: {auth}", "Authorization_: a"),
    *(
        "X-Lines: a 1 b",
        "X_Lines: a",
        "Proxy-Authorization: {auth}",
        "X-HTTP-Method-Override: DELETE",
        "X_Http_Method: PUT",
    ),
    *(
        "Host: other.example",
        "Host:",
        "X-Forwarded-Host: h",
        "X-Forwarded-Proto: http",
        "X-Original-URL: /b",
        "Forwarded: a",
    ),
    *("Content-Length: 0", "Content-Length: 3", "Content-Length: +3", "Content_Length: 0", "Content-Length: 1, 1"),
    *(
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer_Encoding: chunked",
    ),
    *(
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding: chunked, identity",
        "TE: trailers",
    ),
    *(
        "Expect: 100-continue",
        "Expect: x",
        "Connection: keep-alive",
        "Connection: Date",
        "Connection: close, Authorization",
    ),
    *(
        "Upgrade: h2c",
        "Upgrade: websocket",
        "Content-Encoding: gzip",
        "Content-Encoding: identity",
        "Trailer: Date",
        "Range: bytes=0-1",
    ),
    *(
        "Cookie: a=b",
        ": a",
        "A",
        "A b: c",
        "\xe9: a",
        "X-A: \xe9",
        "X-A: a\x00b",
        "X-A: a\x7fb",
        "X-A: a\rb",
        " folded",
        "\tfolded",
    ),
)


@dataclass
class Sent:
    """The bytes of one or more requests, and the strings that were signed in them, by scheme."""

    data: bytes
    signed: set[tuple[str, bytes]] = field(default_factory=set)


def sent(number: int, seed: str) -> Sent:
    """The request of that number."""
    chosen = Random(f"{seed} {number}")
    found = _one(chosen)
    if chosen.random() < 0.1:  # behind each other on one connection
        second = _one(chosen)
        found = Sent(found.data + second.data, found.signed | second.signed)
    if chosen.random() < 0.15:
        found.data = _spoilt(found.data, chosen)
    return found


def _one(chosen: Random) -> Sent:
    scheme = SCHEMES[chosen.choice(list(SCHEMES))]
    request, now = _request(chosen), time.time()
    while True:
        try:
            patch = sign(scheme, request, Credential(KEY_ID, SECRET), now=now)
        except (CannotSign, ConfigError):
            request = _request(chosen)
            continue
        break
    signed = patch.apply(request)
    head = Request(request.method, request.target, request.headers, request.body, ORIGIN)
    return Sent(_wire(signed, chosen), {(scheme.name, _string_of(scheme, head, now))})


def _string_of(scheme: object, request: Request, now: float) -> bytes:
    from undersign import Claim

    return scheme.draft(request, Claim(KEY_ID, now))[1]  # type: ignore[attr-defined, no-any-return]


def _request(chosen: Random) -> Request:
    method = chosen.choice(("GET", "POST", "POST", chosen.choice(_METHODS)))
    headers = [("X-Name", chosen.choice(_VALUES))]
    if chosen.random() < 0.7:
        headers.append(("Content-Type", chosen.choice(_TYPES)))
    if chosen.random() < 0.3:
        headers.append(("X-Other", chosen.choice(_VALUES)))
    body = b"" if chosen.random() < 0.3 else chosen.choice(_BODIES)
    return Request(method, chosen.choice(_PATHS) + chosen.choice(_QUERIES), tuple(headers), body, ORIGIN)


def _wire(request: Request, chosen: Random) -> bytes:
    body = request.body if isinstance(request.body, bytes) else b""
    changes = chosen.choice((0, 0, 1, 1, 1, 2, 3))
    target, version, end = request.target, "HTTP/1.1", "\r\n"
    lines = [f"{name}: {value}" for name, value in request.headers if name.lower() != "content-length"]
    known = {name.lower(): value for name, value in request.headers}
    lines.insert(0, "Host: api.example.com")
    framed, body = _framed(body, request.method, chosen)
    lines += framed
    if chosen.random() < 0.8:
        lines.append("Connection: close")
    for _ in range(changes):
        kind = chosen.randrange(10)
        if kind < 4:
            line = chosen.choice(_LINES).format(
                date=known.get("date", "x"), type=known.get("content-type", "x"), auth=known.get("authorization", "x")
            )
            lines.insert(chosen.randrange(len(lines) + 1), line)
        elif kind == 4:
            target = _changed_target(target, chosen)
        elif kind == 5:
            place = chosen.randrange(len(lines))
            name, colon, value = lines[place].partition(":")
            lines[place] = chosen.choice(
                (
                    name.swapcase() + colon + value,
                    name + colon + value.strip(),
                    name + " " + colon + value,
                    name + colon + " \t" + value + "\t ",
                    name.replace("-", "_") + colon + value,
                    name + colon + value[:3] + "\r\n " + value[3:],
                    name + colon + value + "\x0b",
                    name + colon + value + "\xa0",
                )
            )
        elif kind == 6 and len(lines) > 1:
            lines.pop(chosen.randrange(len(lines)))
        elif kind == 7:
            lines.append(chosen.choice(lines))
        elif kind == 8:
            version = chosen.choice(("HTTP/1.0", "HTTP/1.1 ", "http/1.1", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", ""))
        else:
            end = chosen.choice(("\n", "\r", "\r\n", "\r\n"))
    start = (
        f"{request.method} {target} {version}".rstrip(" ") if version == "" else f"{request.method} {target} {version}"
    )
    return end.join([start, *lines, "", ""]).encode("latin-1", "replace") + body


def _framed(body: bytes, method: str, chosen: Random) -> tuple[list[str], bytes]:
    """What says where the body ends, and the body with it."""
    kind = chosen.random()
    if kind < 0.6:
        return ([f"Content-Length: {len(body)}"] if body or method not in ("GET", "HEAD") else []), body
    pieces, start = [], 0
    while start < len(body):
        end = start + chosen.choice((1, 2, 1000, 65536))
        pieces.append(body[start:end])
        start = end
    extension = chosen.choice((b"", b"", b"", b";a=b", b" ", b';a="\r\n"', b"\t", b";"))
    size = chosen.choice((b"%x", b"%X", b"0%x", b"%x", b"0x%x" if chosen.random() < 0.05 else b"%x"))
    chunks = b"".join(size % len(piece) + extension + b"\r\n" + piece + b"\r\n" for piece in pieces)
    last = chosen.choice(
        (b"0\r\n\r\n",) * 4 + (b"0\r\nDate: x\r\nAuthorization: y\r\n\r\n", b"00\r\n\r\n", b"0;a\r\n\r\n", b"0\r\n")
    )
    lines = ["Transfer-Encoding: chunked"]
    if kind > 0.95:
        lines.insert(chosen.randrange(2), f"Content-Length: {chosen.choice((0, len(body), 5))}")
    return lines, chunks + last


def _changed_target(target: str, chosen: Random) -> str:
    place = chosen.randrange(len(target) + 1)
    return chosen.choice(
        (
            "http://api.example.com" + target,
            "https://other.example" + target,
            "HTTP://api.example.com" + target,
            "//other.example" + target,
            target + "#fragment",
            target + "?",
            target + "&sig=x",
            target + ("&" if "?" in target else "?") + "a=%00",
            target.replace("/", "//", 1),
            target.replace("%2F", "/"),
            target.replace("a", "%61", 1),
            target.replace("%61", "a", 1),
            target.replace("/", "/./", 1),
            target.replace("/", "/b/../", 1),
            target.replace("?", "%3F", 1),
            target.replace("a", "A", 1),
            target[:place]
            + chosen.choice(("\t", " ", "\x00", "\xe9", "%", "\\", "%0a", ";", "|", "\x7f"))
            + target[place:],
            target[1:],
            "*",
            "",
        )
    )


def _spoilt(data: bytes, chosen: Random) -> bytes:
    """The bytes with a few of them changed, wherever they stand."""
    changed = bytearray(data)
    for _ in range(chosen.randint(1, 4)):
        place = chosen.randrange(len(changed) + 1)
        kind = chosen.randrange(4)
        if kind == 0:
            del changed[place : place + chosen.randint(1, 8)]
        elif kind == 1:
            changed[place:place] = chosen.choice(
                (b"\0", b"\r\n", b"\n", b" ", b":", b"\t", b"%", b"\xff", b"GET / HTTP/1.1\r\n\r\n")
            )
        elif kind == 2 and place < len(changed):
            changed[place] = chosen.randrange(256)
        else:
            changed[place:place] = changed[place : place + chosen.randint(1, 40)]
    return bytes(changed)
