"""What stays in memory of a request that has ended: nothing in a cycle, so the processes may look for those rarely."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import Scripted
from undersign import GoTom, Verifier
from undersign.gateway import Forwarder, SigningProxy, VerifyingGateway
from undersign.gateway.exchange import Exchange
from undersign.gateway.heads import Fields


def left_of(app: Any, forwarder: Forwarder, status: int, headers: list[tuple[bytes, bytes]]) -> int:
    """How many exchanges are still in memory after some requests that are answered so, with no search for cycles."""

    async def ask() -> None:
        statuses: list[int] = []
        pending = [{"type": "http.request", "body": b"abc", "more_body": False}]

        async def receive() -> Any:
            if pending:
                return pending.pop()
            return await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        scope = {"type": "http", "method": "POST", "path": "/a", "raw_path": b"/a", "http_version": "1.1"}
        await app({**scope, "headers": [(b"content-length", b"3"), *headers]}, receive, send)
        assert statuses[0] == status

    async def run() -> int:
        try:
            for _ in range(5):
                await ask()
            await asyncio.sleep(0)
            watch = forwarder.exchange({"headers": []}, ask, ask)._watch  # type: ignore[arg-type]
            return sum(type(found) is Exchange and found._watch is watch for found in gc.get_objects())
        finally:
            await forwarder.close()

    gc.disable()
    try:
        return asyncio.run(run())
    finally:
        gc.enable()


def breaking(connection: Any, number: int) -> None:
    connection.recv(65536)


def nonsense(connection: Any, number: int) -> None:
    connection.recv(65536)
    connection.sendall(b"220 mail.example ESMTP\r\n")


@pytest.fixture(params=["it is answered", "the upstream breaks off", "it speaks no HTTP", "it is not there"])
def upstream(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Where requests go to, and the status that is answered."""
    if request.param == "it is answered":
        with WireServer() as server:
            yield server.url, 200
    elif request.param == "it is not there":
        yield "http://127.0.0.1:9", 502
    else:
        with Scripted(breaking if request.param == "the upstream breaks off" else nonsense) as server:
            yield server.url, 502


def test_a_proxys_request_leaves_no_cycle(upstream: tuple[str, int]) -> None:
    origin, status = upstream
    forwarder = Forwarder()
    app = SigningProxy(GoTom(), "user", "secret", origins=[origin], forwarder=forwarder)
    assert left_of(app, forwarder, status, []) == 0


def test_a_gateways_request_leaves_no_cycle(upstream: tuple[str, int]) -> None:
    origin, status = upstream
    forwarder = Forwarder()
    app = VerifyingGateway(Verifier(GoTom(), {"user": "secret"}), origin, forwarder=forwarder, public=["/a"])
    assert left_of(app, forwarder, status, []) == 0


def test_names_of_headers_that_clients_make_up_do_not_stay_in_memory() -> None:
    app = VerifyingGateway(Verifier(GoTom(), {"user": "secret"}), "http://127.0.0.1:9")
    pairs = [(b"x" * length, b"") for length in range(1, 1000)]
    assert app._kept(Fields(pairs)) == pairs
    assert app._goes_on.cache_info().currsize == 64
