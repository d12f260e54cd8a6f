"""A guard in memory refuses what may have verified before it was born, since nothing can tell."""

from __future__ import annotations

import math

import pytest

from undersign import GoTom, Reason, Rejected, Verifier
from undersign.core.dates import Window
from undersign.policy import MemoryReplayGuard, ReplayPolicy

from .plain import NOW, SECRET, USER, gotom_request, refused


def _admit(guard: MemoryReplayGuard, replay_id: str, now: float, since: float, max_uses: int = 1) -> bool:
    return guard.admit(replay_id, NOW + 1800, now, since=since, max_uses=max_uses)


def _is_unknown(guard: MemoryReplayGuard, replay_id: str, now: float, since: float) -> bool:
    with pytest.raises(Rejected, match="before the replay guard began to remember") as caught:
        _admit(guard, replay_id, now, since)
    return caught.value.reason is Reason.UNAVAILABLE


def test_a_guard_is_born_when_it_is_made_by_the_clock_of_the_verifier() -> None:
    guard = MemoryReplayGuard()
    assert _is_unknown(guard, "a", NOW + 300, NOW)  # it was made a moment ago, which is NOW + 300
    assert _is_unknown(guard, "a", NOW + 600, NOW)
    assert _admit(guard, "a", NOW + 600, NOW + 300)
    assert not _admit(guard, "a", NOW + 601, NOW + 300)


def test_the_first_request_of_a_new_guard_verifies_once() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 0.5, replay=MemoryReplayGuard())
    assert verifier.verify(gotom_request("POST", "/"))
    assert refused(verifier, gotom_request("POST", "/")).reason is Reason.REPLAYED


def test_a_guard_that_has_seen_all_says_so() -> None:
    assert _admit(MemoryReplayGuard(born=0), "a", NOW, NOW - 1800)
    assert _admit(MemoryReplayGuard(born=-math.inf), "a", NOW, -1800)
    assert _admit(MemoryReplayGuard(born=NOW), "a", NOW, NOW)
    assert _is_unknown(MemoryReplayGuard(born=NOW), "a", NOW, NOW - 1)


def test_a_signature_of_a_client_that_is_ahead_cannot_be_used_again_after_a_restart() -> None:
    """It is dated after the restart, and verified before."""
    clock = [NOW - 30.0]
    window = Window(past=1800, future=60)

    def started() -> Verifier:
        policy = ReplayPolicy(guards.pop(), ahead=60)
        return Verifier(GoTom(window=window), {USER: SECRET}, clock=lambda: clock[0], replay={"gotom": policy})

    guards = [MemoryReplayGuard(), MemoryReplayGuard(born=0)]
    assert started().verify(gotom_request("POST", "/"))
    clock[0] = NOW - 20
    restarted = started()
    for clock[0] in (NOW - 20, NOW, NOW + 1800):
        assert refused(restarted, gotom_request("POST", "/")).reason is Reason.UNAVAILABLE


def test_what_is_refused_so_is_not_recorded() -> None:
    guard = MemoryReplayGuard(capacity=1)
    assert _is_unknown(guard, "a", NOW, NOW - 300)
    assert _admit(guard, "b", NOW, NOW)


def test_uses_are_counted() -> None:
    guard = MemoryReplayGuard(born=0)
    assert [_admit(guard, "a", NOW, NOW, max_uses=3) for _ in range(5)] == [True, True, True, False, False]
    assert _admit(guard, "b", NOW, NOW, max_uses=3)


def test_a_full_guard_goes_on_counting_what_it_holds() -> None:
    guard = MemoryReplayGuard(capacity=1, born=0)
    assert _admit(guard, "a", NOW, NOW, max_uses=2)
    with pytest.raises(Rejected, match="is full"):
        _admit(guard, "b", NOW, NOW, max_uses=2)
    assert _admit(guard, "a", NOW, NOW, max_uses=2)
    assert not _admit(guard, "a", NOW, NOW, max_uses=2)
