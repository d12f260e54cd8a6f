"""A guard is given a client as well as a URL: of redis-py or valkey-py, alone, by Sentinel, in a cluster, over TLS."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import trustme
import valkey
import valkey.asyncio
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.sentinel import Sentinel

from tests.core.leaks import assert_hides
from tests.core.plain import NOW
from undersign import ConfigError
from undersign.policy._redis_scripts import ADMIT, COMMANDS
from undersign.policy.redis import AsyncRedisReplayGuard, RedisReplayGuard

from .guards import EXPIRES, Guard, unavailable
from .server import RedisServer
from .topologies import Cluster, PortServer, Sentinels, TlsServer, valkey_server

MARKER = "undersign:replay:born"


class Clients:
    """The clients of the libraries, sync or async, each of which is closed at the end."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self.redis: Any = redis.asyncio if loop else redis
        self.valkey: Any = valkey.asyncio if loop else valkey
        self.opened: list[Any] = []

    def guard(self, client: Any, **options: Any) -> Guard:
        self.opened.append(client)
        return Guard(client, self.loop, **options)

    def sentinel(self, sentinels: Sentinels, name: str = Sentinels.name, *, replica: bool = False) -> Any:
        kind: Any = AsyncSentinel if self.loop else Sentinel
        found = kind(sentinels.addresses(), socket_timeout=5)
        self.opened += found.sentinels
        return (found.slave_for if replica else found.master_for)(name, socket_timeout=5)

    def close(self) -> None:
        for client in self.opened:
            if self.loop:
                self.loop.run_until_complete(client.aclose())
            else:
                client.close()
        self.opened.clear()
        if self.loop:
            self.loop.run_until_complete(_disconnect_nodes())


