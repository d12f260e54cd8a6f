"""What a verifier and the middlewares tell of each request that they have judged, for logs, metrics and traces.

    verifier = Verifier(GoTom(), keys)
    app = SignatureMiddleware(app, verifier, events=[EventLog(), PrometheusEvents()])

A hook is a callable that takes one Event. It is called while the request waits, so it should not block. What it raises
changes no verdict: the logger `undersign` names its type.
"""

from typing import TYPE_CHECKING

from ..core.later import later
from .event import Event, Events

if TYPE_CHECKING:
    from .log import EventLog

__all__ = ["Event", "EventLog", "Events"]

__getattr__ = later(__name__, {"EventLog": ".log"})
