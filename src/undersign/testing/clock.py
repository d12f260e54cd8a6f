"""A clock that stands until it is told to go on."""

from __future__ import annotations


class FrozenClock:
    """A clock for verifiers and clients: each call returns `now`, in Unix seconds, until `advance` moves it.

    Example::

        clock = FrozenClock()
        verifier = Verifier(GoTom(), {"user": "secret"}, clock=clock)
        clock.advance(3600)

    The first second is 2024-11-07T10:21:15Z unless it is said.
    """

    def __init__(self, now: float = 1_730_974_875.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock on by so many seconds, or back where they are below zero."""
        self.now += seconds
