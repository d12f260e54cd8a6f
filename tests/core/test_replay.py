"""A replay guard remembers each signature for as long as it is good, and forgets none before."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


# One key cannot fill a guard for the others


def _admit(guard: MemoryReplayGuard, owner: str, replay_id: str, expires: float = 100, now: float = 50) -> bool:
    return guard.admit(f"{owner} {replay_id}", expires, now, since=now, owner=owner)


def _is_refused(guard: MemoryReplayGuard, owner: str, replay_id: str, expires: float = 100, now: float = 50) -> bool:
    try:
        return not _admit(guard, owner, replay_id, expires, now)
    except Rejected as refused:
        return refused.reason is Reason.UNAVAILABLE


def test_the_key_that_holds_the_most_makes_room_for_one_that_holds_fewer() -> None:
    guard = MemoryReplayGuard(capacity=100, born=0)
    assert all(_admit(guard, "greedy", str(number), expires=100 + number) for number in range(100))
    assert _is_refused(guard, "greedy", "one more", expires=300)
    for number in range(49):
        assert _admit(guard, "honest", str(number))
        assert not _admit(guard, "honest", str(number))


def test_what_was_given_up_is_never_let_in_again() -> None:
    guard = MemoryReplayGuard(capacity=100, born=0)
    for number in range(100):
        _admit(guard, "greedy", str(number), expires=100 + number)
    for number in range(20):
        _admit(guard, "honest", str(number))
    assert all(_is_refused(guard, "greedy", str(number), expires=100 + number) for number in range(100))
    # Others of that key that are as old may have been among them.
    assert _is_refused(guard, "greedy", "unseen", expires=110)


def test_the_key_that_gave_way_goes_on_when_there_is_room_again() -> None:
    guard = MemoryReplayGuard(capacity=10, born=0)
    for number in range(10):
        _admit(guard, "greedy", str(number), expires=100 + number)
    for number in range(3):
        _admit(guard, "honest", str(number))
    assert _admit(guard, "greedy", "later", expires=200, now=111)


def test_where_all_keys_hold_as_many_none_is_forgotten() -> None:
    guard = MemoryReplayGuard(capacity=10, born=0)
    for owner in "abcde":
        assert _admit(guard, owner, "1")
        assert _admit(guard, owner, "2")
    assert _is_refused(guard, "a", "3")
    assert all(not _admit(guard, owner, number) for owner in "abcde" for number in "12")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), max_size=200), st.integers(1, 8))
def test_nothing_is_let_in_twice_whatever_comes(questions: list[tuple[str, int]], capacity: int) -> None:
    """What was let in is refused for as long as it is good, while the clock goes on."""
    guard, admitted = MemoryReplayGuard(capacity, born=0), set[tuple[str, int]]()
    for now, (owner, number) in enumerate(questions):
        expires = float(number * 20 + 20)
        if expires < now:
            continue
        if not _is_refused(guard, owner, str(number), expires, float(now)):
            assert (owner, number) not in admitted
            admitted.add((owner, number))
