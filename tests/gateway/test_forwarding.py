"""What goes through a forwarder is what came: target, headers and body, and the answer back."""

from __future__ import annotations

import socket

import pytest

from tests.clients.wire import KeepAliveServer, WireServer
from tests.gateway.harness import Scripted, answering, forwarding, get, head_of, read_all, running, status_of, talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def lines(raw: bytes) -> list[bytes]:
    """The lines of a request's head, without the Via that each forwarder adds."""
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line for line in head if not line.lower().startswith(b"via:")]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//a//b",
        "/a/../b/./c",
        "/%7e%7E~",
        "/a?",
        "/?",
        "/??",
        "/a%2Fb",
        "/a?b=%2f&&c=+",
        "/a;v=1",
        "/a|b^`{}",
        "/%00",
    ],
)
def test_the_target_keeps_every_byte(port: int, upstream: WireServer, target: str) -> None:
    assert status_of(talk(port, get(target))) == 200
    assert lines(upstream.requests[-1])[0] == f"GET {target} HTTP/1.1".encode()


def test_an_absolute_target_goes_on_as_its_path(port: int, upstream: WireServer) -> None:
    assert status_of(talk(port, get("http://elsewhere.example/a//b?"))) == 200
    assert lines(upstream.requests[-1])[0] == b"GET /a//b? HTTP/1.1"


@pytest.mark.parametrize("target", ["*", "elsewhere.example:443", "/a#b", "/\xe9"])
def test_what_is_no_path_is_refused(port: int, upstream: WireServer, target: str) -> None:
    before = len(upstream.requests)
    assert status_of(talk(port, get(target, method="OPTIONS" if target == "*" else "GET"))) == 400
    assert len(upstream.requests) == before


CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "lines_of_it", [("Transfer-Encoding: gzip, chunked",), ("Transfer-Encoding: gzip", "Transfer-Encoding: chunked")]
)
def test_a_coding_that_is_not_undone_is_refused(port: int, upstream: WireServer, lines_of_it: tuple[str, ...]) -> None:
    """It ends here, so what it has made of the body would go on as the body itself (RFC 9112, section 6.1)."""
    before = len(upstream.requests)
    answer = talk(port, get("/", *lines_of_it, method="POST") + CHUNKS)
    assert status_of(answer) == 501
    assert b"Transfer-Encoding" in answer
    assert len(upstream.requests) == before


def test_chunks_of_a_client_that_says_http_1_0_are_refused(port: int, upstream: WireServer) -> None:
    """Its framing is taken to be faulty (RFC 9112, section 6.1)."""
    before = len(upstream.requests)
    asked = get("/", "Transfer-Encoding: chunked", method="POST").replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKS
    assert status_of(talk(port, asked)) == 400
    assert len(upstream.requests) == before


def test_headers_keep_their_order_and_their_repeats(port: int, upstream: WireServer) -> None:
    sent = ["X-B: 2", "X-A: 1", "Cookie: a=1", "X-B:   caf\xc3\xa9 \t", "Cookie: b=2", "X-Empty:", "X_Under: 1"]
    talk(port, get("/", *sent))
    assert lines(upstream.requests[-1])[1:] == [
        b"host: 127.0.0.1",
        *(b"x-b: 2", b"x-a: 1", b"cookie: a=1", b"x-b: caf\xc3\xa9", b"cookie: b=2", b"x-empty: ", b"x_under: 1"),
    ]


def test_a_header_that_is_not_utf_8_is_refused_with_its_name(port: int) -> None:
    assert b"x-name" in talk(port, get("/", "X-Name: caf\xe9"))


def test_what_belongs_to_one_connection_ends_there(port: int, upstream: WireServer) -> None:
    """RFC 9110, section 7.6.1; what Connection names is among it, but for what says where the request goes and ends."""
    talk(
        port,
        get(
            "/",
            *("Connection: X-Mine, host , content-length", "X-Mine: 1", "Keep-Alive: timeout=5", "TE: trailers"),
            *("Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eA==", "Trailer: X-T", "X-Kept: 1"),
            method="POST",
            body=b"abc",
        ),
    )
    assert lines(upstream.requests[-1])[1:] == [b"host: 127.0.0.1", b"x-kept: 1", b"Content-Length: 3"]
    assert upstream.requests[-1].endswith(b"\r\n\r\nabc")


def test_via_names_each_hop(port: int, upstream: WireServer) -> None:
    talk(port, get("/", "Via: 1.0 fred"))
    [via] = [line for line in upstream.requests[-1].split(b"\r\n") if line.lower().startswith(b"via:")]
    assert via.startswith(b"via: 1.0 fred, 1.1 undersign-")


@pytest.mark.parametrize(
    ("sent", "line", "body"),
    [
        (b"Content-Length: 3\r\n\r\nabc", b"Content-Length: 3", b"abc"),
        (b"Content-Length: 0\r\n\r\n", b"Content-Length: 0", b""),
        (b"\r\n", b"Content-Length: 0", b""),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", None),
    ],
)
def test_a_body_goes_on_with_the_framing_that_it_came_with(
    port: int, upstream: WireServer, sent: bytes, line: bytes, body: bytes | None
) -> None:
    assert status_of(talk(port, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + sent)) == 200
    assert line in lines(upstream.requests[-1])
    received = upstream.received().body
    assert received == (b"abc" if body is None else body)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("line", [None, "Content-Length: 0"])
