"""The two guards in Redis, asked in the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.core.plain import NOW, SECRET, USER
from undersign import AsyncVerifier, GoTom, Reason, Rejected, Request, Verifier
from undersign.core.dates import Window
from undersign.policy import ReplayPolicy
from undersign.policy.redis import AsyncRedisReplayGuard, RedisReplayGuard

EXPIRES = NOW + 1800


class Guard:
    """Either guard, asked in the same words."""

    def __init__(self, server: Any, loop: asyncio.AbstractEventLoop | None, **options: Any) -> None:
        self._loop = loop
        self._guard: Any = (AsyncRedisReplayGuard if loop else RedisReplayGuard)(server, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._guard, name)
        return lambda *args, **named: self._finished(method(*args, **named))

    def verifier(
        self, clock: Callable[[], float], window: Window = GoTom().window, ahead: int = 0
    ) -> Callable[[Request], Any]:
        policy = ReplayPolicy(self._guard, ahead=ahead)
        kind: Any = AsyncVerifier if self._loop else Verifier
        verify = kind(GoTom(window=window), {USER: SECRET}, clock=clock, replay={"gotom": policy}).verify
        return lambda request: self._finished(verify(request))

    def _finished(self, answer: Any) -> Any:
        return self._loop.run_until_complete(answer) if self._loop and isinstance(answer, Coroutine) else answer


Make = Callable[..., Guard]


def unavailable(ask: Callable[[], object], match: str) -> Rejected:
    with pytest.raises(Rejected, match=match) as caught:
        ask()
    assert caught.value.reason is Reason.UNAVAILABLE
    return caught.value
