"""A replay guard remembers each signature for as long as it is good, and forgets none before."""

from __future__ import annotations

import threading

import pytest

from undersign import ConfigError, Reason, Rejected
from undersign.policy import MemoryReplayGuard


def test_a_signature_is_new_once() -> None:
    guard = MemoryReplayGuard()
    assert guard.remember("a", expires=100, now=50)
    assert not guard.remember("a", expires=100, now=50)
    assert guard.remember("b", expires=100, now=50)


def test_a_signature_is_remembered_until_it_expires_that_second_included() -> None:
    guard = MemoryReplayGuard(capacity=1)
    guard.remember("a", expires=100, now=50)
    assert not guard.remember("a", expires=100, now=100.999)
    assert guard.remember("b", expires=101, now=101)


def test_a_full_guard_refuses_rather_than_forgets() -> None:
    guard = MemoryReplayGuard(capacity=2)
    guard.remember("a", expires=100, now=50)
    guard.remember("b", expires=90, now=50)
    with pytest.raises(Rejected, match="holds its 2 signatures and is full") as caught:
        guard.remember("c", expires=100, now=90)
    assert caught.value.reason is Reason.UNAVAILABLE
    assert not guard.remember("b", expires=90, now=90)
    assert guard.remember("c", expires=100, now=91)


def test_what_it_may_have_forgotten_is_not_taken_for_new_when_the_clock_steps_back() -> None:
    guard = MemoryReplayGuard()
    guard.remember("a", expires=100, now=50)
    guard.remember("b", expires=200, now=101)
    for replay_id in ("a", "c"):
        with pytest.raises(Rejected, match="has forgotten signatures of that time") as caught:
            guard.remember(replay_id, expires=100, now=99)
        assert caught.value.reason is Reason.UNAVAILABLE
    assert guard.remember("d", expires=101, now=99)


def test_seconds_before_1970_are_whole_seconds_too() -> None:
    guard = MemoryReplayGuard()
    guard.remember("a", expires=-2, now=-3)
    assert not guard.remember("a", expires=-2, now=-1.5)


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_guard_holds_one_signature_at_least(capacity: int) -> None:
    with pytest.raises(ConfigError, match="capacity is 1 or more"):
        MemoryReplayGuard(capacity)


def test_of_many_threads_one_alone_is_the_first() -> None:
    guard = MemoryReplayGuard()
    answers: list[bool] = []

    def ask() -> None:
        answers.extend(guard.remember(str(number), expires=100, now=50) for number in range(200))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == 200
