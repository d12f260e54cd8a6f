"""Replay guards by an address: in memory, or in a Redis that a fleet of gateways shares, with Sentinel or as a cluster.

    memory                                             this process alone
    redis://host:6379/0   rediss://…   unix:///path    one server; valkey:// likewise
    redis+sentinel://host:26379,host:26379/NAME/0      the master that the Sentinels name
    redis+cluster://host:6379,host:6379                a cluster, found through any of its nodes

User and password stand in front of the hosts, as in `redis://user:password@host`; with rediss+sentinel and
rediss+cluster the servers speak TLS.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError
from ..policy.memory import MemoryReplayGuard
from ..policy.redis import AsyncRedisReplayGuard
from ..policy.replay import AsyncReplayGuard, ReplayGuard

_SOCKET_TIMEOUT = 1.0
_WITH_FAILOVER = 4.0  # seconds for a question: a client asks again when a master has changed
_FORMS = "memory, redis://host:6379/0, redis+sentinel://host:26379/NAME or redis+cluster://host:6379"


class OpenGuard(NamedTuple):
    """A guard, how it is asked whether it works (raises ConfigError), and how it is closed."""

    guard: ReplayGuard | AsyncReplayGuard
    check: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


def open_guard(address: str) -> OpenGuard:
    """The guard at an address, for the event loop that runs. Raises ConfigError, which does not repeat the address."""
    if address == "memory":
        return OpenGuard(MemoryReplayGuard(), _nothing, _nothing)
    scheme = address.partition("://")[0]
    if scheme in ("redis", "rediss", "unix", "valkey", "valkeys"):
        plain = AsyncRedisReplayGuard(address)
        return OpenGuard(plain, plain.check, plain.close)
    library, _, kind = scheme.partition("+")
    problem = ConfigError(f"the address of the replay guard is none of these: {_FORMS}")
    if library not in ("redis", "rediss") or kind not in ("sentinel", "cluster"):
        raise problem
    try:
        import redis.asyncio
    except ModuleNotFoundError:
        raise ConfigError("a guard in Redis needs redis: pip install 'undersign[redis]'") from None
    parts = urlsplit(address)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    nodes = [_node(host, 26379 if kind == "sentinel" else 6379) for host in hosts.split(",")]
    options: dict[str, Any] = {"socket_timeout": _SOCKET_TIMEOUT, "socket_connect_timeout": _SOCKET_TIMEOUT}
    if login:
        options |= {"username": unquote(user) or None, "password": unquote(password)}
    if library == "rediss":
        options["ssl"] = True
    path = parts.path.strip("/").split("/")
    if None in nodes or (kind == "cluster" and path != [""]) or (kind == "sentinel" and not path[0]) or len(path) > 2:
        del address, parts, login, password, options  # so that no frame which raises holds the password
        raise problem
    client: Any
    asked: Sequence[Any] = ()  # the Sentinels, whose connections are closed apart
    if kind == "cluster":
        from redis.asyncio.cluster import ClusterNode

        client = redis.asyncio.RedisCluster(
            startup_nodes=[ClusterNode(*node) for node in nodes if node is not None], **options
        )
    else:
        sentinel: Any = import_module("redis.asyncio.sentinel").Sentinel
        sentinels = sentinel([node for node in nodes if node is not None], socket_timeout=_SOCKET_TIMEOUT)
        asked = sentinels.sentinels
        client = sentinels.master_for(path[0], db=int(path[1]) if len(path) == 2 else 0, **options)
    guard = AsyncRedisReplayGuard(client, timeout=_WITH_FAILOVER)

    async def close() -> None:
        for opened in (client, *asked):
            await opened.aclose()

    return OpenGuard(guard, guard.check, close)


def _node(text: str, default: int) -> tuple[str, int] | None:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default)
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else None


async def _nothing() -> None:
    """What memory needs."""
