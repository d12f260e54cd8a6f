"""Trailers of requests: they never become headers, and go on behind the body where that can be, by one rule."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.gateway.harness import Scripted, forwarding, get, head_of, read_all, running, status_of, talk
from tests.gateway.http2_upstream import Http2Upstream, Peer
from undersign import GoTom, Scheme, presets
from undersign.gateway import Forwarder, SigningProxy
from undersign.gateway.trailers import passing

KEY_ID, SECRET = "crm_sync", "the password you received"
CHUNKS = "Transfer-Encoding: chunked"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Upstream(Scripted):
    """Keeps the bytes of each request in chunks or without a body, and answers it."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.requests: list[bytes] = []
        self.asked = threading.Event()

    def _serve(self, connection: socket.socket, number: int) -> None:
        while True:
            received = head_of(connection)
            self.asked.set()
            if b"chunked" in received:
                while b"\r\n0\r\n" not in received or not received.endswith(b"\r\n\r\n"):
                    if not (piece := connection.recv(65536)):
                        return
                    received += piece
            self.requests.append(received)
            connection.sendall(OK)


class Http2(Http2Upstream):
    """Keeps head, body and trailers of each request, and answers it."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.requests: list[tuple[dict[bytes, bytes], bytes, list[tuple[bytes, bytes]]]] = []

    def _serve(self, peer: Peer, number: int) -> None:
        while True:
            asked = peer.request()
            self.requests.append((dict(asked.headers), asked.body, asked.trailers))
            peer.answer(asked.stream)


@contextmanager
def signing(scheme: Scheme, origin: str, *, http2: bool = False, **options: Any) -> Iterator[int]:
    app = SigningProxy(scheme, KEY_ID, SECRET, origins=[origin], forwarder=Forwarder(http2=http2, **options))
    with running(app) as port:
        yield port


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, Any]]:
    scheme = presets.bokun()  # which signs no body, so that it streams
    with (
        Upstream() as upstream,
        Http2() as http2,
        signing(scheme, upstream.url) as h1,
        signing(scheme, http2.url, http2=True) as h2,
    ):
        yield {"upstream": upstream, "http2": http2, "h1": h1, "h2": h2}


def post(trailers: bytes, *lines: str, body: bytes = b"abc") -> bytes:
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return get("/", CHUNKS, *lines, method="POST") + chunk + b"0\r\n" + trailers + b"\r\n"


def after_the_body(raw: bytes) -> bytes:
    return raw.partition(b"\r\n0\r\n")[2]


def test_those_of_a_body_that_streams_go_on_behind_it() -> None:
    """In their order, with the bytes of their values, and with a Trailer field that names them."""
    sent = b"X-B: 2\r\nX-A:  caf\xe9 \r\nx-b: 3\r\nX-Empty:\r\n"
    with Upstream() as upstream, signing(presets.bokun(), upstream.url) as port:
        assert status_of(talk(port, post(sent, "Trailer: X-A, x-b, Content-Length"))) == 200
    [raw] = upstream.requests
    head, _, body = raw.partition(b"\r\n\r\n")
    assert body == b"3\r\nabc\r\n0\r\nx-b: 2\r\nx-a: caf\xe9\r\nx-b: 3\r\nx-empty: \r\n\r\n"
    assert b"\r\ntrailer: x-a, x-b\r\n" in head + b"\r\n"
    assert b"\r\nTransfer-Encoding: chunked" in head


def test_they_may_come_later_than_the_last_chunk() -> None:
    with Upstream() as upstream, signing(presets.bokun(), upstream.url) as port:
        head, _, rest = post(b"X-T: 1\r\nX-U: 2\r\n").partition(b"0\r\n")
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(head)
            assert upstream.asked.wait(30)  # so it has gone on before any trailer came
            for piece in (b"0\r\n", rest[:4], rest[4:9], rest[9:]):
                connection.sendall(piece)
            assert status_of(read_all(connection)) == 200
    assert upstream.requests[0].partition(b"\r\n\r\n")[2] == b"3\r\nabc\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n"


def test_the_body_may_be_empty(proxies: dict[str, Any]) -> None:
    asked = post(b"X-T: 1\r\n", body=b"")
    assert status_of(talk(proxies["h1"], asked)) == 200
    assert proxies["upstream"].requests[-1].partition(b"\r\n\r\n")[2] == b"0\r\nx-t: 1\r\n\r\n"
    assert status_of(talk(proxies["h2"], asked)) == 200
    assert proxies["http2"].requests[-1][1:] == (b"", [(b"x-t", b"1")])


def test_connections_on_both_sides_are_used_again() -> None:
    """One request has trailers, the next has none, and the third is in one packet with the second."""
    with Upstream() as upstream, signing(presets.bokun(), upstream.url) as port:
        asked = [post(b"X-T: 1\r\n"), post(b""), post(b"X-V: 3\r\n")]
        kept = [raw.replace(b"Connection: close\r\n", b"") for raw in asked[:2]]
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(kept[0])
            assert head_of(connection).endswith(b"ok")
            connection.sendall(kept[1] + asked[2])
            assert read_all(connection).count(b"HTTP/1.1 200") == 2
        assert upstream.connections == 1
    assert [after_the_body(raw) for raw in upstream.requests] == [b"x-t: 1\r\n\r\n", b"\r\n", b"x-v: 3\r\n\r\n"]


FORBIDDEN = [
    *(b"Host: b", b"Via: 1.1 a", b"Authorization: Basic eA==", b"Cookie: a=1", b"Content-Type: text/html", b"Range: a"),
    *(b"If-Match: a", b"Expect: 100-continue", b"Cache-Control: no-store", b"TE: trailers", b"Trailer: X-T"),
    *(b"X-Forwarded-For: 1.2.3.4", b"X_Forwarded_Proto: https", b"X-HTTP-Method-Override: PUT", b"Upgrade: h2c"),
    *(b"X-Original-URL: /b", b"x_rewrite_url: /b", b"X-Vhm-Root: /b", b"Daphne_Root_Path: /b"),
    *(b"X-Authenticated-Id: root", b"x_authenticated.scheme: gotom", b"Content_Length: 5", b"Proxy-Connection: close"),
    # what the scheme sets, what lets in to the proxy, and what the head has
    *(b"X-Bokun-Signature: x", b"x_bokun_accesskey: x", b"X-Undersign-Token: x", b"X-Head: 2", b"x_head: 2"),
]


@pytest.mark.parametrize("line", FORBIDDEN)
def test_what_has_to_stand_in_a_head_is_left_out(proxies: dict[str, Any], line: bytes) -> None:
    raw = post(b"X-T: 1\r\n" + line + b"\r\nX-U: 2\r\n", "X-Head: 1", f"Trailer: X-T, {line.split(b':')[0].decode()}")
    assert status_of(talk(proxies["h1"], raw)) == 200
    head, _, body = proxies["upstream"].requests[-1].partition(b"\r\n\r\n")
    assert body.endswith(b"\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n")
    assert b"\r\ntrailer: x-t\r\n" in head + b"\r\n"
    assert status_of(talk(proxies["h2"], raw)) == 200
    asked, _, trailers = proxies["http2"].requests[-1]
    assert trailers == [(b"x-t", b"1"), (b"x-u", b"2")]
    assert asked[b"trailer"] == b"x-t"


def test_what_connection_names_ends_there(proxies: dict[str, Any]) -> None:
    """Trailers too, RFC 9110, section 7.6.1."""
    asked = post(b"X-T: 1\r\nX-Hop: 1\r\n", "Connection: x-hop, close", "Trailer: X-T, X-Hop")
    assert status_of(talk(proxies["h1"], asked)) == 200
    assert proxies["upstream"].requests[-1].endswith(b"\r\n0\r\nx-t: 1\r\n\r\n")
    assert b"x-hop" not in proxies["upstream"].requests[-1]


def test_none_are_announced_where_none_can_come(proxies: dict[str, Any]) -> None:
    for asked in (get("/", "Trailer: X-T"), get("/", "Trailer: X-T", method="POST", body=b"abc")):
        assert status_of(talk(proxies["h1"], asked)) == 200
        assert b"trailer" not in proxies["upstream"].requests[-1].lower()
        assert status_of(talk(proxies["h2"], asked)) == 200
        assert b"trailer" not in proxies["http2"].requests[-1][0]


@pytest.mark.parametrize("line", [b"X-T", b"X T: 1", b"X-T: a\0b", b"X-T: a\nX-U: 2", b": 1", b"X-T: a\r\n b"])
@pytest.mark.parametrize("over", ["h1", "h2"])
def test_what_is_no_field_is_400(proxies: dict[str, Any], line: bytes, over: str) -> None:
    before = len(proxies["upstream"].requests) + len(proxies["http2"].requests)
    assert status_of(talk(proxies[over], post(line + b"\r\n"))) == 400
    assert len(proxies["upstream"].requests) + len(proxies["http2"].requests) == before


@pytest.mark.parametrize(
    "trailers",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(257)),
        b"".join(b"X-%d: %s\r\n" % (number, b"a" * 600) for number in range(110)),
        b"X-T: " + b"a" * 66_000 + b"\r\n",
    ],
    ids=["fields", "bytes", "one"],
)
def test_too_many_are_431(proxies: dict[str, Any], trailers: bytes) -> None:
    before = len(proxies["upstream"].requests)
    found = talk(proxies["h1"], post(trailers) + get("/next"))
    assert (status_of(found), found.count(b"HTTP/1.1 ")) == (431, 1)
    assert len(proxies["upstream"].requests) == before
    assert status_of(talk(proxies["h1"], post(b"".join(b"X-%d: 1\r\n" % number for number in range(256))))) == 200


def test_one_that_never_ends_is_not_kept() -> None:
    """The parser keeps a field whole, and this one would fill the memory."""
    has_body = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        received = head_of(connection)
        while b"abc" not in received:
            received += connection.recv(65536)
        has_body.set()
        assert connection.recv(65536) == b""

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(get("/", CHUNKS, method="POST") + b"3\r\nabc\r\n")
            assert has_body.wait(30)
            connection.sendall(b"0\r\nX-T: " + b"a" * 65_529)  # the limit, and one more
            assert status_of(read_all(connection)) == 431
        assert upstream.closed.wait(30)


def test_a_forwarder_drops_them(proxies: dict[str, Any]) -> None:
    """No signature covers them, and a server may add them to the headers."""
    with (
        running(forwarding(proxies["upstream"].url)) as h1,
        running(forwarding(proxies["http2"].url, http2=True)) as h2,
    ):
        asked = post(b"X-T: 1\r\n", "Trailer: X-T")
        assert status_of(talk(h1, asked)) == 200
        assert status_of(talk(h2, asked)) == 200
    assert proxies["upstream"].requests[-1].endswith(b"\r\n0\r\n\r\n")
    assert b"trailer" not in proxies["upstream"].requests[-1].lower()
    head, _, trailers = proxies["http2"].requests[-1]
    assert not trailers
    assert b"trailer" not in head


@pytest.mark.parametrize("size", [0, 3, 100_000, 1024 * 1024 + 1])
def test_a_body_that_was_kept_has_a_length_and_no_place_for_them(size: int) -> None:
    """But over HTTP/2 it has."""
    asked = post(b"X-T: 1\r\n", "Trailer: X-T", "Content-Type: text/plain", body=b"a" * size)
    received: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        raw = head_of(connection)
        while len(raw.partition(b"\r\n\r\n")[2]) < size:
            raw += connection.recv(65536)
        received.append(raw)
        connection.sendall(OK)

    with Scripted(script) as upstream, signing(GoTom(), upstream.url) as port:
        assert status_of(talk(port, asked)) == 200
    assert b"x-t" not in received[0].lower()
    with Http2() as http2, signing(GoTom(), http2.url, http2=True) as port:
        assert status_of(talk(port, asked)) == 200
    [(head, body, trailers)] = http2.requests
    assert len(body) == size
    assert trailers == [(b"x-t", b"1")]
    assert head[b"trailer"] == b"x-t"
    assert head[b"content-length"] == b"%d" % size


def test_a_request_that_is_sent_again_has_them_again() -> None:
    received: list[list[tuple[bytes, bytes]]] = []
    both = threading.Event()

    def script(peer: Peer, number: int) -> None:
        while True:
            asked = peer.request()
            received.append(asked.trailers)
            if len(received) == 1:
                peer.h2.reset_stream(asked.stream, 7)  # REFUSED_STREAM
                peer.flush()
            else:
                both.set()
                peer.answer(asked.stream)

    with Http2Upstream(script) as upstream, signing(GoTom(), upstream.url, http2=True) as port:
        assert status_of(talk(port, post(b"X-T: 1\r\n", "Content-Type: text/plain"))) == 200
    assert received == [[(b"x-t", b"1")]] * 2


def test_those_that_pass_keep_order_and_bytes() -> None:
    given = [
        (b"B", b" 1 "),
        (b"a", b"caf\xe9"),
        (b"b", b"2"),
        (b"bad name", b"1"),
        (b":status", b"1"),
        (b"c", b"a\r\nd: 1"),
    ]
    assert passing(given) == [(b"b", b"1"), (b"a", b"caf\xe9"), (b"b", b"2")]
    assert passing(given, [b"A"]) == [(b"b", b"1"), (b"b", b"2")]
