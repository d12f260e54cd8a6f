"""One connection of a client: uvicorn's, with its parser of httptools, and what a proxy has to ask of one besides.

ASGI cannot say all that a proxy needs, so the scope gets the extension `undersign.target`: the bytes of the request
line, with a bare `?` at the end, and scheme and host where they stood there. And a few things are refused here that
uvicorn leaves to whoever stands in front of it, since nobody does: a head that is too large or too slow, and a request
that is no HTTP while the answer to another is still on its way. uvicorn would add trailers to the headers, as if they
had come before anything was verified: here they are an extension of their own, see trailers, and answers may have some.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ..core.message import origin_form
from .gathered import GatheredTransport
from .heads import TARGET, Fields, Receive, Scope, Send, answer
from .trailers import ANSWERED, RECEIVED, asks_for_trailers
from .tunnels import TUNNEL, NotYetOpen, with_tunnel
from .uvicorn_http10 import without_chunks
from .uvicorn_trailers import with_trailers

HEAD_LIMIT = 64 * 1024
HEAD_FIELDS = 256
HEAD_TIMEOUT = 20.0
KEEP_ALIVE = 75
"""Seconds that a connection may be idle; longer than most clients keep theirs, so that they close first."""
_NO_HTTP = "This is not HTTP/1.1 as a proxy can pass it on"
_TLS = "This is TLS, and plain HTTP is spoken here: call http:// instead of https://"
_HTTP2 = "This is HTTP/2, and HTTP/1.1 is spoken here: have the client speak that"
_OF_AN_UPGRADE = frozenset({b"upgrade", b"http2-settings"})
_log = logging.getLogger("undersign.gateway")


class ServerConfig(uvicorn.Config):
    """uvicorn's own, of a server that may be told to end connections with the answers that it gives on them."""

    ends_connections = False


