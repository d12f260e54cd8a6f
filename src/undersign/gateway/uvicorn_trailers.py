"""Trailers of answers, for uvicorn, which has no place for them: the extension `http.response.trailers` of ASGI.

uvicorn ends a body in chunks with the last piece. So it is told that another piece comes, and the last chunk is handed
over as one of a body with a length, which it writes as it is.
"""

from __future__ import annotations

from typing import Any

from ..servers.asgi import App
from .heads import Message, Receive, Scope, Send
from .trailers import ANSWERED, last_chunk, passing


async def with_trailers(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request over HTTP/1.1 whose client takes trailers. `send` is that of uvicorn's cycle."""
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    trailers: list[tuple[bytes, bytes]] = []
    are_announced = False

    async def sent(message: Message) -> None:
        nonlocal are_announced
        kind = message["type"]
        if kind == "http.response.start":
            await send(message)
            # Decided by now; not in chunks are also the answers that have no body.
            are_announced = bool(message.get("trailers")) and bool(cycle.chunked_encoding)
        elif kind == ANSWERED:
            if not are_announced:
                return
            trailers.extend(message["headers"])
            if not message.get("more_trailers"):
                end = last_chunk(passing(trailers))
                cycle.chunked_encoding, cycle.expected_content_length = False, len(end)
                await send({"type": "http.response.body", "body": end})
        elif are_announced and kind == "http.response.body" and not message.get("more_body"):
            if message.get("body"):
                await send({**message, "more_body": True})
        else:
            await send(message)

    await app(scope, receive, sent)
