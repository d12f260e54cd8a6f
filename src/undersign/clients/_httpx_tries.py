"""Signing below transports of httpx and httpx2 that send a request more than once, or otherwise than they got it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import ConfigError

_MARK = "_undersign_settles"
"""The attribute of the transports that settle their requests."""


def settle_before(transport: Any, settle: Callable[[Any], None], asettle: Callable[[Any], Awaitable[None]]) -> None:
    """Have the transport settle each request that it is given to send, once however often that is asked for."""
    if getattr(transport, _MARK, False):
        return
    if not any(hasattr(transport, name) for name in ("handle_request", "handle_async_request")):
        name = type(transport).__name__
        raise ConfigError(f"sign_every_try takes a transport, and {name} is none: for a client take sign_every_hop")
    # The transport stays what it is: others look at its class, its pool and its context manager.
    transport.__class__ = _settling(type(transport), settle, asettle)


def _settling(kind: Any, settle: Callable[[Any], None], asettle: Callable[[Any], Awaitable[None]]) -> type:
    def handle_request(transport: Any, request: Any) -> Any:
        settle(request)
        return kind.handle_request(transport, request)

    async def handle_async_request(transport: Any, request: Any) -> Any:
        await asettle(request)
        return await kind.handle_async_request(transport, request)

    own = {"handle_request": handle_request, "handle_async_request": handle_async_request}
    # With one base and no slots of its own it is laid out as `kind` is, which may have some.
    names = {name: own[name] for name in own if hasattr(kind, name)}
    return type(kind.__name__, (kind,), {"__slots__": (), _MARK: True, **names})
