"""One request of a client, from its first byte to the last of its answer, and everything that may end it before.

    receive ──> pieces of the body ──┐
                                     ├──> the work: an upstream is asked, and its answer sent on
    send <── the answer <────────────┘
      a timer looks every second:  who is waited for, and since when
                                   has the client gone away

There is one timer for all exchanges and one clock reading for each piece, whatever may be slow: a client that sends or
reads nothing, an upstream that takes nothing or answers nothing. An answer that has begun is never ended as if it were
whole: `Broken` reaches the server, which closes the connection.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from ..servers.linger import LINGER, PAUSE, Dropping, Left
from .heads import Fields, Headers, Message, Receive, Scope, Send, framing_problem, sentence_answer
from .trailers import ANSWERED, Trailers, asks_for_trailers, fold, received_trailers
from .tunnels import TUNNEL

if TYPE_CHECKING:
    from typing_extensions import Self

_TICK = 1.0
_STALLED = 408
_SMALL = 64 * 1024


class Watch:
    """Looks after exchanges: `client_timeout` and `upstream_timeout` are seconds without any progress of theirs."""

    def __init__(self, client_timeout: float, upstream_timeout: float) -> None:
        self.client_timeout = client_timeout
        self.upstream_timeout = upstream_timeout
        self.exchanges: set[Exchange] = set()
        self._is_looking = False

    def add(self, exchange: Exchange) -> None:
        """Look after the exchange from now on, until it is taken out of `exchanges`."""
        self.exchanges.add(exchange)
        if not self._is_looking:
            self._look_later()

    def _look_later(self) -> None:
        self._is_looking = True
        pause = min(_TICK, self.client_timeout, self.upstream_timeout)
        asyncio.get_running_loop().call_later(pause, self._look)

    def _look(self) -> None:
        self._is_looking = False
        for exchange in tuple(self.exchanges):
            exchange.look()
        if self.exchanges:
            self._look_later()


class Failure(Exception):
    """What ends an exchange, as the answer that the client gets: a status and one sentence without a secret.

    `detail` is for the log alone.
    """

    def __init__(self, status: int, sentence: str, *, headers: Headers = (), detail: str = "") -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers
        self.detail = detail

    @property
    def reason(self) -> str:
        """All that is known of it, for a log."""
        return f"{self.sentence} ({self.detail})" if self.detail else self.sentence


class Pieces:
    """An asynchronous iterator over what `read` gives until it gives nothing.

    A generator does the same, and the event loop keeps account of each one, which takes longer than reading.
    """

    __slots__ = ("read",)

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        self.read = read

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if piece := await self.read():
            return piece
        raise StopAsyncIteration


class Broken(Exception):
    """The answer had begun and cannot be completed: whoever serves closes the connection, and the client sees it."""


class ClientGone(Exception):
    """The client has closed its connection, and nobody waits for the answer."""

    reason = "the client has closed its connection"


class Exchange:
    """A request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, watch: Watch) -> None:
        self.scope = scope
        self.fields = Fields(scope["headers"])
        self.takes_trailers = ANSWERED in (scope.get("extensions") or ()) and self._asks_for_trailers()
        """Whether the answer may have trailers."""
        self.status = 0
        """The status that the client has got; 0 before, and where it got none."""
        self.failure: Failure | ClientGone | None = None
        self.is_complete = False
        """Whether the last piece of the answer has been handed over."""
        self._receive = receive
        self._send = send
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._is_done = False
        self._has_all = False
        self._waits_for_client = False
        self._since = self._loop.time()
        self._listening: asyncio.Task[None] | None = None

    @property
    def through(self) -> str | None:
        """The origin to which the tunnel leads that the request came through; None where it came through none."""
        return ((self.scope.get("extensions") or {}).get(TUNNEL) or {}).get("through")

    @property
    def is_over_http1(self) -> bool:
        """Whether the client speaks HTTP/1.1, or 1.0."""
        return self.scope.get("http_version", "1.1") in ("1.0", "1.1")

    async def run(self, work: Callable[[Self], Awaitable[None]]) -> None:
        """Do the work, and answer in its place where it fails before an answer has begun. Raises Broken after."""
        self._watch.add(self)
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
            self._watch.exchanges.discard(self)
            if self._listening is not None:
                self._listening.cancel()

    async def _end(self, failure: Failure | ClientGone) -> None:
        # The tracebacks of both lead back to here, and a cycle stays in memory, body and all, until it is looked for.
        self.failure = failure.with_traceback(None)
        failure.__context__ = None
        if isinstance(failure, ClientGone):
            if self.status:
                raise Broken(failure.reason) from None
            return
        if self.status:
            raise Broken(failure.reason) from None
        self.status = failure.status
        start, last = sentence_answer(
            failure.status,
            failure.sentence,
            headers=failure.headers,
            close=not self._has_all,
            head=self.scope["method"] == "HEAD",
        )
        # Nobody is asked for a body that is dropped: neither who waits to be told to go on, nor who sends no more.
        if self._has_all or failure.status == _STALLED or self.fields.values(b"expect"):
            await self._send(start)
            await self._send(last)
        else:
            await self._answer_early(start, last)

    async def _answer_early(self, start: Message, last: Message) -> None:
        """Answer while more of the body comes in: it is dropped, or the client would lose its answer; see linger."""
        dropping = Dropping(LINGER, self._receive)
        try:
            left = await dropping.drop(PAUSE)
            if left is Left.NOBODY:
                return
            await self._send(start)
            if left is Left.SOMETHING:
                await self._send({**last, "more_body": True})
                await dropping.drop(math.inf)
                last = {**last, "body": b""}
            await self._send(last)
        finally:
            dropping.end()

    async def body(self) -> tuple[bytes | Pieces, int | None]:
        """The body, and the length that the client has declared; empty where none comes.

        One that is declared to be small is read to its end first: so a slow client holds no connection to the upstream,
        and the request can be sent again where such a connection turns out to be lost.

        Raises Failure for one whose end is anybody's guess: 400 or 501.
        """
        if problem := framing_problem(self.scope, self.fields):
            raise Failure(*problem)
        lengths = self.fields.values(b"content-length")
        if lengths and lengths[0] != b"0":
            length = int(lengths[0])
            pieces = Pieces(self.read)
            return (b"".join([piece async for piece in pieces]) if length <= _SMALL else pieces), length
        if self.fields.values(b"transfer-encoding") or not self.is_over_http1:
            return Pieces(self.read), None
        self._has_all = True
        return b"", 0 if lengths else None

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end.

        Raises Failure(408) where it stalls, ClientGone where the client goes away.
        """
        while not self._has_all:
            self._now_waits_for_client(True)
            message = await self._receive()
            if message["type"] != "http.request":
                self.failure = ClientGone()
                raise self.failure
            self._has_all = not message.get("more_body", False)
            self._now_waits_for_client(False)
            if piece := message.get("body", b""):
                return piece  # type: ignore[no-any-return]
        return b""

    def trailers(self, sent: Iterable[tuple[str, str]], own: frozenset[bytes]) -> Trailers | None:
        """The request's trailers, where it goes on with the head `sent`; None where none can come. See Trailers."""
        received = received_trailers(self.scope)
        if received is None or not self.fields.values(b"transfer-encoding"):
            return None
        named = self.fields.named_by_connection()
        return Trailers(received, self.fields.values(b"trailer"), sent, own.union(map(fold, named)) if named else own)

    async def begin(self, status: int, headers: Headers, *, trailers: bool = False) -> None:
        """Send the head of the answer. With `trailers`, `end` is to be called after the last piece."""
        self._now_waits_for_client(True)
        self.status = status
        message: Message = {"type": "http.response.start", "status": status, "headers": list(headers)}
        if trailers:
            message["trailers"] = True
        await self._send(message)
        self._now_waits_for_client(False)

    async def open_tunnel(self, origin: str) -> None:
        """Answer a CONNECT with a tunnel to the origin, which the server has to offer; see tunnels."""
        self._now_waits_for_client(True)
        self.status = 200
        await self._send({"type": TUNNEL, "to": origin})

    async def put(self, piece: bytes, *, more: bool = True) -> None:
        """Send a piece of the answer's body; the last one without `more`. It waits while the client reads nothing."""
        self._now_waits_for_client(True)
        self.is_complete = not more
        message: Message = {"type": "http.response.body", "body": piece, "more_body": more}
        await self._send(message)
        self._now_waits_for_client(False)

    async def end(self, trailers: Headers) -> None:
        """Send the trailers of the answer, if there are any."""
        self._now_waits_for_client(True)
        await self._send({"type": ANSWERED, "headers": list(trailers), "more_trailers": False})
        self._now_waits_for_client(False)

    def _asks_for_trailers(self) -> bool:
        named = self.fields.named_by_connection() if self.is_over_http1 else None
        return self.scope["method"] != "HEAD" and asks_for_trailers(self.fields.values(b"te"), named)

    def _now_waits_for_client(self, waits: bool) -> None:
        self._waits_for_client = waits
        self._since = self._loop.time()

    def look(self) -> None:
        """End the exchange where one side has stood still for too long; from the first look on, also where the client
        goes away."""
        passed = self._loop.time() - self._since
        client, upstream = self._watch.client_timeout, self._watch.upstream_timeout
        if self._waits_for_client and passed > client:
            self._cancel(Failure(_STALLED, f"No more of the request came in for {client:g} seconds"))
        elif not self._waits_for_client and passed > upstream:
            self._cancel(Failure(504, f"The upstream did not go on for {upstream:g} seconds"))
        elif self._has_all and self._listening is None:
            self._listening = self._loop.create_task(self._wait_for_the_end())

    def _cancel(self, failure: Failure | ClientGone) -> None:
        if self.failure is None and self._task is not None:
            self.failure = failure
            self._task.cancel()

    async def _wait_for_the_end(self) -> None:
        while (await self._receive())["type"] == "http.request":
            pass
        if not self._is_done:
            self._cancel(ClientGone())
