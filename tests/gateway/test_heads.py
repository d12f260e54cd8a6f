"""Heads, and what stands around them, that a server behind could read in another way, or that nothing would end."""

from __future__ import annotations

import http.server
import socket
import threading
from typing import Any

import pytest

from tests.clients.wire import WireServer
from undersign.gateway.heads import Fields, framing_problem
from undersign.gateway.protocol import ForwardingProtocol
from undersign.gateway.serving import with_lifespan

from .harness import PATIENCE, Scripted, answering, forwarding, get, head_of, read_all, running, status_of, talk


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: a\r\nHost: b\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a, b\r\n",
        b"Host: a,b\r\n",
        b"Host: a/b\r\n",
        b"Host: user@a\r\n",
        b"Host: a b\r\n",
        b"Host: a?b\r\n",
        b"Host: a#b\r\n",
        b"Host: a\\b\r\n",
    ],
    ids=repr,
)
def test_a_host_that_is_not_one_host_is_refused(port: int, upstream: WireServer, lines: bytes) -> None:
    """RFC 9112, section 3.2: each server takes another of two, or both joined."""
    before = len(upstream.requests)
    assert status_of(talk(port, b"GET / HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")) == 400
    assert len(upstream.requests) == before


@pytest.mark.parametrize("host", ["127.0.0.1", "api.example.com:8443", "[::1]:80", "a_b", "xn--bcher-kva.example.", ""])
def test_a_host_arrives_as_it_was_sent(port: int, upstream: WireServer, host: str) -> None:
    assert status_of(talk(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())) == 200
    assert upstream.requests[-1].partition(b"\r\n")[2].startswith(f"host: {host}\r\n".encode())


@pytest.mark.parametrize(
    "shape",
    [
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\na",
        b"HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\na",
        b"HTTP/2.0\r\nHost: a\r\n\r\n",
        b"HTTP/0.9\r\nHost: a\r\n\r\n",
    ],
    ids=repr,
)
def test_framing_that_servers_read_in_different_ways_is_refused(port: int, upstream: WireServer, shape: bytes) -> None:
    """A coding that is taken off would leave another body; a version or a length that is none is anybody's guess."""
    before = len(upstream.requests)
    assert status_of(talk(port, b"POST / " + shape)) in (400, 501, 505)
    assert len(upstream.requests) == before


@pytest.mark.parametrize("target", ["/a", "127.0.0.1:1", "http://127.0.0.1/a"])
def test_no_tunnel_is_opened(port: int, upstream: WireServer, target: str) -> None:
    """The client library would put the upstream's own address in the place of a path."""
    before = len(upstream.requests)
    assert status_of(talk(port, get(target, method="CONNECT"))) in (400, 501)
    assert len(upstream.requests) == before


class Hasty(ForwardingProtocol):
    """Waits for no second on an idle connection, nor for a head."""

    head_timeout = 0.6

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.timeout_keep_alive = 0.6  # type: ignore[assignment]  # seconds, of any kind


@pytest.mark.parametrize("after", [b"", b"\r\n", b"\r\n\r\n", b"G"])
def test_no_byte_keeps_an_idle_connection_for_ever(upstream: WireServer, after: bytes) -> None:
    """Empty lines may stand in front of a request, and begin none. RFC 9112, section 2.2."""
    with (
        running(forwarding(upstream.url), http=Hasty) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(get("/a").replace(b"Connection: close\r\n", b""))
        answer = b""
        while not answer.endswith(b"ok"):
            answer += connection.recv(65536)
        connection.sendall(after)
        assert status_of(read_all(connection)) in (0, 408)


@pytest.mark.parametrize("rest", [1, 99_995])
def test_a_body_that_comes_after_its_answer_keeps_no_connection_for_ever(rest: int) -> None:
    early = answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    with (
        Scripted(early) as upstream,
        running(forwarding(upstream.url), http=Hasty) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        head = get("/a", "Content-Length: 100000", method="POST").replace(b"Connection: close\r\n", b"")
        connection.sendall(head + b"begun")
        assert connection.recv(65536).endswith(b"no")
        connection.sendall(bytes(rest))
        read_all(connection)


def test_what_takes_long_is_not_an_idle_connection() -> None:
    """The head of the second request has begun when the first is answered, and so the time of idleness too."""

    def slow(connection: socket.socket, number: int) -> None:
        for seconds in (0.2, 1.2):
            head_of(connection)
            ended.wait(seconds)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    ended = threading.Event()
    with (
        Scripted(slow) as upstream,
        running(forwarding(upstream.url), http=Hasty) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        second = get("/b")
        connection.sendall(get("/a").replace(b"Connection: close\r\n", b"") + second[:20])
        assert connection.recv(65536).endswith(b"ok")
        connection.sendall(second[20:])
        assert read_all(connection).endswith(b"ok")


def test_connect_ends_its_connection() -> None:
    """What comes behind it is no request to any parser, so nothing would ever end it."""

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    with running(with_lifespan(refusing)) as port:
        answer = talk(port, b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", get("/a"))
        assert (status_of(answer), answer.count(b"HTTP/1.1 ")) == (401, 1)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Authenticated-Id: admin\r\n\r\n"


@pytest.mark.parametrize("pairs", [(b"5", b"chunked"), (b"0", b"chunked"), (b"5", b"gzip")])
def test_a_length_beside_chunks_is_refused_by_the_forwarder_too(pairs: tuple[bytes, bytes]) -> None:
    """Its own server has refused that already; another one that it is embedded in may not."""
    fields = Fields([(b"content-length", pairs[0]), (b"transfer-encoding", pairs[1])])
    problem = framing_problem({"http_version": "1.1"}, fields)
    assert problem is not None
    assert problem[0] == 400


def test_a_connection_that_is_to_be_closed_is_not_used_again() -> None:
    """Also where the server leaves it open, and does not say in its answer that it will close it."""

    def script(connection: socket.socket, number: int) -> None:
        while True:
            head_of(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        for _ in range(3):
            assert status_of(talk(port, get("/", method="DELETE", body=b"a"))) == 200
        assert upstream.connections == 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_the_server_behind_leaves_is_no_request(method: str, is_chunked: bool) -> None:
    """Servers such as Python's own read no body of these methods unless the app does, and go on behind the head.

    RFC 9110, section 9.3.1: a body there may have implementations close the connection, because of just this.
    """
    arrived: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            arrived.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_DELETE = do_OPTIONS = do_TRACE = answer  # noqa: N815 - the names of the base class

        def log_message(self, *_: object) -> None:
            pass

    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) if is_chunked else SMUGGLED
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(SMUGGLED)}"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            with running(forwarding(f"http://127.0.0.1:{server.server_address[1]}")) as port:
                for target in ("/first", "/second"):
                    assert status_of(talk(port, get(target, framing, method=method) + body)) == 200
        finally:
            server.shutdown()
            thread.join()
    assert arrived == ["/first", "/second"]
