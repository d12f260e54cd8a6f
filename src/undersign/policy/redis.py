"""Replay guards in a Redis or Valkey server, which the threads, processes and machines of a service share.

What the server has forgotten is never taken for new. Beside the signatures it holds a marker: since when it remembers,
by which clocks, and in which run of the server. Where the marker is gone the store was emptied, and where another run
wrote it the server was started anew, or a replica took over; either way the store is born at that moment, and what may
have verified before is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, NamedTuple

from ..core.dates import format_date
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ._redis_errors import is_gone, what_failed
from ._redis_scripts import ADMIT, CHECK, INITIALIZE, Asker, AsyncAsker
from .replay import BEFORE_BIRTH, AsyncReplayGuard, ReplayGuard

__all__ = ["AsyncRedisReplayGuard", "RedisReplayGuard"]

_log = logging.getLogger("undersign")

_EVER = 10**15
_NO_LIMIT = 2**31
_EVICTS = "Redis may evict signatures: set its maxmemory-policy to noeviction"


class _Question(NamedTuple):
    """What is asked of the server: a script, its keys and arguments; what its answer means, which may be raised; and
    what is to be raised where there is none, None = nothing."""

    script: str
    keys: list[str]
    arguments: list[str | int | float]
    meaning: Callable[[Any], bool]
    without_answer: Callable[[Exception], Rejected | ConfigError | None]


class _Store:
    """What sync and async share: all but how the server is asked."""

    _is_async: ClassVar[bool]

    def __init__(
        self,
        server: Any,
        *,
        prefix: str = "undersign:replay:",
        timeout: float = 1.0,
        fail_open: bool = False,
        durable: bool = False,
        skew: int = 5,
        per_key: int = 1_000_000,
        **options: Any,
    ) -> None:
        self._owns = isinstance(server, str)
        client = _client(server, timeout, options, is_async=self._is_async)
        del server, options
        if isinstance(client, ConfigError):
            raise client
        if not 0 < timeout < math.inf:
            raise ConfigError(f"timeout is in seconds, more than 0, not {timeout!r}")
        if type(skew) is not int or skew < 0:
            raise ConfigError(f"skew is whole seconds, 0 or more, not {skew!r}")
        if type(per_key) is not int or per_key < 1:
            raise ConfigError(f"per_key is a number of signatures, 1 or more, not {per_key!r}")
        self._asker = AsyncAsker(client) if self._is_async else Asker(client)
        # In a cluster the keys of one question have to be in one slot, and a tag in braces says in which.
        is_cluster = hasattr(client, "get_node_from_key")
        self._prefix = f"{prefix}{{1}}:" if is_cluster and not ("{" in prefix and "}" in prefix) else prefix
        self._timeout = timeout
        self._fail_open = fail_open
        self._durable = durable
        self._skew = skew
        self._per_key = per_key
        # A question may come to a server that has started after the question's clock was read.
        self._margin = skew + math.ceil(timeout)
        self._asked: set[asyncio.Future[Any]] = set()  # the questions of an async guard that are under way
        self._latest = -math.inf
        self._answered = -math.inf  # when the last answer came, on the monotonic clock
        self._seen: tuple[str, int] = ("", 0)  # the marker, and when this host first saw it by its own clock

    @property
    def _marker(self) -> str:
        return f"{self._prefix}born"

    def _admission(
        self, replay_id: str, expires: float, now: float, since: float, max_uses: int, owner: str
    ) -> _Question:
        # The server forgets what has expired: where a clock steps back, that must not be taken for new.
        self._latest = max(self._latest, now)
        if expires < math.floor(self._latest):
            raise Rejected(
                Reason.UNAVAILABLE,
                "the replay guard has forgotten signatures of that time: this host's clock has stepped back",
            )
        marker, seen_at = self._seen
        if seen_at > math.ceil(now) + self._margin:
            self._seen = marker, (seen_at := math.ceil(now))  # the clock has stepped back: it was no later than now
        ends = math.floor(expires) + 1 + self._skew
        first = _EVER if since == math.inf else math.floor(since) - self._margin
        keys = [self._marker, f"{self._prefix}{replay_id}", f"{self._prefix}of:{_digest(owner)}"]
        question = secrets.token_hex(8)
        began = time.monotonic()
        return _Question(
            ADMIT,
            keys,
            [now, first, ends, max_uses, int(self._durable), question, marker, seen_at, self._margin, self._per_key],
            lambda answer: self._is_new(answer, keys[1], now, began),
            lambda error: self._unguarded(error, began),
        )

    def _is_new(self, answer: Any, key: str, now: float, began: float) -> bool:
        self._answered = time.monotonic()
        parts = [_text(part) for part in answer] if isinstance(answer, list) else []
        word, of_key, marker, clock = parts if len(parts) == 4 else ("", "", "", "")
        if of_key != key:
            raise Rejected(Reason.UNAVAILABLE, "Redis has answered another question")
        if word == "evicts":
            raise Rejected(Reason.UNAVAILABLE, _EVICTS)
        odd = _odd_clock(marker, now, float(clock), self._margin)
        if marker != self._seen[0]:
            self._seen = marker, math.ceil(now + self._answered - began)
            if odd:
                _log.warning("the replay guard's clocks differ: %s", odd)
        if word == "full":
            raise Rejected(Reason.UNAVAILABLE, f"the replay guard holds {self._per_key} signatures of this key")
        if word == "young":
            raise Rejected(Reason.UNAVAILABLE, f"{BEFORE_BIRTH} ({odd or f'it began {_date(marker.split()[1])}'})")
        return word == "new"

    def _unguarded(self, error: Exception, began: float) -> Rejected | None:
        """What to raise where the server could not be asked; None = the signature is let in.

        It is for raising once the error is dealt with, as frames of the client hold the server's password.
        """
        failed = what_failed(error, self._prefix)
        if not is_gone(error):
            self._answered = time.monotonic()
        elif self._fail_open:
            if self._answered >= began:
                # Too many questions at one time look so too, and whoever sends as many must not switch the guard off.
                return Rejected(Reason.UNAVAILABLE, f"{failed}; it has answered others meanwhile")
            _log.error("%s, and a signature is let in unguarded", failed)
            return None
        return Rejected(Reason.UNAVAILABLE, failed)

    def _inspection(self) -> _Question:
        return _Question(
            CHECK,
            [self._marker, *(f"{self._prefix}{name}" for name in ("check", "of:"))],
            [],
            self._is_fit,
            self._not_asked,
        )

    def _is_fit(self, answer: Any) -> bool:
        """True; raises ConfigError for a server that may forget."""
        policy, aof = (_text(part) for part in answer)
        if policy != "noeviction":
            raise ConfigError(f"{_EVICTS}, it is {policy}")
        if self._durable and aof != "1":
            raise ConfigError(
                "durable=True needs a Redis that keeps what it is told: appendonly yes, appendfsync always"
            )
        return True

    def _beginning(self, born: float) -> _Question:
        return _Question(INITIALIZE, [self._marker], [str(math.ceil(born))], bool, self._not_asked)

    def _not_asked(self, error: Exception) -> ConfigError:
        return ConfigError(what_failed(error, self._prefix))


class RedisReplayGuard(_Store, ReplayGuard):
    """A guard in the Redis or Valkey server at `server`: a URL, or a client of redis-py or valkey-py.

    - `server`: a URL is `redis://host:port/0`, `rediss://…` for TLS, `unix:///path`, or `valkey://…`. A client is
      whatever can be asked: `redis.Redis`, `Sentinel(…).master_for(name)`, `redis.RedisCluster`, and the same of
      valkey.
    - `options`: go to the library's `from_url`, with a URL.
    - `prefix`: what keys begin with.
    - `timeout`: how many seconds the server has for each step of an answer.
    - `fail_open`: lets a signature in unguarded where the server cannot be asked, and logs it. Otherwise it is refused
      (`unavailable`). A server that answers with an error is there: its errors are refusals with `fail_open` too.
    - `durable`: says that the server loses nothing in a restart or failover. That takes `appendonly yes` and
      `appendfsync always`.
    - `skew`: by how many seconds the clocks of the machines which verify, and of Redis, may differ. Where one differs
      by more, the others do without it, and the log says so.
    - `per_key`: how many signatures it holds of one key. It refuses more (`unavailable`), so that no key fills the
      server's memory for the others.

    A client has time limits and retries of its own, and you close it. Give it a `socket_timeout`, and `timeout` here
    what a question may take with all of them.

    What may have verified before the store began to remember is refused too (`unavailable`). That is so after a first
    start, a flush or a restart. It lasts as many seconds as the scheme's window reaches into the future, and `skew` and
    `timeout`. See `initialize`.

    The server's `maxmemory-policy` must be noeviction; a server that may evict is refused. Each request that is asked
    about at one time has a connection. With `max_connections` among the options, what is beyond is refused, with
    `fail_open` too.

    Raises ConfigError for an option that cannot work. The server is first asked by `check` or a request.
    """

    _is_async = False

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See ReplayGuard.remember. The store's birth has no part in it: it is not said since when a signature is
        good."""
        return self.admit(replay_id, expires, now, since=math.inf)

    def admit(
        self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1, owner: str = ""
    ) -> bool:
        return self._ask(self._admission(replay_id, expires, now, since, max_uses, owner))

    def _ask(self, question: _Question) -> bool:
        try:
            answer = self._asker(question.script, question.keys, question.arguments)
        except Exception as error:  # what a client may raise is beyond its library's own errors
            refusal = question.without_answer(error)
        else:
            return question.meaning(answer)
        if refusal is not None:
            raise refusal
        return True

    def check(self) -> None:
        """Raises ConfigError where the server cannot be asked, or is not set up so that it forgets nothing."""
        self._ask(self._inspection())

    def initialize(self, born: float = 0.0) -> None:
        """Say that the store knows all that verified since `born` (Unix seconds), or that the rest does not matter.

        For an operator, once, before the first start: not for the start of each process, which would take an emptied
        store for a complete one. Raises ConfigError where the server cannot be asked.
        """
        self._ask(self._beginning(born))

    def close(self) -> None:
        """Close the connections that the guard has made. It opens new ones when it is asked again."""
        if self._owns:
            self._asker.client.close()


