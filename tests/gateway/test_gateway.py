"""The gateway that forwards: what arrives behind it, and what does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers.fronts.app import PROVIDER, SIGNED_HEADERS
from tests.servers.fronts.cases import CASES, FORM, Case, signed
from tests.servers.fronts.measuring import measure, over_http1
from tests.servers.wire import send
from undersign import Component, ConfigError, GoGrid, GoTom, HttpHmac, Verifier, presets
from undersign.gateway import Forwarder, VerifyingGateway
from undersign.policy import MemoryReplayGuard, Requirements

from .harness import PATIENCE, Scripted, answering, head_of, read_all, running, status_of, talk
from .processes import KEY_ID, ORIGIN, SECRET, Behind, behind
from .signing import bokun, plain

SCHEMES = (
    GoTom(),
    GoGrid(),
    HttpHmac(provider=PROVIDER, name="custom", signed_headers=SIGNED_HEADERS),
    presets.bokun(),
    presets.tuya(),
)


@contextmanager
def gateway(upstream: str, *, secret: str = SECRET, **options: Any) -> Iterator[tuple[int, list[str]]]:
    """The port of a gateway in this process, and what it has refused."""
    refused: list[str] = []
    checks = {name: options.pop(name) for name in ("require", "replay") if name in options}
    timeouts = {name: options.pop(name) for name in ("upstream_timeout", "client_timeout") if name in options}
    app = VerifyingGateway(
        Verifier(SCHEMES, {KEY_ID: secret, "key 2": secret}, **checks),
        upstream,
        forwarder=Forwarder(**timeouts),
        on_rejected=lambda refusal: refused.append(f"{refusal.reason}: {refusal.detail}"),
        origin=ORIGIN,
        public=("/open/*",),
        **options,
    )
    with running(app) as port:
        yield port, refused


@pytest.fixture(scope="module")
def app() -> Iterator[Behind]:
    with behind() as found:
        yield found


@pytest.fixture(scope="module")
def shared(app: Behind) -> Iterator[tuple[int, list[str]]]:
    with gateway(app.url) as found:
        yield found


@pytest.fixture
def port(app: Behind, shared: tuple[int, list[str]]) -> int:
    app.arrived.clear()
    shared[1].clear()
    return shared[0]


def test_what_verifies_arrives_as_it_was_signed(app: Behind, port: int) -> None:
    """All 84, a bare `?` too, but for a header that is not UTF-8, which the client library behind cannot send."""
    assert measure(over_http1(port), [case for case in CASES if case.kind != "the absolute form"]) == {
        "400": ("Latin-1 in it",)
    }
    sent = [case for case in CASES if case.name != "Latin-1 in it" and case.kind != "the absolute form"]
    assert len(app.arrived) == len(sent)
    for case, request in zip(sent, app.arrived, strict=True):
        assert request.method == case.method
        if case.scheme != "gogrid":  # whose target or body holds the signature
            assert (request.target, request.body) == (case.target, case.body)
        assert request.values("X-Authenticated-Id") == [KEY_ID]
        assert request.values("X-Authenticated-Scheme") == [case.scheme]


SPELLINGS = (
    "X-Authenticated-Id",
    "x-authenticated-ID",
    "X_Authenticated_Id",
    "X-Authenticated_Id",
    "X.Authenticated.Id",
    "X!Authenticated~Id",
    "X-Authenticated-Scheme",
    "x_authenticated-scheme",
)


def folded(request: Any) -> dict[str, str]:
    """The headers as CGI has them."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        key = "".join(c if c.isalnum() else "_" for c in name.upper())
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_identity_from_outside_never_arrives(app: Behind, port: int, spelling: str) -> None:
    line = f"{spelling}: admin"
    assert send(port, plain("GET", "/open/a", line)).status == 200
    assert send(port, bokun("GET", "/a", line, line)).status == 200
    public, verified = map(folded, app.arrived)
    assert not [name for name in public if "AUTHENTICATED" in name]
    assert (verified["X_AUTHENTICATED_ID"], verified["X_AUTHENTICATED_SCHEME"]) == (KEY_ID, "bokun")


