"""A forwarder asks an upstream over HTTP/2, without a server in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.gateway.harness import PATIENCE
from tests.gateway.http2_upstream import Http2Upstream, Peer
from undersign.gateway import Forwarder, Outgoing
from undersign.gateway.transport import Answer


def asking(
    script: Callable[[Peer, int], None], work: Callable[[Forwarder, str], Awaitable[None]], **options: Any
) -> int:
    """Run the work with a forwarder and such an upstream. Returns how many connections there were."""

    async def run(origin: str) -> None:
        async with Forwarder(http2=True, **options) as forwarder:
            await work(forwarder, origin)

    with Http2Upstream(script) as upstream:
        asyncio.run(asyncio.wait_for(run(upstream.url), PATIENCE))
        return upstream.connections


async def whole(answer: Answer) -> bytes:
    body = b""
    while piece := await answer.read():
        body += piece
    answer.close()
    return body


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0)


async def ask(forwarder: Forwarder, origin: str) -> Answer:
    return await forwarder.ask(Outgoing("GET", origin, "/", ()))
