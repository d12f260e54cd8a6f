"""Upstreams over HTTP/2 that refuse, reset, hang or lie, and clients that go away: each request ends by itself, and
takes none of the others on its connection with it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from h2 import events
from h2.errors import ErrorCodes

from tests.gateway.harness import PATIENCE, forwarding, get, read_all, running, status_of, talk
from tests.gateway.http2_asking import ask, asking, until, whole
from tests.gateway.http2_upstream import Http2Upstream, Peer
from undersign.gateway import Forwarder, Outgoing
from undersign.gateway.exchange import Failure, Pieces
from undersign.gateway.transport import Lost, Unprocessed


def refusing(peer: Peer, asked: int) -> None:
    peer.h2.reset_stream(asked, ErrorCodes.REFUSED_STREAM)
    peer.flush()


def leaving(peer: Peer, asked: int) -> None:
    peer.send_goaway(max(0, asked - 2))


def ending_the_first(end: Callable[[Peer, int], None], received: list[bytes]) -> Callable[[Peer, int], None]:
    """A script that ends the first request of all so, answers the others, and notes the body of each."""

    def script(peer: Peer, number: int) -> None:
        while True:
            request = peer.request()
            received.append(request.body)
            end(peer, request.stream) if len(received) == 1 else peer.answer(request.stream)

    return script


@pytest.mark.parametrize("refuse", [refusing, leaving], ids=["REFUSED_STREAM", "GOAWAY"])
def test_what_the_upstream_says_it_did_not_act_on_is_sent_again(refuse: Callable[[Peer, int], None]) -> None:
    """RFC 9113, section 8.7: whatever its method, where its body is at hand."""
    asked: list[bytes] = []
    script = ending_the_first(refuse, asked)
    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert status_of(talk(port, get("/", method="POST", body=b"abc"))) == 200
    assert asked == [b"abc", b"abc"]


def test_a_refusal_is_told_from_a_loss() -> None:
    def script(peer: Peer, number: int) -> None:
        refusing(peer, peer.request().stream)
        peer.h2.reset_stream(peer.request().stream, ErrorCodes.INTERNAL_ERROR)
        peer.flush()
        peer.request()

    async def work(forwarder: Forwarder, origin: str) -> None:
        kinds = []
        for _ in range(3):
            with pytest.raises(Lost) as told:
                await forwarder.ask(Outgoing("POST", origin, "/", (), b"abc"))
            kinds.append(type(told.value))
        assert kinds == [Unprocessed, Lost, Lost]

    assert asking(script, work) == 1


def reset(peer: Peer, stream: int) -> None:
    peer.h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
    peer.flush()


def closed(peer: Peer, stream: int) -> None:
    raise OSError


@pytest.mark.parametrize("end", [reset, closed])
@pytest.mark.parametrize(("method", "status", "asked"), [("PUT", 200, 2), ("POST", 502, 1)])
def test_what_is_lost_is_sent_again_where_that_is_safe(
    end: Callable[[Peer, int], None], method: str, status: int, asked: int
) -> None:
    received: list[bytes] = []
    script = ending_the_first(end, received)
    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert status_of(talk(port, get("/", method=method, body=b"a"))) == status
    assert received == [b"a"] * asked


def test_what_is_under_way_when_the_upstream_says_goodbye_is_answered() -> None:
    """nginx says it with the last request that it takes of a connection, and answers that one."""

    def script(peer: Peer, number: int) -> None:
        request = peer.request()
        peer.h2.send_headers(request.stream, [(b":status", b"200")])
        peer.flush()
        peer.send_goaway(request.stream)
        peer.h2.send_data(request.stream, b"number %d" % number, end_stream=True)
        peer.flush()
        peer.read()

    async def work(forwarder: Forwarder, origin: str) -> None:
        for number in (1, 2):
            answer = await forwarder.ask(Outgoing("POST", origin, "/", (), b"abc"))
            assert await whole(answer) == b"number %d" % number

    assert asking(script, work) == 2


@pytest.mark.parametrize("end", [reset, closed])
def test_an_answer_that_breaks_off_is_broken_to_the_client_too(end: Callable[[Peer, int], None]) -> None:
    def script(peer: Peer, number: int) -> None:
        stream = peer.request().stream
        peer.h2.send_headers(stream, [(b":status", b"200")])
        peer.h2.send_data(stream, b"abc")
        peer.flush()
        end(peer, stream)
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        answered = talk(port, get("/", method="POST", body=b"a"))
    assert not answered.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        [(b":status", b"200"), (b"x-a", b"b\r\nset-cookie: a=1")],
        [(b":status", b"200"), (b"x a", b"b")],
        [(b":status", b"abc")],
        [(b":status", b"000")],
        [(b":status", b"200"), (b"content-length", b"5")],
        [(b":status", b"200"), (b"content-length", b"0"), (b"content-length", b"00")],
    ],
    ids=[
        "a line end",
        "no name",
        "no status",
        "a status of nothing",
        "a body that is missing",
        "two lengths",
    ],
)
def test_an_answer_that_is_no_http_is_502_and_the_connection_stays(headers: list[tuple[bytes, bytes]]) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.h2.send_headers(peer.request().stream, headers, end_stream=True)
        peer.flush()
        peer.serve()

    async def work(forwarder: Forwarder, origin: str) -> None:
        with pytest.raises(Failure, match="not HTTP"):
            await forwarder.ask(Outgoing("GET", origin, "/", ()))
        assert await whole(await forwarder.ask(Outgoing("GET", origin, "/", ()))) == b"ok"

    assert asking(script, work) == 1


def test_frames_that_are_none_are_502() -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send_raw(b"\0\0\x01\0\0\0\0\0\0a")  # DATA of no stream

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        answered = talk(port, get("/", method="POST", body=b"a"))
    assert status_of(answered) == 502
    assert b"not HTTP" in answered


def test_an_upstream_that_hangs_is_504_and_is_told_and_others_go_on() -> None:
    told = threading.Event()

    def script(peer: Peer, number: int) -> None:
        paths = {asked.value(b":path"): asked.stream for asked in (peer.request(), peer.request())}
        hanging = paths[b"/hang"]
        peer.answer(paths[b"/"])
        assert peer.wait_for(events.StreamReset).stream_id == hanging
        told.set()
        peer.serve()

    options: Any = {"http2": True, "upstream_timeout": 0.3}
    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, **options)) as port:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as hanging:
            hanging.sendall(get("/hang"))
            assert status_of(talk(port, get("/"))) == 200
            assert status_of(read_all(hanging)) == 504
        assert told.wait(PATIENCE)
        assert status_of(talk(port, get("/"))) == 200
        assert upstream.connections == 1


def test_a_request_that_is_given_up_is_reset_in_either_direction() -> None:
    came = threading.Event()

    def script(peer: Peer, number: int) -> None:
        for _ in range(2):
            stream = peer.head().stream
            came.set()
            while (event := peer.wait_for(events.StreamReset)).stream_id != stream:
                pass
            assert event.error_code == ErrorCodes.CANCEL
        peer.h2.send_headers(stream := peer.request().stream, [(b":status", b"200")])
        peer.h2.send_data(stream, b"a" * 1000)
        peer.flush()
        assert peer.wait_for(events.StreamReset).stream_id == stream
        peer.serve()

    async def work(forwarder: Forwarder, origin: str) -> None:
        before = asyncio.all_tasks()
        never = asyncio.get_running_loop().create_future()

        async def read() -> bytes:
            return await never  # type: ignore[no-any-return]

        for body in (b"abc", Pieces(read)):
            came.clear()
            task = asyncio.ensure_future(forwarder.ask(Outgoing("POST", origin, "/", (), body)))
            await asyncio.get_running_loop().run_in_executor(None, came.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: asyncio.all_tasks() == before)
        answer = await forwarder.ask(Outgoing("GET", origin, "/", ()))
        assert await answer.read()
        answer.close()
        assert await whole(await forwarder.ask(Outgoing("GET", origin, "/", ()))) == b"ok"

    assert asking(script, work) == 1


def test_an_answer_that_comes_before_the_body_is_whole_is_passed_on() -> None:
    """And the rest of it is not sent: 413 of a server that has seen enough."""

    def script(peer: Peer, number: int) -> None:
        stream = peer.head().stream
        peer.answer(stream, b"too large", status=b"413")
        peer.h2.reset_stream(stream, ErrorCodes.NO_ERROR)
        peer.flush()
        peer.serve()

    async def work(forwarder: Forwarder, origin: str) -> None:
        answer = await forwarder.ask(Outgoing("POST", origin, "/", (), b"a" * 1_000_000))
        assert (answer.status, await whole(answer)) == (413, b"too large")
        assert await whole(await ask(forwarder, origin)) == b"ok"

    assert asking(script, work) == 1


def test_a_client_that_stalls_in_its_body_is_408_and_the_upstream_is_told() -> None:
    told = threading.Event()

    def script(peer: Peer, number: int) -> None:
        peer.head()
        peer.wait_for(events.StreamReset)
        told.set()
        peer.read()

    options: Any = {"http2": True, "client_timeout": 0.2}
    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, **options)) as port:
        head = get("/", "Content-Length: 100000", method="POST")
        assert status_of(talk(port, head + b"abc")) == 408
        assert told.wait(PATIENCE)


def test_a_client_that_goes_away_in_its_body_is_no_whole_request() -> None:
    told = threading.Event()

    def script(peer: Peer, number: int) -> None:
        peer.head()
        peer.wait_for(events.StreamReset)
        told.set()
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(get("/", "Content-Length: 100000", method="POST") + b"abc")
        assert told.wait(PATIENCE)


@pytest.mark.parametrize("headers", [(("x-a", "b\nc"),), (("x a", "b"),), (("x-a", "\u20ac"),)])
def test_a_header_that_is_none_is_400_and_the_connection_stays(headers: Any) -> None:
    async def work(forwarder: Forwarder, origin: str) -> None:
        assert await whole(await ask(forwarder, origin)) == b"ok"
        with pytest.raises(Failure) as told:
            await forwarder.ask(Outgoing("GET", origin, "/", headers))
        assert told.value.status == 400
        assert await whole(await ask(forwarder, origin)) == b"ok"

    assert asking(lambda peer, number: peer.serve(), work) == 1


def test_a_large_answer_comes_whole() -> None:
    """Many times what is kept for it."""
    size = 8 * 1024 * 1024

    def script(peer: Peer, number: int) -> None:
        stream, left = peer.request().stream, size
        peer.h2.send_headers(stream, [(b":status", b"200")])
        while left:
            room = min(left, peer.h2.local_flow_control_window(stream), peer.h2.max_outbound_frame_size)
            if room:
                peer.h2.send_data(stream, bytes(room), end_stream=room == left)
                left -= room
                peer.flush()
            else:
                peer.read()
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert talk(port, get("/")).count(b"\0") == size


def test_no_more_is_kept_than_the_other_side_takes() -> None:
    """Of a body that goes up, and of an answer that nobody reads."""
    size, full = 50_000_000, threading.Event()

    def script(peer: Peer, number: int) -> None:
        stream, came = peer.head().stream, 0
        while came < 65_535:
            found = [event for event in peer.take(stream) if isinstance(event, events.DataReceived)]
            came += sum(len(event.data or b"") for event in found)
        peer.h2.send_headers(stream, [(b":status", b"200")])
        while room := min(peer.h2.local_flow_control_window(stream), peer.h2.max_outbound_frame_size):
            peer.h2.send_data(stream, bytes(room))
            peer.flush()
        full.set()
        while not any(isinstance(event, events.StreamReset) for event in peer.take(stream)):
            assert not peer.h2.local_flow_control_window(stream)

    async def work(forwarder: Forwarder, origin: str) -> None:
        read_so_far = 0

        async def read() -> bytes:
            nonlocal read_so_far
            read_so_far += 10_000
            return bytes(10_000)

        answer = await forwarder.ask(Outgoing("POST", origin, "/", (), Pieces(read), size))
        await asyncio.get_running_loop().run_in_executor(None, full.wait)
        assert read_so_far == 70_000
        answer.close()

    assert asking(script, work) == 1
