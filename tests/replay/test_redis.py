"""A guard in Redis: at most once for all who share it, and what the server has forgotten is never new."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from tests.core.plain import NOW, gotom_request
from undersign import ConfigError, Rejected
from undersign.core.dates import Window
from undersign.policy.redis import RedisReplayGuard

from .guards import EXPIRES, Make, unavailable
from .server import RedisServer

# At most once


def test_a_signature_is_new_once(server: RedisServer, make: Make) -> None:
    guard, other = make(server), make(server)
    assert guard.remember("a", EXPIRES, NOW)
    assert not guard.remember("a", EXPIRES, NOW)
    assert not other.remember("a", EXPIRES, NOW)
    assert other.remember("b", EXPIRES, NOW)


def test_prefixes_keep_services_apart(server: RedisServer, make: Make) -> None:
    assert make(server, prefix="one:").remember("a", EXPIRES, NOW)
    assert make(server, prefix="two:").remember("a", EXPIRES, NOW)


def test_a_signature_is_kept_until_its_last_second_is_over_and_no_longer(server: RedisServer, make: Make) -> None:
    make(server, skew=5).remember("a", EXPIRES, NOW + 0.25)
    with server.client() as client:
        assert 1_804_000 < client.pttl("undersign:replay:a") <= 1_805_750


def test_a_cap_on_uses_counts(server: RedisServer, make: Make) -> None:
    guard, other = make(server), make(server)
    answers = [ask.admit("a", EXPIRES, NOW, since=NOW + 6, max_uses=3) for ask in (guard, other, guard, other, guard)]
    assert answers == [True, True, True, False, False]
    with server.client() as client:
        assert client.pttl("undersign:replay:a") > 0


def test_of_many_threads_one_alone_is_the_first(server: RedisServer) -> None:
    guard = RedisReplayGuard(server.url)
    answers: list[bool] = []

    def ask() -> None:
        answers.extend(guard.remember(str(number), EXPIRES, NOW) for number in range(100))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    guard.close()
    assert (len(answers), answers.count(True)) == (600, 100)


_PROCESS = f"""
import sys
from undersign.policy.redis import RedisReplayGuard
guard = RedisReplayGuard(sys.argv[1])
guard.check()
print("ready", flush=True)
sys.stdin.readline()
print(sum(guard.remember(str(number), {EXPIRES}, {NOW}) for number in range(1000)))
guard.close()
"""


def test_two_processes_share_one_guard(server: RedisServer) -> None:
    command = [sys.executable, "-c", _PROCESS, server.url]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    firsts = [int(process.communicate(timeout=60)[0]) for process in both]
    assert sum(firsts) == 1000


# What the store cannot know


def test_a_store_without_a_past_refuses_what_may_have_verified_before(server: RedisServer, make: Make) -> None:
    guard = make(server, skew=5, timeout=1)
    unavailable(lambda: guard.admit("a", EXPIRES, NOW, since=NOW), "before the replay guard began")
    unavailable(lambda: guard.admit("a", EXPIRES, NOW + 60, since=NOW + 5), "before the replay guard began")
    assert guard.admit("a", EXPIRES, NOW + 60, since=NOW + 6)
    assert not guard.admit("a", EXPIRES, NOW + 60, since=NOW + 6)


def test_a_verifier_waits_for_as_long_as_clients_may_be_ahead(server: RedisServer, make: Make) -> None:
    window = Window(past=1800, future=600)
    early, late = make(server, prefix="early:", skew=0), make(server, prefix="late:", skew=0)
    early.remember("whatever", EXPIRES, NOW - 601)
    late.remember("whatever", EXPIRES, NOW - 600)
    refuse = late.verifier(lambda: NOW, window, ahead=600)
    unavailable(lambda: refuse(gotom_request("POST", "/")), "before the replay guard began")
    verify = early.verifier(lambda: NOW, window, ahead=600)
    assert verify(gotom_request("POST", "/"))
    with pytest.raises(Rejected, match="replayed"):
        verify(gotom_request("POST", "/"))
    assert verify(gotom_request("GET", "/")) == verify(gotom_request("GET", "/"))


def test_an_operator_may_say_that_there_is_no_past(server: RedisServer, make: Make) -> None:
    make(server).initialize()
    assert make(server).admit("a", EXPIRES, NOW, since=NOW - 1800)


def test_an_operator_may_say_since_when_the_store_is_complete(server: RedisServer, make: Make) -> None:
    guard = make(server, skew=0)
    guard.initialize(NOW - 10)
    unavailable(lambda: guard.admit("a", EXPIRES, NOW, since=NOW - 10), "before the replay guard began")
    assert guard.admit("a", EXPIRES, NOW, since=NOW - 9)


def test_an_emptied_store_does_not_take_what_it_forgot_for_new(server: RedisServer, make: Make) -> None:
    guard = make(server)
    guard.initialize()
    assert guard.admit("a", EXPIRES, NOW, since=NOW - 1800)
    with server.client() as client:
        client.flushall()
    unavailable(lambda: guard.admit("a", EXPIRES, NOW + 1, since=NOW - 1800), "before the replay guard began")
    assert guard.admit("b", EXPIRES + 9, NOW + 9, since=NOW + 9)


def test_a_server_that_started_anew_from_an_old_copy_is_not_believed(make: Make) -> None:
    server = RedisServer("--appendonly", "yes", "--appendfsync", "always")
    try:
        guard = make(server)
        guard.initialize()
        assert guard.admit("a", EXPIRES, NOW, since=NOW - 1800)
        server.kill()
        server.start()
        with server.client() as client:
            assert client.exists("undersign:replay:born", "undersign:replay:a") == 2
        assert not guard.admit("a", EXPIRES, NOW + 1, since=NOW - 1800)
        unavailable(lambda: guard.admit("b", EXPIRES, NOW + 1, since=NOW - 1800), "before the replay guard began")
    finally:
        server.close()


def test_a_durable_server_goes_on_where_it_was(make: Make) -> None:
    server = RedisServer("--appendonly", "yes", "--appendfsync", "always")
    try:
        guard = make(server, durable=True)
        guard.check()
        guard.initialize()
        assert guard.admit("a", EXPIRES, NOW, since=NOW - 1800)
        server.kill()
        server.start()
        assert not guard.admit("a", EXPIRES, NOW + 1, since=NOW - 1800)
        assert guard.admit("b", EXPIRES, NOW + 1, since=NOW - 1800)
    finally:
        server.close()


def test_what_the_server_may_have_let_expire_is_not_new_when_the_clock_steps_back(
    server: RedisServer, make: Make
) -> None:
    guard = make(server)
    assert guard.remember("a", NOW + 10, NOW)
    assert guard.remember("b", NOW + 100, NOW + 11)
    unavailable(lambda: guard.remember("c", NOW + 10, NOW), "has forgotten signatures of that time")


# How the server is set up


def test_a_server_that_may_evict_is_refused(server: RedisServer, make: Make) -> None:
    guard = make(server)
    guard.check()
    assert guard.remember("a", EXPIRES, NOW)
    with server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    unavailable(lambda: guard.remember("b", EXPIRES, NOW), "maxmemory-policy to noeviction")
    with pytest.raises(ConfigError, match="maxmemory-policy to noeviction, it is allkeys-lru"):
        guard.check()


def test_a_full_server_refuses_rather_than_forgets(server: RedisServer, make: Make) -> None:
    guard = make(server, fail_open=True)
    assert guard.remember("a", EXPIRES, NOW)
    with server.client() as client:
        client.config_set("maxmemory", 1)
        unavailable(lambda: guard.remember("b", EXPIRES, NOW), "OutOfMemoryError|ResponseError OOM")
        client.config_set("maxmemory", 0)
    assert not guard.remember("a", EXPIRES, NOW)
    assert guard.remember("b", EXPIRES, NOW)


def test_a_server_that_loses_writes_is_not_durable(server: RedisServer, make: Make) -> None:
    with pytest.raises(ConfigError, match="appendonly yes"):
        make(server, durable=True).check()


def test_a_replica_is_refused(own_server: RedisServer, make: Make) -> None:
    with own_server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    unavailable(lambda: make(own_server).remember("a", EXPIRES, NOW), "Redis cannot be asked: ")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"timeout": 0}, "timeout is in seconds"),
        ({"timeout": float("inf")}, "timeout is in seconds"),
        ({"skew": -1}, "skew is whole seconds"),
        ({"skew": 1.5}, "skew is whole seconds"),
    ],
)
def test_an_option_that_cannot_work(make: Make, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        make("unix:///nowhere", **options)


def test_neither_a_url_that_is_none_nor_a_refused_login_shows_the_password(own_server: RedisServer, make: Make) -> None:
    with pytest.raises(ConfigError, match="not the URL") as caught:
        make("http://user:the-password@host/0")
    assert_hides(caught.value, "the-password")
    with own_server.client() as client:
        client.config_set("requirepass", "another")
    guard = make(f"unix://:the-password@{own_server.socket}", fail_open=True)
    assert_hides(
        unavailable(lambda: guard.remember("a", EXPIRES, NOW), "AuthenticationError|ConnectionError"), "the-password"
    )
    with pytest.raises(ConfigError, match=r"AuthenticationError|ConnectionError") as caught:
        guard.check()
    assert_hides(caught.value, "the-password")
    assert "the-password" not in repr(guard._guard) + repr(vars(guard._guard))


# One key cannot fill the server's memory for the others


def test_of_one_key_it_holds_so_many_and_the_others_go_on(server: RedisServer, make: Make) -> None:
    guard, other = make(server, per_key=3), make(server, per_key=3)
    for number, ask in enumerate((guard, other, guard)):
        assert ask.admit(f"greedy {number}", EXPIRES, NOW, since=NOW + 6, owner="greedy")
    unavailable(
        lambda: other.admit("greedy 3", EXPIRES, NOW, since=NOW + 6, owner="greedy"),
        "the replay guard holds 3 signatures of this key",
    )
    assert not other.admit("greedy 0", EXPIRES, NOW, since=NOW + 6, owner="greedy")
    assert other.admit("honest 0", EXPIRES, NOW, since=NOW + 6, owner="honest")


def test_what_has_expired_makes_room(server: RedisServer, make: Make) -> None:
    guard = make(server, per_key=2)
    assert guard.admit("a", EXPIRES, NOW, since=NOW + 6, owner="key")
    assert guard.admit("b", EXPIRES, NOW, since=NOW + 6, owner="key")
    with server.client() as client:
        (share,) = client.keys("undersign:replay:of:*")
        assert client.pttl(share) > 1_800_000
        client.zadd(share, dict.fromkeys(client.zrange(share, 0, 0), 1))
    assert guard.admit("c", EXPIRES, NOW, since=NOW + 6, owner="key")


@pytest.mark.parametrize("per_key", [0, -1, 1.5, "3"])
def test_a_share_is_one_signature_at_least(per_key: object) -> None:
    with pytest.raises(ConfigError, match="per_key is a number of signatures, 1 or more"):
        RedisReplayGuard("redis://localhost", per_key=per_key)  # type: ignore[arg-type]
