"""What is said of clocks, clients and errors, without a server."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import redis
import redis.asyncio

from undersign import ConfigError
from undersign.policy._redis_errors import is_gone, what_failed
from undersign.policy.redis import AsyncRedisReplayGuard, RedisReplayGuard, _odd_clock


@pytest.mark.parametrize(
    ("guard", "client", "said"),
    [
        (
            RedisReplayGuard,
            redis.asyncio.Redis(),
            "Redis is an async client: AsyncRedisReplayGuard takes it, for an AsyncVerifier",
        ),
        (AsyncRedisReplayGuard, redis.Redis(), "Redis is no async client: RedisReplayGuard takes it"),
    ],
)
def test_a_client_of_the_other_kind_is_sent_to_the_other_guard(guard: Any, client: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        guard(client)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("marker", "now", "said"),
    [
        ("run 1000", 2000, ""),
        ("run 1000 1000", 1005, ""),
        ("run 1000 1000", 1010, "this host's clock is 10 s ahead of those of Redis and of the host that asked first"),
        ("run 1010 1000", 1010, "this host's clock is 10 s ahead of that of Redis"),
        ("run 1100 1000", 1010, "the clock of the host that asked first was 90 s ahead of this one's"),
        ("run 900 1000", 1010, "the clock of the host that asked first was 110 s behind this one's"),
    ],
)
def test_the_clock_that_differs_is_named(marker: str, now: float, said: str) -> None:
    """Redis says 1000 now; the marker has the clock of the host that asked first, and Redis's at that time."""
    assert _odd_clock(marker, now, 1000.0, 5) == said


@pytest.mark.parametrize(("cause", "gone"), [(ssl.SSLEOFError(8, "EOF"), True), (ssl.SSLError(1, "alert"), False)])
def test_tls_that_ends_too_early_is_a_server_that_is_gone(cause: Exception, gone: bool) -> None:
    error = redis.ConnectionError("")
    error.__cause__ = cause
    assert is_gone(error) is gone


def test_a_permission_that_is_not_named_is_one_of_those_that_the_guard_needs() -> None:
    said = what_failed(redis.exceptions.NoPermissionError("No permissions"), "p:")
    assert "the user lacks a permission: the guard needs ACL SETUSER … " in said
    assert said.endswith(" ~p:*")
