"""One request over HTTP/2 and its answer: two flows of pieces, either of which may end or break first.

Of an error its reason is kept, and no exception: a traceback would hold the request in memory, body and all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from .exchange import Failure, Pieces
from .transport import PIECE, Lost

if TYPE_CHECKING:
    from .http2_connection import Connection
    from .trailers import Trailers

Reason: TypeAlias = Callable[[], Failure]
"""Makes the failure that a request ends with."""

WINDOW = 2 * PIECE
"""How many bytes of an answer are kept for a client who does not read them."""
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_STATUS = re.compile(rb"[2-9][0-9][0-9]")
_CONTROL = re.compile(rb"[\x00\r\n]")


def lost() -> Failure:
    """The connection went away."""
    return Lost(502, "The upstream closed the connection before it answered")


def not_http() -> Failure:
    """What came is against the protocol."""
    return Failure(502, "The upstream's answer is not HTTP")


class Stream:
    """A request and its answer. It has to be closed, at whatever point."""

    def __init__(self, connection: Connection, number: int, method: str) -> None:
        self.number = number
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.trailers: list[tuple[bytes, bytes]] = []
        """What came behind the answer, unchecked."""
        self.has_ended = False
        """Whether all of the answer has come in."""
        self.is_sent = False
        self.reason: Reason | None = None
        self._connection = connection
        self._is_head = method == "HEAD"
        self._pieces: list[bytes] = []
        self._taken = 0  # bytes that were read, and for which the window was not opened again yet
        self._held = 0  # and those that are still to be read
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    @property
    def is_at_end(self) -> bool:
        """Whether all of the answer has been read."""
        return self.has_ended and not self._pieces

    async def head(self) -> None:
        """Wait for status and headers. Raises Failure, and what the body raises while it is sent."""
        while not self.status:
            self._check()
            await self._more()
        self._check()

    async def read(self) -> bytes:
        """The next piece of the answer's body, empty at its end. Raises Failure(502) where it is not whole."""
        while not self._pieces and not self.has_ended:
            if self.reason is not None:
                raise Failure(502, "The upstream's answer broke off: HTTP/2")
            self._check()
            await self._more()
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._taken += self._held
        self._held = 0
        if self._taken >= WINDOW // 2 and not self.has_ended and self.reason is None:
            self._connection.open_window(self.number, self._taken)
            self._taken = 0
        return piece

    def send(self, body: Pieces, trailers: Trailers | None) -> None:
        """Send the body from now on, while the answer may come already."""
        self._sender = asyncio.get_running_loop().create_task(self._send(body, trailers))

    def close(self) -> None:
        """Give up what has not been sent or read yet."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.cancel()
        self._connection.close_stream(self)

    def on_head(self, headers: list[tuple[bytes, bytes]], *, has_body: bool) -> None:
        """Called with what came in. h2 is not asked to check it: it would end the connection and all other requests."""
        status = headers[0][1] if headers and headers[0][0] == b":status" else b""
        self.headers = headers[1:]
        lengths = {value for name, value in self.headers if name == b"content-length"}
        has_none = self._is_head or status in (b"204", b"304")
        if (
            not _STATUS.fullmatch(status)
            or any(not _NAME.fullmatch(name) or _CONTROL.search(value) for name, value in self.headers)
            or len(lengths) > 1
            or (not has_body and not has_none and any(map(int, lengths)))
        ):
            self.reason = not_http
        self.status = int(status) if self.reason is None else 502
        self.wake()

    def on_data(self, piece: bytes, length: int) -> None:
        """Called with what came in; `length` is what it takes of the window."""
        self._held += length
        if piece:
            self._pieces.append(piece)
        self.wake()

    def on_end(self) -> None:
        """Called when the answer is whole."""
        self.has_ended = True
        self.wake()

    def on_broken(self, reason: Reason) -> None:
        """Called when nothing more comes or goes."""
        self.is_sent = True
        if not self.has_ended and self.reason is None:
            self.reason = reason
        self.wake()

    def wake(self) -> None:
        """Let reader and writer look again."""
        for waiter in (self._reader, self._writer):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _check(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error
        if self.reason is not None:
            raise self.reason()

    async def _more(self) -> None:
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    async def _send(self, body: Pieces, trailers: Trailers | None) -> None:
        try:
            while piece := await body.read():
                position = 0
                while position < len(piece):
                    if self.is_sent:  # the upstream wants no more of it
                        return
                    position += self._connection.send_data(self.number, piece, position)
                    if position < len(piece):
                        self._writer = asyncio.get_running_loop().create_future()
                        try:
                            if not self._connection.room(self.number):
                                await self._writer
                        finally:
                            self._writer = None
            if not self.is_sent:
                self._connection.end_sending(self, trailers.passing() if trailers is not None else [])
        except Exception as error:  # what the client did, which is for whoever waits for the answer
            self._error = error.with_traceback(None)
            self.wake()
        finally:
            self._sender = None
