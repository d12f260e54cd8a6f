"""Connections over HTTP/2 to an upstream: which are opened, how long they are used, and what a failure says."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from tests.gateway.harness import PATIENCE, Scripted, answering, forwarding, get, head_of, running, status_of, talk
from tests.gateway.http2_asking import ask, asking, until, whole
from tests.gateway.http2_upstream import GOAWAY, Http2Upstream, Peer
from undersign.gateway import Forwarder, http2_connection
from undersign.gateway.exchange import Failure
from undersign.gateway.http2_connection import Connection
from undersign.gateway.transport import Lost


def connections_of(forwarder: Forwarder) -> list[Connection]:
    found: Any = forwarder._transport
    return [connection for origin in found._origins.values() for connection in origin._connections]


def test_a_connection_from_which_nothing_comes_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine may be gone, without a word."""
    monkeypatch.setattr(http2_connection, "QUIET", 0.0)
    came, over = threading.Event(), threading.Event()

    def script(peer: Peer, number: int) -> None:
        if number > 1:
            peer.serve()
        peer.request()
        came.set()
        over.wait(PATIENCE)

    async def work(forwarder: Forwarder, origin: str) -> None:
        task = asyncio.ensure_future(ask(forwarder, origin))
        await asyncio.get_running_loop().run_in_executor(None, came.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await whole(await ask(forwarder, origin)) == b"ok"

    try:
        assert asking(script, work) == 2
    finally:
        over.set()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "does not speak HTTP/2"),
        (b"", "closed the connection"),
    ],
)
def test_an_upstream_that_speaks_http1_over_http_is_502(answer: bytes, sentence: str) -> None:
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        answered = talk(port, get("/", method="POST", body=b"a"))
    assert status_of(answered) == 502
    assert sentence.encode() in answered


def test_an_upstream_that_is_not_there_or_says_nothing_has_its_own_sentence() -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            mute = f"http://127.0.0.1:{silent.getsockname()[1]}"
            async with Forwarder(http2=True, connect_timeout=0.1) as forwarder:
                with pytest.raises(Failure) as told:
                    await ask(forwarder, "http://127.0.0.1:9")
                assert (told.value.status, told.value.sentence) == (502, "The upstream could not be reached")
                assert told.value.detail == "127.0.0.1:9: Connection refused"
                with pytest.raises(Failure) as told:
                    await ask(forwarder, mute)
                assert (told.value.status, told.value.sentence) == (504, "The upstream could not be reached in time")

    asyncio.run(run())


@pytest.mark.parametrize("settings", ["no streams", "goodbye"])
def test_an_upstream_that_takes_no_request_is_502(settings: str) -> None:
    def script(peer: Peer, number: int) -> None:
        if settings == "goodbye":
            peer.send_goaway(0)
        peer.serve()

    none = {SettingCodes.MAX_CONCURRENT_STREAMS: 0} if settings == "no streams" else {}
    with Http2Upstream(script, settings=none) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert status_of(talk(port, get("/"))) == 502
        # Two attempts, and a connection more for each where the goodbye comes between its opening and the request.
        assert 2 <= upstream.connections <= 4


def test_closing_ends_what_is_under_way() -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.read()

    async def work(forwarder: Forwarder, origin: str) -> None:
        task = asyncio.ensure_future(ask(forwarder, origin))
        await until(lambda: any(one._streams for one in connections_of(forwarder)))
        await forwarder.close()
        with pytest.raises(Lost):
            await task

    asking(script, work)


def test_an_upstream_that_says_goodbye_to_each_new_connection_is_not_asked_again_and_again() -> None:
    """Also where it does so in the moment between the opening of a connection and the request that waits for it."""

    async def work(forwarder: Forwarder, origin: str) -> None:
        task = asyncio.ensure_future(ask(forwarder, origin))
        said = 0
        while not task.done() and said < 9:
            for connection in connections_of(forwarder):
                connection.data_received(GOAWAY + bytes(8))
                said += 1
            await asyncio.sleep(0)
        with pytest.raises(Lost):
            await task

    assert asking(lambda peer, number: peer.serve(), work) == 2


@pytest.mark.parametrize("says", ["of the request", "of the connection"])
def test_an_upstream_that_wants_http1_gets_it(says: str) -> None:
    """RFC 9113, section 7: it may find out only when it has seen the request, as IIS does for client certificates."""
    came: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        if number > 1:
            came.append(head_of(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            return
        peer = Peer(connection, {})
        stream = peer.request().stream
        if says == "of the request":
            peer.h2.reset_stream(stream, ErrorCodes.HTTP_1_1_REQUIRED)
            peer.flush()
        else:
            peer.send_goaway(0, ErrorCodes.HTTP_1_1_REQUIRED)
        peer.read()

    with Scripted(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        for _ in range(2):
            assert status_of(talk(port, get("/a", method="POST", body=b"x"))) == 200
        assert upstream.connections == 3
    assert [head.partition(b"\r\n")[0] for head in came] == [b"POST /a HTTP/1.1"] * 2
