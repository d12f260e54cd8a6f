"""Answers to clients that speak HTTP/1.0, which know no chunks: RFC 9112, section 6.1.

uvicorn puts every answer of unknown length into chunks, and such a client takes their lengths for a part of it. It gets
one that ends with the connection. So that none which breaks off looks whole, the connection is reset then.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from ..servers.asgi import App
from .heads import Message, Receive, Scope, Send

NO_LINGER = struct.pack("ii", 1, 0)
"""The option SO_LINGER of a socket that is reset when it is closed."""


async def without_chunks(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request over HTTP/1.0. `send` is that of uvicorn's cycle."""
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    connection = cycle.transport.get_extra_info("socket")
    if connection.family == getattr(socket, "AF_UNIX", None):
        await app(scope, receive, send)  # none of these is reset, and nginx reads chunks
        return
    ends_with_the_connection = False

    async def sent(message: Message) -> None:
        nonlocal ends_with_the_connection
        if message["type"] == "http.response.start":
            ends_with_the_connection = not any(name.lower() == b"content-length" for name, _ in message["headers"])
            if ends_with_the_connection:
                cycle.chunked_encoding = False
        elif ends_with_the_connection:
            cycle.expected_content_length = len(message.get("body", b""))  # or uvicorn takes it to be too long
        await send(message)

    try:
        await app(scope, receive, sent)
    except BaseException:
        if ends_with_the_connection and not cycle.response_complete and not cycle.transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            cycle.transport.abort()
        raise
