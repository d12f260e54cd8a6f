"""Replay guards in a Redis server, which the threads, processes and machines of a service share.

What the server has forgotten is never taken for new. Beside the signatures it holds a marker: since when it remembers,
and in which run of the server. Where the marker is gone the store was emptied, and where another run wrote it the
server was started anew, or a replica took over; either way the store is born at that moment, and what may have
verified before is refused.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import ConfigError, Reason, Rejected
from .replay import BEFORE_BIRTH, AsyncReplayGuard, ReplayGuard

_log = logging.getLogger("undersign")

# One script is one step: no other client comes between checking and recording, and no restart either. The key comes
# back with the answer, so that an answer to another request cannot be taken for this one's.
_ADMIT = """
local marker, signature = KEYS[1], KEYS[2]
local now, since, milliseconds, max_uses, durable = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5]
if string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:(%S+)') ~= 'noeviction' then
    return {'evicts', signature}
end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%S+)')
local of_run, born = string.match(redis.call('GET', marker) or '', '^(%S+) (%S+)$')
if born == nil or (of_run ~= run and durable == '0') then
    born = now
    redis.call('SET', marker, run .. ' ' .. born)
end
local uses = tonumber(redis.call('GET', signature) or '0')
if uses >= max_uses then
    return {'seen', signature}
end
if since < tonumber(born) then
    return {'young', signature}
end
if uses == 0 then
    redis.call('SET', signature, '1', 'NX', 'PX', milliseconds)
else
    redis.call('INCR', signature)
end
return {'new', signature}
"""

_INITIALIZE = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%S+)')
redis.call('SET', KEYS[1], run .. ' ' .. ARGV[1])
return 1
"""

_EVER = 10**15
_NO_LIMIT = 2**31


class _Store:
    """What sync and async share: what is asked of the server, and what its answer means."""

    def __init__(self, prefix: str, timeout: float, fail_open: bool, durable: bool, skew: int) -> None:
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout is in seconds, more than 0, not {timeout!r}")
        if type(skew) is not int or skew < 0:
            raise ConfigError(f"skew is whole seconds, 0 or more, not {skew!r}")
        self._prefix = prefix
        self._timeout = timeout
        self._fail_open = fail_open
        self._durable = durable
        self._skew = skew
        # A question may come to a server that has started after the question's clock was read.
        self._margin = skew + math.ceil(timeout)
        self._latest = -math.inf

    @property
    def _marker(self) -> str:
        return f"{self._prefix}born"

    def _question(
        self, replay_id: str, expires: float, now: float, since: float, max_uses: int
    ) -> tuple[list[str], list[str | int]]:
        # The server forgets what has expired: where a clock steps back, that must not be taken for new.
        self._latest = max(self._latest, now)
        if expires < math.floor(self._latest):
            raise Rejected(Reason.UNAVAILABLE, "the replay guard has forgotten signatures of that time")
        milliseconds = math.ceil((math.floor(expires) + 1 - now + self._skew) * 1000)
        first = _EVER if since == math.inf else math.floor(since) - self._margin
        keys = [self._marker, f"{self._prefix}{replay_id}"]
        return keys, [math.ceil(now), first, milliseconds, max_uses, int(self._durable)]

    def _meaning(self, answer: Any, key: str) -> bool:
        word, of_key = (_text(part) for part in answer) if isinstance(answer, list) and len(answer) == 2 else ("", "")
        if of_key != key:
            raise Rejected(Reason.UNAVAILABLE, "Redis has answered another question")
        if word == "young":
            raise Rejected(Reason.UNAVAILABLE, BEFORE_BIRTH)
        if word == "evicts":
            raise Rejected(Reason.UNAVAILABLE, "Redis may evict signatures: set its maxmemory-policy to noeviction")
        return word == "new"

    def _without_answer(self, error: Exception) -> Rejected | None:
        """What to raise where the server could not be asked; None = the signature is let in.

        It is for raising once the error is dealt with, as frames of redis-py hold the server's password.
        """
        if self._fail_open and _is_gone(error):
            _log.error("Redis cannot be asked (%s), and a signature is let in unguarded", type(error).__name__)
            return None
        return Rejected(Reason.UNAVAILABLE, _what_failed(error))

    def _flaw(self, memory: Any, persistence: Any) -> str:
        """What is wrong with the server, in a sentence."""
        if (policy := memory.get("maxmemory_policy")) != "noeviction":
            return f"Redis may evict signatures: set its maxmemory-policy to noeviction, it is {policy}"
        if self._durable and persistence.get("aof_enabled") != 1:
            return "durable=True needs a Redis that keeps what it is told: appendonly yes, appendfsync always"
        return ""