@pytest.mark.parametrize("name", ["X-Original-URL", "x-rewrite-url", "X-Vhm-Root", "Daphne-Root-Path", "x_vhm_root"])
def test_no_header_arrives_for_which_a_server_runs_another_path(app: Behind, port: int, name: str) -> None:
    """IIS, older Symfony and Laminas, Pyramid and Daphne take them from anyone."""
    assert send(port, plain("GET", "/open/a", f"{name}: /admin")).status == 200
    assert send(port, bokun("GET", "/a", f"{name}: /admin")).status == 200
    assert len(app.arrived) == 2
    assert not [value for request in app.arrived for value in folded(request).values() if value == "/admin"]


def test_connection_takes_off_no_header_that_was_verified_or_is_ours(app: Behind, port: int) -> None:
    """RFC 9110, section 7.6.1: what Connection names ends here, so it must not have been signed."""
    data = signed(Case("text", "text", "POST", body=b"a")).on_the_wire()
    assert send(port, data.replace(b"Connection: close", b"Connection: close, Content-Type")).status == 401
    named = b"Connection: close, X-Authenticated-Id, Content-Length, Host"
    assert send(port, data.replace(b"Connection: close", named)).status == 200
    assert [request.values("X-Authenticated-Id") for request in app.arrived] == [[KEY_ID]]


def test_connection_does_not_take_a_body_off(app: Behind, port: int) -> None:
    chunked = signed(Case("chunked", "chunked", "POST", body=b"abcd", is_chunked=True, scheme="gogrid")).on_the_wire()
    named = b"Connection: close, Transfer-Encoding, Upgrade"
    assert send(port, chunked.replace(b"Connection: close", named)).status == 200
    assert [request.body for request in app.arrived] == [b"abcd"]


def test_a_name_with_an_underscore_does_not_stand_for_a_signed_header(app: Behind, port: int) -> None:
    data = signed(Case("text", "text", "POST", body=b"a")).on_the_wire()
    extra = b"Connection: close\r\nContent_Type: text/html\r\nDate_: x"
    assert send(port, data.replace(b"Connection: close", extra)).status == 200
    assert not [name for name, _ in app.arrived[0].headers if "_" in name]


def test_a_scheme_whose_own_header_has_an_underscore_keeps_it(port: int, shared: tuple[int, list[str]]) -> None:
    lines = ("client_id: user:1", "sign: 00", "t: 1730974875000", "sign_method: HMAC-SHA256")
    assert send(port, plain("GET", "/a", *lines)).status == 401
    assert not shared[1][0].startswith("missing"), shared[1]


@pytest.mark.parametrize(("key_id", "arrives"), [("key 2", "key%202"), (KEY_ID, "user:1")])
def test_a_key_id_arrives_in_one_spelling(app: Behind, port: int, key_id: str, arrives: str) -> None:
    assert send(port, bokun("GET", "/a", key_id=key_id)).status == 200
    assert app.arrived[0].values("X-Authenticated-Id") == [arrives]


def test_all_else_gets_the_refusal_of_its_scheme(app: Behind, port: int) -> None:
    gotom = send(port, signed(Case("a", "a")).on_the_wire().replace(b"/items", b"/other"))
    assert (gotom.status, gotom.body) == (401, b'"Signature not valid"')
    gogrid = send(port, signed(Case("a", "a", scheme="gogrid")).on_the_wire().replace(b"sig=", b"sig=0"))
    assert (gogrid.status, gogrid.json()["status"]) == (400, "failure")
    none = send(port, plain("GET", "/a"))
    assert (none.status, none.body) == (401, b'"Signature required"')
    assert none.headers["cache-control"] == "no-store"
    assert not app.arrived


