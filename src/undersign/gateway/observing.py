"""What becomes of each request: one record of it, for the log and the metrics.

A middleware tells its verdict to hooks that know nothing of the request's other side, such as the answer's status. So
the record of the request that is being served stands in a context variable, and a hook fills it in.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..events.event import Event, event_hooks, event_of

if TYPE_CHECKING:
    from ..servers._common import Options
    from ..verifying.verifier import AsyncVerifier, Verifier
    from .metrics import Metrics

UNSIGNED = "unsigned"
"""What becomes of a request that is let in without a signature: on a public path, or a preflight."""
WEBSOCKET = "websocket"
"""That of a websocket's handshake, which is refused without a look at its signature."""
GONE = "gone"
"""That of one whose client has gone away before its verdict."""
VERIFIED = "verified"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ACCESS = logging.getLogger("undersign.gateway")


class Record:
    """One request: `event` is its verdict, None where it came to none, and then `verdict` says what became of it.

    `status` 0 says that no answer went out. `began` is when its head was there, on `time.perf_counter`. `failure` is
    why the answer was not the upstream's own, or broke off; empty where neither is so.
    """

    __slots__ = ("began", "event", "failure", "method", "peer", "request_id", "status", "target", "verdict")

    def __init__(self, request_id: str, method: str, target: str, peer: str) -> None:
        self.request_id = request_id
        self.method, self.target, self.peer = method, target, peer
        self.began = time.perf_counter()
        self.event: Event | None = None
        self.verdict = GONE
        self.status = 0
        self.failure = ""


_current: ContextVar[Record | None] = ContextVar("undersign_gateway_request", default=None)


class Observer:
    """Keeps a record of each request; logs it where `logs`, and counts it in `metrics`.

    It is a hook for a middleware's `events`, and knows of each request besides how it has ended.
    """

    def __init__(self, metrics: Metrics | None = None, *, logs: bool = False) -> None:
        self._metrics = metrics
        self._logs = logs

    def among(self, options: Options, verifier: Verifier | AsyncVerifier) -> Options:
        """The options with this hook beside those that they name, or else the verifier's."""
        events = event_hooks(options.get("events")) or verifier.events
        return {**options, "events": (self, *events)}

    def request(self, method: str, target: str, peer: str, request_id: str = "") -> _Observed:
        """A context manager around all that is done for one request, which gives its Record. A request id in another
        form than usual is not taken."""
        if not request_id or not _REQUEST_ID.fullmatch(request_id):
            request_id = f"{random.getrandbits(128):032x}"
        return _Observed(Record(request_id, method, target, peer), self._ended)

    def __call__(self, event: Event) -> None:
        """A request is judged."""
        if (record := _current.get()) is not None:
            record.event = event

    def _ended(self, record: Record) -> None:
        seconds = time.perf_counter() - record.began
        if self._metrics is not None:
            self._metrics.count(record, seconds)
        if self._logs:
            event = record.event
            verdict = record.verdict if event is None else event.reason or VERIFIED
            if event is None:
                event = event_of(
                    record.method, record.target, record.peer, scheme="", key_id="", reason="", duration=seconds
                )
            shown: dict[str, Any] = {
                "method": event.method,
                "path": event.path,
                "peer": event.peer,
                "status": record.status,
                "verdict": verdict,
                "scheme": event.scheme,
                "key_id": event.key_id,
                "request_id": record.request_id,
                "seconds": round(seconds, 6),
            }
            if record.failure:
                shown["failure"] = record.failure
            _ACCESS.info("request", extra={"undersign": shown})


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


def current_record() -> Record | None:
    """The record of the request that is being served; None where none is."""
    return _current.get()


_OF_REFUSALS = ("method", "path", "peer", "reason", "scheme", "key_id", "detail")


@lru_cache(maxsize=2)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


_as_json = json.JSONEncoder(default=str).encode  # json.dumps makes an encoder for each line


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
            if current := _current.get():
                shown["request_id"] = current.request_id
            shown.update((name, getattr(record, name)) for name in _OF_REFUSALS if hasattr(record, name))
        if record.exc_info and record.exc_info[1] is not None:
            shown["error"] = type(record.exc_info[1]).__name__
            if frame := record.exc_info[2]:
                while frame.tb_next is not None:
                    frame = frame.tb_next
                shown["at"] = f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}"
        return _as_json(shown)
