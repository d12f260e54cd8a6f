"""A server on loopback that keeps the exact bytes of every request, to be compared with what was signed."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from undersign import Request, Verified, Verifier
from undersign.core.http1 import RequestReader

if TYPE_CHECKING:
    from typing_extensions import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class WireServer:
    """Answers each connection's one request with `respond(raw)`, and keeps its bytes in `requests`."""

    keeps_alive = False

    def __init__(
        self, respond: Callable[[bytes], bytes] = lambda raw: OK, context: ssl.SSLContext | None = None
    ) -> None:
        self.respond = respond
        self._context = context
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._answering: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._connections:  # which a client may keep for another request
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._answering:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._answering.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self._answering[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        # A client may trust no certificate, or have what it wants, and hang up.
        with contextlib.suppress(OSError):
            self._converse(self._context.wrap_socket(connection, server_side=True) if self._context else connection)

    def _converse(self, connection: socket.socket) -> None:
        self._connections.append(connection)
        with connection:
            while raw := _read_one(connection):
                self.requests.append(raw)
                connection.sendall(self.respond(raw))
                if not self.keeps_alive:
                    return

    def received(self, index: int = -1) -> Request:
        """A request as it came in, read strictly."""
        return Request.from_http(self.requests[index], origin=self.url)

    def verified(self, verifier: Verifier, index: int = -1) -> Verified:
        """Who signed a request that came in. Raises Rejected where what was sent is not what was signed."""
        return verifier.verify(self.received(index))


class KeepAliveServer(WireServer):
    """The same for many requests on a connection, as long as the client sends one after the other."""

    keeps_alive = True

    def __init__(self) -> None:
        super().__init__(lambda raw: OK.replace(b"Connection: close\r\n", b""))


def _read_one(connection: socket.socket) -> bytes:
    reader, raw = RequestReader(), b""
    while not reader.done:
        data = connection.recv(65536)
        if not data:
            return b""
        raw += data
        reader.feed(data)
        if reader.waits_for_continue:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return raw


def once(response: bytes) -> Callable[[bytes], bytes]:
    """Answer the first request so, and all others 200."""
    answers = itertools.chain([response], itertools.repeat(OK))
    return lambda raw: next(answers)


def redirect(status: int, location: str) -> bytes:
    """A redirect as a server sends it."""
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
