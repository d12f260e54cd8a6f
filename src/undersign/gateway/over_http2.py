"""HTTP/2 to the upstream, through h2: over https where ALPN says so, and else HTTP/1.1 through aiohttp; over http with
prior knowledge. An upstream that asks for HTTP/1.1 when it sees a request gets that on either.

Requests to one origin share a connection; another one is opened where all are full. docs/gateway/engines.md says why it
is h2, and not a client that is built upon it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from urllib.parse import urlsplit

from ..bodies import OnDisk
from ..core.grammar import TOKEN
from .exchange import Failure, Pieces
from .heads import OF_ONE_CONNECTION, Fields
from .http2_connection import Connection
from .http2_stream import Reason, Stream, lost
from .over_aiohttp import OverAiohttp
from .transport import Answer, Outgoing, Transport, check, from_disk, why

_PROTOCOLS = ["h2", "http/1.1"]
_HTTP1_FOR = 300.0  # seconds after which an upstream that has chosen HTTP/1.1 is offered HTTP/2 again
_GOODBYE = 1.0
_MADE_ANEW = OF_ONE_CONNECTION | {b"host", b"content-length", b"expect"}
_CONTROL = re.compile(r"[\0\r\n]")


class _Answer(Answer):
    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.status, Fields(stream.headers))
        self._stream = stream

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        return self._stream.trailers

    @property
    def is_at_end(self) -> bool:
        return self._stream.is_at_end

    async def read(self) -> bytes:
        return await self._stream.read()

    def close(self) -> None:
        self._stream.close()


class OverHttp2(Transport):
    """Connections that are kept open, `connections` to one origin at once.

    Of `tls`, the context for https, ALPN is set. `http1` takes the requests to upstreams that choose HTTP/1.1.
    """

    def __init__(
        self, connect_timeout: float, connections: int, tls: ssl.SSLContext | None, http1: OverAiohttp
    ) -> None:
        self._connect_timeout = connect_timeout
        self._connections = connections
        self._tls = tls
        self._http1 = http1
        self._origins: dict[str, _Origin] = {}

    async def ask(self, outgoing: Outgoing) -> Answer:
        check(outgoing)
        origin = self._origins.get(outgoing.origin) or self._add(outgoing.origin)
        headers, body = _head(outgoing, origin), _body(outgoing)
        connection = await origin.connection()
        if connection is None:
            try:
                return await self._http1.ask(outgoing)
            except Failure:
                origin.http1_until = 0.0  # it may have changed its mind
                raise
        stream = connection.start(outgoing.method, headers, body, outgoing.trailers)
        try:
            await stream.head()
            answer = _Answer(stream)
            if answer.problem:
                raise Failure(502, answer.problem)
        except BaseException:
            stream.close()
            if connection.speaks_http1:
                origin.prefer_http1()
            raise
        return answer

    async def close(self) -> None:
        origins = list(self._origins.values())
        self._origins.clear()
        await asyncio.gather(*[origin.close() for origin in origins])
        await self._http1.close()

    def _add(self, name: str) -> _Origin:
        if self._tls is None and name.startswith("https:"):
            self._tls = ssl.create_default_context()
        if self._tls is not None:
            self._tls.set_alpn_protocols(_PROTOCOLS)
        tls = self._tls if name.startswith("https:") else None
        origin = self._origins[name] = _Origin(name, self._connect_timeout, self._connections, tls)
        return origin


class _Origin:
    """The connections to one origin, and who waits for one."""

    def __init__(self, name: str, patience: float, limit: int, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(name)
        self.scheme = parts.scheme
        self.authority = parts.netloc
        self.http1_until = 0.0
        """Until when requests go over HTTP/1.1, as the event loop counts."""
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if tls else 80)
        self._patience = patience
        self._limit = limit
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._connections: list[Connection] = []
        self._opening: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[Reason | None]] = deque()

    async def connection(self) -> Connection | None:
        """One that has room, to be used before anything else is awaited; None where the upstream chose HTTP/1.1."""
        has_waited, in_vain = False, 0
        while not self.http1_until or self.http1_until < self._loop.time():
            for connection in self._connections:
                if connection.has_room:
                    if has_waited:
                        self._wake_one()  # there may be room for more than one
                    return connection
            if has_waited and not self._connections and self._opening is None:
                in_vain += 1  # what was opened is gone already, as where an upstream says goodbye to each connection
                if in_vain == 2:
                    raise lost()
            if self._opening is None and len(self._connections) < self._limit:
                self._opening = self._loop.create_task(self._open())
            waiter: asyncio.Future[Reason | None] = self._loop.create_future()
            (self._waiting.appendleft if has_waited else self._waiting.append)(waiter)
            has_waited = True
            try:
                reason = await waiter
            except asyncio.CancelledError:
                self._leave(waiter)
                raise
            if reason is not None:
                raise reason()
        return None

    def prefer_http1(self) -> None:
        """Send no more requests over HTTP/2 for some time."""
        self.http1_until = self._loop.time() + _HTTP1_FOR

    async def close(self) -> None:
        """Close all connections; what is under way ends with Lost."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        self._wake_all(lost)
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.retire()
        if connections:
            await asyncio.wait([connection.closed for connection in connections], timeout=_GOODBYE)
            for connection in connections:
                connection.abort()

    def _leave(self, waiter: asyncio.Future[Reason | None]) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif not waiter.cancelled():
            self._wake_one()  # whose turn it was
        if not self._waiting and self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _wake_one(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _wake_all(self, reason: Reason | None) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(reason)

    def _on_change(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # it is still being opened, and who waits is told how that ends
        if connection.is_open:
            self._wake_one()
        else:
            self._connections.remove(connection)
            self._wake_all(None)

    async def _open(self) -> None:
        """Open a connection, or tell all who wait why there is none."""
        try:
            reason = await self._connect()
        finally:
            if self._opening is asyncio.current_task():
                self._opening = None
        if reason is None or not self._connections:  # or they wait for the others to have room
            self._wake_all(reason)

    async def _connect(self) -> Reason | None:
        connection = Connection(self._on_change, self._patience)
        try:
            reason = await asyncio.wait_for(self._shake_hands(connection), self._patience)
        except ssl.SSLError as error:
            return self._failed("The upstream's certificate is not trusted, or TLS with it failed", why(error))
        except (asyncio.TimeoutError, TimeoutError):  # one class since Python 3.11
            return lambda: Failure(504, "The upstream could not be reached in time")
        except (OSError, UnicodeError) as error:
            return self._failed("The upstream could not be reached", why(error) if isinstance(error, OSError) else "")
        if connection.speaks_http1:
            self.prefer_http1()
            return None
        if reason is None and not connection.has_room:  # it says goodbye, or takes no request at all
            connection.abort()
            return lost
        if reason is None:
            self._connections.append(connection)
        return reason

    async def _shake_hands(self, connection: Connection) -> Reason | None:
        """Return when the upstream has sent its settings, so that nothing is sent to one that speaks no HTTP/2."""
        try:
            await self._loop.create_connection(
                lambda: connection,
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=self._host if self._tls else None,
            )
            return await connection.ready
        except BaseException:
            connection.abort()
            raise

    def _failed(self, sentence: str, told: str) -> Reason:
        detail = f"{self._host}:{self._port}: {told}"
        return lambda: Failure(502, sentence, detail=detail)


def _head(outgoing: Outgoing, origin: _Origin) -> list[tuple[bytes, bytes]]:
    """The header list. Raises Failure(400) for what would be none."""
    authority = next((value for name, value in outgoing.headers if name.lower() == "host"), origin.authority)
    headers: list[tuple[bytes, bytes]] = []
    for name, value in ((":authority", authority), *outgoing.headers):
        if _CONTROL.search(value) or not (TOKEN.fullmatch(name) or name == ":authority"):
            raise Failure(400, "A header or the target holds a control character")
        try:
            lower, raw = name.lower().encode("ascii"), value.encode("latin-1")
        except UnicodeEncodeError:
            raise Failure(400, f"The header {name} is not the wire's bytes as Latin-1") from None
        if lower not in _MADE_ANEW:
            headers.append((lower, raw.strip(b" \t")))
    headers[:0] = [(b":method", outgoing.method.encode("ascii")), (b":scheme", origin.scheme.encode("ascii"))]
    headers.insert(3, (b":path", outgoing.target.encode("ascii")))
    length = outgoing.content_length
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    if outgoing.trailers is not None:
        headers += outgoing.trailers.announced()
    if outgoing.takes_trailers:
        headers.append((b"te", b"trailers"))
    return headers


def _body(outgoing: Outgoing) -> bytes | Pieces:
    return from_disk(outgoing.body) if isinstance(outgoing.body, OnDisk) else outgoing.body
