"""Events as OpenTelemetry metrics and attributes of the current span: `pip install 'undersign[opentelemetry]'`."""

from __future__ import annotations

from collections.abc import Collection

from opentelemetry import metrics, trace

from .event import Event
from .labels import labels_of, named_keys

__all__ = ["OpenTelemetryEvents"]


class OpenTelemetryEvents:
    """Measures how long verdicts take by scheme and reason, and says both on the current span.

    The histogram `undersign.verdict.duration`, in seconds, has the attributes `scheme` and `reason`; its count is that
    of the requests. `key_ids` are those that get an attribute `key_id` of their own; all others are `other` then.
    The span gets `undersign.scheme`, `undersign.reason` and, where the request is let in, `undersign.key_id`.
    `meter` is one of your provider's; the global provider's unless it is said.

    Example::

        app = SignatureMiddleware(app, verifier, events=OpenTelemetryEvents())

    Raises ConfigError for `key_ids` that are one string.
    """

    def __init__(self, meter: metrics.Meter | None = None, *, key_ids: Collection[str] = ()) -> None:
        self._key_ids = named_keys(key_ids)
        self._seconds = (meter or metrics.get_meter("undersign")).create_histogram(
            "undersign.verdict.duration", unit="s", description="Seconds from a request's head to its verdict"
        )

    def __call__(self, event: Event) -> None:
        labels = labels_of(event, self._key_ids)
        self._seconds.record(event.duration, labels)
        span = trace.get_current_span()
        span.set_attribute("undersign.scheme", labels["scheme"])
        span.set_attribute("undersign.reason", labels["reason"])
        if event.is_verified:
            span.set_attribute("undersign.key_id", event.key_id)
