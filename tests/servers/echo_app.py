"""The app that the servers of the matrix run: an echo behind several middlewares, chosen by the first path segment.

It is run in a subprocess as `echo_app:asgi` or `echo_app:wsgi`. What middleware and app do is written to the file
UNDERSIGN_TEST_EVENTS, one JSON line each.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypedDict

from undersign import GoGrid, GoTom, HttpHmac, Request, Verified, Verifier
from undersign.policy import MemoryReplayGuard, ReplayPolicy
from undersign.servers import asgi as asgi_servers
from undersign.servers import wsgi as wsgi_servers
from undersign.servers.linger import Linger

KEY_ID = "user:1"
TEXT_KEY_ID = "clé"
READER = "reader"
SECRET = "thepasswordyoureceived"
KEYS = {KEY_ID: SECRET, TEXT_KEY_ID: SECRET, READER: SECRET}
ORIGIN = "https://api.example.com"
CUSTOM = HttpHmac(provider="custom_api", name="custom", signed_headers=("X-Name",))
PLAIN_HEADER = HttpHmac(provider="plain_api", name="plain", signed_headers=("Token",))

EVENTS = Path(os.environ.get("UNDERSIGN_TEST_EVENTS", os.devnull))
PREFIX = os.environ.get("UNDERSIGN_TEST_PREFIX", "")


class Options(TypedDict, total=False):
    origin: str
    prefix: str
    public: list[str]
    max_body: int
    linger: Linger
    authorize: Callable[[Verified, Request], bool]
    on_rejected: Callable[[str, str, str], object]


def note(event: str, **details: object) -> None:
    with EVENTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, **details}) + "\n")


class NoteLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note("log", text=record.getMessage(), logger=record.name)


logging.getLogger("undersign").addHandler(NoteLog())


def on_rejected(reason: str, key_id: str, detail: str) -> None:
    note("rejected", reason=reason, key_id=key_id, detail=detail)


COMMON: Options = {"origin": ORIGIN, "prefix": PREFIX, "on_rejected": on_rejected}
BOTH = [GoTom(), GoGrid()]
EVERY_METHOD = ReplayPolicy(MemoryReplayGuard(born=0), methods="all")
CONFIGS: dict[str, tuple[Verifier, Options]] = {
    "": (Verifier(BOTH, KEYS), {**COMMON, "public": ["/health", "/open/*"]}),
    "small": (Verifier(BOTH, KEYS), {**COMMON, "max_body": 1000}),
    "custom": (Verifier([CUSTOM, PLAIN_HEADER], KEYS), COMMON),
    "once": (Verifier(BOTH, KEYS, replay={"gotom": EVERY_METHOD, "gogrid": EVERY_METHOD}), COMMON),
    "role": (Verifier(BOTH, KEYS), {**COMMON, "authorize": lambda verified, head: verified.key_id != READER}),
    "brief": (Verifier(BOTH, KEYS), {**COMMON, "linger": Linger(seconds=0.1)}),
    "untold": (Verifier(BOTH, KEYS), {**COMMON, "origin": ""}),
}


def chosen(path: str) -> str:
    name = path.removeprefix(PREFIX).lstrip("/").partition("/")[0]
    return name if name in CONFIGS else ""


def answer(verified: Verified | None, path: str, body: bytes | None, header: Callable[[str], str | None]) -> bytes:
    note("app", path=path)
    return json.dumps(
        {
            "key_id": verified.key_id if verified else None,
            "scheme": verified.scheme if verified else None,
            "path": path,
            "body_bytes": None if body is None else len(body),
            "body_md5": None if body is None else hashlib.md5(body, usedforsecurity=False).hexdigest(),
            "x-name": header("x-name"),
            "content-length": header("content-length"),
        }
    ).encode()


# WSGI


def wsgi_echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("PATH_INFO", "").endswith("/stream"):
        start_response("200 OK", [("Content-Type", "text/plain")])
        note("app", path="/stream")
        return wsgi_stream()
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    length = environ.get("CONTENT_LENGTH")
    body = environ["wsgi.input"].read(int(length)) if length else b""

    def header(name: str) -> str | None:
        key = name.upper().replace("-", "_")
        value: str | None = environ.get(key, environ.get("HTTP_" + key))
        return value

    content = answer(environ.get("undersign"), path, body, header)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


def wsgi_stream() -> Iterator[bytes]:
    for number in range(20):
        yield b"piece %d\n" % number


WSGI = {
    name: wsgi_servers.SignatureMiddleware(wsgi_echo, verifier, **options)
    for name, (verifier, options) in CONFIGS.items()
}


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    try:
        return WSGI[chosen(path)](environ, start_response)
    finally:
        note("done", path=path)


# ASGI


async def asgi_echo(scope: Any, receive: Any, send: Any) -> None:
    path = scope["path"]
    if scope["type"] == "websocket":
        note("app", path=path, key_id=scope["undersign"].key_id)
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    if path.endswith("/stream"):
        await asgi_stream(receive, send)
        return
    body, message = b"", {"more_body": True}
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    headers = dict(scope["headers"])

    def header(name: str) -> str | None:
        value: bytes | None = headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    content = answer(scope.get("undersign"), path, body, header)
    start = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": content})


async def asgi_stream(receive: Any, send: Any) -> None:
    """Half a second of pieces, as frameworks stream them, with an eye on the disconnect; at last what CPU it took."""
    import asyncio

    note("app", path="/stream")
    await receive()
    gone = asyncio.ensure_future(receive())
    before = time.process_time()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for number in range(20):
        await send({"type": "http.response.body", "body": b"piece %d\n" % number, "more_body": True})
        await asyncio.wait([gone], timeout=0.025)
        if gone.done():
            break
    gone.cancel()
    spent = f"cpu {time.process_time() - before:.3f}\n".encode()
    await send({"type": "http.response.body", "body": spent, "more_body": False})


ASGI = {
    name: asgi_servers.SignatureMiddleware(asgi_echo, verifier, **options)
    for name, (verifier, options) in CONFIGS.items()
}


async def lifespan(receive: Callable[[], Awaitable[dict[str, Any]]], send: Any) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    try:
        await ASGI[chosen(scope["path"])](scope, receive, send)
    finally:
        note("done", path=scope["path"])
