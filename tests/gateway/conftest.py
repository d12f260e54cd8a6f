"""What the tests of a forwarder share: one that runs, and an upstream that keeps the bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import forwarding, running


@pytest.fixture(scope="module")
def upstream() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture(scope="module")
def port(upstream: WireServer) -> Iterator[int]:
    with running(forwarding(upstream.url)) as port:
        yield port
