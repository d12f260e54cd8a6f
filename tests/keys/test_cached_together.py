"""Cached lookups that are asked at the same time: who waits for whom, and what is held afterwards."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from typing import Any

import pytest
import trio

from tests.core.plain import NOW
from undersign import AsyncVerifier, GoTom
from undersign.keys import CachedKeys

from .test_cached import Database, cached, outcome, signed

PATIENCE = 30


class Slow:
    """A lookup that waits until it is let go."""

    def __init__(self, answer: Any = "secret") -> None:
        self.answer = answer
        self.began = threading.Event()
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, key_id: str, scheme_name: str) -> Any:
        self.asked += 1
        self.began.set()
        assert self.go.wait(PATIENCE)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def _in_threads(keys: CachedKeys, slow: Slow, count: int = 8) -> list[Any]:
    """Ask from several threads, of which one looks up and the others wait for it; what they got, or was raised."""
    waiting = threading.Semaphore(0)
    answers: list[Any] = []

    def ask() -> None:
        waiting.release()
        try:
            answers.append(keys("shop", "gotom"))
        except BaseException as error:
            answers.append(error)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    threads[0].start()
    assert slow.began.wait(PATIENCE)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=PATIENCE)
    slow.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    return answers


def test_threads_that_ask_for_one_key_at_one_time_wait_for_one_lookup() -> None:
    slow = Slow()
    keys = CachedKeys(slow)
    answers = _in_threads(keys, slow)
    assert [answer[0].reveal() for answer in answers] == [b"secret"] * 8
    assert slow.asked == 1


@pytest.mark.parametrize("error", [OSError("down"), SystemExit(1)])
def test_threads_that_wait_get_the_exception_too(error: BaseException) -> None:
    slow = Slow(error)
    assert _in_threads(CachedKeys(slow), slow, 2) == [error, error]


def test_a_lookup_that_takes_longer_than_max_age_keeps_nobody_waiting() -> None:
    slow, now = Slow(), [100.0]
    keys = CachedKeys(slow, max_age=60, clock=lambda: now[0])
    first = threading.Thread(target=keys, args=("shop", "gotom"))
    first.start()
    assert slow.began.wait(PATIENCE)
    slow.began.clear()
    now[0] += 60
    second = threading.Thread(target=keys, args=("shop", "gotom"))
    second.start()
    assert slow.began.wait(PATIENCE)
    slow.go.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert slow.asked == 2


def test_what_is_forgotten_while_it_is_looked_up_is_not_held() -> None:
    slow = Slow()
    keys = CachedKeys(slow)
    thread = threading.Thread(target=keys, args=("shop", "gotom"))
    thread.start()
    assert slow.began.wait(PATIENCE)
    keys.forget("shop")
    slow.go.set()
    thread.join(PATIENCE)
    slow.answer = "new"
    assert keys("shop", "gotom")[0].reveal() == b"new"


def test_tasks_that_ask_at_one_time_wait_for_one_lookup_even_where_the_first_is_cancelled() -> None:
    asked: list[str] = []

    async def run() -> list[Any]:
        go = asyncio.Event()

        async def lookup(key_id: str, scheme_name: str) -> str:
            asked.append(key_id)
            await go.wait()
            return "secret"

        keys = CachedKeys(lookup)

        async def ask() -> Any:
            return await keys("shop", "gotom")

        tasks = [asyncio.create_task(ask()) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert keys("shop", "gotom") == answers[1]  # held, and nothing to await
        return answers

    answers = asyncio.run(run())
    assert isinstance(answers[0], asyncio.CancelledError)
    assert [answer[0].reveal() for answer in answers[1:]] == [b"secret"] * 4
    assert asked == ["shop"]


def test_tasks_that_wait_get_the_exception_too_and_nobody_else_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> list[Any]:
        go = asyncio.Event()

        async def lookup(key_id: str, scheme_name: str) -> str:
            await go.wait()
            raise OSError("down")

        keys = CachedKeys(lookup)

        async def ask() -> Any:
            return await keys("shop", "gotom")

        tasks = [asyncio.create_task(ask()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks[: len(tasks) - cancelled.pop()]:
            task.cancel()
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    cancelled = [0, 2]  # how many are left, in the second run none
    assert [type(answer) for answer in asyncio.run(run())] == [asyncio.CancelledError, OSError, OSError]
    assert [type(answer) for answer in asyncio.run(run())] == [asyncio.CancelledError] * 3
    assert not caplog.records


def test_what_is_forgotten_while_a_task_looks_it_up_is_not_held() -> None:
    async def run() -> None:
        go, answers = asyncio.Event(), ["old", "new"]

        async def lookup(key_id: str, scheme_name: str) -> str:
            answer = answers.pop(0)
            await go.wait()
            return answer

        keys = CachedKeys(lookup)
        first = asyncio.ensure_future(keys("shop", "gotom"))
        await asyncio.sleep(0)
        keys.forget("shop")
        second = asyncio.ensure_future(keys("shop", "gotom"))
        await asyncio.sleep(0)
        go.set()
        assert [(await first)[0].reveal(), (await second)[0].reveal()] == [b"old", b"new"]
        assert keys("shop", "gotom")[0].reveal() == b"new"

    asyncio.run(run())


def test_it_works_under_trio() -> None:
    database = Database(shop="secret")

    async def lookup(key_id: str, scheme_name: str) -> Any:
        await trio.lowlevel.checkpoint()
        return database.lookup(key_id, scheme_name)

    verifier = AsyncVerifier(GoTom(), CachedKeys(lookup, clock=database.clock), clock=lambda: NOW)

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(verifier.verify, signed("shop", "secret"))
        await verifier.verify(signed("shop", "secret"))

    trio.run(run)
    assert database.asked == ["shop"] * 3


def test_a_plain_lookup_may_be_asked_in_a_loop_too() -> None:
    database = Database(shop="secret")
    keys = cached(database, is_async=False)
    assert [outcome(keys, "shop", "secret", is_async=True) for _ in range(2)] == ["shop"] * 2
    assert database.asked == ["shop"]


def _child(keys: CachedKeys, answers: Any) -> None:
    answers.put(len(keys("shop", "gotom")))


def test_a_process_that_is_forked_meanwhile_waits_for_nobody() -> None:
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def lookup(key_id: str, scheme_name: str) -> str:
        if not forked:
            forked.append(context.Process(target=_child, args=(keys, answers)))
            with keys._lock:  # at the worst moment
                forked[0].start()
            forked[0].join(PATIENCE)
        return "secret"

    forked: list[Any] = []
    keys = CachedKeys(lookup)
    assert len(keys("shop", "gotom")) == 1
    assert forked[0].exitcode == 0
    assert answers.get() == 1
