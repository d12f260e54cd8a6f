"""The processes' HTTP server: uvicorn, with its parser of httptools, and what a proxy has to ask of one besides.

ASGI cannot say all that a proxy needs, so the scope gets the extension `undersign.target`: the bytes of the request
line, with a bare `?` at the end, and scheme and host where they stood there. And a few things are refused here that
uvicorn leaves to whoever stands in front of it, since nobody does: a head that is too large or too slow, and a request
that is no HTTP while the answer to another is still on its way. Trailers are dropped: uvicorn would add them to the
headers, as if they had come before anything was verified.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ..core.message import origin_form
from .exchange import Broken
from .heads import TARGET, Receive, Scope, Send, answer

HEAD_LIMIT = 64 * 1024
HEAD_FIELDS = 256
HEAD_TIMEOUT = 20.0
KEEP_ALIVE = 75
"""Seconds that a connection may be idle; longer than most clients keep theirs, so that they close first."""


class ForwardingProtocol(HttpToolsProtocol):
    """One connection of a client. It is the class for uvicorn's option `http`."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._in_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._head_timer is None:
                self._await_head()
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_LIMIT:
            self._refuse(431, f"The head of the request is over {HEAD_LIMIT} bytes")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._head_is_late)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self._head_bytes:
            self._refuse(408, f"The head of the request was not complete within {HEAD_TIMEOUT:g} seconds")
        elif not self.transport.is_closing():
            self.transport.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_there()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_LIMIT or len(self.headers) > HEAD_FIELDS:
            self.app = _refuse_head
        raw = self.url
        self.url = b"/"  # uvicorn takes targets apart in a way that fails on some, and loses bytes of others
        try:
            super().on_headers_complete()
        finally:
            self.url = raw
        path, _, query = origin_form(raw.decode("latin-1")).partition("?")
        self.scope["path"] = unquote(path)
        self.scope["raw_path"] = path.encode("latin-1")
        self.scope["query_string"] = query.encode("latin-1")
        self.scope["extensions"] = {TARGET: {"raw": raw}}

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "This is not HTTP/1.1 as a proxy can pass it on")

    def _unsupported_upgrade_warning(self) -> None:
        # An upgrade may be left alone (RFC 9110, section 7.8), and Java's client asks for one with each first request.
        # The parser has stopped behind it; another one reads on.
        self.parser = httptools.HttpRequestParser(self)

    def _refuse(self, status: int, sentence: str) -> None:
        if self.transport.is_closing():
            return
        if not self.cycle or self.cycle.response_complete:
            body = json.dumps(sentence).encode() + b"\n"
            self.transport.write(
                STATUS_LINE[status]
                + b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
                + b"connection: close\r\n\r\n"
                + body
            )
        # In the middle of another answer this would be taken for a part of that.
        self.transport.close()


async def _refuse_head(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, 431, f"The head of the request is over {HEAD_LIMIT} bytes or {HEAD_FIELDS} fields", close=True)


@dataclass(frozen=True)
class ServerTls:
    """Files in PEM: the server's certificate and key, and the authorities of which clients have to bring one."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class _WithoutBroken(logging.Filter):
    """Leaves out the trace of an answer that was broken off on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], Broken))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(
    app: Any, listener: socket.socket, *, ready: Callable[[], object], tls: ServerTls | None = None, grace: float = 30.0
) -> None:
    """Serve an ASGI app on a socket that listens, until SIGINT or SIGTERM. `ready` is called once it does.

    What is in flight then has `grace` seconds to end; nothing new is taken.
    """
    config = uvicorn.Config(
        app,
        http=ForwardingProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(grace),
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ssl_ca_certs=str(tls.client_authorities) if tls and tls.client_authorities else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.client_authorities else ssl.CERT_NONE,
    )
    logging.getLogger("uvicorn.error").addFilter(_WithoutBroken())
    # uvicorn raises the signal once more when it has ended, for whoever had a handler before.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: None)
    _Server(config, ready).run(sockets=[listener])
