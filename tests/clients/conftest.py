"""What the client tests share: callers, keys, and servers that keep the bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.callers import ALL_CALLERS, CALLERS, Caller
from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, Scheme, Verifier

NOW = 1_730_974_875.25  # 2024-11-07T10:21:15Z
KEY_ID = "clé:1\\2"
SECRET = "thepasswordyoureceived"


@pytest.fixture(params=CALLERS, ids=repr)
def caller(request: pytest.FixtureRequest) -> Caller:
    found: Caller = request.param
    return found


@pytest.fixture(params=ALL_CALLERS, ids=repr)
def any_caller(request: pytest.FixtureRequest) -> Caller:
    """aiohttp and urllib too, for requests without a body."""
    found: Caller = request.param
    return found


@pytest.fixture(params=[GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    found: Scheme = request.param
    return found


@pytest.fixture
def gotom() -> Scheme:
    return GoTom()


@pytest.fixture
def verifier(scheme: Scheme) -> Verifier:
    return Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[WireServer]:
    """Another origin."""
    with WireServer() as server:
        yield server
