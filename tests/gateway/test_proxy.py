"""What goes through a signing proxy arrives signed as the scheme has it, and goes nowhere else."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import trustme

from tests.clients.conftest import KEY_ID as CLIENT_KEY_ID
from tests.clients.conftest import SECRET as CLIENT_SECRET
from tests.clients.test_clock_correction import VerifyingServer
from tests.clients.wire import OK, WireServer
from tests.gateway.harness import Scripted, get, head_of, running, status_of, talk
from tests.ports import free_port
from undersign import ConfigError, GoGrid, GoTom, Recipe, Scheme, Verifier, presets
from undersign.core.message import Request
from undersign.gateway import Forwarder, SigningProxy
from undersign.gateway.heads import answer as answer_in
from undersign.servers.asgi import SignatureMiddleware

NOW = 1_730_974_875.25  # 2024-11-07T10:21:15Z
KEY_ID, SECRET = "crm_sync", "the password you received"
FORM = "Content-Type: application/x-www-form-urlencoded"


@contextmanager
def proxied(scheme: Scheme, *origins: str, **options: Any) -> Iterator[int]:
    with running(SigningProxy(scheme, KEY_ID, SECRET, origins=origins, clock=lambda: NOW, **options)) as port:
        yield port


def verifier(scheme: Scheme) -> Verifier:
    return Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)


@pytest.fixture(scope="module")
def gotom(upstream: WireServer) -> Iterator[int]:
    with proxied(GoTom(), upstream.url) as port:
        yield port


@pytest.fixture(scope="module")
def gogrid(upstream: WireServer) -> Iterator[int]:
    with proxied(GoGrid(allow_http=True), upstream.url) as port:
        yield port


@pytest.mark.parametrize("target", ["/", "//a/../%7e", "/a?", "/a?b=%2f&&c", "/a%2Fb?x=1"])
def test_a_target_is_signed_as_it_came(gotom: int, gogrid: int, upstream: WireServer, target: str) -> None:
    assert status_of(talk(gotom, get(target))) == 200
    assert upstream.received().target == target
    assert upstream.verified(verifier(GoTom())).key_id == KEY_ID
    assert status_of(talk(gogrid, get(target))) == 200
    assert upstream.received().target.startswith(target.rstrip("?"))
    assert upstream.verified(verifier(GoGrid(allow_http=True))).key_id == KEY_ID


@pytest.mark.parametrize("size", [0, 3, 1024 * 1024 + 1])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_is_hashed_and_sent(gotom: int, upstream: WireServer, size: int, framing: str) -> None:
    """In memory up to 1 MiB, from disk beyond; and with its length, which is known by then."""
    body = bytes(range(256)) * (size // 256) + b"a" * (size % 256)
    if framing == "length":
        asked = get("/", "Content-Type: text/plain", f"Content-Length: {size}", method="POST") + body
    else:
        chunk = f"{size:x}\r\n".encode() + body + b"\r\n" if size else b""
        asked = get("/", "Transfer-Encoding: chunked", method="POST") + chunk + b"0\r\n\r\n"
    assert status_of(talk(gotom, asked)) == 200
    received = upstream.received()
    assert received.body == body
    assert received.values("content-length") == [str(size)]
    assert upstream.verified(verifier(GoTom())).key_id == KEY_ID


def test_a_form_is_signed_in_the_form(gogrid: int, upstream: WireServer) -> None:
    assert status_of(talk(gogrid, get("/a?x=1", FORM, method="POST", body=b"a=%2f&&b=c"))) == 200
    received = upstream.received()
    assert received.target == "/a?x=1"
    assert isinstance(received.body, bytes)
    assert received.body.startswith(b"a=%2f&&b=c&api_key=")
    assert upstream.verified(verifier(GoGrid(allow_http=True))).key_id == KEY_ID


def test_what_the_client_brings_of_the_scheme_is_taken_off(gotom: int, gogrid: int, upstream: WireServer) -> None:
    """Twice, in another case, spelled with _, in the query and in the form; and what is not the scheme's stays."""
    forged = ["Authorization: gotom_app_api root:x", "AUTHORIZATION: Basic eA==", "Date: 2001-01-01T00:00:00Z"]
    talk(gotom, get("/", *forged, "X-Mine: 1"))
    received = upstream.received()
    assert len(received.values("authorization")) == 1
    assert len(received.values("date")) == 1
    assert received.values("x-mine") == ["1"]
    assert upstream.verified(verifier(GoTom())).key_id == KEY_ID

    talk(
        gogrid,
        get("/a?api_key=root&sig=1&x=%2f&sig=2&api%5Fkey=3", FORM, method="POST", body=b"sig=4&b=c&v=1.4&api_key=5"),
    )
    received = upstream.received()
    assert received.target == "/a?x=%2f"
    assert isinstance(received.body, bytes)
    assert received.body.startswith(b"b=c&v=1.4&api_key=")
    assert b"root" not in upstream.requests[-1]

    talk(gogrid, get("/a?sig=1"))
    assert upstream.received().target.startswith("/a?api_key=")
    assert upstream.verified(verifier(GoGrid(allow_http=True))).key_id == KEY_ID


