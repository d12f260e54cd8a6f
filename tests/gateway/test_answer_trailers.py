"""Trailers of answers: they go to a client that takes them, over HTTP/1.1 and HTTP/2 from the upstream alike."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from tests.gateway.harness import Scripted, answering, forwarding, get, head_of, running, status_of, talk
from tests.gateway.http2_asking import whole
from tests.gateway.http2_upstream import Http2Upstream, Peer
from tests.gateway.processes import KEY_ID, SECRET
from tests.gateway.signing import bokun
from undersign import Verifier, presets
from undersign.gateway import Forwarder, Outgoing, SigningProxy, VerifyingGateway
from undersign.gateway.aiohttp_trailers import ResponseWithTrailers
from undersign.gateway.serving import with_lifespan

TE = ("TE: trailers", "Connection: TE, close")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
Pairs = list[tuple[bytes, bytes]]


def asking(*lines: str, method: str = "GET") -> bytes:
    """A request of a client that takes trailers."""
    return get("/", *TE, *lines, method=method).replace(b"Connection: close\r\n", b"", 1)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def over_http1(trailers: Pairs, head: Pairs, body: bytes) -> bytes:
    fields = b"".join(b"%s: %s\r\n" % pair for pair in head)
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return CHUNKED + fields + b"\r\n" + chunk + b"0\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in trailers) + b"\r\n"


@contextmanager
def http1(trailers: Pairs, head: Pairs, body: bytes) -> Iterator[tuple[str, bool]]:
    with Scripted(answering(over_http1(trailers, head, body))) as upstream:
        yield upstream.url, False


@contextmanager
def http2(trailers: Pairs, head: Pairs, body: bytes, status: bytes = b"200") -> Iterator[tuple[str, bool]]:
    def script(peer: Peer, number: int) -> None:
        while True:
            stream = peer.request().stream
            peer.h2.send_headers(stream, [(b":status", status), *head])
            if body:
                peer.h2.send_data(stream, body)
            peer.h2.send_headers(stream, trailers, end_stream=True)
            peer.flush()

    with Http2Upstream(script) as upstream:
        yield upstream.url, True


both = pytest.mark.parametrize("upstream", [http1, http2])


def answer_through(upstream: Callable[..., Any], trailers: Pairs, head: Pairs, body: bytes, raw: bytes) -> bytes:
    with upstream(trailers, head, body) as (origin, is_http2), running(forwarding(origin, http2=is_http2)) as port:
        return talk(port, raw)


@both
def test_they_go_on_behind_the_body(upstream: Callable[..., Any]) -> None:
    trailers = [(b"x-b", b"2"), (b"x-a", b"caf\xe9"), (b"x-b", b"3"), (b"x-empty", b"")]
    answer = answer_through(upstream, trailers, [(b"trailer", b"x-b, X-A, Host")], b"abc", asking())
    assert body_of(answer) == b"3\r\nabc\r\n0\r\nx-b: 2\r\nx-a: caf\xe9\r\nx-b: 3\r\nx-empty: \r\n\r\n"
    assert b"\r\ntrailer: x-b, x-a\r\n" in answer
    assert b"\r\ntransfer-encoding: chunked\r\n" in answer


@both
def test_the_body_may_be_empty(upstream: Callable[..., Any]) -> None:
    assert body_of(answer_through(upstream, [(b"x-t", b"1")], [], b"", asking())) == b"0\r\nx-t: 1\r\n\r\n"


@both
@pytest.mark.parametrize(
    "raw",
    [
        get("/"),
        get("/", "TE: trailers"),  # Connection has to name it, RFC 9110, section 10.1.4
        asking().replace(b"TE: trailers", b"TE: gzip"),
    ],
)
def test_a_client_that_does_not_take_them_gets_none(upstream: Callable[..., Any], raw: bytes) -> None:
    answer = answer_through(upstream, [(b"x-t", b"1")], [(b"trailer", b"x-t")], b"abc", raw)
    assert body_of(answer) == b"3\r\nabc\r\n0\r\n\r\n"
    assert b"trailer" not in answer


@both
def test_a_client_that_speaks_http_1_0_gets_none(upstream: Callable[..., Any]) -> None:
    raw = asking().replace(b" HTTP/1.1", b" HTTP/1.0")
    answer = answer_through(upstream, [(b"x-t", b"1")], [(b"trailer", b"x-t")], b"abc", raw)
    assert body_of(answer) == b"abc"
    assert b"trailer" not in answer


def test_what_connection_names_ends_there() -> None:
    trailers, head = [(b"x-t", b"1"), (b"x-hop", b"1")], [(b"connection", b"x-hop"), (b"trailer", b"x-hop, x-t")]
    answer = answer_through(http1, trailers, head, b"abc", asking())
    assert body_of(answer) == b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"
    assert b"x-hop" not in answer


def test_other_heads_may_come_before_the_answers() -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + over_http1([(b"x-t", b"1")], [], b"abc")
    with Scripted(answering(raw)) as upstream, running(forwarding(upstream.url)) as port:
        assert body_of(talk(port, asking())) == b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"


@both
def test_what_has_to_stand_in_a_head_is_left_out(upstream: Callable[..., Any]) -> None:
    names = [b"set-cookie", b"content-type", b"cache-control", b"content-encoding", b"location", b"www-authenticate"]
    names += [b"access-control-allow-origin", b"x-authenticated-id", b"x-head", b"x_head", b"age", b"host"]
    trailers = [(b"x-t", b"1"), *((name, b"1") for name in names), (b"x-u", b"2")]
    answer = answer_through(upstream, trailers, [(b"x-head", b"1")], b"abc", asking())
    assert body_of(answer) == b"3\r\nabc\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n"


@both
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_with_a_length_has_no_place_for_them(upstream: Callable[..., Any], method: str) -> None:
    head = [(b"content-length", b"3")] if upstream is http2 else []
    body = b"" if method == "HEAD" else b"abc"
    if upstream is http1:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTrailer: x-t\r\n\r\n" + body
        with Scripted(answering(raw)) as plain, running(forwarding(plain.url)) as port:
            answer = talk(port, asking(method=method))
    else:
        answer = answer_through(upstream, [(b"x-t", b"1")], head, body, asking(method=method))
    assert answer.endswith(b"content-length: 3\r\nconnection: close\r\n\r\n" + body)


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_an_answer_without_a_body_has_none(status: bytes) -> None:
    def script(peer: Peer, number: int) -> None:
        stream = peer.request().stream
        peer.h2.send_headers(stream, [(b":status", status)])
        peer.h2.send_headers(stream, [(b"x-t", b"1")], end_stream=True)
        peer.flush()
        peer.read()

    with Http2Upstream(script) as upstream, running(forwarding(upstream.url, http2=True)) as port:
        assert talk(port, asking()).endswith(b"connection: close\r\n\r\n")
    plain = b"HTTP/1.1 %s X\r\nTrailer: x-t\r\n\r\n" % status
    with Scripted(answering(plain)) as upstream1, running(forwarding(upstream1.url)) as port:
        assert talk(port, asking()).endswith(b"connection: close\r\n\r\n")


def test_what_is_no_field_is_left_out_over_http2() -> None:
    """A connection with other requests on it does not end for that, and no line of it becomes another."""
    trailers = [(b"x-t", b"1"), (b":status", b"500"), (b"x-u", b"a\r\nset-cookie: b"), (b"x v", b"1"), (b"", b"1")]
    assert body_of(answer_through(http2, trailers, [], b"abc", asking())) == b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"


@pytest.mark.parametrize(
    "trailers",
    [b"x t: 1", b"x-t", b"x-t: " + b"a" * 70_000, b"\r\n".join(b"x-%d: 1" % number for number in range(300))],
    ids=["name", "no colon", "large", "many"],
)
def test_an_answer_whose_end_is_no_http_is_not_ended(trailers: bytes) -> None:
    raw = CHUNKED + b"\r\n3\r\nabc\r\n0\r\n" + trailers + b"\r\n\r\n"
    with Scripted(answering(raw)) as upstream, running(forwarding(upstream.url, upstream_timeout=2)) as port:
        answer = talk(port, asking())
    # The head may be on its way already when the rest comes.
    assert status_of(answer) == 502 or body_of(answer) in (b"", b"3\r\nabc\r\n")


def test_what_only_one_of_two_parsers_takes_is_left_out() -> None:
    raw = CHUNKED + b"\r\n3\r\nabc\r\n0\r\nx-s: 1\r\nx-t: 1\r\n folded\r\n\r\n"
    with Scripted(answering(raw)) as upstream, running(forwarding(upstream.url)) as port:
        assert body_of(talk(port, asking())) == b"3\r\nabc\r\n0\r\n\r\n"


def test_what_comes_after_the_answer_is_none_of_its_trailers() -> None:
    raw = over_http1([(b"x-t", b"1")], [], b"abc") + over_http1([(b"x-u", b"1")], [(b"x-v", b"1")], b"more")
    with Scripted(answering(raw)) as upstream, running(forwarding(upstream.url)) as port:
        answer = talk(port, asking())
    assert b"x-u" not in answer
    assert b"x-v" not in answer


def test_they_come_in_any_pieces_and_connections_are_used_again() -> None:
    """Also by requests that take none, which go over the same."""

    def script(connection: socket.socket, number: int) -> None:
        raw = over_http1([(b"x-t", b"1"), (b"x-u", b"2")], [], b"abc")
        while True:
            head = head_of(connection)
            if b"/whole" in head:
                connection.sendall(raw)
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for position in range(len(raw)):
                    connection.sendall(raw[position : position + 1])

    expected = b"0\r\nx-t: 1\r\nx-u: 2\r\n\r\n"
    kept = asking().replace(b", close", b"")
    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        assert talk(port, asking()).endswith(expected)
        assert talk(port, get("/whole")).endswith(b"0\r\n\r\n")
        pipelined = kept.replace(b"/ ", b"/whole ") + kept + get("/whole")
        answers = talk(port, pipelined)
        assert answers.count(b"HTTP/1.1 200") == 3
        assert answers.count(expected) == 2
        assert upstream.connections == 1


def test_the_upstream_is_told_that_they_are_taken() -> None:
    heads: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        heads.append(head_of(connection).lower())
        connection.sendall(over_http1([], [], b"ok"))

    with Scripted(script) as upstream, running(forwarding(upstream.url)) as port:
        talk(port, asking())
        talk(port, get("/"))
        talk(port, asking(method="HEAD"))
    assert b"\r\nte: trailers\r\n" in heads[0]
    assert b"\r\nconnection: te\r\n" in heads[0]
    assert not any(b"\r\nte:" in head for head in heads[1:])
    found: list[Pairs] = []

    def script2(peer: Peer, number: int) -> None:
        while True:
            asked = peer.request()
            found.append(asked.headers)
            peer.answer(asked.stream)

    with Http2Upstream(script2) as upstream2, running(forwarding(upstream2.url, http2=True)) as port:
        talk(port, asking())
        talk(port, get("/"))
    assert (b"te", b"trailers") in found[0]
    assert b"te" not in dict(found[1])


def test_an_answer_that_breaks_off_is_not_ended() -> None:
    raw = CHUNKED + b"\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n"
    with Scripted(answering(raw)) as upstream, running(forwarding(upstream.url)) as port:
        assert body_of(talk(port, asking())) == b"3\r\nabc\r\n"


def test_any_app_may_send_them() -> None:
    """The server lets no other through, and none behind a body that does not come in chunks."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["extensions"]["http.response.trailers"] == {}
        headers = [(b"content-length", b"3")] if scope["path"] == "/length" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
        await send({"type": "http.response.body", "body": b"abc"})
        first, second = [(b"x-t", b"1"), (b"set-cookie", b"a=1")], [(b"X-U", b"2"), (b"x-v", b"a\r\nb: c")]
        await send({"type": "http.response.trailers", "headers": first, "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": second})

    with running(with_lifespan(app)) as port:
        assert body_of(talk(port, asking())) == b"3\r\nabc\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n"
        with_length = asking().replace(b" / ", b" /length ")
        assert body_of(talk(port, with_length)) == b"abc"
        assert talk(port, with_length.replace(b", close", b""), asking()).count(b"HTTP/1.1 200") == 2
        assert body_of(talk(port, asking(method="HEAD"))) == b""


