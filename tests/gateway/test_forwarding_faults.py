"""Upstreams that lie, hang or break off, clients that stall or go away, and bytes that two parsers could read in two
ways: each ends in a sentence or in a broken connection, never in an answer that looks whole."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Any

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import (
    PATIENCE,
    Scripted,
    answering,
    forwarding,
    get,
    head_of,
    read_all,
    running,
    status_of,
    talk,
)
from tests.ports import free_port
from undersign.gateway import Forwarder
from undersign.gateway.exchange import Broken
from undersign.gateway.protocol import ForwardingProtocol
from undersign.gateway.serving import with_lifespan

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", b"closed the connection before it answered"),
        (b"garbage\r\n\r\n", b"not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", b"not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", b"Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n", b"a control character"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"switched"),
        (b"HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok", b"600, is none of HTTP"),
        (b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok", b"999, is none of HTTP"),
    ],
)
def test_an_upstream_that_does_not_answer_in_http_is_502(answer: bytes, sentence: bytes) -> None:
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        answered = talk(port, get("/", method="POST", body=b"a"))
    assert status_of(answered) == 502
    assert sentence in answered


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"9\r\nabc",
        CHUNKED + b"3\r\nabc\r\nnonsense\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_broken_to_the_client_too(answer: bytes) -> None:
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        answered = talk(port, get("/"))
    assert status_of(answered) in (0, 502) or not is_whole(answered)


@pytest.mark.parametrize(("method", "status", "asked"), [("PUT", 200, 2), ("POST", 502, 1)])
def test_a_small_body_is_sent_again_where_that_is_safe(method: str, status: int, asked: int) -> None:
    """RFC 9110, section 9.2.2: the connection was lost before an answer."""
    received: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        body = head_of(connection).partition(b"\r\n\r\n")[2]
        received.append(body or connection.recv(65536))
        if number > 1:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        assert status_of(talk(port, get("/", method=method, body=b"abc"))) == status
    assert received == [b"abc"] * asked


def test_a_small_body_that_is_slow_holds_no_connection_to_the_upstream() -> None:
    script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    with (
        Scripted(script) as upstream,
        running(forwarding(upstream.url)) as port,
        socket.create_connection(("127.0.0.1", port), 30) as slow,
    ):
        slow.sendall(get("/", "Content-Length: 3", method="POST") + b"ab")
        assert status_of(talk(port, get("/"))) == 200
        assert upstream.connections == 1
        slow.sendall(b"c")
        assert status_of(read_all(slow)) == 200


def is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    return not lengths or int(lengths[0].partition(b":")[2]) == len(body)


def test_an_answer_is_broken_by_a_reset() -> None:
    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(CHUNKED + b"3\r\nabc\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        assert not is_whole(talk(port, get("/")))


def test_chunks_count_where_the_upstream_names_a_length_too() -> None:
    """RFC 9112, section 6.3; or the next answer would begin in the middle of this one."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        answered = talk(port, get("/"))
    assert status_of(answered) == 502 or (b"content-length" not in answered and is_whole(answered))


def test_an_upstream_that_is_not_there_is_502() -> None:
    port = free_port()
    with running(forwarding(f"http://127.0.0.1:{port}")) as proxy:
        answer = talk(proxy, get("/"))
    assert status_of(answer) == 502
    assert b"could not be reached" in answer
    assert str(port).encode() not in answer


def test_an_upstream_that_hangs_is_504() -> None:
    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.recv(1)

    with Scripted(script) as upstream, running(forwarding(upstream.url, upstream_timeout=0.2)) as port:
        assert status_of(talk(port, get("/"))) == 504
        assert upstream.closed.wait(30)


def test_an_upstream_that_takes_no_body_is_504() -> None:
    done = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        done.wait(30)

    with Scripted(script) as upstream, running(forwarding(upstream.url, upstream_timeout=0.2)) as port:
        size = 32 * 1024 * 1024
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
            sending = threading.Thread(target=_send_all, args=(connection, bytes(size)), daemon=True)
            sending.start()
            answer = read_all(connection)
        done.set()
    assert status_of(answer) == 504


def _send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        connection.sendall(data)


def test_an_answer_that_stalls_is_broken() -> None:
    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(CHUNKED + b"3\r\nabc\r\n")
        connection.recv(1)

    with Scripted(script) as upstream, running(forwarding(upstream.url, upstream_timeout=0.2)) as port:
        answer = talk(port, get("/"))
    assert b"abc" in answer
    assert not is_whole(answer)


