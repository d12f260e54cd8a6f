"""What a server refuses is named, with what to do; and none of it lets a signature in unguarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.core.plain import NOW
from undersign import ConfigError
from undersign.policy._redis_errors import is_gone, what_failed
from undersign.policy._redis_scripts import COMMANDS

from .guards import EXPIRES, Guard, Make, unavailable
from .server import RedisServer
from .topologies import eventually

RULES = COMMANDS.split()
KEYS = "~undersign:replay:*"


@pytest.fixture
def user(server: RedisServer) -> Iterator[Callable[..., str]]:
    """Gives the user `guard` these rules alone, and returns a URL with their login."""

    def give(*rules: str) -> str:
        with server.client() as client:
            client.execute_command("ACL SETUSER", "guard", "reset", "on", ">pw", *rules)
        return f"unix://guard:pw@{server.socket}"

    yield give
    with server.client() as client:
        client.acl_deluser("guard")


def refusals(guard: Guard, match: str) -> None:
    unavailable(lambda: guard.remember("a", EXPIRES, NOW), match)
    with pytest.raises(ConfigError, match=match):
        guard.check()


def test_these_rules_are_enough(user: Callable[..., str], make: Make) -> None:
    guard = make(user(*RULES, KEYS))
    guard.check()
    guard.initialize()
    assert guard.admit("a", EXPIRES, NOW, since=NOW, max_uses=2)
    assert guard.admit("a", EXPIRES, NOW, since=NOW, max_uses=2)
    assert not guard.admit("a", EXPIRES, NOW, since=NOW, max_uses=2)


def test_the_page_names_these_rules() -> None:
    page = Path(__file__).parents[2] / "docs" / "servers" / "replay.md"
    assert f"ACL SETUSER guard on >the-password {COMMANDS} {KEYS}\n" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("missing", RULES)
def test_the_rule_that_is_missing_is_named(
    user: Callable[..., str], make: Make, server: RedisServer, missing: str
) -> None:
    with server.client() as client:
        client.script_flush()
    guard = make(user(*(rule for rule in RULES if rule != missing), KEYS), fail_open=True)
    refusals(
        guard, rf"the user lacks \{missing}: the guard needs ACL SETUSER … \+evalsha .* \+pexpire ~undersign:replay:\*$"
    )


def test_a_rule_that_the_client_needs_beside_is_named(user: Callable[..., str], make: Make) -> None:
    guard = make(user(*RULES, KEYS) + "?db=1", fail_open=True)
    refusals(guard, r"the user lacks \+select: the guard needs ACL SETUSER … .* \+pexpire \+select ~undersign")


def test_keys_that_are_missing_are_named(user: Callable[..., str], make: Make) -> None:
    url = user(*RULES, "~other:*")
    refusals(make(url, fail_open=True), r"the user lacks ~undersign:replay:\*: ")
    refusals(make(url, prefix="a[b]*:", fail_open=True), r"the user lacks ~a\\\[b\\\]\\\*:\*: ")


def test_a_login_that_is_refused(user: Callable[..., str], make: Make, server: RedisServer) -> None:
    url = user(*RULES, KEYS)
    refusals(make(url.replace(":pw@", ":other@"), fail_open=True), "the server refuses this user and password")
    with server.client() as client:
        client.execute_command("ACL SETUSER", "guard", "off")
    refusals(make(url, fail_open=True), "the server refuses this user and password")


def test_a_login_that_is_missing(own_server: RedisServer, make: Make) -> None:
    with own_server.client() as client:
        client.config_set("requirepass", "another")
    refusals(make(own_server, fail_open=True), "the server asks for a password")


def test_a_server_that_cannot_save(own_server: RedisServer, make: Make) -> None:
    with own_server.client() as client:
        client.config_set("save", "3600 1")
        (own_server.folder / "dump.rdb").mkdir()  # where the file would go
        client.bgsave()
        eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "it saves")
    refusals(make(own_server, fail_open=True), "MISCONF; the server cannot save to its disk")


def test_a_server_with_too_few_replicas(own_server: RedisServer, make: Make) -> None:
    with own_server.client() as client:
        client.config_set("min-replicas-to-write", 1)
    refusals(make(own_server, fail_open=True), "NOREPLICAS; the server has fewer replicas than its min-replicas")


def test_a_replica(own_server: RedisServer, make: Make) -> None:
    with own_server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        refusals(make(own_server, fail_open=True), "it is a read-only replica: ask the master, by Sentinel")
        client.config_set("replica-serve-stale-data", "no")
    refusals(make(own_server, fail_open=True), "it is a replica that has lost its master")


@pytest.mark.parametrize("command", ["EVALSHA", "INFO"])
def test_a_server_without_a_command(make: Make, command: str) -> None:
    server = RedisServer("--rename-command", command, "")
    try:
        refusals(
            make(server, fail_open=True), "the server lacks one of the commands that the guard needs, EVALSHA EVAL"
        )
    finally:
        server.close()


def test_a_key_that_is_another_programs(server: RedisServer, make: Make) -> None:
    guard = make(server, fail_open=True)
    with server.client() as client:
        client.rpush("undersign:replay:a", "x")
        client.set("undersign:replay:b", "x")
    for replay_id in ("a", "b"):
        unavailable(lambda replay_id=replay_id: guard.remember(replay_id, EXPIRES, NOW), "Redis cannot be asked: Resp")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("error", "gone", "said"),
    [
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), True, "still loads its data"),
        (redis.exceptions.ClusterDownError("The cluster is down"), True, "the cluster is down"),
        (redis.exceptions.RedisClusterException("Redis Cluster cannot be connected. Please"), True, "no node of the"),
        (
            redis.exceptions.RedisClusterException(
                "Redis Cluster cannot be connected. Please provide at least one reachable "
                "node: Cluster mode is not enabled on this node"
            ),
            False,
            r"the server is no cluster, or the user lacks",
        ),
        (redis.ConnectionError("Connection closed by server."), True, "ConnectionError"),
        (redis.ConnectionError("max number of clients reached"), False, "as many connections as its maxclients allows"),
        (redis.TimeoutError("Timeout reading from socket"), True, "TimeoutError"),
        (ConnectionRefusedError(111, "refused"), True, "ConnectionRefusedError"),
        (redis.exceptions.MasterDownError("Link with MASTER is down"), False, "has lost its master"),
        (redis.exceptions.TryAgainError("Multiple keys request during rehashing of slot"), False, "moves the guard's"),
        (redis.exceptions.ExternalAuthProviderError("x"), False, "ExternalAuthProviderError"),
        (redis.exceptions.AuthorizationError("x"), False, "AuthorizationError"),
        (redis.ResponseError("BUSY Redis is busy running a script"), False, "BUSY; a script of another client"),
        (
            redis.ResponseError("DENIED Redis is running in protected mode"),
            False,
            "DENIED; the server runs in protected",
        ),
        (redis.exceptions.InvalidResponse("Protocol Error: b'HTTP/1.1'"), False, "InvalidResponse"),
        (RuntimeError("hunter2"), False, "RuntimeError"),
    ],
)
def test_what_an_error_means(error: Exception, gone: bool, said: str) -> None:
    assert is_gone(error) is gone
    sentence = what_failed(error, "p:")
    assert said in sentence
    assert "hunter2" not in sentence


def test_the_codes_are_those_of_valkeys_errors_too() -> None:
    import valkey

    kinds: Any = valkey.exceptions
    assert not is_gone(kinds.AuthenticationError("x"))
    assert not is_gone(kinds.ReadOnlyError("x"))
    assert is_gone(kinds.BusyLoadingError("x"))
    assert is_gone(kinds.ConnectionError("x"))
    assert is_gone(kinds.ClusterDownError("x"))
    assert "the user lacks +info" in what_failed(
        kinds.NoPermissionError("User x has no permissions to run the 'info' command"), "p:"
    )
