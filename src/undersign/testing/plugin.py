"""pytest's plugin: two fixtures, there in every project that has undersign and pytest installed.

def test_an_hour_is_too_old(undersign_clock, undersign_verifier):
    verifier = undersign_verifier(GoTom(), {"user": "secret"})
    request = sign(GoTom(), request, credential, now=undersign_clock()).apply(request)
    undersign_clock.advance(3600)
    with pytest.raises(Rejected):
        verifier.verify(request)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..verifying import Verifier
    from .clock import FrozenClock


@pytest.fixture
def undersign_clock() -> FrozenClock:
    """A FrozenClock for one test: it stands at 2024-11-07T10:21:15Z until `advance` moves it."""
    from .clock import FrozenClock

    return FrozenClock()


@pytest.fixture
def undersign_verifier(undersign_clock: FrozenClock) -> Callable[..., Verifier]:
    """Makes a Verifier with the clock of `undersign_clock`; its arguments are those of Verifier but for `clock`."""
    from ..verifying import Verifier

    def made(schemes: Any, keys: Any, **options: Any) -> Verifier:
        return Verifier(schemes, keys, clock=undersign_clock, **options)

    return made