def test_a_method_that_usually_has_no_body_gets_no_length_added(
    port: int, upstream: WireServer, method: str, line: str | None
) -> None:
    """RFC 9110, section 8.6."""
    sent = [line] if line else []
    talk(port, get("/", *sent, method=method))
    assert lines(upstream.requests[-1])[1:] == [b"host: 127.0.0.1", *(text.encode() for text in sent)]


def test_trailers_do_not_become_headers(port: int, upstream: WireServer) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status_of(talk(port, head + b"1\r\na\r\n0\r\nX-Authenticated-Id: root\r\nHost: b\r\n\r\n")) == 200
    assert b"root" not in upstream.requests[-1]
    assert upstream.received().values("host") == ["a"]


def test_the_client_is_told_to_go_on_with_its_body(port: int, upstream: WireServer) -> None:
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(get("/", "Expect: 100-continue", "Content-Length: 3", method="POST"))
        assert head_of(connection) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert status_of(read_all(connection)) == 200
    assert not upstream.received().values("expect")


def test_another_expectation_is_417(port: int) -> None:
    assert status_of(talk(port, get("/", "Expect: the-unexpected"))) == 417


def test_websockets_are_refused_with_a_sentence(port: int, upstream: WireServer) -> None:
    before = len(upstream.requests)
    asked = get("/", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==")
    answer = talk(port, asked.replace(b"Connection: close", b"Connection: Upgrade, close"))
    assert status_of(answer) == 501
    assert b"Websockets do not go through" in answer
    assert len(upstream.requests) == before


def test_an_upgrade_to_http_2_is_left_alone(port: int, upstream: WireServer) -> None:
    """Java's client asks for one with each first request."""
    asked = get("/h2c", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA", method="POST", body=b"abc")
    asked = asked.replace(b"Connection: close", b"Connection: Upgrade, HTTP2-Settings")
    assert talk(port, asked, get("/next")).count(b"HTTP/1.1 200") == 2
    assert [lines(raw)[0] for raw in upstream.requests[-2:]] == [b"POST /h2c HTTP/1.1", b"GET /next HTTP/1.1"]
    assert b"settings" not in upstream.requests[-2].lower()


def test_requests_that_are_pipelined_are_answered_in_order() -> None:
    with KeepAliveServer() as upstream, running(forwarding(upstream.url)) as port:
        first = get("/1").replace(b"Connection: close\r\n", b"")
        assert talk(port, first + get("/2")).count(b"HTTP/1.1 200") == 2
        assert [lines(raw)[0][:6] for raw in upstream.requests] == [b"GET /1", b"GET /2"]


def test_one_connection_to_the_upstream_serves_many_requests() -> None:
    def script(connection: socket.socket, number: int) -> None:
        while True:
            head_of(connection)
            connection.sendall(OK)

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        for _ in range(5):
            assert status_of(talk(port, get("/"))) == 200
        assert upstream.connections == 1


def test_the_answer_comes_back_as_it_was() -> None:
    answer = (
        b"HTTP/1.1 299 Odd\r\nSet-Cookie: a=1\r\nX-Latin: caf\xe9\r\nset-cookie: b=2\r\nConnection: X-Hop\r\n"
        b"X-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\nServer: s\r\n\r\n"
        b"\x1f\x8b\x00\xff"
    )
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        head, _, body = talk(port, get("/")).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[1:] == [
        *(b"set-cookie: a=1", b"x-latin: caf\xe9", b"set-cookie: b=2", b"content-encoding: gzip"),
        *(b"content-length: 4", b"server: s", b"connection: close"),
    ]
    assert head.startswith(b"HTTP/1.1 299 ")
    assert body == b"\x1f\x8b\x00\xff"


@pytest.mark.parametrize(
    ("method", "answer", "expected"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"content-length: 99\r\nconnection: close\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"200 OK\r\nconnection: close\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"204 No Content\r\nconnection: close\r\n\r\n"),
        (
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n",
            b"etag: x\r\nconnection: close\r\n\r\n",
        ),
        ("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"\r\n\r\nok"),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"\r\n\r\nok"),
        ("GET", b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n"),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
            b"\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
    ],
)
def test_the_answer_ends_where_the_upstreams_did(method: str, answer: bytes, expected: bytes) -> None:
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        assert talk(port, get("/", method=method)).endswith(expected)


def test_an_idempotent_request_is_sent_again_where_a_pooled_connection_was_closed() -> None:
    """And no other is: the upstream may have acted on it."""

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(OK)
        if number != 2:
            head_of(connection)  # and no answer

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        assert [status_of(talk(port, get("/"))) for _ in range(2)] == [200, 200]
        assert upstream.connections == 2
    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        asked = get("/", method="POST", body=b"a")
        assert [status_of(talk(port, asked)) for _ in range(2)] == [200, 502]
        assert upstream.connections == 1
