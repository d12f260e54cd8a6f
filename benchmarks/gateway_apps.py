"""What `gateway.py` compares: forwarding by the same engines without any care, `undersign proxy`, `undersign gateway`.
Each listens on a socket that is passed on, and says when it is ready.

python gateway_apps.py plain|forwarder|proxy|gateway FD ORIGIN
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
import yarl
from sample import KEY_ID, SECRET

from undersign import GoTom
from undersign.gateway import Forwarder, SigningProxy
from undersign.gateway.process import Settings, run
from undersign.gateway.serving import serve

_OF_ONE_CONNECTION = (b"connection", b"host", b"transfer-encoding")


class Plain:
    """The shortest forwarder that works: it streams both ways, and drops the headers that have to be."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        headers = [(n.decode(), v.decode()) for n, v in scope["headers"] if n not in _OF_ONE_CONNECTION]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        url = yarl.URL(self._origin + target.decode(), encoded=True)
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])

        async def pieces() -> Any:
            more = True
            while more:
                message = await receive()
                more = message.get("more_body", False)
                yield message.get("body", b"")

        data = pieces() if has_body else None
        async with self._session.request(
            scope["method"], url, headers=headers, data=data, allow_redirects=False
        ) as answer:
            kept = [(n.lower(), v) for n, v in answer.raw_headers if n.lower() not in _OF_ONE_CONNECTION]
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            async for piece in answer.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class Forwarding:
    """The library's forwarder alone."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._forwarder = Forwarder()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._forwarder.lifespan(receive, send)
        else:
            await self._forwarder.forward(scope, receive, send, self._origin)


def gateway(listener: socket.socket, origin: str) -> None:
    """The command's own process, on the port of the socket."""
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.toml"
        keys.write_text(f'[keys]\n{KEY_ID} = "{SECRET}"\n', encoding="utf-8")
        keys.chmod(0o600)
        settings = Settings([GoTom()], keys, address, upstream=origin, max_body=1 << 40)
        run(settings, ready=lambda *addresses: ready())


def ready() -> None:
    print("ready", flush=True)


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ready()


def main() -> None:
    kind, fd, origin = sys.argv[1:]
    listener = socket.socket(fileno=int(fd))
    if kind == "plain":
        config = uvicorn.Config(
            Plain(origin),
            http="httptools",
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        Server(config).run([listener])
    elif kind == "gateway":
        gateway(listener, origin)
    else:
        app: Any = Forwarding(origin)
        if kind == "proxy":
            app = SigningProxy(GoTom(), KEY_ID, SECRET, origins=[origin])
        serve(app, listener, ready=ready)


if __name__ == "__main__":
    main()