class RedisReplayGuard(_Store, ReplayGuard):
    """A guard in the Redis server at `url` (`redis://host:port/0`, `rediss://…`, `unix:///path`).

    Keys begin with `prefix`. The server has `timeout` seconds for each step of an answer. Where it cannot be asked, a
    signature is refused (`unavailable`), or with `fail_open` let in unguarded, which is logged.

    What may have verified before the store began to remember is refused too (`unavailable`): for as many seconds after
    a first start, a flush or a restart as the scheme's window reaches into the future, and `skew` and `timeout`; see
    `initialize`. `durable` says that the server loses nothing in a restart or failover, which takes `appendonly yes`
    and `appendfsync always`. `skew` is by how many seconds the clocks of the machines which verify may differ.

    The server's `maxmemory-policy` must be noeviction; a server that may evict is refused. `options` go to redis-py's
    `from_url`. Each request that is asked about at one time has a connection; with `max_connections` among the options,
    what is beyond is refused, with `fail_open` too. Raises ConfigError for an option that cannot work; the server is
    first asked by `check` or a request.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "undersign:replay:",
        timeout: float = 1.0,
        fail_open: bool = False,
        durable: bool = False,
        skew: int = 5,
        **options: Any,
    ) -> None:
        super().__init__(prefix, timeout, fail_open, durable, skew)
        client = _client(redis.Redis.from_url, url, timeout, Retry(NoBackoff(), 0), options)
        del url, options
        if isinstance(client, ConfigError):
            raise client
        # The script holds the client, whose own repr shows the password in some versions of redis-py.
        self._admit = client.register_script(_ADMIT)

    @property
    def _redis(self) -> redis.Redis:
        client: redis.Redis = self._admit.registered_client
        return client

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See ReplayGuard.remember. The store's birth has no part in it: it is not said since when a signature is
        good."""
        return self.admit(replay_id, expires, now, since=math.inf)

    def admit(self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1) -> bool:
        keys, arguments = self._question(replay_id, expires, now, since, max_uses)
        try:
            answer = self._admit(keys=keys, args=arguments)
        except (redis.RedisError, OSError) as error:
            refusal = self._without_answer(error)
        else:
            return self._meaning(answer, keys[1])
        if refusal is not None:
            raise refusal
        return True

    def check(self) -> None:
        """Raises ConfigError where the server cannot be asked, or is not set up so that it forgets nothing."""
        try:
            flaw = self._flaw(self._redis.info("memory"), self._redis.info("persistence"))
        except (redis.RedisError, OSError) as error:
            flaw = _what_failed(error)
        if flaw:
            raise ConfigError(flaw)

    def initialize(self, born: float = 0.0) -> None:
        """Say that the store knows all that verified since `born` (Unix seconds), or that the rest does not matter.

        For an operator, once, before the first start: not for the start of each process, which would take an emptied
        store for a complete one. Raises ConfigError where the server cannot be asked.
        """
        try:
            self._redis.eval(_INITIALIZE, 1, self._marker, str(math.ceil(born)))
            flaw = ""
        except (redis.RedisError, OSError) as error:
            flaw = _what_failed(error)
        if flaw:
            raise ConfigError(flaw)

    def close(self) -> None:
        """Close the connections. The guard opens new ones when it is asked again."""
        self._redis.close()


