"""The load run in small; `make load` runs it for longer."""

from __future__ import annotations

import pytest

from .load_run import load


@pytest.mark.long
def test_a_fleet_of_which_a_gateway_and_redis_are_killed_lets_in_what_it_should_and_once() -> None:
    counts, faults = load(seconds=18, clients=8)
    assert faults == []
    assert counts["good: let in"] > 100
    assert counts["good: let in when it was sent again"] > 0
    assert counts["thrice at once: 200"] > 10
    assert counts["bad: 401"] > 100
