"""The app that uniformity.py asks over HTTP: GoGrid's middleware, whose windows are as BENCHMARK_ALIKE says."""

from __future__ import annotations

import logging
import os
from typing import Any

from undersign import GoGrid, Verifier
from undersign.servers.asgi import SignatureMiddleware
from undersign.verifying import RollingWindows

SECRET = "the-secret-" + 32 * "x"  # as long as secrets.token_urlsafe(32)
CAPACITY = 8192
ORIGIN, TARGET = "https://api.example.com", "/api/grid/server/list"


def known(number: int) -> str:
    """A key id that the app knows; as long as an unknown one."""
    return f"known-id-{number:05}"


def unknown(number: int) -> str:
    return f"other-id-{number:05}"


def verifier(keys: int, *, alike: bool, capacity: int = CAPACITY, now: float | None = None) -> Verifier:
    """One that knows so many keys. `now` stops its clock."""
    secrets = {known(number): SECRET for number in range(keys)}
    windows = RollingWindows(capacity, alike=alike)
    if now is None:
        return Verifier(GoGrid(), secrets, windows=windows)
    return Verifier(GoGrid(), secrets, windows=windows, clock=lambda: now)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a request was let in")


def app() -> Any:
    logging.getLogger("undersign").addHandler(logging.NullHandler())
    keys = int(os.environ["BENCHMARK_KEYS"])
    return SignatureMiddleware(nothing, verifier(keys, alike=os.environ["BENCHMARK_ALIKE"] == "yes"), origin=ORIGIN)
