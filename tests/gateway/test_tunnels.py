"""Some clients send CONNECT for `http://` too: what comes through such a tunnel is signed like any other request."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, cast

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.clients.wire import WireServer
from tests.gateway.harness import get, read_all, running, status_of, talk
from tests.gateway.test_proxy import KEY_ID, SECRET, proxied, verifier
from undersign import GoTom
from undersign.gateway import SigningProxy
from undersign.gateway.heads import answer as answer_in
from undersign.gateway.protocol import HEAD_LIMIT, ForwardingProtocol, ServerConfig
from undersign.gateway.serving import with_lifespan
from undersign.gateway.tunnels import TUNNEL

OPENED = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture(scope="module")
def other() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture(scope="module")
def port(upstream: WireServer, other: WireServer) -> Iterator[int]:
    with proxied(GoTom(), upstream.url, other.url) as port:
        yield port


@pytest.fixture(scope="module")
def guarded(upstream: WireServer) -> Iterator[int]:
    with proxied(GoTom(), upstream.url, token="letmein") as port:
        yield port


def connect(host: str, *lines: str, version: str = "1.1") -> bytes:
    return "".join(f"{line}\r\n" for line in (f"CONNECT {host} HTTP/{version}", f"Host: {host}", *lines, "")).encode()


def host_of(server: WireServer) -> str:
    return server.url.removeprefix("http://")


def tunnelled(port: int, server: WireServer, **headers: str) -> HTTPConnection:
    """Python's client, which sends CONNECT with the headers first, and all else through the tunnel."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.set_tunnel("127.0.0.1", server.port, headers)
    return connection


def test_requests_through_a_tunnel_are_signed(port: int, upstream: WireServer) -> None:
    body = b"x" * 100_000
    with closing(tunnelled(port, upstream)) as client:
        for method, target, sent in (("GET", "/a//%7e?", None), ("PUT", "/b", body), ("POST", "/c", iter([body]))):
            client.request(method, target, sent)
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"ok")
            assert upstream.received().target == target
            assert upstream.received().body == (body if sent else b"")
            assert upstream.verified(verifier(GoTom())).key_id == KEY_ID


def test_a_tunnel_leads_to_the_origin_it_was_opened_for_whatever_host_says(
    port: int, upstream: WireServer, other: WireServer
) -> None:
    before = len(upstream.requests)
    with closing(tunnelled(port, other)) as client:
        client.request("GET", "/a", headers={"Host": host_of(upstream)})
        assert client.getresponse().status == 200
    assert other.received().target == "/a"
    assert len(upstream.requests) == before


def test_a_request_outside_of_a_tunnel_goes_to_the_first_origin_as_ever(port: int, upstream: WireServer) -> None:
    assert status_of(talk(port, get("/outside"))) == 200
    assert upstream.received().target == "/outside"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_may_come_right_behind_connect(port: int, other: WireServer, version: str) -> None:
    """And the answer to CONNECT has no body, of which its head would tell. RFC 9110, section 9.3.6."""
    answer = talk(port, connect(host_of(other), version=version) + get("/behind"))
    assert answer.startswith(OPENED + b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"ok")
    assert other.received().target == "/behind"


def test_a_head_behind_connect_may_come_in_pieces(port: int, other: WireServer) -> None:
    request = connect(host_of(other)) + get("/pieces")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(request), 7):
            connection.sendall(request[place : place + 7])
        assert read_all(connection).endswith(b"ok")
    assert other.received().target == "/pieces"


def test_connect_may_come_after_another_request(port: int, upstream: WireServer, other: WireServer) -> None:
    first = get("/first").replace(b"Connection: close\r\n", b"")
    answer = talk(port, first + connect(host_of(other)) + get("/second"))
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert upstream.received().target == "/first"
    assert other.received().target == "/second"


def test_a_tunnel_within_a_tunnel_leads_to_the_last_one(port: int, upstream: WireServer, other: WireServer) -> None:
    answer = talk(port, connect(host_of(upstream)) + connect(host_of(other)) + get("/inner"))
    assert answer.startswith(OPENED + OPENED)
    assert other.received().target == "/inner"


@pytest.mark.parametrize("host", ["undersign.invalid:80", "UNDERSIGN.invalid:80", "[::1]:80"])
def test_a_tunnel_to_port_80_leads_to_an_origin_on_https(host: str) -> None:
    """As http:// does that a client calls through the proxy. The upstream cannot be reached: 502 is its answer."""
    with proxied(GoTom(), "https://undersign.invalid", "https://[::1]") as port:
        answer = talk(port, connect(host) + get("/"))
        assert answer.startswith(OPENED)
        assert status_of(answer.removeprefix(OPENED)) == 502


