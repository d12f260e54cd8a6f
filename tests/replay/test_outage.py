"""A Redis server that goes, halts and comes back, and questions that are broken off."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from tests.core.plain import NOW, gotom_request
from undersign import ConfigError, Rejected
from undersign.core.dates import Window
from undersign.policy.redis import AsyncRedisReplayGuard, RedisReplayGuard

from .guards import EXPIRES, Make, unavailable
from .server import RedisServer


def test_a_server_killed_in_the_middle_lets_nothing_in_twice_and_comes_back(
    own_server: RedisServer, make: Make
) -> None:
    clock = [float(NOW)]
    guard = make(own_server, skew=0)
    guard.initialize()
    verify = guard.verifier(lambda: clock[0], Window(past=1800, future=0))
    before = [gotom_request("POST", f"/{number}") for number in range(20)]
    for request in before:
        assert verify(request)
    own_server.kill()
    for request in (*before, gotom_request("POST", "/while-it-is-gone")):
        unavailable(lambda request=request: verify(request), "the replay guard failed: Redis cannot be asked")  # type: ignore[misc]
    own_server.start()
    clock[0] = NOW + 0.5
    for request in before:
        unavailable(lambda request=request: verify(request), "before the replay guard began")  # type: ignore[misc]
    assert guard.admit("signed-since", EXPIRES + 2, NOW + 2, since=NOW + 2)
    assert not guard.admit("signed-since", EXPIRES + 2, NOW + 2, since=NOW + 2)


def test_of_many_threads_none_gets_in_twice_while_the_server_goes_and_comes(own_server: RedisServer) -> None:
    guard = RedisReplayGuard(own_server.url, skew=0)
    guard.initialize()
    clock = [float(NOW)]
    lock = threading.Lock()
    let_in: dict[str, list[float]] = {}
    refused: list[str] = []
    enough = {phase: threading.Semaphore(0) for phase in ("before", "gone", "after")}
    phase = ["before"]
    over = threading.Event()

    def ask(thread: int) -> None:
        recent: list[tuple[str, float]] = []
        for number in itertools.count():
            if over.is_set():
                return
            now = clock[0]
            recent.append((f"{thread}-{number}", now))
            for replay_id, signed in recent[-5:]:  # each is sent five times
                at = phase[0]
                try:
                    is_new = guard.admit(replay_id, signed + 1800, max(now, clock[0]), since=signed)
                except Rejected as error:
                    with lock:
                        refused.append(str(error))
                    if at == "gone":
                        enough["gone"].release()
                else:
                    if is_new:
                        with lock:
                            let_in.setdefault(replay_id, []).append(now)
                        enough[at].release()

    threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    try:
        _await(enough["before"], 200)
        own_server.kill()
        phase[0] = "gone"
        _await(enough["gone"], 50)
        own_server.start()
        clock[0] = NOW + 10.0
        phase[0] = "after"
        _await(enough["after"], 200)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        guard.close()
    assert all(len(times) == 1 for times in let_in.values())
    assert all(refusal.startswith("unavailable: ") for refusal in refused)
    assert any("cannot be asked" in refusal for refusal in refused)


def _await(semaphore: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        assert semaphore.acquire(timeout=30)


def test_a_server_that_halts_is_given_up_in_time(own_server: RedisServer, make: Make) -> None:
    guard = make(own_server, timeout=0.2)
    assert guard.remember("a", EXPIRES, NOW)
    own_server.stop()
    began = time.monotonic()
    unavailable(lambda: guard.remember("a", EXPIRES, NOW), "Redis cannot be asked: TimeoutError")
    assert time.monotonic() - began < 30  # it would wait for ever
    own_server.go_on()
    assert not guard.remember("a", EXPIRES, NOW)
    assert guard.remember("b", EXPIRES, NOW)


def test_as_many_ask_at_once_as_there_are_requests(own_server: RedisServer) -> None:
    async def ask() -> list[bool]:
        guard = AsyncRedisReplayGuard(own_server.url, timeout=20)
        own_server.stop()
        asked = [asyncio.ensure_future(guard.remember(str(number % 150), EXPIRES, NOW)) for number in range(300)]
        await asyncio.sleep(0)
        own_server.go_on()
        answers = await asyncio.gather(*asked)
        await guard.close()
        return answers

    assert asyncio.run(ask()).count(True) == 150


def test_as_many_threads_ask_at_once_as_there_are(own_server: RedisServer) -> None:
    guard = RedisReplayGuard(own_server.url, timeout=20)
    pool: Any = guard._asker.client.connection_pool
    own_server.stop()
    with ThreadPoolExecutor(150) as threads:
        asked = [threads.submit(guard.remember, str(number % 75), EXPIRES, NOW) for number in range(150)]
        deadline = time.monotonic() + 30
        while pool._created_connections < 150 and not any(question.done() for question in asked):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        own_server.go_on()
        answers = [question.result() for question in asked]
    guard.close()
    assert answers.count(True) == 75


def test_a_limit_to_the_connections_lets_nothing_in_unguarded(server: RedisServer) -> None:
    async def ask() -> list[object]:
        guard = AsyncRedisReplayGuard(server.url, fail_open=True, max_connections=1)
        answers = await asyncio.gather(*(guard.remember("a", EXPIRES, NOW) for _ in range(5)), return_exceptions=True)
        await guard.close()
        return list(answers)

    answers = asyncio.run(ask())
    assert answers.count(True) == 1
    refusals = [str(answer) for answer in answers if answer is not True]
    assert [refusal.rpartition(": ")[0] for refusal in refusals] == ["unavailable: Redis cannot be asked"] * 4


def test_a_server_that_has_answered_others_meanwhile_is_there(server: RedisServer) -> None:
    """Whoever sends as many requests at one time as use up its connections must not switch the guard off."""

    class Losing(redis.Redis):
        between: Callable[[], object] | None = None

        def evalsha(self, *arguments: Any) -> Any:
            if self.between is None:
                return super().evalsha(*arguments)
            meanwhile, self.between = self.between, None
            meanwhile()
            raise redis.ConnectionError("Connection reset by peer")

    with Losing(unix_socket_path=str(server.socket), socket_timeout=5) as client:
        guard = RedisReplayGuard(client, fail_open=True)
        assert guard.remember("a", EXPIRES, NOW)
        client.between = lambda: guard.remember("b", EXPIRES, NOW)
        unavailable(lambda: guard.remember("a", EXPIRES, NOW), "ConnectionError; it has answered others meanwhile")
        client.between = lambda: None
        assert guard.remember("a", EXPIRES, NOW)


def test_a_guard_that_fails_open_says_so(own_server: RedisServer, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    guard = make(own_server, fail_open=True)
    assert guard.remember("a", EXPIRES, NOW)
    assert not guard.remember("a", EXPIRES, NOW)
    own_server.kill()
    with caplog.at_level(logging.ERROR, "undersign"):
        assert guard.remember("a", EXPIRES, NOW)
    assert "let in unguarded" in caplog.text
    assert str(own_server.socket) not in caplog.text
    with pytest.raises(ConfigError, match="Redis cannot be asked: ConnectionError"):
        guard.check()
    with pytest.raises(ConfigError, match="Redis cannot be asked: ConnectionError"):
        guard.initialize()


def test_questions_that_are_broken_off_leave_no_answer_for_the_next(server: RedisServer) -> None:
    async def ask() -> None:
        guard = AsyncRedisReplayGuard(server.url)
        assert await guard.remember("seen", EXPIRES, NOW)
        for number in itertools.count():
            task = asyncio.ensure_future(guard.remember(f"new-{number}", EXPIRES, NOW))
            for _ in range(number):
                await asyncio.sleep(0)
            if task.done():
                break
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert not await guard.remember("seen", EXPIRES, NOW)
        await guard.close()

    asyncio.run(ask())


@pytest.mark.parametrize("answer", [[b"new", b"undersign:replay:other"], b"OK", b"ne", 1, None, []])
def test_an_answer_to_another_question_is_refused(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    guard = RedisReplayGuard(server.url)
    monkeypatch.setattr(guard, "_asker", lambda *_: answer)
    unavailable(lambda: guard.remember("a", EXPIRES, NOW), "has answered another question")
    monkeypatch.undo()
    guard.close()
