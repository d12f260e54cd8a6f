"""What goes over HTTP/2 to an upstream is what came, and the answer back, whatever the engine."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trustme
from h2.settings import SettingCodes

from tests.clients.wire import WireServer
from tests.gateway.harness import PATIENCE, forwarding, get, running, status_of, talk
from tests.gateway.http2_upstream import Asked, Echo, Http2Upstream, Peer
from tests.servers.fronts.app import asgi
from tests.servers.fronts.cases import BARE_MARK
from tests.servers.fronts.measuring import measure, over_http1
from tests.servers.fronts.rows import OVER_HTTP2, Row
from tests.servers.fronts.running import running as running_front
from undersign import ConfigError, GoTom, Request, Verifier
from undersign.core.message import headers_as_text
from undersign.gateway import Forwarder, Outgoing, SigningProxy
from undersign.gateway.serving import with_lifespan

KEY_ID = "user:1"
SECRET = "thepasswordyoureceived"


@pytest.fixture(scope="module")
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def upstream(echo: Echo) -> Iterator[Http2Upstream]:
    found = Http2Upstream(echo)
    with found:
        yield found


@pytest.fixture(scope="module")
def port(upstream: Http2Upstream) -> Iterator[int]:
    with running(forwarding(upstream.url, http2=True)) as port:
        yield port


def without_via(asked: Asked) -> list[tuple[bytes, bytes]]:
    return [pair for pair in asked.headers if pair[0] != b"via"]


@pytest.mark.parametrize(
    "target",
    ["/", "//a//b", "/a/../b/./c", "/%7e%7E~", "/a?", "/?", "/??", "/a%2Fb", "/a?b=%2f&&c=+", "/a|b^`{}", "/%00"],
)
def test_the_target_keeps_every_byte(port: int, echo: Echo, target: str) -> None:
    assert status_of(talk(port, get(target))) == 200
    assert echo.asked[-1].value(b":path") == target.encode()


def test_headers_keep_their_order_their_repeats_and_their_bytes(port: int, echo: Echo) -> None:
    sent = ["X-B: 2", "X-A: 1", "Cookie: a=1", "X-B:   caf\xc3\xa9 \t", "Cookie: b=2", "X-Empty:", "X-Latin: caf\xe9"]
    talk(port, get("/", *sent))
    assert without_via(echo.asked[-1]) == [
        *((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"127.0.0.1"), (b":path", b"/")),
        *((b"x-b", b"2"), (b"x-a", b"1"), (b"cookie", b"a=1"), (b"x-b", b"caf\xc3\xa9"), (b"cookie", b"b=2")),
        *((b"x-empty", b""), (b"x-latin", b"caf\xe9")),
    ]


def test_what_belongs_to_one_connection_ends_there(port: int, echo: Echo) -> None:
    lines = ("Connection: X-Mine", "X-Mine: 1", "Keep-Alive: timeout=5", "TE: trailers", "Via: 1.0 fred", "X-Kept: 1")
    talk(port, get("/", *lines, method="POST", body=b"abc"))
    assert without_via(echo.asked[-1])[4:] == [(b"x-kept", b"1"), (b"content-length", b"3")]
    assert echo.asked[-1].value(b"via").startswith(b"1.0 fred, 1.1 undersign-")


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("line", [None, "Content-Length: 0"])
def test_a_method_that_usually_has_no_body_gets_no_length_added(
    port: int, echo: Echo, method: str, line: str | None
) -> None:
    talk(port, get("/", *([line] if line else []), method=method))
    assert without_via(echo.asked[-1])[4:] == ([(b"content-length", b"0")] if line else [])


@pytest.mark.parametrize(
    ("sent", "length", "body"),
    [
        (b"Content-Length: 3\r\n\r\nabc", [b"3"], b"abc"),
        (b"Content-Length: 0\r\n\r\n", [b"0"], b""),
        (b"\r\n", [b"0"], b""),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n", [], b"abc"),
        (b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000, [b"200000"], b"a" * 200_000),
    ],
)
def test_a_body_arrives_with_the_length_that_it_came_with(
    port: int, echo: Echo, sent: bytes, length: list[bytes], body: bytes
) -> None:
    assert status_of(talk(port, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + sent)) == 200
    asked = echo.asked[-1]
    assert [value for name, value in asked.headers if name == b"content-length"] == length
    assert asked.body == body
    assert b"x-t" not in dict(asked.headers)


def test_a_request_arrives_as_it_was_signed(upstream: Http2Upstream, echo: Echo) -> None:
    with running(
        SigningProxy(GoTom(), KEY_ID, SECRET, origins=[upstream.url], forwarder=Forwarder(http2=True))
    ) as port:
        assert status_of(talk(port, get("//a/../%7e?", "X-B: 1", method="POST", body=b"abc"))) == 200
    asked = echo.asked[-1]
    assert asked.value(b":authority") == upstream.url.removeprefix("http://").encode()
    headers = [("host", asked.value(b":authority").decode()), *headers_as_text(asked.headers[4:])]
    request = Request("POST", asked.value(b":path").decode(), headers, asked.body, upstream.url)
    assert Verifier(GoTom(), {KEY_ID: SECRET}).verify(request).key_id == KEY_ID


def test_the_answer_comes_back_as_it_was() -> None:
    def script(peer: Peer, number: int) -> None:
        asked = peer.request()
        headers = [
            (b"set-cookie", b"a=1"),
            (b"x-latin", b"caf\xe9"),
            (b"set-cookie", b"b=2"),
            (b"connection", b"x-hop"),
        ]
        peer.h2.send_headers(asked.stream, [(b":status", b"103"), (b"link", b"</a>")])
        peer.answer(asked.stream, b"\x1f\x8b\x00\xff", *headers, (b"x-hop", b"1"), status=b"299")
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        head, _, body = talk(port, get("/")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 299 ")
    assert head.split(b"\r\n")[1:] == [
        *(b"set-cookie: a=1", b"x-latin: caf\xe9", b"set-cookie: b=2", b"connection: close"),
        b"transfer-encoding: chunked",
    ]
    assert body == b"4\r\n\x1f\x8b\x00\xff\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("HEAD", b"200", b"content-length: 99\r\nconnection: close\r\n\r\n"),
        ("GET", b"204", b"204 No Content\r\nconnection: close\r\n\r\n"),
        ("GET", b"304", b"304 Not Modified\r\nconnection: close\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_has_none(method: str, status: bytes, expected: bytes) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.answer(peer.request().stream, b"", (b"content-length", b"99"), status=status)
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert talk(port, get("/", method=method)).endswith(expected)


def statuses(port: int, count: int, *, clients: int) -> list[int]:
    """What so many requests come to, of so many clients at once."""
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda _: status_of(talk(port, get("/"))), range(count)))


def test_many_requests_share_a_connection() -> None:
    """All of them are there before the first is answered."""

    def script(peer: Peer, number: int) -> None:
        for asked in [peer.request() for _ in range(40)]:
            peer.answer(asked.stream, asked.value(b":path"))
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda number: talk(port, get(f"/{number}")), range(40)))
        assert all(f"/{number}\r\n".encode() in answer for number, answer in enumerate(answers))
        assert upstream.connections == 1


def test_another_connection_is_opened_where_all_are_full() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)

    def script(peer: Peer, number: int) -> None:
        asked = [peer.request(), peer.request()]
        together.wait()
        for each in asked:
            peer.answer(each.stream)
        peer.read()

    few = {SettingCodes.MAX_CONCURRENT_STREAMS: 2}
    with Http2Upstream(script, settings=few) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert statuses(port, 4, clients=4) == [200] * 4
        assert upstream.connections == 2


def test_who_finds_no_room_waits_for_it() -> None:
    echo = Echo()
    one = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    options: Any = {"http2": True, "connections": 1}
    with Http2Upstream(echo, settings=one) as upstream, running(forwarding(upstream.url, **options)) as port:
        assert statuses(port, 20, clients=8) == [200] * 20
        assert upstream.connections == 1


def test_all_who_wait_go_on_when_the_upstream_takes_more() -> None:
    def script(peer: Peer, number: int) -> None:
        first = peer.request()
        peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 10})
        peer.flush()
        for asked in [first, *(peer.request() for _ in range(4))]:
            peer.answer(asked.stream)
        peer.read()

    one = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    options: Any = {"http2": True, "connections": 1}
    with Http2Upstream(script, settings=one) as upstream, running(forwarding(upstream.url, **options)) as port:
        assert statuses(port, 5, clients=5) == [200] * 5


def test_a_client_who_reads_slowly_holds_up_nobody_else() -> None:
    """More is sent to it than the connection's window would hold, were it not opened for what is not read."""
    piece = bytes(16_000)

    def script(peer: Peer, number: int) -> None:
        slow = peer.request().stream
        peer.h2.send_headers(slow, [(b":status", b"200")])
        while peer.h2.local_flow_control_window(slow) >= len(piece):
            peer.h2.send_data(slow, piece)
        peer.flush()
        peer.serve()

    with (
        Http2Upstream(script) as upstream,
        running(forwarding(upstream.url, http2=True)) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as slow,
    ):
        slow.sendall(get("/slow"))
        assert status_of(slow.recv(12)) == 200
        for _ in range(3):
            assert status_of(talk(port, get("/"))) == 200
        assert upstream.connections == 1


