"""Sending a request on to an upstream, and its answer back, through aiohttp: target and headers go as they are given.

aiohttp parses and pools; docs/gateway/engines.md has what was measured, and why it is this one. Four of its habits are
turned off here, since they change what is signed or send it twice: it decodes no body, keeps no cookie, follows no
redirect, and does not send a request again by itself when a connection is lost.

What cannot go through: trailers, for which aiohttp has no place, are dropped, as RFC 9110 allows (section 6.5.1). A
header that is not UTF-8 is refused with a sentence. It speaks HTTP/1.1 to the upstream.
"""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import aiohttp
from multidict import CIMultiDict, istr
from yarl import URL

from ..bodies import OnDisk
from ..clients._retries import IDEMPOTENT
from ..core.grammar import TOKEN
from ..core.message import Pairs, headers_as_text, is_plain_target
from .exchange import Exchange, Failure, Pieces, Watch
from .heads import OF_ONE_CONNECTION, Fields, Headers, Receive, Scope, Send, path_and_query

if TYPE_CHECKING:
    from typing_extensions import Self

_FRAMING = (istr("Content-Length"), istr("Transfer-Encoding"), istr("Expect"))
_WITHOUT_LENGTH = OF_ONE_CONNECTION | {b"content-length"}
NOT_FORWARDED = OF_ONE_CONNECTION | {b"content-length", b"expect", b"via"}
"""Names of headers that are made anew, or end here."""
_WITHOUT_BODY = frozenset({204, 304})
_HEAD_LIMIT = 64 * 1024
_PIECE = 256 * 1024

Body: TypeAlias = bytes | OnDisk | Pieces


class Outgoing(NamedTuple):
    """A request as it is to go out: `origin` is `http(s)://host[:port]`, `target` `/path?query` byte for byte.

    `headers` are sent in their order, their values the wire's bytes as Latin-1, and are to be end-to-end ones;
    Content-Length and Transfer-Encoding follow from the body and `length`, the one that the client has declared, for a
    body that streams. Host goes as it stands here, or is the origin's where it does not.
    """

    method: str
    origin: str
    target: str
    headers: Pairs
    body: Body = b""
    length: int | None = None


class Lost(Failure):
    """The connection was lost before an answer came. The upstream may have acted on the request, or not."""


class Answer:
    """An upstream's answer whose body is still to come. It has to be closed, unless the body was read to its end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        fields = Fields(response.raw_headers)
        self.status = response.status
        self.problem = _framing_problem(self.status, fields)
        """Why it cannot be passed on, as a sentence."""
        self.headers = _answer_headers(self.status, fields)

    @property
    def is_at_end(self) -> bool:
        """Whether all of the body has been read."""
        return self._response.content.at_eof()

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises Failure(502) where it is not whole."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise Failure(502, f"The upstream's answer broke off: {type(error).__name__}") from None

    def close(self) -> None:
        """Give the answer up; its connection is used again where all of it has been read."""
        self._response.release() if self._response.content.at_eof() else self._response.close()


class Forwarder:
    """Connections to upstreams, which are kept open and shared by any number of exchanges of one event loop.

    `connect_timeout`, `upstream_timeout` and `client_timeout` are seconds: to connect, and without any progress of the
    upstream or the client. `connections` is how many there may be at once. `tls` is the context for https upstreams;
    the system's authorities are trusted without it. Close it with `await close()`.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10.0,
        upstream_timeout: float = 60.0,
        client_timeout: float = 60.0,
        connections: int = 1024,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.pseudonym = f"undersign-{secrets.token_hex(6)}"
        """What this forwarder is called in Via, which shows it a request of its own."""
        self._connect_timeout = connect_timeout
        self._watch = Watch(client_timeout, upstream_timeout)
        self._connections = connections
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

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

    async def ask(self, outgoing: Outgoing) -> Answer:
        """Send the request; return the answer once its head is there.

        Raises Failure with the status and sentence for the client, and Lost for one that an idempotent request may be
        sent again after.
        """
        if not is_plain_target(outgoing.target) or not TOKEN.fullmatch(outgoing.method):
            raise Failure(400, "The target is not /path?query in printable ASCII without '#'")
        headers = _as_text(outgoing)
        body, length = outgoing.body, outgoing.length
        data: Any = None
        if isinstance(body, bytes):
            if body or length is not None:
                headers["Content-Length"] = str(len(body))
            data = body or None
        elif isinstance(body, OnDisk):
            headers["Content-Length"] = str(body.length)
            data = _from_disk(body)
        else:
            if length is not None:  # or aiohttp sends it in chunks
                headers["Content-Length"] = str(length)
            data = body
        # As a path, which yarl takes as it is, and in which a bare ? at the end stays.
        url = URL.build(
            scheme=outgoing.origin.partition(":")[0],
            authority=outgoing.origin.partition("://")[2],
            path=outgoing.target,
            encoded=True,
        )
        try:
            response = await self._opened().request(
                outgoing.method, url, headers=headers, data=data, allow_redirects=False
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error) from None
        except _Sent as sent:
            raise _failure(sent.error) from None
        found = Answer(response)
        if found.problem:
            found.close()
            raise Failure(502, found.problem)
        return found

    async def ask_prepared(self, prepare: Callable[[], Outgoing]) -> Answer:
        """Ask for what `prepare` makes; once more, made anew, where the connection was lost before an answer.

        That is done where the method is idempotent and the body at hand (RFC 9110, section 9.2.2): an upstream may
        close a connection that was idle at the moment at which it is used again.
        """
        outgoing = prepare()
        try:
            return await self.ask(outgoing)
        except Lost:
            if outgoing.method not in IDEMPOTENT or not isinstance(outgoing.body, (bytes, OnDisk)):
                raise
            return await self.ask(prepare())

    async def relay(self, answer: Answer, exchange: Exchange) -> None:
        """Send the answer on to the client, piece by piece."""
        try:
            await exchange.begin(answer.status, answer.headers)
            while piece := await answer.read():
                await exchange.put(piece, more=not answer.is_at_end)
            if not exchange.is_complete:
                await exchange.put(b"", more=False)
        finally:
            answer.close()

    async def forward(self, scope: Scope, receive: Receive, send: Send, origin: str, *, add: Headers = ()) -> Exchange:
        """Send an ASGI request on to `origin`, its body as it comes in, and the answer back. It needs nothing else.

        Of the names in `add` what the client has sent is taken off, and these headers come in their place. Returns the
        exchange, which says how it ended. Raises Broken where an answer that had begun cannot be completed.
        """
        exchange = self.exchange(scope, receive, send)

        async def work(exchange: Exchange) -> None:
            target = path_and_query(scope)
            if target is None:
                raise Failure(400, "The target is not /path?query in printable ASCII without '#'")
            headers = self.incoming_headers(exchange, _not_forwarded(tuple([name for name, _ in add])))
            outgoing = Outgoing(scope["method"], origin, target, headers + headers_as_text(add), *await exchange.body())
            await self.relay(await self.ask_prepared(lambda: outgoing), exchange)

        await exchange.run(work)
        return exchange

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ssl=self._tls or True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                middlewares=(_send_once,),
                read_bufsize=_PIECE,
                max_line_size=_HEAD_LIMIT,
                max_field_size=_HEAD_LIMIT,
            )
        return self._session