def test_the_scheme_needs_no_body_and_none_is_kept(gogrid: int, upstream: WireServer) -> None:
    """A scheme that signs no body has it go on as it comes, in chunks where it came in chunks."""
    asked = get("/", "Content-Type: text/plain", "Transfer-Encoding: chunked", method="POST")
    assert status_of(talk(gogrid, asked + b"3\r\nabc\r\n0\r\n\r\n")) == 200
    assert upstream.received().values("transfer-encoding") == ["chunked"]
    assert upstream.received().body == b"abc"


@pytest.mark.long
def test_a_body_that_is_needed_raw_and_too_large_is_413(upstream: WireServer) -> None:
    recipe = Recipe(
        name="raw",
        parts=["time", {"part": "body"}],
        mac="hmac-sha256",
        headers={"X-Time": "{time}", "X-Key": "{key_id}", "X-Signature": "{signature}"},
    )
    with proxied(recipe, upstream.url) as port:
        assert status_of(talk(port, get("/", method="POST", body=b"a" * 1000))) == 200
        assert upstream.verified(verifier(recipe)).key_id == KEY_ID
        answer = talk(
            port, get("/", method="POST")[:-2] + b"Content-Length: 99999999\r\n\r\n" + bytes(17 * 1024 * 1024)
        )
        assert status_of(answer) in (0, 413)


def test_what_cannot_be_signed_is_400_with_the_reason(gotom: int, gogrid: int) -> None:
    answer = talk(gotom, get("/", "X-HTTP-Method-Override: DELETE", method="POST", body=b"a"))
    assert status_of(answer) == 400
    assert "cannot be signed" in json.loads(answer.partition(b"\r\n\r\n")[2])
    assert status_of(talk(gogrid, get("/?v=99"))) == 400


def test_each_request_has_a_new_nonce(upstream: WireServer) -> None:
    scheme = replace(cast(Recipe, presets.kraken()), allow_http=True)
    secret = "c2VjcmV0c2VjcmV0"
    with running(SigningProxy(scheme, KEY_ID, secret, origins=[upstream.url])) as port:
        for _ in range(2):
            assert status_of(talk(port, get("/0/private/Balance", FORM, method="POST", body=b"nonce=1"))) == 200
    bodies = [raw.partition(b"\r\n\r\n")[2] for raw in upstream.requests[-2:]]
    nonces = [int(body.removeprefix(b"nonce=")) for body in bodies]
    assert 1 < nonces[0] < nonces[1]


# Where it goes.


def test_the_upstream_gets_its_own_host(gotom: int, upstream: WireServer) -> None:
    talk(gotom, get("/").replace(b"Host: 127.0.0.1", b"Host: LOCALHOST:99"))
    assert upstream.received().values("host") == [upstream.url.removeprefix("http://")]


def test_an_absolute_target_names_one_of_the_origins(upstream: WireServer) -> None:
    with WireServer() as other, proxied(GoTom(), upstream.url, other.url) as port:
        assert status_of(talk(port, get(f"{other.url}/a//b?"))) == 200
        assert lines_of(other.requests[-1])[0] == b"GET /a//b? HTTP/1.1"
        assert other.verified(verifier(GoTom())).key_id == KEY_ID
        assert status_of(talk(port, get(f"{upstream.url}?x=1"))) == 200
        assert lines_of(upstream.requests[-1])[0] == b"GET /?x=1 HTTP/1.1"


def lines_of(raw: bytes) -> list[bytes]:
    return raw.split(b"\r\n")


