"""Lookups that remember for a moment."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeAlias

from ..core.credentials import Secret
from ..core.message import Request
from ..errors import ConfigError
from ..verifying.lookup import (
    NO_HEAD,
    AsyncLookup,
    Found,
    Lookup,
    LookupAround,
    TenantKey,
    as_secrets,
    not_callable,
    usable,
)

_Key: TypeAlias = "tuple[str, str, str]"  # tenant, scheme name, key id


class _Held(NamedTuple):
    found: Found
    asked_at: float


class _Asked(NamedTuple):
    """A lookup under way. `future` brings what it finds, None where it has to be awaited; a task, the answer itself."""

    at: float
    generation: int
    future: Any


class CachedKeys(LookupAround):
    """A lookup whose answers are remembered: for a Verifier's `keys`, or an AsyncVerifier's.

    - `lookup`: what a verifier takes. Where it is a coroutine, this is one too.
    - `max_age`: for how many seconds an answer is good, from the moment when it was asked for. A secret that is taken
      away verifies for so long at most. One that is put beside others may take as long to verify. `forget` ends it at
      once in this process.
    - `max_keys`: how many keys are held. The longest unused go first.
    - `tenant(head)`: for a lookup that takes the request's head. It returns the name of the tenant whose key it is, by
      which the answers are kept apart. With None there is no such tenant, and the key is unknown. Where the lookup
      returns no TenantKey of its own, that name is the verifier's too. Let it be one of your records, not the Host as
      it was sent.
    - `clock`: returns seconds that only go up.

    Only keys that exist are held. So a new one works at once. Whoever makes up key ids fills nothing, though each of
    them is a lookup. A lookup that raises is not remembered either. There is one lookup at a time for a key. Requests
    that come meanwhile wait for its answer, an exception too; under trio each asks for itself.

    Raises ConfigError for options that cannot work. Safe to share between threads and event loops.
    """

    def __init__(
        self,
        lookup: Lookup | AsyncLookup,
        *,
        max_age: float = 60.0,
        max_keys: int = 10_000,
        tenant: Callable[[Request], str | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if problem := not_callable(lookup):
            del lookup
            raise problem
        super().__init__(lookup)
        if isinstance(max_age, bool) or not isinstance(max_age, (int, float)) or not 0 < max_age < math.inf:
            raise ConfigError(f"max_age is a number of seconds over 0, not {max_age!r}")
        if type(max_keys) is not int or max_keys < 1:
            raise ConfigError(f"max_keys is 1 or more, not {max_keys!r}")
        if tenant is not None and not callable(tenant):
            raise ConfigError(f"tenant is a function of the request's head, not {type(tenant).__name__}")
        if self.takes_head and tenant is None:
            raise ConfigError(
                "the lookup takes the request's head, and one tenant's answer must not be another's: pass tenant=…, a "
                "function of the head that returns the tenant's name"
            )
        self.takes_head = tenant is not None
        self._tenant = tenant
        self._max_age = max_age
        self._max_keys = max_keys
        self._clock = clock
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._generation = 0  # what was asked in an earlier one may have been forgotten since
        self._in_threads: dict[_Key, _Asked] = {}
        self._in_loops: dict[tuple[_Key, asyncio.AbstractEventLoop], _Asked] = {}

    def __call__(self, key_id: str, scheme_name: str, head: Request = NO_HEAD) -> Any:
        """The key's secrets, or an awaitable of them where the lookup is async. Raises what the lookup raises."""
        tenant = "" if self._tenant is None else self._tenant(head)
        if tenant is None:
            return None
        if not isinstance(tenant, str) or (self._tenant is not None and not tenant):
            raise ConfigError("tenant(head) returned no name: let it return text that is not empty, or None")
        if self._process != os.getpid():  # forked: what was under way, and who held the lock, are the parent's alone
            self._process, self._lock, self._in_threads = os.getpid(), threading.Lock(), {}
        key = (tenant, scheme_name, key_id)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._ask_in_thread(key, head)
        return self._ask_in_loop(key, head, loop)

    def forget(self, key_id: str | None = None) -> None:
        """Look the key up anew, whichever tenant's and scheme's; all keys where none is named.

        For a secret that was changed or taken away in this process: others learn of it after `max_age`.
        """
        with self._lock:
            for key in [key for key in self._held if key_id in (None, key[2])]:
                del self._held[key]
            # What is under way may have read the old one: whoever waits gets that, and nobody else.
            self._generation += 1
            self._in_threads.clear()
            self._in_loops.clear()

    def _ask_in_thread(self, key: _Key, head: Request) -> Any:
        with self._lock:
            now = self._clock()
            if held := self._fresh(key, now):
                return _answer(key, held)
            asked = self._in_threads.get(key)
            waits = asked is not None and self._is_good(asked.at, now)
            if asked is None or not waits:
                asked = self._in_threads[key] = _Asked(now, self._generation, Future[Any]())
        if waits:
            found = asked.future.result()
            return self.lookup(key[2], key[1], head) if found is None else _answer(key, found)
        try:
            found = _read(self.lookup(key[2], key[1], head))
            if isinstance(found, ConfigError):
                raise found
            if isinstance(found, Found):
                self._hold(key, found, asked)
        except BaseException as error:  # whatever it is, nobody may wait for ever
            asked.future.set_exception(error)
            raise
        finally:
            self._end(self._in_threads, key, asked)
        if isinstance(found, Found):
            asked.future.set_result(found)
            return _answer(key, found)
        asked.future.set_result(None)
        return _Later(found, lambda: self._await(key, found, asked))

    def _ask_in_loop(self, key: _Key, head: Request, loop: asyncio.AbstractEventLoop) -> Any:
        place = (key, loop)
        with self._lock:
            now = self._clock()
            if held := self._fresh(key, now):
                return _answer(key, held)
            under_way = self._in_loops.get(place)
            if under_way is not None and self._is_good(under_way.at, now):
                return asyncio.shield(under_way.future)
            generation = self._generation
        found = _read(self.lookup(key[2], key[1], head))
        if isinstance(found, ConfigError):
            raise found
        if isinstance(found, Found):
            self._hold(key, found, _Asked(now, generation, None))
            return _answer(key, found)
        # A task of its own, since the request that asks may be cancelled, and others wait for the answer.
        task = loop.create_task(self._await(key, found, _Asked(now, generation, None)))
        asked = self._in_loops[place] = _Asked(now, generation, task)
        task.add_done_callback(lambda _: self._end(self._in_loops, place, asked))
        return asyncio.shield(task)

    async def _await(self, key: _Key, answer: Awaitable[Any], asked: _Asked) -> Any:
        found = usable(as_secrets(await answer, None))
        self._hold(key, found, asked)
        return _answer(key, found)

    def _is_good(self, asked_at: float, now: float) -> bool:
        return 0 <= now - asked_at < self._max_age

    def _fresh(self, key: _Key, now: float) -> Found | None:
        """What is held of the key and not too old; the lock is held."""
        held = self._held.get(key)
        if held is None:
            return None
        if not self._is_good(held.asked_at, now):
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return held.found

    def _hold(self, key: _Key, found: Found, asked: _Asked) -> None:
        with self._lock:
            if not found.secrets or asked.generation != self._generation:
                return
            self._held[key] = _Held(found, asked.at)
            self._held.move_to_end(key)
            while len(self._held) > self._max_keys:
                self._held.popitem(last=False)

    def _end(self, table: dict[Any, _Asked], place: Any, asked: _Asked) -> None:
        if isinstance(asked.future, asyncio.Task) and not asked.future.cancelled():
            asked.future.exception()  # whoever waited has it; where nobody did, asyncio need not say so
        with self._lock:
            if table.get(place) is asked:
                del table[place]


class _Later(Awaitable[Any]):
    """An answer that has to be awaited, outside of asyncio; closed, it closes the coroutine that nobody awaits then."""

    def __init__(self, answer: Awaitable[Any], finish: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._answer = answer
        self._finish = finish

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._finish().__await__()

    def close(self) -> None:
        getattr(self._answer, "close", lambda: None)()


def _read(answer: Any) -> Found | ConfigError | Awaitable[Any]:
    """What a lookup returned, checked where it need not be awaited. Raises nothing, as its frame holds secrets."""
    return answer if isinstance(answer, Awaitable) else as_secrets(answer, None)


def _answer(key: _Key, found: Found) -> TenantKey | tuple[Secret, ...]:
    tenant = found.tenant or key[0]
    return TenantKey(tenant, found.secrets) if tenant else found.secrets