class AsyncRedisReplayGuard(_Store, AsyncReplayGuard):
    """The same for asyncio, each guard in one event loop. `timeout` bounds the whole answer here."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "undersign:replay:",
        timeout: float = 1.0,
        fail_open: bool = False,
        durable: bool = False,
        skew: int = 5,
        **options: Any,
    ) -> None:
        super().__init__(prefix, timeout, fail_open, durable, skew)
        client = _client(redis.asyncio.Redis.from_url, url, timeout, AsyncRetry(NoBackoff(), 0), options)
        del url, options
        if isinstance(client, ConfigError):
            raise client
        self._admit = client.register_script(_ADMIT)
        self._asked: set[asyncio.Future[Any]] = set()

    @property
    def _redis(self) -> redis.asyncio.Redis:
        client: redis.asyncio.Redis = self._admit.registered_client
        return client

    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See RedisReplayGuard.remember."""
        return await self.admit(replay_id, expires, now, since=math.inf)

    async def admit(self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1) -> bool:
        keys, arguments = self._question(replay_id, expires, now, since, max_uses)
        try:
            answer = await self._within_timeout(self._admit(keys=keys, args=arguments))
        except (redis.RedisError, OSError, asyncio.TimeoutError) as error:
            refusal = self._without_answer(error)
        else:
            return self._meaning(answer, keys[1])
        if refusal is not None:
            raise refusal
        return True

    async def _within_timeout(self, question: Awaitable[Any]) -> Any:
        # Shielded, since a connection whose question is broken off may give its answer to the next one. The question
        # comes to an end of its own, by the timeouts of the socket.
        asked = asyncio.ensure_future(question)
        self._asked.add(asked)
        asked.add_done_callback(self._ended)
        return await asyncio.wait_for(asyncio.shield(asked), self._timeout)

    def _ended(self, asked: asyncio.Future[Any]) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            asked.exception()  # which nobody may wait for any more

    async def check(self) -> None:
        """See RedisReplayGuard.check."""
        try:
            flaw = self._flaw(await self._redis.info("memory"), await self._redis.info("persistence"))
        except (redis.RedisError, OSError) as error:
            flaw = _what_failed(error)
        if flaw:
            raise ConfigError(flaw)

    async def initialize(self, born: float = 0.0) -> None:
        """See RedisReplayGuard.initialize."""
        try:
            await self._redis.eval(_INITIALIZE, 1, self._marker, str(math.ceil(born)))
            flaw = ""
        except (redis.RedisError, OSError) as error:
            flaw = _what_failed(error)
        if flaw:
            raise ConfigError(flaw)

    async def close(self) -> None:
        """See RedisReplayGuard.close."""
        await self._redis.aclose()


def _client(
    from_url: Callable[..., Any], url: str, timeout: float, retry: object, options: dict[str, Any]
) -> Any | ConfigError:
    """The client, or an error to raise where no frame holds the URL, in which there may be a password."""
    # No retry: it would go beyond the time limit, and where an answer was lost the second question meets the record
    # of the first, and calls a first use a replay.
    limits = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": retry}
    # redis-py's own limit, 100 in its newer versions, would refuse good requests where more come at one time.
    try:
        return from_url(url, **{"max_connections": _NO_LIMIT, **options, **limits})
    except (ValueError, TypeError):
        return ConfigError("not the URL of a Redis server, or an option that redis-py does not take")


def _is_gone(error: Exception) -> bool:
    gone = (redis.ConnectionError, redis.TimeoutError, OSError, asyncio.TimeoutError)
    # A server that refuses the login is there, and will go on refusing. redis-py wraps that where it is async.
    refuses = any(isinstance(cause, redis.AuthenticationError) for cause in (error, error.__cause__))
    # The limit of `max_connections` is this process's own; many requests at once must not switch the guard off.
    is_busy = str(error) == "Too many connections"
    return isinstance(error, gone) and not refuses and not is_busy


def _what_failed(error: Exception) -> str:
    # Type names alone, since the texts hold addresses; and the code with which the server's own errors begin, as OOM.
    code = str(error).partition(" ")[0] if isinstance(error, redis.ResponseError) else ""
    named = f" {code}" if code.isupper() and code.isalpha() else ""
    return f"Redis cannot be asked: {type(error).__name__}{named}"


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
