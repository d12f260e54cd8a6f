"""HTTP/1.1 to the upstream, through aiohttp.

aiohttp parses and pools; docs/gateway/engines.md has what was measured, and why it is this one. Five of its habits are
turned off here, since they change what is signed or send it twice: it decodes no body, keeps no cookie, follows no
redirect, adds no length to a DELETE, and does not send a request again by itself when a connection is lost.

Trailers go out behind a body that streams in chunks, and come in for a client that takes them; see aiohttp_trailers. A
header that is not UTF-8 cannot go through, and is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict, istr
from yarl import URL

from ..bodies import OnDisk
from ..core.message import headers_as_text
from .aiohttp_trailers import ChunksWithTrailers, ResponseWithTrailers
from .exchange import Failure
from .heads import Fields
from .transport import BODY_IS_UNUSUAL, HEAD_LIMIT, PIECE, Answer, Lost, Outgoing, Transport, check, from_disk, why

_FRAMING = (istr("Content-Length"), istr("Transfer-Encoding"), istr("Expect"))


class _Answer(Answer):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(response.status, Fields(response.raw_headers))
        self._response = response
        self._closed: asyncio.Future[None] | None = None
        if response.connection is not None and self._fields.values(b"transfer-encoding"):
            self._closed = _closed(response.connection)

    @property
    def trailers(self) -> list[tuple[bytes, bytes]] | None:
        return self._response.trailers if isinstance(self._response, ResponseWithTrailers) else None

    @property
    def is_at_end(self) -> bool:
        return self._response.content.at_eof()

    async def read(self) -> bytes:
        if self._closed is not None:
            self._closed.add_done_callback(self._on_closed)
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise Failure(502, f"The upstream's answer broke off: {type(error).__name__}") from None
        finally:
            if self._closed is not None:
                self._closed.remove_done_callback(self._on_closed)

    def _on_closed(self, closed: asyncio.Future[None]) -> None:
        """aiohttp closes the connection when chunks are none, and leaves whoever reads them to wait."""
        if not self.is_at_end and self._response.content.exception() is None:
            self._response.content.set_exception(aiohttp.ClientPayloadError())

    def close(self) -> None:
        self._response.release() if self._response.content.at_eof() else self._response.close()


def _closed(connection: Connection) -> asyncio.Future[None] | None:
    """What is done when the connection is closed, by whomever; None where it is closed already."""
    closed = connection.protocol.closed if connection.protocol is not None else None
    if closed is not None:
        closed.remove_done_callback(_was_seen)
        closed.add_done_callback(_was_seen)
    return closed


def _was_seen(closed: asyncio.Future[None]) -> None:
    """Take note of how it was closed, or asyncio complains that nobody does."""
    if not closed.cancelled():
        closed.exception()


class OverAiohttp(Transport):
    """Connections that are kept open, `connections` of them at once."""

    def __init__(self, connect_timeout: float, connections: int, tls: ssl.SSLContext | None) -> None:
        self._connect_timeout = connect_timeout
        self._connections = connections
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._session_with_trailers: aiohttp.ClientSession | None = None
        self._session_that_closes: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        for session in (self._session_with_trailers, self._session_that_closes, self._session):
            if session is not None:
                await session.close()
        self._session_with_trailers = self._session_that_closes = self._session = None

    async def ask(self, outgoing: Outgoing) -> Answer:
        check(outgoing)
        headers = _as_text(outgoing)
        body, length = outgoing.body, outgoing.content_length
        is_to_have_none = length is None and outgoing.method == "DELETE" and not body
        if length is not None:  # or aiohttp sends a body in chunks
            headers["Content-Length"] = str(length)
        data: Any = None
        if isinstance(body, bytes):
            data = body or None
        elif isinstance(body, OnDisk):
            data = from_disk(body)
        else:
            data = body
            if length is None and outgoing.trailers is not None:
                headers.extend(headers_as_text(outgoing.trailers.announced()))
                data = ChunksWithTrailers(body, outgoing.trailers)
        if data is not None and outgoing.method in BODY_IS_UNUSUAL:
            # Servers that leave such a body unread would take it for the next request on the connection, and whoever
            # wrote it could name any identity there. RFC 9110, section 9.3.1.
            headers["Connection"] = "close"
            session = self._session_that_closes or self._opened_to_close()
        else:
            session = self._session or self._opened()
            if outgoing.takes_trailers:
                headers.extend({"TE": "trailers", "Connection": "TE"})
                session = self._session_with_trailers or self._opened_with_trailers(session)
        # As a path, which yarl takes as it is, and in which a bare ? at the end stays.
        url = URL.build(
            scheme=outgoing.origin.partition(":")[0],
            authority=outgoing.origin.partition("://")[2],
            path=outgoing.target,
            encoded=True,
        )
        try:
            response = await session.request(
                outgoing.method,
                url,
                headers=headers,
                data=data,
                allow_redirects=False,
                middlewares=_WITHOUT_LENGTH if is_to_have_none else _AS_IT_IS,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error) from None
        except _Sent as sent:
            raise _failure(sent.error) from None
        found = _Answer(response)
        if found.problem:
            found.close()
            raise Failure(502, found.problem)
        return found

    def _opened(self) -> aiohttp.ClientSession:
        self._session = self._over(aiohttp.TCPConnector(limit=self._connections, ssl=self._tls or True))
        return self._session

    def _opened_to_close(self) -> aiohttp.ClientSession:
        """One whose connections are used once: a server that is to close one need not say so in its answer."""
        self._session_that_closes = self._over(
            aiohttp.TCPConnector(limit=self._connections, ssl=self._tls or True, force_close=True)
        )
        return self._session_that_closes

    def _opened_with_trailers(self, session: aiohttp.ClientSession) -> aiohttp.ClientSession:
        """One on the same connections."""
        self._session_with_trailers = self._over(
            session.connector, connector_owner=False, response_class=ResponseWithTrailers
        )
        return self._session_with_trailers

    def _over(self, connector: aiohttp.BaseConnector | None, **options: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            read_bufsize=PIECE,
            max_line_size=HEAD_LIMIT,
            max_field_size=HEAD_LIMIT,
            **options,
        )


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


async def _without_length(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp says `Content-Length: 0` for each DELETE without a body."""
    request.headers.pop("Content-Length", None)
    return await handler(request)


_AS_IT_IS = (_send_once,)
_WITHOUT_LENGTH = (_send_once, _without_length)


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
    return f"{error.host}:{error.port}: {why(error.os_error)}"
