"""A client that sends bytes and nothing else, so that what is signed and what is sent can differ."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from undersign import Credential, GoGrid, GoTom, Request, Scheme, sign

from .echo_app import KEY_ID, ORIGIN, SECRET

GOTOM, GOGRID = GoTom(), GoGrid()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def signed(
    scheme: Scheme = GOTOM,
    method: str = "GET",
    target: str = "/items",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    key_id: str = KEY_ID,
    secret: str = SECRET,
    age: float = 0,
) -> Request:
    """A request as a client has signed it `age` seconds ago."""
    request = Request(method, target, tuple(headers), body, ORIGIN)
    return sign(scheme, request, Credential(key_id, secret), now=time.time() - age).apply(request)


def message(request: Request, *, target: str | None = None, extra: str = "", chunked: bool = False) -> bytes:
    """The request's bytes, with another target or more header lines if asked."""
    body = request.body if isinstance(request.body, bytes) else b""
    lines = [f"{request.method} {target or request.target} HTTP/1.1", "Host: api.example.com", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers if name.lower() != "content-length"]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif body or request.method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body)}")
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + extra.encode("latin-1") + b"\r\n" + body


def send(port: int, data: bytes, *, method: str = "GET", timeout: float = 20) -> Answer:
    """Send the bytes as they are, and read one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)  # it may be refused before it is read to its end, and the answer is there
        return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
    except http.client.IncompleteRead as error:
        body = error.partial
    finally:
        response.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def break_off(port: int, data: bytes, *, reset: bool = False) -> None:
    """Send the bytes and hang up; with `reset` so that even what was sent may be lost."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