@pytest.mark.parametrize(
    "target",
    [
        *("http://169.254.169.254/latest/meta-data", "http://localhost:{port}/", "https://127.0.0.1:{port}/"),
        *("http://127.0.0.1:{port}@evil.example/", "http://evil.example#@127.0.0.1:{port}/", "http://127.0.0.1/"),
        *("http://127.0.0.1:{port}.evil.example/", "http://[::ffff:127.0.0.1]:{port}/", "http://0x7f000001:{port}/"),
        *("ftp://127.0.0.1:{port}/", "file:///etc/passwd", "http:///etc/passwd", "http://127.0.0.1:{port}\\@evil/"),
        *("http:/127.0.0.1:{port}/", "127.0.0.1:{port}/", "http://127.0.0.1:0{port}0/"),
    ],
)
def test_no_target_leads_elsewhere(gotom: int, upstream: WireServer, target: str) -> None:
    port = upstream.url.rpartition(":")[2]
    before = len(upstream.requests)
    assert status_of(talk(gotom, get(target.format(port=port)))) in (400, 403)
    assert len(upstream.requests) == before


def test_who_sends_a_large_body_elsewhere_gets_the_answer_all_the_same(gotom: int) -> None:
    """What still comes in is dropped, or the connection would be reset and the answer lost."""
    size = 8 * 1024 * 1024
    head = f"PUT http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
    answer = talk(gotom, head.encode(), bytes(size))
    assert status_of(answer) == 403
    assert b"the target is elsewhere" in answer


@pytest.mark.parametrize("form", ["http://{}:443/a", "http://{}/a", "https://{}:443/a", "HTTPS://{}/a"])
def test_an_origin_on_https_may_be_named_with_either_scheme_and_its_port(form: str) -> None:
    """The upstream cannot be reached: what is refused has another status."""
    with proxied(GoTom(), "https://undersign.invalid") as port:
        assert status_of(talk(port, get(form.format("undersign.invalid")))) == 502


def test_websockets_are_refused(gotom: int) -> None:
    asked = get("/", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13").replace(b"close", b"Upgrade")
    assert status_of(talk(gotom, asked)) == 501


def test_a_proxy_that_leads_to_itself_says_so() -> None:
    proxies: list[SigningProxy] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await proxies[0](scope, receive, send)

    proxies.append(SigningProxy(GoTom(), KEY_ID, SECRET, origins=[f"http://127.0.0.1:{free_port()}"]))
    with running(app) as port:
        looped = SigningProxy(
            GoTom(), KEY_ID, SECRET, origins=[f"http://127.0.0.1:{port}"], forwarder=proxies[0]._forwarder
        )
        proxies[0] = looped
        assert status_of(talk(port, get("/"))) == 508


# Who may use it.


@pytest.mark.parametrize(
    "line",
    ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"],
)
def test_pages_in_a_browser_get_nothing_signed(gotom: int, upstream: WireServer, line: str) -> None:
    before = len(upstream.requests)
    assert status_of(talk(gotom, get("/", line))) == 403
    assert len(upstream.requests) == before


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_name_that_is_led_to_loopback_gets_nothing_signed(gotom: int, host: str) -> None:
    assert status_of(talk(gotom, get("/").replace(b"Host: 127.0.0.1", f"Host: {host}".encode()))) == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "[::1]:8081", "[::1]"])
def test_addresses_and_localhost_are_let_in(gotom: int, host: str) -> None:
    assert status_of(talk(gotom, get("/").replace(b"Host: 127.0.0.1", f"Host: {host}".encode()))) == 200


def test_a_token_is_asked_for_and_does_not_go_on(upstream: WireServer) -> None:
    with proxied(GoTom(), upstream.url, token="t0ken") as port:
        before = len(upstream.requests)
        for wrong in (
            *((), ("X-Undersign-Token: t0ke",), ("X-Undersign-Token: t0ken2",), ("X-Undersign-Token:",)),
            *(("Proxy-Authorization: Bearer x",), ("Proxy-Authorization: Basic !",), ("Authorization: Bearer t0ken",)),
            ("X-Undersign-Token: t0ken", "X-Undersign-Token: x"),
        ):
            answer = talk(port, get("/", *wrong))
            assert status_of(answer) == 407
            assert b"proxy-authenticate:" in answer
        assert len(upstream.requests) == before
        for right in (
            *("X-Undersign-Token: t0ken", "Proxy-Authorization: Bearer t0ken"),
            "Proxy-Authorization: Basic dXNlcjp0MGtlbg==",
        ):
            assert status_of(talk(port, get("/", right, "Origin: https://page.example"))) == 200
            assert b"t0ken" not in upstream.requests[-1]
            assert b"dXNlc" not in upstream.requests[-1]


# Answers.