@lru_cache(maxsize=64)
def _not_forwarded(names: tuple[bytes, ...]) -> frozenset[bytes]:
    return NOT_FORWARDED.union(name.lower() for name in names)


class _Sent(Exception):
    """Carries an error past aiohttp, which would take it for leave to send the request again, signature and all."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Sent(error) from None


def _from_disk(body: OnDisk) -> Pieces:
    async def read() -> bytes:
        return body.read(_PIECE)

    body.seek(0)
    return Pieces(read)


def _as_text(outgoing: Outgoing) -> CIMultiDict[str]:
    """The headers as text of which aiohttp makes the same bytes, for it encodes UTF-8. Raises Failure(400)."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in outgoing.headers:
        if not value.isascii():
            try:
                value = value.encode("latin-1").decode("utf-8")
            except UnicodeDecodeError:
                raise Failure(400, f"The header {name} is not UTF-8, and only that can be sent on") from None
        headers.add(name, value)
    for name in _FRAMING:
        headers.popall(name, None)
    return headers


def _answer_headers(status: int, fields: Fields) -> list[tuple[bytes, bytes]]:
    # RFC 9112, section 6.3: chunks decide where the body ends. What has no body may leave its length out.
    if fields.values(b"transfer-encoding") or status in _WITHOUT_BODY:
        return fields.end_to_end(_WITHOUT_LENGTH)
    return fields.end_to_end()


def _framing_problem(status: int, fields: Fields) -> str | None:
    """Why nobody can tell where the answer ends, or what it is, as a sentence."""
    if status < 200:
        return "The upstream has switched to another protocol, which nobody asked for"
    coded = fields.values(b"transfer-encoding")
    if coded and [value.lower() for value in coded] != [b"chunked"]:
        return "The upstream's answer has a Transfer-Encoding that is not chunked alone"
    return None


def _failure(error: Exception) -> Failure:
    """What the client is told. The address, and why it could not be reached, are for the log."""
    _free(error)
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError)):
        return Failure(502, "The upstream's certificate is not trusted, or TLS with it failed", detail=_why(error))
    if isinstance(error, (aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError, TimeoutError)):
        return Failure(504, "The upstream could not be reached in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(502, "The upstream could not be reached", detail=_why(error))
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure(502, "The upstream's answer is not HTTP")
    if isinstance(error, ValueError):
        return Failure(400, "A header or the target holds a control character")
    return Lost(502, "The upstream closed the connection before it answered")


def _free(error: BaseException | None) -> None:
    """Take off the tracebacks: aiohttp keeps the error in a cycle, and the frames in them keep the whole request."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: {error.certificate_error}"
    if not isinstance(error, aiohttp.ClientConnectorError):
        return ""
    cause = error.os_error  # asyncio's own text of it names the address once more, where the system has a number for it
    told = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror or str(cause)
    return f"{error.host}:{error.port}: {told}"
