"""Prometheus metrics of a gateway: those of verdicts, which every server here may have, and those of a gateway alone.

Labels have few values: schemes in use, verdicts, and whatever else is named here. Key ids are a label only where that
is asked for, since whoever reads the metrics could tell who the clients are.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from ..events.prometheus import BUCKETS, PrometheusEvents
from ..policy.replay import AsyncReplayGuard, ReplayGuard
from .observing import Record

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one process, in a registry of their own.

    `key_ids` adds the key id to `undersign_verified_total`. Where the environment variable PROMETHEUS_MULTIPROC_DIR
    names a folder, as that library wants it, `text` adds up all processes that use the folder.
    """

    def __init__(self, *, key_ids: bool = False) -> None:
        self._registry = registry = CollectorRegistry()
        self._key_ids = key_ids
        self._judged = PrometheusEvents(registry)
        self._not_judged = Counter(
            "undersign_not_judged",
            "Requests without a verdict: unsigned and let in, a websocket's, or of a client that has gone.",
            ("outcome",),
            registry=registry,
        )
        self._verified = Counter(
            "undersign_verified", "Requests that have verified, by key id.", ("scheme", "key_id"), registry=registry
        )
        self._request = Histogram(
            "undersign_request_seconds",
            "From the request's head to the end of the answer.",
            buckets=BUCKETS,
            registry=registry,
        )
        self._guard = Histogram(
            "undersign_guard_seconds",
            "Questions to the replay guard, by its answer: new, replayed or failed.",
            ("answer",),
            buckets=BUCKETS,
            registry=registry,
        )
        self._keys = Gauge(
            "undersign_keys",
            "Key ids in the keys file, by scheme.",
            ("scheme",),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._stale = Gauge(
            "undersign_keys_file_refused",
            "1 where the newest keys file is not in form, and the last good one is in use.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def count(self, record: Record, seconds: float) -> None:
        """Count a request that has ended after so many seconds."""
        event = record.event
        if event is None:
            self._not_judged.labels(record.verdict).inc()
        else:
            self._judged(event)
            if self._key_ids and event.is_verified:
                self._verified.labels(event.scheme, event.key_id).inc()
        self._request.observe(seconds)

    def asked(self, answer: str, seconds: float) -> None:
        """Count a question to the replay guard."""
        self._guard.labels(answer).observe(seconds)

    def keys(self, sizes: Mapping[str, int], *, is_refused: bool) -> None:
        """Note how many keys there are now, by scheme."""
        for scheme, size in sizes.items():
            self._keys.labels(scheme).set(size)
        self._stale.set(is_refused)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        collect: Any = multiprocess.MultiProcessCollector
        collect(registry)
        return generate_latest(registry)


class MeasuredGuard(AsyncReplayGuard):
    """A replay guard whose questions are counted."""

    def __init__(self, guard: ReplayGuard | AsyncReplayGuard, metrics: Metrics) -> None:
        self._inner = guard
        self._metrics = metrics

    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See AsyncReplayGuard.remember."""
        return await self.admit(replay_id, expires, now, since=math.inf)

    async def admit(
        self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1, owner: str = ""
    ) -> bool:
        inner: Any = self._inner
        began = time.perf_counter()
        answer = "failed"
        try:
            found = inner.admit(replay_id, expires, now, since=since, max_uses=max_uses, owner=owner)
            is_new: bool = await found if isinstance(found, Awaitable) else found
            answer = "new" if is_new else "replayed"
        finally:
            self._metrics.asked(answer, time.perf_counter() - began)
        return is_new
