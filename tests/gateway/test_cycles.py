"""What stays in memory of a request that has ended: nothing in a cycle, so the processes may look for those rarely."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any, NamedTuple

import httptools
import pytest
from h2.errors import ErrorCodes
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.clients.wire import WireServer
from tests.gateway.harness import Scripted, get, head_of, running, talk
from tests.gateway.http2_upstream import Http2Upstream, Peer
from undersign import GoTom, Verifier, presets
from undersign.gateway import Forwarder, SigningProxy, VerifyingGateway
from undersign.gateway.aiohttp_trailers import ChunksWithTrailers, ResponseWithTrailers, _Beside
from undersign.gateway.exchange import Exchange
from undersign.gateway.heads import Fields

KINDS = (
    Exchange,
    RequestResponseCycle,
    ChunksWithTrailers,
    ResponseWithTrailers,
    _Beside,
    httptools.HttpResponseParser,
)


def test_trailers_leave_no_cycle() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"

    def script(connection: Any, number: int) -> None:
        while True:
            received = head_of(connection)
            while not received.endswith(b"x-u: 1\r\n\r\n"):
                received += connection.recv(65536)
            connection.sendall(raw)

    asked = get("/", "TE: trailers", "Connection: TE", "Transfer-Encoding: chunked", method="POST")
    asked += b"3\r\nabc\r\n0\r\nX-U: 1\r\n\r\n"
    with Scripted(script) as upstream:
        app = SigningProxy(presets.bokun(), "user", "secret", origins=[upstream.url])
        before = {id(found) for found in gc.get_objects() if type(found) in KINDS}
        gc.disable()
        try:
            with running(app) as port:
                for _ in range(3):
                    assert b"0\r\nx-t: 1\r\n\r\n" in talk(port, asked)
            # The server has ended, and all of its requests.
            left = [found for found in gc.get_objects() if type(found) in KINDS and id(found) not in before]
        finally:
            gc.enable()
    assert not left


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


def refusing(peer: Peer, number: int) -> None:
    while True:
        peer.h2.reset_stream(peer.request().stream, ErrorCodes.REFUSED_STREAM)
        peer.flush()


def leaving(peer: Peer, number: int) -> None:
    peer.request()


def lying(peer: Peer, number: int) -> None:
    while True:
        peer.answer(peer.request().stream, b"", status=b"abc")


OVER_HTTP2: dict[str, tuple[Any, int]] = {
    "it is answered": (lambda peer, number: peer.serve(), 200),
    "it is refused": (refusing, 502),
    "the upstream breaks off": (leaving, 502),
    "it speaks no HTTP": (lying, 502),
}
CASES = [("HTTP/1.1", case) for case in ("it is answered", "the upstream breaks off", "it speaks no HTTP")]
CASES += [("HTTP/2", case) for case in OVER_HTTP2]
CASES += [("HTTP/1.1", "it is not there"), ("HTTP/2", "it is not there"), ("HTTP/2", "it speaks HTTP/1.1")]


class Upstream(NamedTuple):
    """Where requests go to, how, and the status that is answered."""

    origin: str
    status: int
    http2: bool


@pytest.fixture(params=CASES, ids=", ".join)
def upstream(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    protocol, case = request.param
    http2 = protocol == "HTTP/2"
    if case == "it is not there":
        yield Upstream("http://127.0.0.1:9", 502, http2)
    elif http2 and case in OVER_HTTP2:
        script, status = OVER_HTTP2[case]
        with Http2Upstream(script) as found:
            yield Upstream(found.url, status, http2)
    elif case == "it is answered":
        with WireServer() as wire:
            yield Upstream(wire.url, 200, http2)
    else:
        with Scripted(breaking if case == "the upstream breaks off" else nonsense) as server:
            yield Upstream(server.url, 502, http2)


def test_a_proxys_request_leaves_no_cycle(upstream: Upstream) -> None:
    origin, status, http2 = upstream
    forwarder = Forwarder(http2=http2)
    app = SigningProxy(GoTom(), "user", "secret", origins=[origin], forwarder=forwarder)
    assert left_of(app, forwarder, status, []) == 0


def test_a_gateways_request_leaves_no_cycle(upstream: Upstream) -> None:
    origin, status, http2 = upstream
    forwarder = Forwarder(http2=http2)
    app = VerifyingGateway(Verifier(GoTom(), {"user": "secret"}), origin, forwarder=forwarder, public=["/a"])
    assert left_of(app, forwarder, status, []) == 0


def test_names_of_headers_that_clients_make_up_do_not_stay_in_memory() -> None:
    app = VerifyingGateway(Verifier(GoTom(), {"user": "secret"}), "http://127.0.0.1:9")
    pairs = [(b"x" * length, b"") for length in range(1, 1000)]
    assert app._kept(Fields(pairs)) == pairs
    assert app._goes_on.cache_info().currsize == 64