async def _disconnect_nodes() -> None:
    """Close the nodes that an async client for clusters has given up, and leaves open until they are collected."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.gather(*others, return_exceptions=True)
    kinds = (redis.asyncio.cluster.ClusterNode, valkey.asyncio.cluster.ClusterNode)
    nodes: list[Any] = [found for found in gc.get_objects() if type(found) in kinds]
    await asyncio.gather(*(node.disconnect() for node in nodes), return_exceptions=True)


@pytest.fixture(params=["sync", "async"])
def clients(request: pytest.FixtureRequest) -> Iterator[Clients]:
    loop = asyncio.new_event_loop() if request.param == "async" else None
    found = Clients(loop)
    yield found
    found.close()
    if loop is not None:
        loop.close()


def assert_guards(*guards: Guard) -> None:
    """The guards are one, and what each lets in no other lets in again."""
    for number, guard in enumerate(guards):
        guard.check()
        assert guard.remember(str(number), EXPIRES, NOW)
        assert [other.remember(str(number), EXPIRES, NOW) for other in guards] == [False] * len(guards)


# One server


def test_a_client_in_place_of_a_url(clients: Clients, server: RedisServer) -> None:
    path = str(server.socket)
    assert_guards(
        clients.guard(clients.redis.Redis(unix_socket_path=path, socket_timeout=5)),
        clients.guard(clients.redis.Redis(unix_socket_path=path, socket_timeout=5, decode_responses=True, protocol=3)),
        clients.guard(clients.valkey.Valkey(unix_socket_path=path, socket_timeout=5)),
    )


def test_a_client_of_the_users_is_not_closed(clients: Clients, server: RedisServer) -> None:
    client = clients.redis.Redis(unix_socket_path=str(server.socket), single_connection_client=True)
    guard = clients.guard(client, timeout=5)
    assert guard.remember("a", EXPIRES, NOW)
    guard.close()
    assert not guard.remember("a", EXPIRES, NOW)


def test_an_answer_that_was_lost_and_is_asked_for_again_is_no_replay(server: RedisServer) -> None:
    """Clients ask again of their own accord, and so do those of clusters."""

    class Losing(redis.Redis):
        def evalsha(self, *arguments: Any) -> Any:
            super().evalsha(*arguments)  # it was asked, and the answer came not back
            return super().evalsha(*arguments)

    with Losing(unix_socket_path=str(server.socket), socket_timeout=5) as client:
        guard = RedisReplayGuard(client)
        RedisReplayGuard(server.url).check()
        with server.client() as looking:
            looking.script_load(ADMIT)
        assert guard.admit("a", EXPIRES, NOW, since=NOW + 6, max_uses=2)
        assert guard.admit("a", EXPIRES, NOW, since=NOW + 6, max_uses=2)
        assert not guard.admit("a", EXPIRES, NOW, since=NOW + 6, max_uses=2)


def test_a_server_that_forgets_its_scripts_is_told_them_again(clients: Clients, server: RedisServer) -> None:
    guard = clients.guard(clients.redis.Redis(unix_socket_path=str(server.socket), socket_timeout=5))
    assert guard.remember("a", EXPIRES, NOW)
    with server.client() as client:
        client.script_flush()
    assert not guard.remember("a", EXPIRES, NOW)


@pytest.mark.parametrize("scheme", ["valkey", "redis"])
def test_valkey(clients: Clients, scheme: str) -> None:
    with PortServer(program=valkey_server()) as server:
        guard = Guard(f"{scheme}://{server.address}/1", clients.loop)
        assert_guards(guard, clients.guard(clients.valkey.Valkey(port=server.port, db=1, socket_timeout=5)))
        guard.close()
        with server.client() as client:
            client.select(1)
            assert client.exists(MARKER, "undersign:replay:0") == 2


def test_what_is_no_client_is_said(server: RedisServer) -> None:
    password = "the-password"
    with redis.Redis(password=password) as client:
        asynchronous: Any = redis.asyncio.Redis(password=password)
        kind: Any = Sentinel
        sentinel = kind([("127.0.0.1", 1)], password=password)
        for make, wrong, said in (
            (RedisReplayGuard, asynchronous, "Redis is an async client: AsyncRedisReplayGuard takes it"),
            (AsyncRedisReplayGuard, client, "Redis is no async client: RedisReplayGuard takes it"),
            (RedisReplayGuard, sentinel, r"not Sentinel: give it master_for\(name\)"),
            (RedisReplayGuard, client.pipeline(), "not Pipeline"),
            (RedisReplayGuard, client.connection_pool, "not ConnectionPool"),
            (RedisReplayGuard, None, "not NoneType"),
            (RedisReplayGuard, b"redis://localhost", "not bytes"),
        ):
            with pytest.raises(ConfigError, match=said) as caught:
                make(wrong)
            assert_hides(caught.value, password)
        with pytest.raises(ConfigError, match="socket_timeout: set that on the client") as caught:
            RedisReplayGuard(client, socket_timeout=1)
        assert_hides(caught.value, password)
        guard = RedisReplayGuard(client)
        assert password not in repr(guard) + repr(vars(guard)) + repr(guard._asker)


def test_a_client_that_would_wait_for_ever_is_said(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    with redis.Redis(unix_socket_path=str(server.socket), socket_timeout=None) as client:
        RedisReplayGuard(client)
        assert "no socket_timeout" in caplog.text


# Sentinel


@pytest.fixture
def sentinels() -> Iterator[Sentinels]:
    found = Sentinels()
    yield found
    found.close()


def test_a_master_by_sentinel_and_the_one_that_takes_over(clients: Clients, sentinels: Sentinels) -> None:
    guard = clients.guard(clients.sentinel(sentinels), timeout=5, skew=0)
    guard.check()
    guard.initialize()
    assert guard.admit("a", EXPIRES, NOW, since=NOW)
    reading = clients.guard(clients.sentinel(sentinels, replica=True), timeout=5, fail_open=True)
    unavailable(lambda: reading.remember("b", EXPIRES, NOW), "it is a read-only replica: ask the master")
    sentinels.fail_over()
    unavailable(lambda: guard.admit("b", EXPIRES, NOW + 1, since=NOW), "before the replay guard began")
    assert guard.admit("b", EXPIRES + 9, NOW + 9, since=NOW + 9)
    assert not guard.admit("b", EXPIRES + 9, NOW + 9, since=NOW + 9)


def test_a_master_that_no_sentinel_knows(clients: Clients, sentinels: Sentinels) -> None:
    guard = clients.guard(clients.sentinel(sentinels, "other"), timeout=5)
    with pytest.raises(ConfigError, match="the Sentinels know no master of this name"):
        guard.check()


# Cluster


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    found = Cluster()
    yield found
    found.close()


@pytest.fixture
def cluster(running_cluster: Cluster) -> Cluster:
    running_cluster.flush()
    return running_cluster


def test_a_cluster(clients: Clients, cluster: Cluster) -> None:
    node = cluster.nodes[1]
    assert_guards(
        clients.guard(clients.redis.RedisCluster(host="127.0.0.1", port=node.port, socket_timeout=5), timeout=5),
        clients.guard(clients.valkey.ValkeyCluster(host="127.0.0.1", port=node.port, socket_timeout=5), timeout=5),
    )
    with cluster.node_of("undersign:replay:{1}:born").client() as client:
        assert client.exists("undersign:replay:{1}:born", "undersign:replay:{1}:0") == 2


def test_a_user_with_acls_in_a_cluster(clients: Clients, cluster: Cluster) -> None:
    rules = [*COMMANDS.split(), "~undersign:replay:*", "+cluster|slots", "+command"]
    for node in cluster.nodes:
        with node.client() as client:
            client.execute_command("ACL SETUSER", "guard", "reset", "on", ">pw", *rules)
    login = {"host": "127.0.0.1", "port": cluster.nodes[0].port, "username": "guard", "password": "pw"}
    assert_guards(
        clients.guard(clients.redis.RedisCluster(**login, socket_timeout=5), timeout=5),
        clients.guard(clients.valkey.ValkeyCluster(**login, socket_timeout=5), timeout=5),
    )


@pytest.mark.sampled(4)
@pytest.mark.parametrize("prefix", ["{acme}:", "acme:{b}:", "acme:", ""])
def test_the_keys_of_a_cluster_are_in_one_slot(clients: Clients, cluster: Cluster, prefix: str) -> None:
    client = clients.redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, socket_timeout=5)
    guard = clients.guard(client, prefix=prefix, timeout=5)
    assert [guard.remember(str(number), EXPIRES, NOW) for number in range(20)] == [True] * 20
    kept: list[int] = []
    for node in cluster.nodes:
        with node.client() as looking:
            kept.append(len(looking.keys()))
    assert sorted(kept) == [0, 0, 22]  # with the marker, and what is counted for each key id


def test_one_node_of_a_cluster_is_not_enough(clients: Clients, cluster: Cluster) -> None:
    plain = clients.guard(clients.redis.Redis(port=cluster.nodes[0].port, socket_timeout=5), fail_open=True)
    unavailable(lambda: plain.remember("a", EXPIRES, NOW), "it is a cluster: give the guard a client for clusters")
    other = next(node for node in cluster.nodes if node is not cluster.node_of("{acme}:born"))
    tagged = clients.guard(
        clients.redis.Redis(port=other.port, socket_timeout=5), prefix="{acme}:", fail_open=True, timeout=5
    )
    unavailable(lambda: tagged.remember("a", EXPIRES, NOW), "it is one node of a cluster: give the guard a client")


@pytest.mark.long
def test_a_node_that_goes_lets_nothing_in(clients: Clients) -> None:
    cluster = Cluster()
    try:
        client = clients.redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, socket_timeout=1)
        guard, opened = clients.guard(client), Guard(client, clients.loop, fail_open=True)
        assert guard.remember("a", EXPIRES, NOW)
        cluster.node_of("undersign:replay:{1}:born").kill()
        unavailable(lambda: guard.remember("a", EXPIRES, NOW), "Redis cannot be asked: ")
        assert opened.remember("a", EXPIRES, NOW)
    finally:
        cluster.close()


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def tls(authority: trustme.CA, folder: Path, *, clients: bool = False) -> Iterator[tuple[str, str]]:
    server = TlsServer(authority, folder, clients=clients)
    try:
        yield f"rediss://127.0.0.1:{server.port}/0", str(folder / "ca.pem")
    finally:
        server.close()


def test_tls_with_an_authority_of_ones_own(clients: Clients, authority: trustme.CA, tmp_path: Path) -> None:
    with tls(authority, tmp_path) as (url, ca):
        guard = Guard(url, clients.loop, ssl_ca_certs=ca, timeout=5)
        client = clients.redis.Redis.from_url(url, ssl_ca_certs=ca, socket_timeout=5)
        assert_guards(guard, clients.guard(client))
        guard.close()
        for fail_open in (False, True):  # whoever stands in the middle must not switch the guard off
            guard = Guard(url, clients.loop, fail_open=fail_open, timeout=5)
            unavailable(lambda guard=guard: guard.remember("a", EXPIRES, NOW), "not that of a known authority")  # type: ignore[misc]
            guard.close()


def test_tls_with_a_certificate_of_the_clients(clients: Clients, authority: trustme.CA, tmp_path: Path) -> None:
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    pem = str(tmp_path / "client.pem")
    with tls(authority, tmp_path, clients=True) as (url, ca):
        guard = Guard(url, clients.loop, ssl_ca_certs=ca, ssl_certfile=pem, ssl_keyfile=pem, timeout=5)
        assert_guards(guard)
        guard.close()
        without = Guard(url, clients.loop, ssl_ca_certs=ca, timeout=5)
        unavailable(lambda: without.remember("a", EXPIRES, NOW), "Redis cannot be asked: ")
        without.close()


def test_the_errors_of_tls_are_known_by_their_classes() -> None:
    from undersign.policy._redis_errors import is_gone

    def wrapped(error: Exception) -> Exception:
        outer = redis.ConnectionError("Error while reading")
        outer.__context__ = error
        return outer

    assert not is_gone(wrapped(ssl.SSLCertVerificationError("x")))
    assert not is_gone(wrapped(ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")))
    assert is_gone(wrapped(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")))
    assert is_gone(wrapped(ConnectionResetError("x")))