def test_a_lost_connection_is_tried_again_signed_anew() -> None:
    """By the nonce, which no request has twice."""
    nonces = map(str, itertools.count(1))
    recipe = Recipe(
        name="with-nonce",
        parts=["time", "nonce", "target"],
        mac="hmac-sha256",
        nonce="required",
        allow_http=True,
        headers={"X-Time": "{time}", "X-Nonce": "{nonce}", "X-Key": "{key_id}", "X-Signature": "{signature}"},
    )
    received: list[bytes] = []

    def script(connection: socket.socket, number: int) -> None:
        received.append(head_of(connection))
        if number > 1:
            connection.sendall(OK)

    with Scripted(script) as upstream, proxied(recipe, upstream.url, nonce=lambda: next(nonces)) as port:
        assert status_of(talk(port, get("/"))) == 200
        requests = [Request.from_http(raw, origin=upstream.url) for raw in received]
        assert [request.values("x-nonce") for request in requests] == [["1"], ["2"]]
        for request in requests:
            verifier(recipe).verify(request)


@pytest.mark.parametrize("adjust_clock", [True, False])
def test_a_clock_that_is_off_is_corrected_on_request(adjust_clock: bool) -> None:
    """Over TLS alone: on plain http anyone could make the proxy sign for another time."""
    authority = trustme.CA()
    served, trusting = (ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    later = NOW + 7200
    with VerifyingServer(GoTom(), later, served) as upstream:
        options: dict[str, Any] = {"adjust_clock": adjust_clock, "forwarder": Forwarder(tls=trusting)}
        with running(
            SigningProxy(GoTom(), CLIENT_KEY_ID, CLIENT_SECRET, origins=[upstream.url], clock=lambda: NOW, **options)
        ) as port:
            asked = get("/", method="POST", body=b"abc")
            expected = [200, 200] if adjust_clock else [401, 401]
            assert [status_of(talk(port, asked)) for _ in range(2)] == expected
            assert len(upstream.requests) == (3 if adjust_clock else 2)
            # What speaks http to the proxy goes out over https.
            plain = upstream.url.replace("https://", "http://")
            assert status_of(talk(port, get(f"{plain}/a"))) == expected[0]


def test_an_upstream_whose_certificate_is_not_trusted_is_502() -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(served)
    with (
        Scripted(lambda connection, number: served.wrap_socket(connection, server_side=True).close()) as upstream,
        proxied(GoTom(), upstream.url.replace("http", "https")) as port,
    ):
        answer = talk(port, get("/"))
    assert status_of(answer) == 502
    assert b"certificate" in answer


@pytest.mark.parametrize("change", ["nothing", "body", "signature"])
def test_the_signature_of_an_answer_is_checked_before_it_is_passed_on(change: str) -> None:
    scheme = presets.acquia_v2(realm="Pipet service")
    secret = "bXlzZWNyZXRzZWNyZXR0aGluZ3Rva2VlcA=="

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer_in(send, 200, "done")

    signing = SignatureMiddleware(app, Verifier(scheme, {KEY_ID: secret}), origin="http://api.example")

    async def tampering(scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if change == "body" and message["type"] == "http.response.body" and message.get("body"):
                message = {**message, "body": message["body"].replace(b"done", b"gone")}
            if change == "signature" and message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if not pair[0].startswith(b"x-server-auth")]
                message = {**message, "headers": kept}
            await send(message)

        if scope["type"] == "lifespan":
            return
        await signing(scope, receive, changed)

    with running(tampering) as upstream_port:
        origin = f"http://127.0.0.1:{upstream_port}"
        signing._authenticator = SignatureMiddleware(
            app, Verifier(scheme, {KEY_ID: secret}), origin=origin
        )._authenticator
        with running(SigningProxy(scheme, KEY_ID, secret, origins=[origin])) as port:
            answer = talk(port, get("/a", method="POST", body=b"abc"))
        with running(SigningProxy(scheme, KEY_ID, secret, origins=[origin], check_response=False)) as port:
            assert status_of(talk(port, get("/a"))) == 200
    assert status_of(answer) == (200 if change == "nothing" else 502)
    assert (b"cannot be believed" in answer) == (change != "nothing")


def test_a_proxy_has_to_know_where_it_may_send() -> None:
    with pytest.raises(ConfigError, match="origins"):
        SigningProxy(GoTom(), KEY_ID, SECRET, origins=[])
    with pytest.raises(ConfigError, match="not an origin"):
        SigningProxy(GoTom(), KEY_ID, SECRET, origins=["https://a.example/path"])


def test_nothing_shows_a_secret_or_a_token() -> None:
    proxy = SigningProxy(GoTom(), KEY_ID, SECRET, origins=["https://a.example"], token="t0ken")
    shown = repr(vars(proxy)) + repr(vars(proxy._signer)) + repr(vars(proxy._access))
    assert SECRET not in shown
    assert "t0ken" not in shown
