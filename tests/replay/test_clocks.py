"""One clock that is wrong, of a host or of Redis, neither lets a replay in nor keeps others from being answered.

Redis has a clock of its own, so these tests set theirs by it.
"""

from __future__ import annotations

import logging
import re

import pytest

from undersign import Rejected

from .guards import Guard, Make, unavailable
from .server import RedisServer

OFF = 1200
SECONDS = "1[12][0-9][0-9]"
SKEW = 60  # so that a test may take its time
MARGIN = 61  # skew, and a timeout of 1


def clock_of(server: RedisServer) -> float:
    with server.client() as client:
        return float(client.time()[0])


def lets_in(guard: Guard, replay_id: str, signed: float, now: float) -> bool:
    try:
        return bool(guard.admit(replay_id, signed + 1800, now, since=signed))
    except Rejected:
        return False


def test_a_first_asker_that_is_ahead_keeps_nobody_else_out(
    server: RedisServer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    now = clock_of(server)
    ahead, right, other = make(server, skew=SKEW), make(server, skew=SKEW), make(server, skew=SKEW)
    ahead.remember("whatever", now + 1800, now + OFF)
    with caplog.at_level(logging.WARNING, "undersign"):
        caplog.clear()
        error = unavailable(lambda: right.admit("a", now + 1800, now, since=now), "before the replay guard began")
    said = rf"the clock of the host that asked first was {SECONDS} s ahead of this one's"
    assert re.search(said, error.detail)
    assert re.search(said, caplog.text)
    assert not lets_in(right, "before", now - 1, now + 70)
    assert lets_in(right, "b", now + 70, now + 70)
    assert not lets_in(right, "b", now + 70, now + 70)
    assert not lets_in(other, "b", now + 70, now + 70)
    # Another process that starts in the meantime waits for its own few seconds.
    late = make(server, skew=SKEW)
    assert not lets_in(late, "c", now + 100, now + 100)
    assert lets_in(late, "c", now + 170, now + 170)


def test_a_first_asker_that_is_behind_lets_no_replay_in(server: RedisServer, make: Make) -> None:
    now = clock_of(server)
    behind, right = make(server, skew=SKEW), make(server, skew=SKEW)
    behind.remember("whatever", now + 1800, now - OFF)
    unavailable(lambda: right.admit("a", now + 1200, now, since=now - 600), "before the replay guard began")
    assert lets_in(right, "a", now + 70, now + 70)


def test_a_host_that_is_behind_lets_no_replay_in(server: RedisServer, make: Make) -> None:
    now = clock_of(server)
    right, behind = make(server, skew=SKEW), make(server, skew=SKEW)
    right.remember("whatever", now + 1800, now)
    error = unavailable(
        lambda: behind.admit("a", now + 1200, now - OFF, since=now - 600), "before the replay guard began"
    )
    said = rf"this host's clock is {SECONDS} s behind those of Redis and of the host that asked first"
    assert re.search(said, error.detail)
    unavailable(lambda: behind.admit("a", now + 1200, now - OFF + 70, since=now - OFF + 70), "began to remember")


def test_a_host_that_is_ahead_and_first_is_told_so(server: RedisServer, make: Make) -> None:
    now = clock_of(server)
    ahead = make(server, skew=SKEW)
    error = unavailable(lambda: ahead.admit("a", now + 1800, now + OFF, since=now), "began to remember")
    assert re.search(rf"this host's clock is {SECONDS} s ahead of that of Redis", error.detail)


def test_a_host_whose_clock_is_set_right_goes_on(server: RedisServer, make: Make) -> None:
    now = clock_of(server)
    guard = make(server, skew=SKEW)
    guard.remember("whatever", now + 3600, now + OFF)
    unavailable(lambda: guard.admit("a", now + 1800, now, since=now), "began to remember")
    assert lets_in(guard, "a", now + 70, now + 70)


@pytest.mark.parametrize("off", [-OFF, OFF, -(10**8)])
def test_where_the_clock_of_redis_is_wrong_that_of_the_hosts_counts(server: RedisServer, make: Make, off: int) -> None:
    now = clock_of(server) - off  # both hosts agree, and Redis does not
    first, other = make(server, skew=SKEW), make(server, skew=SKEW)
    first.remember("whatever", now + 1800, now)
    assert not lets_in(first, "a", now - 1, now)
    assert not lets_in(other, "a", now - 1, now + MARGIN)
    assert lets_in(other, "a", now + MARGIN, now + MARGIN)
    assert lets_in(first, "b", now + MARGIN, now + MARGIN)


def test_a_host_that_is_ahead_has_nothing_forgotten_early(server: RedisServer, make: Make) -> None:
    now = clock_of(server)
    make(server, skew=SKEW).remember("a", now + 1800, now + OFF)
    with server.client() as client:
        assert client.pttl("undersign:replay:a") > 1_800_000
    make(server, skew=SKEW).remember("b", now + 1800, now - OFF)
    with server.client() as client:
        assert client.pttl("undersign:replay:b") > 1_800_000


def test_a_clock_of_redis_that_is_far_behind_keeps_signatures_a_day_longer_at_most(
    server: RedisServer, make: Make
) -> None:
    now = clock_of(server) + 10**8
    make(server, skew=SKEW).remember("a", now + 1800, now)
    with server.client() as client:
        assert 1_800_000 < client.pttl("undersign:replay:a") <= (1801 + SKEW + 86_400) * 1000
