"""Retries for httpx and httpx2, which bring none: each try is signed by its own run of the auth."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import anyio

from ._httpx_libraries import NO_ANSWER
from ._retries import RetryPlan

if TYPE_CHECKING:
    import httpx


def send_with_retries(
    client: httpx.Client,
    request: httpx.Request,
    *,
    attempts: int = 3,
    also: Iterable[str] = (),
    longest_wait: float = 60.0,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
    **keywords: Any,
) -> httpx.Response:
    """`client.send(request, **keywords)`, tried again up to `attempts` times, each time with a signature of its own.

    It is tried again on connection errors, 429 and 503. It waits for Retry-After, or else for a time that doubles. An
    answer that asks for more than `longest_wait` seconds is returned as it is. Idempotent methods are tried again.
    Others are only when `also` names them, since a server may have acted before the connection broke.
    """
    plan = RetryPlan(request.method, attempts, also, longest_wait)
    while True:
        try:
            response = client.send(request, **keywords)
        except NO_ANSWER:
            wait = plan.wait_after_error()
            if wait is None:
                raise
        else:
            wait = plan.wait_after(response.status_code, response.headers.get("Retry-After"), clock())
            if wait is None:
                return response
            response.close()
        sleep(wait)


async def asend_with_retries(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    attempts: int = 3,
    also: Iterable[str] = (),
    longest_wait: float = 60.0,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    clock: Callable[[], float] = time.time,
    **keywords: Any,
) -> httpx.Response:
    """`send_with_retries` for an AsyncClient, on asyncio and trio."""
    plan = RetryPlan(request.method, attempts, also, longest_wait)
    while True:
        try:
            response = await client.send(request, **keywords)
        except NO_ANSWER:
            wait = plan.wait_after_error()
            if wait is None:
                raise
        else:
            wait = plan.wait_after(response.status_code, response.headers.get("Retry-After"), clock())
            if wait is None:
                return response
            await response.aclose()
        await (sleep or anyio.sleep)(wait)
