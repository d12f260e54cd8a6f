"""Redis servers for the tests, each ended with the test or with the module."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from .guards import Guard, Make
from .server import RedisServer


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """A running server that is as new."""
    with shared_server.client() as client:
        client.flushall()
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 0)
    return shared_server


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that this test alone uses, and may kill."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    loop = asyncio.new_event_loop() if request.param == "async" else None
    guards: list[Guard] = []

    def made(server: RedisServer | str, **options: Any) -> Guard:
        guards.append(Guard(server if isinstance(server, str) else server.url, loop, **options))
        return guards[-1]

    yield made
    for guard in guards:
        guard.close()
    if loop is not None:
        loop.close()
