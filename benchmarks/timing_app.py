"""Whom timing.py asks, in process and over HTTP: verifiers of goTom and GoGrid, and which key ids they know."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from undersign import GoGrid, GoTom, Verifier
from undersign.servers.asgi import SignatureMiddleware
from undersign.verifying import RollingWindows

SECRET = "the-secret-" + 32 * "x"  # as long as secrets.token_urlsafe(32)
ORIGIN = "https://api.example.com"
KEYS = 5_000
WINDOWS = 4 * KEYS


def known(number: int) -> str:
    """A key id with one secret; all key ids are of one length."""
    return f"known-id-{number:05}"


def rotated(number: int) -> str:
    """A key id with two secrets, the newer of which is SECRET."""
    return f"twice-id-{number:05}"


def often_rotated(number: int) -> str:
    """A key id with four secrets."""
    return f"often-id-{number:05}"


def unknown(number: int) -> str:
    return f"other-id-{number:05}"


def verifier(clock: Callable[[], float] = time.time) -> Verifier:
    older = [f"older-{number}-{40 * 'x'}" for number in range(3)]
    keys: dict[str, str | list[str]] = {known(number): SECRET for number in range(KEYS)}
    keys |= {rotated(number): [SECRET, older[0]] for number in range(KEYS)}
    keys |= {often_rotated(0): [SECRET, *older]}
    return Verifier([GoTom(), GoGrid()], keys, windows=RollingWindows(WINDOWS), clock=clock)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a request was let in")


def app() -> Any:
    logging.getLogger("undersign").addHandler(logging.NullHandler())
    return SignatureMiddleware(nothing, verifier(), origin=ORIGIN)