class ForwardingProtocol(HttpToolsProtocol):
    """One connection of a client. It is the class for uvicorn's option `http`.

    `head_timeout` is how many seconds a head may take, from the connection or its own first byte; `unread_timeout`, how
    many a client may take nothing of what is left to be written, where the connection closes or another answer waits.
    """

    head_timeout = HEAD_TIMEOUT
    unread_timeout: float = KEEP_ALIVE

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._in_head = True
        self._head_has_begun = False
        self._head_bytes = 0
        """What has come since the last piece of a body, or the last request's end: of a head, or of trailers."""
        self._piece_bytes = 0
        self._head_since = 0.0
        self._head_timer: asyncio.TimerHandle
        self._unread = 0
        self._unread_since = 0.0
        self._leaves_upgrade = False
        self._tunnel: str | None = None
        """The origin to which the tunnel leads that the client speaks through."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.transport = cast(asyncio.Transport, GatheredTransport(self.transport, self.loop))
        self._head_since = self.loop.time()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._piece_bytes = len(data)
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._leaves_upgrade:
                self._read_on(data[upgrade.args[0] :])
            elif self.parser.get_method() == b"CONNECT":
                self.parser = cast(Any, NotYetOpen(data[upgrade.args[0] :]))
        except httptools.HttpParserInvalidMethodError:
            self._refuse(400, _TLS if data.startswith(b"\x16\x03") else f"{_NO_HTTP}, or its method is not known here")
        except httptools.HttpParserError:
            self._refuse(400, _HTTP2 if data.startswith(b"PRI * HTTP/2.0\r\n") else _NO_HTTP)
        if self._head_bytes > HEAD_LIMIT:  # the parser keeps a field whole, however long it is
            what = "head of the request is" if self._in_head else "trailers of the request are"
            self._refuse(431, f"The {what} over {HEAD_LIMIT} bytes")

    def _read_on(self, data: bytes) -> None:
        """Read the request that asked for an upgrade once more, without its asking.

        An upgrade may be left alone (RFC 9110, section 7.8), and Java's client asks for one with each first request.
        The parser has stopped behind the head, as if no body came.
        """
        kept = [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] not in _OF_AN_UPGRADE]
        head = b"%s %s HTTP/1.1\r\n%s\r\n" % (self.parser.get_method(), self.url, b"".join(kept))
        self._parse_anew()
        self._in_head = True
        self.data_received(head + data)

    def _enter_tunnel(self, origin: str) -> None:
        """Read on: what comes from now on comes through the tunnel."""
        data = bytes(cast(NotYetOpen, self.parser).kept)
        self._parse_anew()
        self._tunnel = origin
        self._head_bytes = 0
        if not self.transport.is_closing():  # as a server that ends does: nobody would get the answers
            self.data_received(data)

    def _parse_anew(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn's own: what comes behind the last request is dropped, and does not take its answer away.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _look_later(self) -> None:
        # One timer for a connection: one for each head would cost more than reading it.
        self._head_timer = self.loop.call_later(self.head_timeout / 4, self._look)

    def _look(self) -> None:
        self._look_later()
        self._look_at_what_is_unread()
        if self.transport.is_closing():
            return
        is_awaited = self._in_head and (self._head_has_begun or not self.cycle)
        if not is_awaited or self.loop.time() - self._head_since < self.head_timeout:
            return
        if self._head_has_begun:
            self._refuse(408, f"The head of the request was not complete within {self.head_timeout:g} seconds")
        else:
            self.transport.close()

    def _look_at_what_is_unread(self) -> None:
        """Cut the connection where it waits for a client that reads nothing: it closes when all is written, and an
        answer, be it to a failure, begins then. One that has begun has a limit of its own; see exchange."""
        waits = self.transport.is_closing() or (self.cycle and not self.cycle.response_started)
        unread = self.transport.get_write_buffer_size() if waits else 0
        if unread != self._unread:
            self._unread, self._unread_since = unread, self.loop.time()
        elif unread and self.loop.time() - self._unread_since >= self.unread_timeout:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Not for each byte, as uvicorn does: empty lines begin no request, nor does what is left of a body whose answer
        # was early, and either would keep a connection for ever.
        self._unset_keepalive_if_required()
        self._head_has_begun = True
        self._head_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = self._head_has_begun = False
        self._unset_keepalive_if_required()  # it is set where the answer before has ended within this head
        connects = self.parser.get_method() == b"CONNECT"
        asks = self.parser.should_upgrade() and not connects
        self._leaves_upgrade = asks and not any(
            name == b"upgrade" and b"websocket" in value.lower() for name, value in self.headers
        )
        if self._leaves_upgrade:
            return
        headers, raw = self.headers, self.url
        app = self.app
        version = self.parser.get_http_version()
        takes_trailers = _takes_trailers(headers) and version == "1.1"
        if connects:
            self.app = partial(with_tunnel, app, self._enter_tunnel)
        elif takes_trailers:
            self.app = partial(with_trailers, app)
        elif version == "1.0":
            self.app = partial(without_chunks, app)
        # No more than this has come of the head: what came before this piece, and all of this piece.
        if self._head_bytes + self._piece_bytes > HEAD_LIMIT or len(headers) > HEAD_FIELDS:
            size = len(raw) + _size(headers)
            if size > HEAD_LIMIT or len(headers) > HEAD_FIELDS:
                self.app = _refuse_head
        self._head_bytes = 0
        if version not in ("1.0", "1.1"):
            self.app = _refuse_version
        self.url = b"/"  # uvicorn takes targets apart in a way that fails on some, and loses bytes of others
        try:
            super().on_headers_complete()
        finally:
            self.url, self.app = raw, app
        if cast(ServerConfig, self.config).ends_connections:
            self.cycle.keep_alive = False
        elif connects:  # a tunnel stays open, whatever version asks for it
            self.cycle.keep_alive = True
        self.headers = []
        path, _, query = origin_form(raw.decode("latin-1")).partition("?")
        self.scope["path"] = unquote(path)
        self.scope["raw_path"] = path.encode("latin-1")
        self.scope["query_string"] = query.encode("latin-1")
        extensions: dict[str, Any] = {TARGET: {"raw": raw}, RECEIVED: {"headers": self.headers}}
        if takes_trailers:
            extensions[ANSWERED] = {}
        if connects or self._tunnel is not None:
            extensions[TUNNEL] = {"through": self._tunnel}
        self.scope["extensions"] = extensions

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._leaves_upgrade:
            return
        if self.headers and (len(self.headers) > HEAD_FIELDS or _size(self.headers) > HEAD_LIMIT):
            self._refuse(431, f"The trailers of the request are over {HEAD_LIMIT} bytes or {HEAD_FIELDS} fields")
            return  # what is parsed from here on is never started: the connection closes
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def _refuse(self, status: int, sentence: str) -> None:
        if self.transport.is_closing():
            return
        _log.warning("- - %d: %s", status, sentence)  # no request that an app is told of, and logs
        cycle = self.cycle
        is_of_this_body = cycle and not self._in_head and not self.pipeline and not cycle.response_started
        if not cycle or cycle.response_complete or is_of_this_body:
            if is_of_this_body:
                cycle.disconnected = True  # so that the app answers nothing any more
            body = json.dumps(sentence).encode() + b"\n"
            self.transport.write(
                STATUS_LINE[status]
                + b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
                + b"connection: close\r\n\r\n"
                + body
            )
        # In the middle of another answer this would be taken for a part of that.
        self.transport.close()


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)


def _takes_trailers(headers: list[tuple[bytes, bytes]]) -> bool:
    for name, _ in headers:  # any() and a generator would take twice as long, for each request
        if name == b"te":
            fields = Fields(headers)
            return asks_for_trailers(fields.values(b"te"), fields.named_by_connection())
    return False


async def _refuse_head(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, 431, f"The head of the request is over {HEAD_LIMIT} bytes or {HEAD_FIELDS} fields", close=True)


async def _refuse_version(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, 505, "A request line in this form is of HTTP/1.1 or 1.0", close=True)