@pytest.mark.parametrize("is_in_chunks", [True, False])
def test_aiohttp_has_its_connection_back(is_in_chunks: bool) -> None:
    """As soon as no trailers can come any more."""
    whole_body = threading.Event()

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(CHUNKED + b"\r\n" if is_in_chunks else b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        assert whole_body.wait(30)
        connection.sendall(b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n" if is_in_chunks else b"abc")
        connection.recv(1)

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession(response_class=ResponseWithTrailers) as session, session.get(url) as answer:
            assert isinstance(answer, ResponseWithTrailers)
            assert answer.connection is not None
            transport, own = answer.connection.transport, answer.connection.protocol
            assert transport is not None
            assert (transport.get_protocol() is own) == (not is_in_chunks)
            whole_body.set()
            assert await answer.read() == b"abc"
            assert transport.get_protocol() is own
            assert answer.trailers == ([(b"x-t", b"1")] if is_in_chunks else [])

    with Scripted(script) as upstream:
        asyncio.run(ask(upstream.url))


@both
def test_they_go_through_the_signing_proxy(upstream: Callable[..., Any]) -> None:
    with upstream([(b"x-t", b"1")], [], b"abc") as (origin, is_http2):
        forwarder = Forwarder(http2=is_http2)
        with running(SigningProxy(presets.bokun(), KEY_ID, SECRET, origins=[origin], forwarder=forwarder)) as port:
            assert body_of(talk(port, asking())) == b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"


@both
def test_they_go_through_the_gateway(upstream: Callable[..., Any]) -> None:
    with upstream([(b"x-t", b"1")], [], b"abc") as (origin, is_http2):
        verifier = Verifier(presets.bokun(), {KEY_ID: SECRET})
        with running(VerifyingGateway(verifier, origin, forwarder=Forwarder(http2=is_http2))) as port:
            signed = bokun("GET", "/", *TE).replace(b"Connection: close\r\n", b"", 1)
            answer = talk(port, signed)
    assert body_of(answer) == b"3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"
    assert b"cache-control: private" in answer


@both
def test_an_answer_that_is_signed_has_none(upstream: Callable[..., Any]) -> None:
    """The gateway could not hold it to sign it, and the proxy would pass on what no signature covers."""
    scheme, secret = presets.acquia_v2(realm="Pipet service"), "bXlzZWNyZXRzZWNyZXR0aGluZ3Rva2VlcA=="
    with upstream([(b"x-t", b"1")], [], b"abc") as (behind, is_http2):
        forwarder = Forwarder(http2=is_http2)
        with running(VerifyingGateway(Verifier(scheme, {KEY_ID: secret}), behind, forwarder=forwarder)) as gateway:
            origin = f"http://127.0.0.1:{gateway}"
            with running(SigningProxy(scheme, KEY_ID, secret, origins=[origin])) as port:
                answer = talk(port, asking())
    assert status_of(answer) == 200
    assert body_of(answer) == b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "head", "passing"),
    [(b"200", [], True), (b"200", [(b"content-length", b"3")], True), (b"204", [], False)],
)
def test_a_server_that_has_the_extension_sends_them_over_http2(status: bytes, head: Pairs, passing: bool) -> None:
    """hypercorn does; HTTP/2 has a place for them behind a body with a length, too."""
    body = b"" if status == b"204" else b"abc"
    asyncio_server, config_module = pytest.importorskip("hypercorn.asyncio"), pytest.importorskip("hypercorn.config")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = config_module.Config()
        config.bind = [f"fd://{listener.detach()}"]

    async def run(behind: str) -> None:
        ending = asyncio.Event()
        sockets = config.create_sockets()
        origin = f"http://127.0.0.1:{sockets.insecure_sockets[0].getsockname()[1]}"
        config.create_sockets = lambda: sockets
        served = forwarding(behind, http2=True)
        serving = asyncio.create_task(asyncio_server.serve(served, config, shutdown_trigger=ending.wait))
        found = []
        async with Forwarder(http2=True) as forwarder:
            for takes_trailers in (True, False):
                answer = await forwarder.ask(Outgoing("GET", origin, "/", (), takes_trailers=takes_trailers))
                assert await whole(answer) == body
                found.append((answer.announced_trailers(), answer.passing_trailers()))
        assert found == [([(b"trailer", b"x-t")], [(b"x-t", b"1")]) if passing else ([], []), ([], [])]
        ending.set()
        await serving

    trailers = [(b"x-t", b"1"), (b"age", b"1")]
    with http2(trailers, [(b"trailer", b"x-t"), *head], body, status) as (behind, _):
        asyncio.run(run(behind))
