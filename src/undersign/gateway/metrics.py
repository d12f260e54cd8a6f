"""Prometheus metrics of a gateway, with the client library of Prometheus.

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

from ..policy.replay import AsyncReplayGuard, ReplayGuard
from .observing import VERIFIED, Record

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one process, in a registry of their own.

    `key_ids` adds the key id to `undersign_verified_total`. Where the environment variable PROMETHEUS_MULTIPROC_DIR
    names a folder, as that library wants it, `text` adds up all processes that use the folder.
    """

    def __init__(self, *, key_ids: bool = False) -> None:
        self._registry = registry = CollectorRegistry()
        self._key_ids = key_ids
        self._counters: dict[tuple[str, str], Counter] = {}
        self._verdicts = Counter(
            "undersign_verdicts",
            "Requests by scheme and verdict: verified, unsigned, or why they were refused.",
            ("scheme", "verdict"),
            registry=registry,
        )
        self._verified = Counter(
            "undersign_verified", "Requests that have verified, by key id.", ("scheme", "key_id"), registry=registry
        )
        self._decision = Histogram(
            "undersign_decision_seconds",
            "From the request's head to the verdict.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._request = Histogram(
            "undersign_request_seconds",
            "From the request's head to the end of the answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._guard = Histogram(
            "undersign_guard_seconds",
            "Questions to the replay guard, by its answer: new, replayed or failed.",
            ("answer",),
            buckets=_SECONDS,
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

    def count(self, record: Record, seconds: float, until_verdict: float | None) -> None:
        """Count a request that has ended."""
        labels = record.scheme, record.verdict
        counter = self._counters.get(labels)
        if counter is None:  # one look in place of a check of every label
            counter = self._counters[labels] = self._verdicts.labels(*labels)
        counter.inc()
        self._request.observe(seconds)
        if until_verdict is not None:
            self._decision.observe(until_verdict)
        if self._key_ids and record.verdict == VERIFIED:
            self._verified.labels(record.scheme, record.key_id).inc()

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
