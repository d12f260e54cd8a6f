"""What the tests of the command line share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.cli.command import KEY_ID, Serving, serving
from tests.clients.wire import WireServer


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """A server that knows one key."""
    with serving("--key-id", KEY_ID) as running:
        yield running


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as running:
        yield running


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Interrupts reach what is started, even if they do not reach us: a script's background jobs ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
