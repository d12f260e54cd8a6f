"""Sending a request on to an upstream, and its answer back: target and headers go as they are given.

The request goes out over one of two engines, see transport: over HTTP/1.1, or over HTTP/2 where that is asked for.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..bodies import OnDisk
from ..clients._retries import IDEMPOTENT
from ..core.message import Pairs, headers_as_text
from ..errors import ConfigError
from .exchange import Exchange, Failure, Watch
from .heads import OF_ONE_CONNECTION, Headers, Receive, Scope, Send, host_problem, path_and_query
from .over_aiohttp import OverAiohttp
from .transport import Answer, Lost, Outgoing, Transport, Unprocessed

if TYPE_CHECKING:
    from typing_extensions import Self

NOT_FORWARDED = OF_ONE_CONNECTION | {b"content-length", b"expect", b"via"}
"""Names of headers that are made anew, or end here."""


class Forwarder:
    """Connections to upstreams, which are kept open and shared by any number of exchanges of one event loop.

    `connect_timeout`, `upstream_timeout` and `client_timeout` are seconds: to connect, and without any progress of the
    upstream or the client. `connections` is how many there may be at once. `tls` is the context for https upstreams;
    the system's authorities are trusted without it. Close it with `await close()`.

    With `http2` upstreams on https choose between HTTP/2 and HTTP/1.1 by ALPN, which is set on `tls`, so give it a
    context of its own; those on http are spoken to in HTTP/2 at once (prior knowledge), and `connections` is how many
    there may be to one origin. Raises ConfigError where that is asked for and h2 is not installed.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10.0,
        upstream_timeout: float = 60.0,
        client_timeout: float = 60.0,
        connections: int = 1024,
        tls: ssl.SSLContext | None = None,
        http2: bool = False,
    ) -> None:
        self.pseudonym = f"undersign-{secrets.token_hex(6)}"
        """What this forwarder is called in Via, which shows it a request of its own."""
        self.client_timeout = client_timeout
        self._watch = Watch(client_timeout, upstream_timeout)
        http1 = OverAiohttp(connect_timeout, connections, tls)
        self._transport: Transport = _over_http2(connect_timeout, connections, tls, http1) if http2 else http1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Answer an ASGI server's lifespan events, and close all connections when it ends."""
        while (event := (await receive())["type"]) != "lifespan.shutdown":
            await send({"type": f"{event}.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def exchange(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        """The exchange of an ASGI request, with this forwarder's timeouts."""
        return Exchange(scope, receive, send, self._watch)

    def incoming_headers(self, exchange: Exchange, dropped: frozenset[bytes] = NOT_FORWARDED) -> Pairs:
        """What of the request's headers goes on, as Latin-1, with a Via of ours. `dropped` is to hold NOT_FORWARDED.

        Raises Failure: 508 for a request that was here before, 417 for an Expect that is not known, 501 for an upgrade
        to a websocket.
        """
        fields = exchange.fields
        via = f"{exchange.scope.get('http_version', '1.1')} {self.pseudonym}"
        if vias := fields.values(b"via"):
            before = b", ".join(vias).decode("latin-1")
            if self.pseudonym in before:
                raise Failure(508, "This request has been here before: the upstream leads back to this very process")
            via = f"{before}, {via}"
        expects, upgrades = fields.values(b"expect"), fields.values(b"upgrade")
        if expects and any(value.lower() != b"100-continue" for value in expects):
            raise Failure(417, "Expect asks for something that is not known here")
        if upgrades and any(b"websocket" in value.lower() for value in upgrades):
            raise Failure(501, "Websockets do not go through here: connect to the upstream itself")
        return (*headers_as_text(fields.end_to_end(dropped)), ("via", via))

    def ask(self, outgoing: Outgoing) -> Coroutine[Any, Any, Answer]:
        """Send the request; return the answer once its head is there.

        Raises Failure with the status and sentence for the client, and Lost for one that an idempotent request may be
        sent again after.
        """
        return self._transport.ask(outgoing)  # as it is, for one coroutine more takes its time

    async def ask_prepared(self, prepare: Callable[[], Outgoing]) -> Answer:
        """Ask for what `prepare` makes; once more, made anew, where the connection was lost before an answer.

        That is done where the body is at hand, and the method idempotent (RFC 9110, section 9.2.2): an upstream may
        close a connection that was idle at the moment at which it is used again. Over HTTP/2 it may also say that it
        has not acted on a request (RFC 9113, section 8.7), which goes for every method.
        """
        outgoing = prepare()
        try:
            return await self.ask(outgoing)
        except Lost as lost:
            may_be_done = outgoing.method not in IDEMPOTENT and not isinstance(lost, Unprocessed)
            if may_be_done or not isinstance(outgoing.body, (bytes, OnDisk)):
                raise
            return await self.ask(prepare())

    async def relay(self, answer: Answer, exchange: Exchange) -> None:
        """Send the answer on to the client, piece by piece."""
        try:
            if exchange.takes_trailers and answer.may_have_trailers(over_http1=exchange.is_over_http1):
                await _relay_with_trailers(answer, exchange)
                return
            await exchange.begin(answer.status, answer.headers)
            while piece := await answer.read():
                await exchange.put(piece, more=not answer.is_at_end)
            if not exchange.is_complete:
                await exchange.put(b"", more=False)
        finally:
            answer.close()

    async def forward(self, scope: Scope, receive: Receive, send: Send, origin: str, *, add: Headers = ()) -> Exchange:
        """Send an ASGI request on to `origin`, its body as it comes in, and the answer back. It needs nothing else.

        The request's trailers end here. No signature covers them, and a server behind may add them to the headers: what
        was verified would not be what arrives.

        Of the names in `add` what the client has sent is taken off, and these headers come in their place. Returns the
        exchange, which says how it ended. Raises Broken where an answer that had begun cannot be completed.
        """
        exchange = self.exchange(scope, receive, send)

        async def work(exchange: Exchange) -> None:
            if scope["method"] == "CONNECT":  # aiohttp would ask for a tunnel to the upstream itself
                raise Failure(501, "CONNECT asks for a tunnel, and none is opened here")
            if problem := host_problem(exchange.fields):
                raise Failure(400, problem)
            target = path_and_query(scope)
            if target is None:
                raise Failure(400, "The target is not /path?query in printable ASCII without '#'")
            headers = self.incoming_headers(exchange, _not_forwarded(tuple([name for name, _ in add])))
            outgoing = Outgoing(
                *(scope["method"], origin, target, headers + headers_as_text(add), *await exchange.body()),
                takes_trailers=exchange.takes_trailers,
            )
            await self.relay(await self.ask_prepared(lambda: outgoing), exchange)

        await exchange.run(work)
        return exchange


async def _relay_with_trailers(answer: Answer, exchange: Exchange) -> None:
    head = [*answer.headers, *answer.announced_trailers()]
    await exchange.begin(answer.status, head, trailers=True)
    while piece := await answer.read():
        await exchange.put(piece)
    await exchange.put(b"", more=False)
    await exchange.end(answer.passing_trailers())


def _over_http2(*options: Any) -> Transport:
    try:
        from .over_http2 import OverHttp2
    except ModuleNotFoundError as error:
        raise ConfigError(f"HTTP/2 to the upstream needs {error.name}: pip install 'undersign[http2]'") from None
    return OverHttp2(*options)


@lru_cache(maxsize=64)
def _not_forwarded(names: tuple[bytes, ...]) -> frozenset[bytes]:
    return NOT_FORWARDED.union(name.lower() for name in names)
