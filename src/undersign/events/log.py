"""Events as records of the standard library's logging."""

from __future__ import annotations

import logging
from dataclasses import asdict

from .event import Event


class EventLog:
    """Writes each event to a logger: what is let in as well as what is refused.

    `logger` is the logger's name or the logger; `undersign.events` unless it is said. `verified` and `refused` are the
    levels. The record's text is one line, and method, path, peer, scheme, key_id, reason and duration (in seconds) are
    attributes of it, for a formatter that writes JSON.

    Example::

        app = SignatureMiddleware(app, verifier, events=EventLog())

    The logger `undersign` has a line for each refusal without this, with the sentence on what is wrong.
    """

    def __init__(
        self,
        logger: str | logging.Logger = "undersign.events",
        *,
        verified: int = logging.INFO,
        refused: int = logging.INFO,
    ) -> None:
        self._log = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._verified = verified
        self._refused = refused

    def __call__(self, event: Event) -> None:
        level = self._verified if event.is_verified else self._refused
        if self._log.isEnabledFor(level):
            self._log.log(level, "%s", event, extra=asdict(event))