@pytest.mark.parametrize("chunk", [b"zz\r\nabc\r\n", b"3\r\nabcd\r\n", b"0\r\nno field\r\n\r\n"])
def test_chunks_that_are_none_break_the_answer_at_once(chunk: bytes) -> None:
    """Also where the answer is on its way already: nobody is to wait until the upstream's time is up."""
    arrived = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(CHUNKED + b"3\r\nabc\r\n")
        assert arrived.wait(PATIENCE)
        connection.sendall(chunk)
        connection.recv(1)

    with (
        Scripted(script) as upstream,
        running(forwarding(upstream.url)) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(get("/"))
        answer = b""
        while b"abc" not in answer:
            answer += connection.recv(65536)
        arrived.set()
        answer += read_all(connection)
    assert not is_whole(answer)


def test_a_body_that_stalls_is_408() -> None:
    with WireServer() as upstream, running(forwarding(upstream.url, client_timeout=0.2)) as port:
        answer = talk(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
        assert status_of(answer) == 408
        assert not upstream.requests


def test_a_head_that_is_slow_is_408_and_an_empty_connection_is_closed() -> None:
    class Impatient(ForwardingProtocol):
        head_timeout = 0.2

    with WireServer() as upstream, running(forwarding(upstream.url), http=Impatient) as port:
        assert status_of(talk(port, b"GET / HTTP/1.1\r\nHost:")) == 408
        assert talk(port) == b""
        keep = get("/").replace(b"Connection: close\r\n", b"")
        answer = talk(port, keep + b"GET / HT")
        assert answer.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 408" in answer


class Noting(ForwardingProtocol):
    """Waits for no second, and tells when a connection is gone."""

    head_timeout = unread_timeout = 0.2
    lost: threading.Event

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


def test_a_client_that_reads_nothing_keeps_no_connection_for_ever() -> None:
    """Its answer was broken off, and a connection that closes waits for what was written."""
    size = 30_000_000
    Noting.lost = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))

    with (
        Scripted(script) as upstream,
        running(forwarding(upstream.url, client_timeout=0.2), http=Noting) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(get("/"))
        assert Noting.lost.wait(PATIENCE)


class Patient(Noting):
    unread_timeout = 1.0


@pytest.mark.long
def test_a_client_that_reads_slowly_gets_all_of_its_answer() -> None:
    """It may take longer than one may that reads nothing."""
    Noting.lost = threading.Event()
    size, piece = 30_000_000, 1_000_000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(size)})

    with (
        running(with_lifespan(app), http=Patient) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(get("/"))
        received = len(connection.recv(piece, socket.MSG_WAITALL))
        while received < size:
            Noting.lost.wait(0.1)
            taken = len(connection.recv(min(piece, size - received), socket.MSG_WAITALL))
            assert taken, received
            received += taken


def test_nor_does_one_that_asks_for_more_before_it_reads() -> None:
    """What fails then would be answered with a 500, which waits behind the answer that is not read."""
    Noting.lost = threading.Event()
    size = 30_000_000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fails":
            raise Broken
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(size)})

    with (
        running(with_lifespan(app), http=Noting) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(get("/").replace(b"Connection: close\r\n", b"") + get("/fails"))
        assert Noting.lost.wait(PATIENCE)


def test_a_client_that_goes_away_takes_its_request_with_it() -> None:
    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        assert connection.recv(1) == b""

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(get("/"))
        assert upstream.closed.wait(30)


def test_a_client_that_goes_away_in_mid_body_leaves_no_whole_request() -> None:
    received: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        received.append(head_of(connection))
        while piece := connection.recv(65536):
            received.append(piece)

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        if upstream.closed.wait(5):
            assert b"\r\n0\r\n" not in b"".join(received)


def test_a_loop_is_cut_at_its_first_turn() -> None:
    forwarder, origins = Forwarder(), list[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await forwarder.lifespan(receive, send)
        else:
            await forwarder.forward(scope, receive, send, origins[0])

    with running(app) as port:
        origins.append(f"http://127.0.0.1:{port}")
        answer = talk(port, get("/"))
    assert status_of(answer) == 508


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 300 + b"\r\n",
    ],
)
def test_a_head_that_is_too_large_is_431(port: int, upstream: WireServer, head: bytes) -> None:
    before = len(upstream.requests)
    assert status_of(talk(port, head)) == 431
    assert len(upstream.requests) == before


def test_a_head_that_never_ends_is_not_collected(port: int) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the connection is reset or closed, which is all that counts
        talk(port, b"GET / HTTP/1.1\r\nX: ", *[b"a" * 65536] * 4000)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "shape",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Content-Length: 0\r\nContent-Length: 39\r\n\r\n" + SMUGGLED,
        b"Content-Length: 39, 0\r\n\r\n" + SMUGGLED,
        b"Content-Length: +5\r\n\r\nabcde",
        b"Content-Length: 0x5\r\n\r\nabcde",
        b"Content-Length : 5\r\n\r\nabcde",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: identity\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"X: 1\r\n Transfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Content-Length: 0\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"X: a\rContent-Length: 39\r\n\r\n" + SMUGGLED,
        b"X: a\x00b\r\n\r\n",
        b"X\x00: a\r\n\r\n",
        b"X: 1\n\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    ],
    ids=repr,
)
def test_what_two_parsers_could_read_in_two_ways_is_refused(port: int, upstream: WireServer, shape: bytes) -> None:
    """Nothing of it reaches the upstream, and nothing behind it is taken for a request."""
    answer = talk(port, b"POST / HTTP/1.1\r\nHost: a\r\n" + shape, half_close=True)
    assert b"HTTP/1.1 200" not in answer
    assert not any(b"smuggled" in raw for raw in upstream.requests)


@pytest.mark.parametrize("name", [b"transfer-ENCODING", b"tRaNsFeR-eNcOdInG"])
@pytest.mark.parametrize("value", [b"CHUNKED", b"Chunked", b"  chunked\t "])
def test_the_case_of_transfer_encoding_makes_no_difference(
    port: int, upstream: WireServer, name: bytes, value: bytes
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + name + b":" + value
    answer = talk(port, head + b"\r\n\r\n1\r\na\r\n0\r\n\r\n")
    assert status_of(answer) == 400 or (status_of(answer) == 200 and upstream.received().body == b"a")
