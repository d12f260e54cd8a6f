"""A forwarder or proxy on a port of loopback, in this process, and upstreams whose every byte a test chooses."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn

from undersign.gateway.forwarding import Forwarder
from undersign.gateway.serving import server_config

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 30.0


@contextmanager
def running(app: Any, *, http: type[asyncio.Protocol] | None = None) -> Iterator[int]:
    """The port on which the ASGI app is served, as the processes serve it."""
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    config = server_config(app, grace=1)
    if http is not None:
        config.http = http
    server = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        assert ready.wait(PATIENCE)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


def forwarding(origin: str, **options: Any) -> Any:
    """An app that forwards everything to the origin."""
    forwarder = Forwarder(**options)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await forwarder.lifespan(receive, send)
        else:
            await forwarder.forward(scope, receive, send, origin)

    return app


def talk(port: int, *pieces: bytes, half_close: bool = False) -> bytes:
    """All that comes back for these bytes, until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What comes in until the other side closes, or breaks the connection."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise AssertionError(f"The connection is still open after {PATIENCE:g} s, with {received!r}") from None
    return received


def get(target: str = "/", *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    """A request's bytes, whose answer ends the connection."""
    head = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in head).encode("latin-1") + b"\r\n" + body


def status_of(answer: bytes) -> int:
    """The status of an answer's first line; 0 where nothing came."""
    return int(answer[9:12]) if answer else 0


class Scripted:
    """An upstream that hands each connection to `script(connection, number)`, and closes it after; a context manager.

    `closed` is set when a connection's script has ended.
    """

    def __init__(self, script: Callable[[socket.socket, int], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self.closed = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(connection, self.connections), daemon=True).start()

    def _run(self, connection: socket.socket, number: int) -> None:
        with connection:
            connection.settimeout(PATIENCE)
            with suppress(OSError):
                self._script(connection, number)
        self.closed.set()


def head_of(connection: socket.socket) -> bytes:
    """The head of a request that comes in, and what of its body came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("closed")
        received += piece
    return received


def answering(answer: bytes) -> Callable[[socket.socket, int], None]:
    """A script that reads a head, and answers so."""

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(answer)

    return script
