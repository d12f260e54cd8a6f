"""Tunnels of clients that send CONNECT for `http://` too.

What comes through such a tunnel are requests like any others, so the connection goes on as it was before, and only
remembers where the tunnel leads. ASGI has nothing for that. The scope of a CONNECT, and of all that comes through a
tunnel, has the extension `undersign.tunnel`: a mapping with `through`, the origin to which the tunnel leads that the
request came through, or None. An app opens a tunnel with a message of that type in place of an answer, which has `to`,
an origin. Any other answer to CONNECT ends the connection: RFC 9110, section 9.3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..servers.asgi import App
from .heads import Message, Receive, Scope, Send

TUNNEL = "undersign.tunnel"


class NotYetOpen:
    """Stands in for a connection's parser behind a CONNECT, until the tunnel is open: it keeps what comes."""

    def __init__(self, data: bytes) -> None:
        self.kept = bytearray(data)

    def feed_data(self, data: bytes) -> None:
        """Keep that too. Whoever calls has a bound for it."""
        self.kept += data


async def with_tunnel(app: App, enter: Callable[[str], None], scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a CONNECT. `send` is that of uvicorn's cycle; `enter` is called with the origin once the tunnel is open."""
    cycle: Any = send.__self__  # type: ignore[attr-defined]

    async def sent(message: Message) -> None:
        if message["type"] == TUNNEL:
            cycle.chunked_encoding = False  # there is no body, nor a length of one
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})
            if cycle.response_complete:  # or the client has gone
                enter(message["to"])
            return
        if message["type"] == "http.response.start":
            cycle.keep_alive = False
        await send(message)

    await app(scope, receive, sent)
