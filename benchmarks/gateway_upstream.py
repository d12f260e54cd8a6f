"""The upstream of `gateway.py`: the least that can answer on httptools. It answers each request with as many bytes as
its path says, and drops what comes in.

python gateway_upstream.py FD
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import cast

import httptools
import uvloop

PIECE = bytes(256 * 1024)


class Upstream(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def pause_writing(self) -> None:
        self._goes_on.clear()

    def resume_writing(self) -> None:
        self._goes_on.set()

    def on_message_complete(self) -> None:
        size = int(self._path[1:].partition(b"?")[0])
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % size)
        if size <= len(PIECE):
            self._transport.write(PIECE[:size])
        else:
            self._sending = asyncio.ensure_future(self._send(size))

    async def _send(self, size: int) -> None:
        while size:
            await self._goes_on.wait()
            self._transport.write(PIECE[:size])
            size -= min(size, len(PIECE))


async def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    server = await asyncio.get_running_loop().create_server(Upstream, sock=listener)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
