"""Trailers over HTTP/1.1, for aiohttp, which has no place for them in either direction.

Those of a request take the place of the last chunk. Those of an answer are read by a parser of httptools beside
aiohttp's own. It is there for answers alone whose client takes trailers, and leaves where there can be none. Where it
fails there are none, and what the answer is aiohttp alone decides.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import httptools
from aiohttp.abc import AbstractStreamWriter

from .exchange import Pieces
from .trailers import Trailers, last_chunk


class ChunksWithTrailers(aiohttp.Payload):
    """A request's body in chunks, and what goes out behind it."""

    _value: Pieces
    _default_content_type = "application/octet-stream"  # which is not sent

    def __init__(self, body: Pieces, trailers: Trailers) -> None:
        super().__init__(body)
        self._trailers = trailers

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        async for piece in self._value:
            await writer.write(piece)
        trailers = self._trailers.passing()
        if trailers and getattr(writer, "chunked", False):
            writer.chunked = False  # type: ignore[attr-defined]
            await writer.write(last_chunk(trailers))

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a body that streams is read once")


class ResponseWithTrailers(aiohttp.ClientResponse):
    """An answer whose trailers are there when its body has been read."""

    trailers: list[tuple[bytes, bytes]]

    async def start(self, connection: Any) -> ResponseWithTrailers:
        reader = _Beside(connection.transport, connection.protocol)
        self.trailers = reader.trailers
        await super().start(connection)
        return self


class _Beside(asyncio.Protocol):
    """Takes the place of the connection's protocol, and hands everything on to it."""

    def __init__(self, transport: asyncio.Transport | None, protocol: Any) -> None:
        self.trailers: list[tuple[bytes, bytes]] = []
        self._transport = transport
        self._protocol = protocol
        self._is_in_head = True
        self._is_in_chunks = False
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        if transport is not None:
            transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        try:
            if self._parser is not None:
                self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.trailers.clear()
            self._leave()
        self._protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._protocol.connection_lost(exc)

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()  # type: ignore[no-any-return]

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:
            self._is_in_chunks |= name.lower() == b"transfer-encoding"
        elif self._parser is not None:  # or the answer has ended, and this is of something else
            self.trailers.append((name, value))

    def on_headers_complete(self) -> None:
        # After an informational answer another head follows.
        if self._parser is not None and self._parser.get_status_code() >= 200:
            self._is_in_head = False
            if not self._is_in_chunks:
                self._leave()

    def on_message_complete(self) -> None:
        if not self._is_in_head:
            self._leave()

    def _leave(self) -> None:
        self._parser = None  # it refers to this, and the cycle would stay in memory until it is looked for
        if self._transport is not None and self._transport.get_protocol() is self:
            self._transport.set_protocol(self._protocol)