@pytest.mark.parametrize("host", ["api.example.com:443", "api.example.com:8443", "evil.example:443", "[::1]:443"])
def test_a_tunnel_for_tls_is_refused_with_what_to_do(host: str) -> None:
    """What comes through it would be hidden from the proxy."""
    with proxied(GoTom(), "https://api.example.com", "https://api.example.com:8443", "https://[::1]") as port:
        answer = talk(port, connect(host) + get("/smuggled"))
        assert status_of(answer) == 501
        assert b"call http:// instead of https://" in answer
        assert b"base URL" in answer
        assert answer.count(b"HTTP/1.1") == 1


def test_no_tunnel_leads_elsewhere(port: int) -> None:
    answer = talk(port, connect("evil.example:80") + get("/smuggled"))
    assert status_of(answer) == 403
    assert b"the target is elsewhere" in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "target",
    [
        *("/a", "http://127.0.0.1:{}/", "127.0.0.1:{}/a", "127.0.0.1:{}/", "me:pw@127.0.0.1:{}"),
        *("127.0.0.1:0", "127.0.0.1:", "127.0.0.1", "[::1]", "undersign.invalid"),
    ],
)
def test_a_target_that_is_no_host_and_port_is_refused(port: int, upstream: WireServer, target: str) -> None:
    """RFC 9110, section 9.3.6: a port is always there, and one that is empty or none is a reason to refuse."""
    head = f"CONNECT {target.format(upstream.port)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = talk(port, head.encode() + get("/smuggled"))
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "line", ["Content-Length: 61", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Host: evil.example"]
)
def test_a_connect_that_servers_read_in_different_ways_is_refused(port: int, other: WireServer, line: str) -> None:
    """What one in front takes for a body would be requests here."""
    before = len(other.requests)
    answer = talk(port, connect(host_of(other), line) + get("/smuggled"))
    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1
    assert len(other.requests) == before


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 0",),
        ("Connection: close",),
        ("Connection: TE", "TE: trailers"),
        ("Connection: Upgrade", "Upgrade: websocket"),
        ("Expect: 100-continue",),
    ],
)
def test_what_else_a_connect_says_changes_nothing(port: int, other: WireServer, lines: tuple[str, ...]) -> None:
    assert talk(port, connect(host_of(other), *lines) + get("/")).startswith(OPENED + b"HTTP/1.1 200 OK\r\n")


def test_who_opens_a_tunnel_for_tls_to_a_plain_origin_is_told_so(port: int, upstream: WireServer) -> None:
    answer = talk(port, connect(host_of(upstream)) + b"\x16\x03\x01\x02\x00")
    assert answer.startswith(OPENED)
    assert status_of(answer.removeprefix(OPENED)) == 400
    assert b"This is TLS" in answer


def test_the_token_opens_the_tunnel_for_all_that_comes_through_it(guarded: int, upstream: WireServer) -> None:
    """Clients send it with CONNECT alone."""
    basic = b64encode(b"undersign:letmein").decode()
    for credential in (f"Basic {basic}", "Bearer letmein"):
        with closing(tunnelled(guarded, upstream, **{"Proxy-Authorization": credential})) as client:
            client.request("GET", "/with-token")
            assert client.getresponse().status == 200
        assert upstream.received().target == "/with-token"
        assert upstream.received().by_name().get("proxy-authorization") is None


@pytest.mark.parametrize("lines", [(), ("Proxy-Authorization: Bearer wrong",)])
def test_without_the_token_no_tunnel_is_opened(guarded: int, upstream: WireServer, lines: tuple[str, ...]) -> None:
    before = len(upstream.requests)
    answer = talk(guarded, connect(host_of(upstream), *lines) + get("/smuggled", "Proxy-Authorization: Bearer letmein"))
    assert status_of(answer) == 407
    assert answer.count(b"HTTP/1.1") == 1
    assert len(upstream.requests) == before