def test_smuggling_shapes_end_at_the_gateway(app: Behind, port: int) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST /open/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    for lines in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"Content-Length: +5\r\n\r\nabcde",
        b"Content-Length: 5, 5\r\n\r\nabcde",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\n X: y\r\n\r\n",
        b"X: a\rb\r\n\r\n",
        b"X: a\0b\r\n\r\n",
        b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        talk(port, head + lines + hidden)
    assert not [request for request in app.arrived if request.target == "/hidden"]
    for request in app.arrived:  # what was passed on has one end
        framing = [name for name, _ in request.headers if name.lower() in ("content-length", "transfer-encoding")]
        assert len(framing) <= 1


def test_targets_that_are_no_path_are_refused(app: Behind, port: int) -> None:
    for line in ("GET http://127.0.0.1:1/open/a", "CONNECT 127.0.0.1:1", "OPTIONS *", "GET open/a"):
        answer = talk(port, f"{line} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        assert status_of(answer) in (200, 400, 401, 404)
    # The absolute form is the path after it, whatever host it names: nothing but the upstream is ever called.
    assert [request.target for request in app.arrived] == ["/open/a"]


def test_an_oversized_head_is_refused(app: Behind, port: int) -> None:
    assert status_of(talk(port, plain("GET", "/open/a", f"X: {'a' * 70_000}"))) == 431
    assert status_of(talk(port, plain("GET", "/open/a", *(f"X-{i}: a" for i in range(300))))) == 431
    assert not app.arrived


def test_too_large_a_body_is_refused_before_it_is_read(app: Behind) -> None:
    with gateway(app.url, max_body=1000) as (port, refused):
        app.arrived.clear()
        for chunked in (False, True):
            case = Case("large", "large", "POST", body=b"x" * 100_000, is_chunked=chunked)
            assert send(port, signed(case).on_the_wire(), method="POST").status == 413
        assert [reason.partition(":")[0] for reason in refused] == ["body_too_large"] * 2
        assert not app.arrived


def test_a_body_that_does_not_come_is_given_up(app: Behind) -> None:
    """Nothing is forwarded of a signed request before its body is whole."""
    with gateway(app.url) as (port, _):
        app.arrived.clear()
        data = signed(Case("slow", "slow", "POST", body=b"x" * 1000)).on_the_wire()
        talk(port, data[:-10], half_close=True)
        assert not app.arrived


@pytest.mark.parametrize("pieces", [0, 3])
def test_a_body_that_stalls_before_its_verdict_is_given_up(app: Behind, pieces: int) -> None:
    """Nobody has checked its signature yet, so a stranger could hold any number of connections."""
    with gateway(app.url, client_timeout=1.0) as (port, _):
        app.arrived.clear()
        data = signed(Case("slow", "slow", "POST", body=b"x" * 1000)).on_the_wire()
        head, _, body = data.partition(b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(head.replace(b"Connection: close\r\n", b"") + b"\r\n\r\n")
            for _ in range(pieces):
                connection.sendall(body[:100])
                connection.settimeout(0.4)  # it is slow, and goes on
                with pytest.raises(TimeoutError):
                    connection.recv(1)
            connection.settimeout(PATIENCE)
            answer = read_all(connection)
        assert status_of(answer) == 408
        assert answer.endswith(b'"No more of the request came in for 1 seconds"\n')
        assert not app.arrived


def test_a_slow_answer_to_a_body_that_was_judged_is_waited_for() -> None:
    def slow(connection: Any, number: int) -> None:
        head_of(connection)
        ended.wait(0.8)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    ended = threading.Event()
    with Scripted(slow) as upstream, gateway(upstream.url, client_timeout=0.3) as (port, _):
        assert send(port, signed(Case("a", "a", "POST", body=b"x" * 1000)).on_the_wire()).status == 200
        assert send(port, bokun("POST", "/a", body=b"x" * 1000)).status == 200


def test_an_upstream_that_hangs_resets_or_is_not_there(app: Behind) -> None:
    def hang(connection: Any, number: int) -> None:
        head_of(connection)
        ended.wait(30)

    ended = threading.Event()
    with Scripted(hang) as upstream, gateway(upstream.url, upstream_timeout=1.0) as (port, _):
        assert send(port, bokun("POST", "/a")).status == 504
        ended.set()
    with Scripted(lambda connection, number: None) as upstream, gateway(upstream.url) as (port, _):
        assert send(port, bokun("POST", "/a")).status == 502
    lies = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    with Scripted(answering(lies)) as upstream, gateway(upstream.url) as (port, _):
        assert not talk(port, bokun("GET", "/a")).endswith(b"0\r\n\r\n")
    with gateway("http://127.0.0.1:1") as (port, _):
        answer = send(port, bokun("GET", "/a"))
        assert (answer.status, answer.body) == (502, b'"The upstream could not be reached"\n')


def test_a_websocket_is_refused_with_a_sentence(app: Behind, port: int) -> None:
    data = bokun("GET", "/a", "Upgrade: websocket").replace(b"Connection: close", b"Connection: Upgrade")
    answer = send(port, data)
    assert (answer.status, answer.body) == (501, b'"Websockets do not go through here"\n')
    assert not app.arrived


def test_preflights_and_public_paths_need_no_signature(app: Behind) -> None:
    with gateway(app.url, preflights=True) as (port, _):
        app.arrived.clear()
        lines = ("Origin: https://a.example", "Access-Control-Request-Method: POST")
        assert send(port, plain("OPTIONS", "/a", *lines)).status == 200
        assert send(port, plain("OPTIONS", "/a")).status == 401
        for target in ("/open/../a", "/open//a", "/open/%61", "/Open/a", "/open"):
            assert send(port, plain("GET", target)).status == 401
        assert [request.target for request in app.arrived] == ["/a"]
        assert not [name for name in folded(app.arrived[0]) if "AUTHENTICATED" in name]


def test_what_signatures_have_to_cover(app: Behind) -> None:
    require = Requirements(writes={Component.BODY}, paths={"/admin/*": {Component.TARGET}})
    with gateway(app.url, require=require) as (port, refused):
        read = signed(Case("read", "read", scheme="gogrid"))
        write = signed(Case("write", "write", "POST", body=b"a=1", content_type=FORM, scheme="gogrid"))
        admin = signed(Case("admin", "admin", target="/admin/a", scheme="gogrid"))
        statuses = [send(port, request.on_the_wire()).status for request in (read, write, admin)]
        assert statuses == [200, 403, 403]
        assert [reason.partition(":")[0] for reason in refused] == ["insecure", "insecure"]


def test_a_signature_is_let_in_once(app: Behind) -> None:
    with gateway(app.url, replay=MemoryReplayGuard(born=0)) as (port, refused):
        app.arrived.clear()
        data = bokun("POST", "/a")
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(send(port, data).status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [200] + [401] * 19
        assert len(app.arrived) == 1
        assert {reason.partition(":")[0] for reason in refused} == {"replayed"}


def test_the_request_id_is_the_clients_where_it_is_one(app: Behind, port: int) -> None:
    for given in ("abc-123", "a b", "x" * 300, "a\x7fb"):
        talk(port, bokun("GET", "/a", f"X-Request-Id: {given}"))
    talk(port, bokun("GET", "/a", "X-Request-Id: a", "X-Request-Id: b"))
    first, *others = [request.values("X-Request-Id") for request in app.arrived]
    assert first == ["abc-123"]
    assert all(len(ids) == 1 and len(ids[0]) == 32 for ids in others)


def test_a_client_that_waits_for_its_answer_gets_it_before_a_large_stale_body(app: Behind, port: int) -> None:
    stale = signed(Case("stale", "stale", "POST", body=b"x", date="2020-01-01T00:00:00Z")).on_the_wire()
    began = time.monotonic()
    head = stale.replace(b"Content-Length: 1", b"Content-Length: 1000000")
    assert send(port, head).status == 401
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "upstream", ["127.0.0.1:9000", "http://", "http://h/path", "http://u:p@h", "ftp://h", "unix:/a"]
)
def test_an_upstream_that_is_no_origin_is_refused(upstream: str) -> None:
    with pytest.raises(ConfigError, match="is not http://host:port"):
        VerifyingGateway(Verifier(GoTom(), {KEY_ID: SECRET}), upstream)