def context(authority: trustme.CA, *protocols: str) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(found)
    if protocols:
        found.set_alpn_protocols(list(protocols))
    return found


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(found)
    return found


def test_over_https_the_upstream_chooses_http2() -> None:
    authority, echo = trustme.CA(), Echo()
    with (
        Http2Upstream(echo, tls=context(authority)) as upstream,
        running(forwarding(upstream.url, http2=True, tls=trusting(authority))) as port,
    ):
        for _ in range(2):
            assert status_of(talk(port, get("/a?", method="POST", body=b"abc"))) == 200
        assert upstream.connections == 1
    assert echo.asked[-1].value(b":scheme") == b"https"


@pytest.mark.parametrize("protocols", [("http/1.1",), ()], ids=["by ALPN", "by none"])
def test_over_https_the_upstream_chooses_http1(protocols: tuple[str, ...]) -> None:
    authority = trustme.CA()
    with (
        WireServer(context=context(authority, *protocols)) as upstream,
        running(forwarding(upstream.url, http2=True, tls=trusting(authority))) as port,
    ):
        for _ in range(2):
            assert status_of(talk(port, get("//a?", method="POST", body=b"abc"))) == 200
        assert [raw.split(b"\r\n")[0] for raw in upstream.requests] == [b"POST //a? HTTP/1.1"] * 2


