"""Why requests are refused, in the server's own log: what `undersign diagnose` finds, while they come in."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from ..core.message import Request
from ..diagnosing import diagnose, shows_trace
from ..errors import ConfigError
from ..events.event import printable, shown_path
from ..scheme import Scheme
from ..verifying.lookup import Keys

__all__ = ["DiagnosisLog"]

_log = logging.getLogger("undersign.diagnosis")

_LONGEST_DETAIL = 600


class DiagnosisLog:
    """Writes to the logger `undersign.diagnosis` what the client of a refused request did wrong; nothing else sees it.

    Pass it as `diagnosis` to a middleware. `keys` are those of the verifier: a mapping, or a lookup that is no
    coroutine. Each record has `code`, `key_id`, `method` and `path` as attributes. It has no secret and no signature.

    A search may take most of a second of one core, and whoever sends bad requests could keep it busy. So it runs in a
    thread beside the server, one at a time and `interval` seconds apart at least. What is refused meanwhile is not
    looked at. The next record says how many that were. Each process that a server forks has its own. `clock` returns
    seconds that never step back.

    Only requests whose body was read, or that have none, are looked at. One that shows no trace of a signature is not.
    Raises ConfigError for an interval below zero.
    """

    def __init__(self, keys: Keys, *, interval: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        if not interval >= 0:
            del keys  # so that no frame which raises holds a plain secret
            raise ConfigError(f"interval is a number of seconds, 0 or more, not {interval!r}")
        self._keys = keys
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -float("inf")
        self.is_busy = False
        """Whether a search is going on."""
        self._passed_over = 0
        self._process = os.getpid()

    def look(self, schemes: Sequence[Scheme], request: Request, key_id: str, now: float) -> None:
        """Look at a refused request, if there is time, and return at once.

        `key_id` is what the request claims, `now` what the server's clock said, in Unix seconds.
        """
        if not shows_trace(request, schemes):
            return  # a scan for open doors costs nothing, and takes nobody's turn
        if self._process != os.getpid():  # forked: the search, and whoever held the lock, go on in the parent alone
            self._process, self._lock, self.is_busy = os.getpid(), threading.Lock(), False
        with self._lock:
            if self.is_busy or self._clock() < self._next:
                self._passed_over += 1
                return
            self.is_busy = True
            passed_over, self._passed_over = self._passed_over, 0
        search = threading.Thread(
            target=self._search, args=(schemes, request, key_id, now, passed_over), name="undersign-diagnosis"
        )
        try:
            search.start()
        except RuntimeError:  # the process has too many, or comes to its end
            self._end()
            _log.error("the diagnosis has got no thread")

    def _search(self, schemes: Sequence[Scheme], request: Request, key_id: str, now: float, passed_over: int) -> None:
        try:
            if passed_over:
                _log.info("%d refused requests were not looked at", passed_over)
            causes = diagnose(request, schemes, self._keys, now)
            if any(cause.code == "secret-key-id" for cause in causes):
                key_id = ""  # a secret may stand in its place
            key_id, method, path = printable(key_id), printable(request.method, 30), shown_path(request.target)
            for cause in causes:
                detail = printable(cause.detail, _LONGEST_DETAIL)
                extra = {"code": cause.code, "key_id": key_id, "method": method, "path": path}
                _log.warning("%s, key id %r: %s", cause.code, key_id, detail, extra=extra)
        except Exception as error:
            # What it raises may hold anything.
            _log.error("the diagnosis has raised %s", type(error).__name__)
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._next = self._clock() + self._interval
            self.is_busy = False
