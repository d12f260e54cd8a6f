"""What becomes of a body that still comes in when its request is refused: it is read and dropped, within bounds.

Whoever closes a connection on which more comes in resets it, and the client, or the proxy in front, loses the answer
that it had: nginx says 502 then. So what the client sends is dropped until it ends or pauses, the answer goes out, and
the connection stays open until nothing more comes in. RFC 9112, section 9.6.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ConfigError

Message: TypeAlias = MutableMapping[str, Any]

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["Linger"]

PAUSE = 0.25
"""So many seconds without a piece of a body: then the client waits for its answer, or is slow, and gets it first."""

_PIECE = 64 * 1024
# Servers that show no socket, leave what is unread to us, and let another thread read it.
_READ_BY_A_THREAD = ("granian", "a2wsgi")


@dataclass(frozen=True)
class Linger:
    """How much of a refused request's body is read and dropped after the answer: `seconds` and `limit` bytes at most.

    Until then the request holds its worker. `Linger(seconds=0)` closes at once. `clock` returns seconds that never
    step back. Raises ConfigError for a bound below zero.
    """

    seconds: float = 5.0
    limit: int = 64 * 1024 * 1024
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float("inf"):
            raise ConfigError(f"seconds is a finite number, 0 or more, not {self.seconds!r}")
        if type(self.limit) is not int or self.limit < 0:
            raise ConfigError(f"limit is a number of bytes, not {self.limit!r}")
        if not callable(self.clock):
            raise ConfigError(f"clock is a function that returns seconds, not {type(self.clock).__name__}")

    def __bool__(self) -> bool:
        return self.seconds > 0 and self.limit > 0


LINGER = Linger()


class Left(Enum):
    """What is left of a body that was dropped."""

    NOTHING = "nothing"
    SOMETHING = "something"
    NOBODY = "nobody"
    """The client has gone."""


class Dropping:
    """Drops a request's body from an ASGI `receive`, within the bounds of `linger`, which hold for all of it."""

    _waiting: asyncio.Future[Message] | None = None

    def __init__(self, linger: Linger, receive: Callable[[], Awaitable[Message]]) -> None:
        self._clock = linger.clock
        self._receive = receive
        self._deadline = linger.clock() + linger.seconds
        self._left = linger.limit

    async def drop(self, pause: float) -> Left:
        """Read on until the body ends, nothing has come for `pause` seconds, or a bound is reached."""
        while self._left > 0 and (seconds := self._deadline - self._clock()) > 0:
            message = await self._next(min(pause, seconds))
            if message is None:
                break
            if message["type"] != "http.request":
                return Left.NOBODY
            if not message.get("more_body", False):
                return Left.NOTHING
            self._left -= len(message.get("body", b""))
        return Left.SOMETHING

    async def _next(self, seconds: float) -> Message | None:
        """The next message, or None where it has not come in time."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return await self._next_elsewhere(seconds)
        if self._waiting is None:
            self._waiting = asyncio.ensure_future(self._receive())
        # Not cancelled in between: a server may lose what comes just then.
        if not (await asyncio.wait([self._waiting], timeout=seconds))[0]:
            return None
        waiting, self._waiting = self._waiting, None
        return waiting.result()

    async def _next_elsewhere(self, seconds: float) -> Message | None:
        trio: Any = sys.modules.get("trio")  # the other loop that ASGI servers run on
        if trio is None:
            return await self._receive()
        with trio.move_on_after(seconds):
            return await self._receive()
        return None

    def end(self) -> None:
        """Wait for nothing more."""
        if self._waiting is not None:
            self._waiting.cancel()


def answer_and_drop(linger: Linger, body: bytes, environ: WSGIEnvironment) -> Iterator[bytes]:
    """A WSGI answer's body, behind which the request's is read and dropped.

    PEP 3333 has a server send each piece before it asks for the next, so the client has its answer by then.
    """
    stream, length = environ["wsgi.input"], _length(environ)
    is_framed = length is not None or bool(environ.get("wsgi.input_terminated"))
    if is_framed and type(stream).__module__.partition(".")[0].lstrip("_") in _READ_BY_A_THREAD:
        if "HTTP_EXPECT" in environ:
            # Who waits for 100 (Continue) sends no body before the answer, and a read asks for it. When a piece is sent
            # these servers do not say: they ask for the next one before.
            yield body
            return
        reader = threading.Thread(target=_drop, args=(linger, stream.read, length), daemon=True)
        reader.start()
        reader.join(min(PAUSE, linger.seconds))  # granian takes an answer of full length for the end of it all
        yield body
        reader.join(linger.seconds)
        return
    connection = _connection(environ)
    yield body
    if connection is not None:
        with connection:
            _drop_on(connection, linger, stream.read if is_framed else None, length)


def _length(environ: WSGIEnvironment) -> int | None:
    """The declared length; None where there is none, or where it may not be the one that counts."""
    text: str = environ.get("CONTENT_LENGTH", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if is_number and "HTTP_TRANSFER_ENCODING" not in environ else None


def _connection(environ: WSGIEnvironment) -> socket.socket | None:
    """The client's connection, as a socket of our own to close; None where the server does not show it."""
    for shown in (environ.get("gunicorn.socket"), environ.get("werkzeug.socket"), environ["wsgi.input"]):
        try:
            descriptor = shown.fileno()  # type: ignore[union-attr]
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return socket.socket(fileno=os.dup(descriptor))
        except (AttributeError, TypeError, ValueError, OSError):
            continue
    return None


def _drop_on(
    connection: socket.socket, linger: Linger, read: Callable[[int], bytes] | None, length: int | None
) -> None:
    """Read and drop; `read` is None where nobody can tell the body's end, so that no request may come behind it."""
    # A read blocks for as long as the client likes, and a timeout of the socket would start anew with each byte. That
    # nothing more can be received wakes it, and has the server close the connection.
    timer = threading.Timer(linger.seconds, _receive_no_more, (connection,))
    timer.daemon = True
    timer.start()
    try:
        if read is None:
            connection.settimeout(linger.seconds)  # the server's own may not wait at all
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        is_read = _drop(linger, read or connection.recv, length)
    finally:
        timer.cancel()
        timer.join()
    if not is_read:
        _receive_no_more(connection)


def _receive_no_more(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _drop(linger: Linger, read: Callable[[int], bytes], length: int | None) -> bool:
    """Read and drop; whether all that was declared is read."""
    deadline = linger.clock() + linger.seconds
    left = linger.limit if length is None else min(length, linger.limit)
    try:
        while left > 0 and linger.clock() < deadline:
            piece = read(min(_PIECE, left))
            if not piece:
                return length is None
            left -= len(piece)
    except (OSError, EOFError, ValueError):
        return False
    return left == 0 and length is not None and length <= linger.limit
