"""The load run and the soak in small; `make load` and `make soak` run them for longer."""

from __future__ import annotations

import pytest

from .load_run import load
from .soak import soak


@pytest.mark.long
def test_a_fleet_of_which_a_gateway_and_redis_are_killed_lets_in_what_it_should_and_once() -> None:
    counts, faults = load(seconds=18, clients=8)
    assert faults == []
    assert counts["good: let in"] > 100
    assert counts["good: let in when it was sent again"] > 0
    assert counts["thrice at once: 200"] > 10
    assert counts["bad: 401"] > 100


@pytest.mark.long
@pytest.mark.linux  # /proc says what a process holds
def test_faults_on_both_sides_leave_proxy_and_gateway_as_they_were() -> None:
    counts, _, faults = soak(seconds=20, clients=6)
    assert faults == []
    assert counts["good: 200"] > 0
    assert counts["hang: 504"] > 0
