"""One request of a client, from its first byte to the last of its answer, and everything that may end it before.

    receive ──> pieces of the body ──┐
                                     ├──> the work: an upstream is asked, and its answer sent on
    send <── the answer <────────────┘
      a timer looks every second:  who is waited for, and since when
                                   has the client gone away

There is one timer for an exchange and one clock reading for each piece, whatever may be slow: a client that sends or
reads nothing, an upstream that takes nothing or answers nothing. An answer that has begun is never ended as if it were
whole: `Broken` reaches the server, which closes the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from .heads import Headers, Message, Receive, Scope, Send, answer, values_of

if TYPE_CHECKING:
    from typing_extensions import Self

_TICK = 1.0


class Failure(Exception):
    """What ends an exchange, as the answer that the client gets: a status and one sentence without a secret."""

    def __init__(self, status: int, sentence: str, *, headers: Headers = ()) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers


class Broken(Exception):
    """The answer had begun and cannot be completed: whoever serves closes the connection, and the client sees it."""


class ClientGone(Exception):
    """The client has closed its connection, and nobody waits for the answer."""


class Exchange:
    """A request and its answer. `client_timeout` and `upstream_timeout` are seconds without any progress of theirs."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, *, client_timeout: float, upstream_timeout: float
    ) -> None:
        self.scope = scope
        self.status = 0
        """The status that the client has got; 0 before, and where it got none."""
        self.failure: Failure | ClientGone | None = None
        self._receive = receive
        self._send = send
        self._client_timeout = client_timeout
        self._upstream_timeout = upstream_timeout
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._is_done = False
        self._has_all = False
        self._waits_for_client = False
        self._since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Self], Awaitable[None]]) -> None:
        """Do the work, and answer in its place where it fails before an answer has begun. Raises Broken after."""
        self._timer = self._loop.call_later(_TICK, self._look)
        try:
            await work(self)
        except asyncio.CancelledError:
            if self.failure is None:
                raise
            if uncancel := getattr(self._task, "uncancel", None):  # since Python 3.11
                uncancel()
            await self._end(self.failure)
        except (Failure, ClientGone) as failure:
            # What a client does in mid-body may come up as an error of the upstream's connection.
            await self._end(self.failure or failure)
        finally:
            self._is_done = True
            self._timer.cancel()
            if self._watch is not None:
                self._watch.cancel()

    async def _end(self, failure: Failure | ClientGone) -> None:
        self.failure = failure
        if isinstance(failure, ClientGone):
            if self.status:
                raise Broken("the client has closed its connection") from None
            return
        if self.status:
            raise Broken(failure.sentence) from None
        self.status = failure.status
        await answer(
            self._send,
            failure.status,
            failure.sentence,
            headers=failure.headers,
            close=not self._has_all,
            head=self.scope["method"] == "HEAD",
        )

    def body(self) -> tuple[bytes | AsyncIterator[bytes], int | None]:
        """The body as it comes in, and the length that the client has declared; empty where none comes."""
        headers: Headers = self.scope["headers"]
        lengths = values_of(headers, b"content-length")
        if lengths and lengths[0] != b"0":
            return self.pieces(), int(lengths[0])
        if values_of(headers, b"transfer-encoding") or self.scope.get("http_version", "1.1") not in ("1.0", "1.1"):
            return self.pieces(), None
        self._has_all = True
        return b"", 0 if lengths else None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes in. Raises Failure(408) where it stalls, ClientGone where the client goes away."""
        while not self._has_all:
            self._now_waits_for_client(True)
            message = await self._receive()
            if message["type"] != "http.request":
                self.failure = ClientGone()
                raise self.failure
            self._has_all = not message.get("more_body", False)
            self._now_waits_for_client(False)
            if piece := message.get("body", b""):
                yield piece

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of the answer."""
        self._now_waits_for_client(True)
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})
        self._now_waits_for_client(False)

    async def put(self, piece: bytes, *, more: bool = True) -> None:
        """Send a piece of the answer's body; the last one without `more`. It waits while the client reads nothing."""
        self._now_waits_for_client(True)
        message: Message = {"type": "http.response.body", "body": piece, "more_body": more}
        await self._send(message)
        self._now_waits_for_client(False)

    def _now_waits_for_client(self, waits: bool) -> None:
        self._waits_for_client = waits
        self._since = self._loop.time()

    def _look(self) -> None:
        if self._is_done:
            return
        passed = self._loop.time() - self._since
        if self._waits_for_client and passed > self._client_timeout:
            self._cancel(Failure(408, f"No more of the request came in for {self._client_timeout:g} seconds"))
        elif not self._waits_for_client and passed > self._upstream_timeout:
            self._cancel(Failure(504, f"The upstream did not go on for {self._upstream_timeout:g} seconds"))
        else:
            if self._has_all and self._watch is None:
                self._watch = self._loop.create_task(self._wait_for_the_end())
            self._timer = self._loop.call_later(min(_TICK, self._client_timeout, self._upstream_timeout), self._look)

    def _cancel(self, failure: Failure | ClientGone) -> None:
        if self.failure is None and self._task is not None:
            self.failure = failure
            self._task.cancel()

    async def _wait_for_the_end(self) -> None:
        while (await self._receive())["type"] == "http.request":
            pass
        if not self._is_done:
            self._cancel(ClientGone())