class AsyncRedisReplayGuard(_Store, AsyncReplayGuard):
    """The same for asyncio, each guard in one event loop, with the libraries' async clients.

    `timeout` bounds the whole answer here, of a client of yours too.
    """

    _is_async = True

    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See RedisReplayGuard.remember."""
        return await self.admit(replay_id, expires, now, since=math.inf)

    async def admit(
        self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1, owner: str = ""
    ) -> bool:
        return await self._ask(self._admission(replay_id, expires, now, since, max_uses, owner))

    async def _ask(self, question: _Question) -> bool:
        try:
            answer = await self._within_timeout(self._asker(question.script, question.keys, question.arguments))
        except Exception as error:
            refusal = question.without_answer(error)
        else:
            return question.meaning(answer)
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
        await self._ask(self._inspection())

    async def initialize(self, born: float = 0.0) -> None:
        """See RedisReplayGuard.initialize."""
        await self._ask(self._beginning(born))

    async def close(self) -> None:
        """See RedisReplayGuard.close."""
        if self._owns:
            await self._asker.client.aclose()


def _client(server: Any, timeout: float, options: dict[str, Any], *, is_async: bool) -> Any | ConfigError:
    """The client, or an error to raise where no frame holds the server, in which there may be a password."""
    if isinstance(server, str):
        return _client_of_url(server, timeout, options, is_async=is_async)
    name = type(server).__name__
    if not callable(getattr(server, "evalsha", None)) or hasattr(server, "command_stack"):
        hint = ": give it master_for(name)" if callable(getattr(server, "master_for", None)) else ""
        return ConfigError(f"a guard is given a URL or a client of redis-py or valkey-py, not {name}{hint}")
    if inspect.iscoroutinefunction(server.execute_command) is not is_async:
        other = "RedisReplayGuard takes it" if is_async else "AsyncRedisReplayGuard takes it, for an AsyncVerifier"
        return ConfigError(f"{name} is {'no' if is_async else 'an'} async client: {other}")
    if options:
        return ConfigError(f"{', '.join(sorted(options))}: set that on the client, which is made already")
    connections: Any = getattr(server, "get_connection_kwargs", dict)()
    if not is_async and connections.get("socket_timeout") is None:
        _log.warning("the replay guard's client has no socket_timeout: a Redis that halts would hold up every request")
    return server


def _client_of_url(url: str, timeout: float, options: dict[str, Any], *, is_async: bool) -> Any | ConfigError:
    library, kind = ("valkey", "Valkey") if url.startswith("valkey") else ("redis", "Redis")
    beneath = f"{library}.asyncio" if is_async else library
    try:
        clients = importlib.import_module(beneath)
        retry = importlib.import_module(f"{beneath}.retry").Retry(
            importlib.import_module(f"{library}.backoff").NoBackoff(), 0
        )
    except ModuleNotFoundError:
        return ConfigError(f"a guard in {kind} needs {library}: pip install 'undersign[{library}]'")
    # No retry: it would go beyond the time limit.
    limits = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": retry}
    # The library's own limit, 100 in newer versions, would refuse good requests where more come at one time.
    try:
        return getattr(clients, kind).from_url(url, **{"max_connections": _NO_LIMIT, **options, **limits})
    except (ValueError, TypeError):
        return ConfigError("not the URL of a Redis server, or an option that redis-py does not take")


def _odd_clock(marker: str, now: float, clock: float, tolerance: int) -> str:
    """Which clock differs from the others by more than may be, in words; "" where none does."""
    _, _, of_marker = marker.partition(" ")
    born, _, clock_then = of_marker.partition(" ")
    if not clock_then:  # an operator has said when the store began
        return ""
    mine = round(now - clock)
    theirs = int(born) - int(clock_then)
    if abs(mine - theirs) <= tolerance:
        return f"this host's clock is {_off(mine)} that of Redis" if abs(mine) > tolerance else ""
    if abs(theirs) <= tolerance:
        return f"this host's clock is {_off(mine)} those of Redis and of the host that asked first"
    return f"the clock of the host that asked first was {_off(theirs - mine)} this one's"


def _off(seconds: int) -> str:
    return f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'}"


def _date(at: str) -> str:
    try:
        return format_date(float(at))
    except CannotSign:
        return at


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
