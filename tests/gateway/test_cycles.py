"""What stays in memory of a request that has ended: nothing in a cycle, so the processes may look for those rarely."""

from __future__ import annotations

import asyncio
import gc
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


@pytest.mark.parametrize("works", [True, False], ids=["it is answered", "the upstream breaks off"])
def test_a_proxys_request_leaves_no_cycle(works: bool) -> None:
    with WireServer() as good, Scripted(breaking) as bad:
        forwarder, origin = Forwarder(), good.url if works else bad.url
        app = SigningProxy(GoTom(), "user", "secret", origins=[origin], forwarder=forwarder)
        assert left_of(app, forwarder, 200 if works else 502, []) == 0


@pytest.mark.parametrize("works", [True, False], ids=["it is answered", "the upstream breaks off"])
def test_a_gateways_request_leaves_no_cycle(works: bool) -> None:
    with WireServer() as good, Scripted(breaking) as bad:
        forwarder = Forwarder()
        verifier = Verifier(GoTom(), {"user": "secret"})
        app = VerifyingGateway(verifier, good.url if works else bad.url, forwarder=forwarder, public=["/a"])
        assert left_of(app, forwarder, 200 if works else 502, []) == 0


def test_names_of_headers_that_clients_make_up_do_not_stay_in_memory() -> None:
    app = VerifyingGateway(Verifier(GoTom(), {"user": "secret"}), "http://127.0.0.1:9")
    pairs = [(b"x" * length, b"") for length in range(1, 1000)]
    assert app._kept(Fields(pairs)) == pairs
    assert app._goes_on.cache_info().currsize == 64