@pytest.mark.parametrize("line", ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"])
def test_a_page_is_refused_through_a_tunnel_too(port: int, other: WireServer, line: str) -> None:
    answer = talk(port, connect(host_of(other)) + get("/page", line))
    assert answer.startswith(OPENED)
    assert status_of(answer.removeprefix(OPENED)) == 403


def test_what_follows_the_last_request_takes_no_answer_away(port: int, upstream: WireServer) -> None:
    """Some clients send an empty line and more behind a body, and outside of a tunnel that does no harm either."""
    for begin in (b"", connect(host_of(upstream))):
        assert talk(port, begin + get("/last") + b"\r\nmore\r\n").endswith(b"ok")


def test_a_client_that_has_gone_before_its_tunnel_is_open_is_no_error() -> None:
    """As one that does not read what it asked for before: CONNECT waits until that is written."""
    asked, ended = threading.Event(), threading.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": TUNNEL, "to": "http://127.0.0.1"})
        ended.set()

    with running(with_lifespan(late)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(connect("a:80"))
            assert asked.wait(30)
        assert ended.wait(30)


@pytest.mark.parametrize("size", [100, HEAD_LIMIT * 3 // 4])
def test_what_comes_before_the_tunnel_is_open_comes_through_it(size: int) -> None:
    """Also where a head is not whole by then: what was kept counts once."""
    begun, rest = get("/kept", "X-Long: " + size * "x")[:-4], b"\r\n\r\n"
    seen: list[tuple[str, Any]] = []
    asked, has_come = threading.Event(), asyncio.Event()

    class Noting(ForwardingProtocol):
        received = 0

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.received += len(data)
            if self.received == len(connect("a:80") + begun):
                has_come.set()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["method"], scope["extensions"][TUNNEL]["through"]))
        if scope["method"] == "CONNECT":
            asked.set()
            await has_come.wait()
            await send({"type": TUNNEL, "to": "http://a"})
        else:
            await answer_in(send, 200, "through")

    with (
        running(with_lifespan(late), http=Noting) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
    ):
        connection.sendall(connect("a:80"))
        assert asked.wait(30)
        connection.sendall(begun)
        assert connection.recv(len(OPENED), socket.MSG_WAITALL) == OPENED
        connection.sendall(rest)
        assert read_all(connection).endswith(b'"through"\n')
    assert seen == [("CONNECT", None), ("GET", "http://a")]


def test_a_server_that_ends_takes_nothing_from_a_tunnel_that_it_opens() -> None:
    """Nobody would get the answer."""
    seen: list[str] = []

    class Ending(ForwardingProtocol):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            cast(ServerConfig, self.config).ends_connections = True

    async def opening(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["method"])
        await send({"type": TUNNEL, "to": "http://a"})

    with running(with_lifespan(opening), http=Ending) as port:
        answer = talk(port, connect("a:80") + get("/"))
    assert answer == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
    assert seen == ["CONNECT"]


def test_a_slow_head_and_an_idle_tunnel_end_as_outside_of_one(upstream: WireServer) -> None:
    class Hasty(ForwardingProtocol):
        head_timeout = 0.2

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            self.timeout_keep_alive = 0.2  # type: ignore[assignment]  # seconds, of any kind

    with running(SigningProxy(GoTom(), KEY_ID, SECRET, origins=[upstream.url]), http=Hasty) as port:
        for rest, status in ((b"", 0), (b"\r\n", 0), (b"GET / HT", 408)):
            answer = talk(port, connect(host_of(upstream)) + rest)
            assert answer.startswith(OPENED)
            assert status_of(answer.removeprefix(OPENED)) == status


def test_a_server_that_has_no_tunnels_is_asked_for_none(upstream: WireServer) -> None:
    with running(SigningProxy(GoTom(), KEY_ID, SECRET, origins=[upstream.url]), http=H11Protocol) as port:
        assert status_of(talk(port, get("/"))) == 200
        assert status_of(talk(port, connect(host_of(upstream)))) == 501


def test_what_comes_before_the_tunnel_is_open_has_a_bound() -> None:
    """Or a client could fill memory while the app makes up its mind."""

    async def undecided(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with running(with_lifespan(undecided)) as port:
        assert talk(port, connect("a:80"), bytes(8 * HEAD_LIMIT)) == b""


def test_a_tunnel_is_the_app_s_to_open() -> None:
    """An app that knows nothing of tunnels may answer CONNECT with 200, and that ends the connection."""
    offers: list[Any] = []

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        offers.append(scope["extensions"].get(TUNNEL))
        await answer_in(send, 200, "fine")

    with running(with_lifespan(answering)) as port:
        answer = talk(port, connect("a:80") + get("/smuggled"))
        assert (status_of(answer), answer.count(b"HTTP/1.1")) == (200, 1)
        talk(port, get("/"))
    assert offers == [{"through": None}, None]


def test_curl_s_proxytunnel_is_served(port: int, guarded: int, upstream: WireServer, other: WireServer) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    for proxy, server in ((f"127.0.0.1:{port}", other), (f"undersign:letmein@127.0.0.1:{guarded}", upstream)):
        for version in ("--proxytunnel", "--proxy1.0"):
            command = [curl, "-sSf", "-m", "30", "--proxytunnel", "-d", "a=1"]
            command += ["--proxy1.0" if version == "--proxy1.0" else "-x", f"http://{proxy}"]
            ran = subprocess.run([*command, f"{server.url}/curl"], capture_output=True, text=True, check=False)
            assert (ran.stdout, ran.stderr) == ("ok", "")
            assert server.received().body == b"a=1"
            assert server.verified(verifier(GoTom())).key_id == KEY_ID
