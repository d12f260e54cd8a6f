"""What becomes of each request: one record of it, for the log and the metrics.

A middleware tells its verdict to hooks that know nothing of the request's other side, such as the answer's status. So
the record of the request that is being served stands in a context variable, and the hooks fill it in.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..events.event import printable, shown_path
from ..servers.refusal import OnRejected, Refusal, refusal_hook
from ..verifying.verdict import Verified

if TYPE_CHECKING:
    from .metrics import Metrics

UNSIGNED = "unsigned"
"""The verdict on what is let in without a signature: a public path or a preflight."""
VERIFIED = "verified"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ACCESS = logging.getLogger("undersign.gateway")


@dataclass(slots=True)
class Record:
    """One request: `verdict` is `verified`, `unsigned` or a refusal's reason; `status` 0 says that no answer went out.

    `decided` is when the verdict was there, on the observer's clock; None = it came to none.
    """

    request_id: str
    method: str
    path: str
    peer: str
    began: float
    verdict: str = UNSIGNED
    scheme: str = ""
    key_id: str = ""
    status: int = 0
    decided: float | None = field(default=None, repr=False)


_current: ContextVar[Record | None] = ContextVar("undersign_gateway_request", default=None)


class Observer:
    """Keeps the record of each request; logs it where `logs`, and counts it in `metrics`.

    `refused` and `verified` are told as a middleware's `on_rejected` and `on_verified` are. `clock` returns seconds
    that never step back. Raises ConfigError for a hook that cannot be called so.
    """

    def __init__(
        self,
        metrics: Metrics | None = None,
        *,
        logs: bool = False,
        refused: OnRejected | None = None,
        verified: Callable[[Verified], object] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._metrics = metrics
        self._refused = None if refused is None else refusal_hook(refused)
        self._verified = verified
        self._logs = logs
        self._clock = clock

    def request(self, method: str, target: str, peer: str, request_id: str = "") -> _Observed:
        """A context manager around all that is done for one request, which gives its Record. A request id in another
        form than usual is not taken."""
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(16)
        record = Record(request_id, printable(method, 30), shown_path(target), printable(peer, 50), self._clock())
        return _Observed(record, self._ended)

    def on_rejected(self, refusal: Refusal) -> None:
        """A request is refused: for a middleware's option of that name."""
        self._decided(refusal.reason, refusal.scheme, refusal.key_id)
        if self._refused is not None:
            self._refused(refusal)

    def on_verified(self, verified: Verified) -> None:
        """A request is let in: for a middleware's option of that name."""
        self._decided(VERIFIED, verified.scheme, printable(verified.key_id))
        if self._verified is not None:
            self._verified(verified)

    def _decided(self, verdict: str, scheme: str, key_id: str) -> None:
        if (record := _current.get()) is not None:
            record.verdict, record.scheme, record.key_id = verdict, scheme, key_id
            record.decided = self._clock()

    def _ended(self, record: Record) -> None:
        seconds = self._clock() - record.began
        if self._metrics is not None:
            until_verdict = None if record.decided is None else record.decided - record.began
            self._metrics.count(record, seconds, until_verdict)
        if self._logs:
            fields = {name: getattr(record, name) for name in _LOGGED}
            _ACCESS.info("request", extra={"undersign": {**fields, "seconds": round(seconds, 6)}})


class _Observed:
    """The time of one request, in which its record is the current one."""

    __slots__ = ("_ended", "_record", "_token")

    def __init__(self, record: Record, ended: Callable[[Record], None]) -> None:
        self._record = record
        self._ended = ended

    def __enter__(self) -> Record:
        self._token = _current.set(self._record)
        return self._record

    def __exit__(self, *exception: object) -> None:
        self._ended(self._record)
        _current.reset(self._token)


def current_request_id() -> str:
    """The id of the request that is being served; empty where none is."""
    record = _current.get()
    return record.request_id if record is not None else ""


_LOGGED = ("method", "path", "peer", "status", "verdict", "scheme", "key_id", "request_id")
_OF_REFUSALS = ("method", "path", "peer", "reason", "scheme", "key_id", "detail")


@lru_cache(maxsize=2)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


class JsonFormatter(logging.Formatter):
    """One JSON object on one line for each record: time (UTC), level, logger, message, and what is known of the
    request. A traceback is its exception's type and place alone, since its text may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        shown: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        request = getattr(record, "undersign", None)
        if request is not None:
            shown.update(request)
        else:
            if request_id := current_request_id():
                shown["request_id"] = request_id
            shown.update((name, getattr(record, name)) for name in _OF_REFUSALS if hasattr(record, name))
        if record.exc_info and record.exc_info[1] is not None:
            shown["error"] = type(record.exc_info[1]).__name__
            if frame := record.exc_info[2]:
                while frame.tb_next is not None:
                    frame = frame.tb_next
                shown["at"] = f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}"
        return json.dumps(shown, ensure_ascii=True, default=str)