def test_an_upstream_that_is_not_trusted_is_502() -> None:
    with (
        Http2Upstream(Echo(), tls=context(trustme.CA())) as upstream,
        running(forwarding(upstream.url, http2=True)) as port,
    ):
        answer = talk(port, get("/"))
    assert status_of(answer) == 502
    assert b"certificate is not trusted" in answer


def test_hypercorn_takes_it(tmp_path: Any) -> None:
    """Over TLS and ALPN, as it is deployed."""
    asyncio_server, config_module = pytest.importorskip("hypercorn.asyncio"), pytest.importorskip("hypercorn.config")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "cert.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = config_module.Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.certfile = config.keyfile = str(tmp_path / "cert.pem")
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        found.append((scope["http_version"], scope["raw_path"], body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]})
        await send({"type": "http.response.body", "body": body})

    async def run() -> None:
        ending = asyncio.Event()
        sockets = config.create_sockets()
        port = sockets.secure_sockets[0].getsockname()[1]
        config.create_sockets = lambda: sockets
        serving = asyncio.create_task(asyncio_server.serve(app, config, shutdown_trigger=ending.wait))
        body = b"abc" * 100_000
        async with Forwarder(http2=True, tls=trusting(authority)) as forwarder:
            outgoing = Outgoing("POST", f"https://127.0.0.1:{port}", "//a/../%7e", (("host", "a.example"),), body)
            answers = await asyncio.gather(*[forwarder.ask(outgoing) for _ in range(5)])
            for answer in answers:
                received = b""
                while piece := await answer.read():
                    received += piece
                answer.close()
                assert (answer.status, received) == (200, body)
        ending.set()
        await serving

    asyncio.run(run())
    assert found == [("2", b"//a/../%7e", b"abc" * 100_000)] * 5


@pytest.fixture(scope="module")
def behind() -> Iterator[int]:
    with running(with_lifespan(asgi)) as port:
        yield port


FIRST = ("h2o", "haproxy", "nginx")


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=() if row.front.name in FIRST else pytest.mark.long) for row in OVER_HTTP2],
    ids=repr,
)
def test_what_verifies_behind_servers_that_speak_http2(behind: int, row: Row) -> None:
    """The same as where they are called over HTTP/2 by a client that changes nothing."""
    with (
        running_front(row.front, behind) as front,
        running(forwarding(f"http://127.0.0.1:{front.port}", http2=True)) as port,
    ):
        measured = dict(measure(over_http1(port), row.cases))
    if row.front.name == "nghttpx":  # it drops the mark itself, which the rows put down to the server behind
        assert BARE_MARK in measured["mismatch"]
        measured["mismatch"] = tuple(name for name in measured["mismatch"] if name != BARE_MARK)
    assert measured == row.refused


def test_without_h2_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("h2.", "undersign.gateway."))]:
        if name.startswith("h2.") or "http2" in name:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(ConfigError, match=r"^HTTP/2 to the upstream needs h2: pip install 'undersign\[http2\]'$"):
        Forwarder(http2=True)
