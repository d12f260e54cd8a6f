"""Events as Prometheus metrics: `pip install 'undersign[prometheus]'`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from .event import Event
from .labels import labels_of, named_keys

__all__ = ["PrometheusEvents"]

BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)


class PrometheusEvents:
    """Counts requests by scheme and reason, and measures how long verdicts take, in seconds.

    `undersign_requests_total{scheme, reason}`, where `reason` is `verified` for what is let in, and
    `undersign_verdict_seconds{scheme}`. `key_ids` are those that get a label `key_id` of their own; all others are
    `other` then. Without them there is no such label, since clients could make any number of values.

    Example::

        app = SignatureMiddleware(app, verifier, events=PrometheusEvents())

    Make one for each registry: raises ValueError, of prometheus_client, for a second in the same. Raises ConfigError
    for `key_ids` that are one string.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, key_ids: Collection[str] = ()) -> None:
        self._key_ids = named_keys(key_ids)
        labels = ["scheme", "reason", *(["key_id"] if self._key_ids else [])]
        self._found: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "undersign_requests", "Requests that were judged, by reason", labels, registry=registry
        )
        self._seconds = Histogram(
            "undersign_verdict_seconds",
            "Seconds from a request's head to its verdict",
            ["scheme"],
            registry=registry,
            buckets=BUCKETS,
        )

    def __call__(self, event: Event) -> None:
        labels = labels_of(event, self._key_ids)
        values = tuple(labels.values())
        found = self._found.get(values)
        if found is None:  # one look in place of a check of every label, each time
            found = self._requests.labels(*values), self._seconds.labels(labels["scheme"])
            self._found[values] = found
        requests, seconds = found
        requests.inc()
        seconds.observe(event.duration)
