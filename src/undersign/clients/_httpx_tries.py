"""Signing below transports of httpx and httpx2 that send a request more than once, or otherwise than they got it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


def settle_before(transport: Any, settle: Callable[[Any], None], asettle: Callable[[Any], Awaitable[None]]) -> None:
    """Have the transport settle each request that it is given to send, once however often that is asked for."""
    if not isinstance(transport, _SettlesRequests):
        # The transport stays what it is: others look at its class, its pool and its context manager.
        transport.__class__ = _settling(type(transport), settle, asettle)


class _SettlesRequests:
    """Marks the transports that settle their requests."""


def _settling(kind: Any, settle: Callable[[Any], None], asettle: Callable[[Any], Awaitable[None]]) -> type:
    def handle_request(transport: Any, request: Any) -> Any:
        settle(request)
        return kind.handle_request(transport, request)

    async def handle_async_request(transport: Any, request: Any) -> Any:
        await asettle(request)
        return await kind.handle_async_request(transport, request)

    own = {"handle_request": handle_request, "handle_async_request": handle_async_request}
    return type(kind.__name__, (_SettlesRequests, kind), {name: own[name] for name in own if hasattr(kind, name)})
