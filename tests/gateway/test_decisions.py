"""Envoy, nginx and Caddy with the configurations of the documentation, which ask the gateway about each request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.ports import free_port
from tests.servers.fronts import running as fronts_running
from tests.servers.fronts.cases import FORM, TARGETS, Case, Signed, signed
from tests.servers.fronts.measuring import measure, over_http1, over_http2
from tests.servers.wire import Answer, send
from undersign import ConfigError, GoTom, Verifier
from undersign.gateway import ForwardAuth
from undersign.policy import MemoryReplayGuard

from .deciding import Asked, deciding
from .processes import FRONTS, KEY_ID, SECRET, Behind, behind, front
from .signing import bokun, plain

KINDS = ("envoy-grpc", "envoy-http", "nginx", "caddy")
ENVOYS = KINDS[:2]


@dataclass
class Arrangement:
    """A front, the gateway that it asks, and the server behind."""

    kind: str
    asked: Asked
    app: Behind
    port: int

    def send(self, data: bytes, method: str = "GET") -> Answer:
        return send(self.port, data, method=method)


@pytest.fixture(scope="module")
def arrange() -> Iterator[Any]:
    """Each arrangement, started when it is first asked for."""
    found: dict[str, Arrangement] = {}
    with ExitStack() as stack:

        def arranged(kind: str) -> Arrangement:
            if kind not in found:
                app = stack.enter_context(behind())
                asked = stack.enter_context(deciding(kind))
                running = stack.enter_context(front(kind, asked.port, app.port))
                found[kind] = Arrangement(kind, asked, app, running.port)
            return found[kind]

        yield arranged


@pytest.fixture(params=KINDS)
def arranged(request: pytest.FixtureRequest, arrange: Any) -> Arrangement:
    made: Arrangement = arrange(request.param)
    return made


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        ("envoy-grpc", {"413": ("a body of 3 MB",)}),  # its max_request_bytes are fewer
        # Over HTTP Envoy puts another character for each byte that is no UTF-8.
        pytest.param("envoy-http", {"401": ("Latin-1 in it",), "413": ("a body of 3 MB",)}, marks=pytest.mark.long),
    ],
)
def test_envoy_asks_with_body_and_target_as_they_came(arrange: Any, kind: str, refused: Any) -> None:
    """A bare `?` is one of the 84: it verifies here."""
    arranged = arrange(kind)
    assert measure(over_http1(arranged.port)) == refused
    assert {tuple(request.values("x-authenticated-id")) for request in arranged.app.arrived} == {(KEY_ID,)}


@pytest.mark.long
@pytest.mark.parametrize("kind", ENVOYS)
def test_envoy_asks_over_http2_too(arrange: Any, kind: str) -> None:
    cases = [case for case in TARGETS if case.kind != "the absolute form"]
    assert measure(over_http2(arrange(kind).port), cases) == {}


UNSAFE = [case.name for case in TARGETS if case.kind.startswith("``\\|")]


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        # nginx refuses these itself.
        ("nginx", {400: ["/../a", "/%2e%2e/a", "/a%00b"]}),
        # Caddy escapes them on their way.
        ("caddy", {401: UNSAFE}),
    ],
)
def test_nginx_and_caddy_ask_with_the_target_as_it_came_and_send_on_what_was_verified(
    arrange: Any, kind: str, refused: dict[int, list[str]]
) -> None:
    arranged = arrange(kind)
    found: dict[int, list[str]] = {}
    for case in TARGETS:
        arranged.app.arrived.clear()
        status = arranged.send(bokun("GET", case.target)).status
        if status != 200:
            found.setdefault(status, []).append(case.name)
            assert not arranged.app.arrived
        else:
            [request] = arranged.app.arrived
            assert request.target == case.target.removeprefix("http://api.example.com")
            assert request.values("x-authenticated-id") == [KEY_ID]
            assert request.values("x-authenticated-scheme") == ["bokun"]
    assert found == refused


def test_another_method_or_target_than_the_signed_one_is_not_sent_on(arranged: Arrangement) -> None:
    arranged.app.arrived.clear()
    for data in (
        bokun("GET", "/b", signed_target="/a"),
        bokun("GET", "/a", "X-Original-URI: /b", "X-Forwarded-Uri: /b", signed_target="/b"),
        bokun("GET", "/a").replace(b"GET", b"DELETE", 1),
        bokun("GET", "/a", "X-Original-Method: GET", "X-Forwarded-Method: GET").replace(b"GET", b"DELETE", 1),
        bokun("GET", "/a", secret="another secret"),
        plain("GET", "/a"),
    ):
        assert arranged.send(data).status == 401
    assert not arranged.app.arrived


@pytest.mark.parametrize("name", ["X-Original-URL", "x-rewrite-url", "X-Vhm-Root", "Daphne-Root-Path"])
def test_what_a_server_may_take_for_another_path_is_not_sent_on(arranged: Arrangement, name: str) -> None:
    arranged.app.arrived.clear()
    for data in (plain("GET", "/open/a", f"{name}: /admin"), bokun("GET", "/a", f"{name}: /admin")):
        assert arranged.send(data).status in (400, 401, 403)
        assert "some servers run another path" in arranged.asked.refused[-1]
    assert not arranged.app.arrived


SPELLINGS = ("X-Authenticated-Id", "x-authenticated-ID", "X_Authenticated_Id", "X-Authenticated_Id")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_identity_from_outside_does_not_arrive(arranged: Arrangement, spelling: str) -> None:
    line = f"{spelling}: admin"
    for data, expected in ((plain("GET", "/open/a", line, line), ""), (bokun("GET", "/a", line, line), KEY_ID)):
        arranged.app.arrived.clear()
        status = arranged.send(data).status
        if arranged.kind == "caddy" and "_" in spelling:  # the others drop names with underscores
            assert status == 401
            assert not arranged.app.arrived
            assert arranged.asked.refused[-1].startswith("malformed: the header")
            continue
        assert status == 200
        [request] = arranged.app.arrived
        folded = [value for name, value in request.headers if name.lower().replace("_", "-") == "x-authenticated-id"]
        assert "".join(folded) == expected


def test_a_spelling_that_no_front_drops_is_refused(arranged: Arrangement) -> None:
    arranged.app.arrived.clear()
    for data in (plain("GET", "/open/a", "X.Authenticated.Id: admin"), bokun("GET", "/a", "X.Authenticated.Id: admin")):
        answer = arranged.send(data)
        if arranged.kind == "nginx":  # it drops names with dots as well
            assert answer.status == 200
            assert [request.values("X.Authenticated.Id") for request in arranged.app.arrived][-1] == []
        else:
            assert answer.status in (400, 401)
            assert not arranged.app.arrived


def test_a_front_answers_with_the_schemes_own_refusal_where_it_passes_one_on(arranged: Arrangement) -> None:
    answer = arranged.send(bokun("GET", "/a", secret="another secret"))
    assert answer.status == 401
    if arranged.kind != "nginx":  # it has a page of its own
        assert answer.body == b'"Signature not valid"'


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_gateway_does_not_answer_nothing_is_let_in(kind: str) -> None:
    with behind() as app, front(kind, free_port(), app.port) as running:
        for data in (bokun("GET", "/a"), plain("GET", "/open/a"), plain("GET", "/health")):
            assert send(running.port, data).status in (403, 500, 502, 503)
        assert not app.arrived


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_is_let_in_once_where_a_guard_is_asked(kind: str) -> None:
    guard = MemoryReplayGuard(born=0)
    with behind() as app, deciding(kind, guard=guard) as asked, front(kind, asked.port, app.port) as running:
        data = [bokun("POST", "/a", body=b"{}")]
        if not kind.startswith("envoy"):  # it refuses websockets, unless it is told to let them through
            handshake = bokun("GET", "/ws", "Upgrade: websocket")
            data.append(handshake.replace(b"Connection: close", b"Connection: Upgrade"))
        for sent in data:
            assert [send(running.port, sent, method="POST").status for _ in range(2)] == [200, 401]
        assert len(app.arrived) == len(data)
        assert [reason.partition(":")[0] for reason in asked.refused] == ["replayed"] * len(data)


# Envoy's body


def _empty_and_signed(arranged: Arrangement) -> bytes:
    """A goTom request that is signed with an empty body, as whoever listens has it."""
    return signed(Case("captured", "captured", "POST")).on_the_wire()


@pytest.mark.parametrize("kind", ENVOYS)
def test_a_body_put_on_a_signed_request_without_one_is_refused(arrange: Any, kind: str) -> None:
    arranged = arrange(kind)
    captured = _empty_and_signed(arranged)
    head = captured.partition(b"\r\n\r\n")[0].replace(b"\r\nContent-Length: 0", b"")
    arranged.app.arrived.clear()
    assert arranged.send(captured).status == 200
    for data in (
        head + b"\r\nContent-Length: 3\r\n\r\nabc",
        head + b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ):
        assert arranged.send(data).status == 401
    assert len(arranged.app.arrived) == 1


@pytest.mark.parametrize("kind", ENVOYS)
def test_an_announced_body_that_envoy_is_not_set_to_give_is_missed(arrange: Any, kind: str) -> None:
    arranged = arrange(kind)
    captured = _empty_and_signed(arranged)
    config = FRONTS[kind].config
    start = config.index("              with_request_body:")
    after = {
        "envoy-grpc": "          - name: envoy.filters.http.router",
        "envoy-http": "              allowed_headers:",
    }
    config = config[:start] + config[config.index(after[kind]) :]
    unset = fronts_running.Front(kind, FRONTS[kind].command, config, suffix=".yaml")
    arranged.app.arrived.clear()
    with fronts_running.running(unset, 0, {"gateway": arranged.asked.port, "app": arranged.app.port}) as running:
        for forged in ("", "\r\nX-Envoy-Auth-Partial-Body: false\r\nX-Original-Body: length=0"):
            lines = f"Content-Length: 3{forged}".encode()
            assert send(running.port, captured.replace(b"Content-Length: 0", lines) + b"abc").status in (403, 503)
            assert arranged.asked.refused[-1] == "unavailable: the front keeps the body, which this request needs"
    assert not arranged.app.arrived


@pytest.mark.parametrize("kind", ENVOYS)
def test_a_body_that_envoy_cuts_is_refused(arrange: Any, kind: str) -> None:
    arranged = arrange(kind)
    config = FRONTS[kind].config.replace("max_request_bytes: 1048576", "max_request_bytes: 8")
    config = config.replace("allow_partial_message: false", "allow_partial_message: true")
    cutting = fronts_running.Front(kind, FRONTS[kind].command, config, suffix=".yaml")
    whole = Case("cut", "cut", "POST", body=b"x" * 64)
    arranged.app.arrived.clear()
    with fronts_running.running(cutting, 0, {"gateway": arranged.asked.port, "app": arranged.app.port}) as running:
        for data in (signed(whole), signed(Case("cut", "cut", "POST", body=b"x" * 64, is_chunked=True))):
            assert send(running.port, data.on_the_wire(), method="POST").status in (403, 503)
            assert arranged.asked.refused[-1] == "unavailable: the front keeps the body, which this request needs"
    assert not arranged.app.arrived


def test_envoy_that_joins_header_lines_is_refused_over_grpc(arrange: Any) -> None:
    arranged = arrange("envoy-grpc")
    config = FRONTS["envoy-grpc"].config.replace("encode_raw_headers: true", "encode_raw_headers: false")
    joining = fronts_running.Front("envoy-grpc", FRONTS["envoy-grpc"].command, config, suffix=".yaml")
    with fronts_running.running(joining, 0, {"gateway": arranged.asked.port, "app": arranged.app.port}) as running:
        assert send(running.port, bokun("GET", "/a")).status == 503
    assert arranged.asked.refused[-1].endswith("set encode_raw_headers: true")


# Fronts that keep the body


@pytest.mark.parametrize("kind", ["nginx", "caddy", "traefik"])
def test_a_scheme_that_signs_the_body_is_refused_at_the_start(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"gotom signs the body, which {kind} keeps: have the gateway forward"):
        ForwardAuth(Verifier(GoTom(), {KEY_ID: SECRET}), kind)


def test_a_front_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="front 'squid' is unknown: use nginx, caddy, traefik, or a Front"):
        ForwardAuth(Verifier(GoTom(), {KEY_ID: SECRET}), "squid")


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_a_form_that_may_hold_credentials_is_refused_where_the_front_keeps_it(arrange: Any, kind: str) -> None:
    """GoGrid's may stand in the form or in the query, never in both, so the form has to be seen."""
    arranged = arrange(kind)
    arranged.app.arrived.clear()
    form = signed(Case("a form", "a form", "POST", body=b"a=1", content_type=FORM, scheme="gogrid"))
    assert arranged.send(form.on_the_wire(), method="POST").status >= 500
    assert arranged.asked.refused[-1].endswith("the front keeps the body, which this request needs")
    assert not arranged.app.arrived


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("X-Original-Method: GET",),
        ("X-Original-URI: /open/a",),
        ("X-Original-Method: GET", "X-Original-URI: /open/a", "X-Original-URI: /b"),
        ("X-Original-Method: GET", "X-Original-URI: http://api.example.com/open/a"),
    ],
)
def test_a_front_that_does_not_say_what_it_asks_about_lets_nothing_in(arrange: Any, lines: tuple[str, ...]) -> None:
    asked: Asked = arrange("nginx").asked
    assert send(asked.port, plain("GET", "/open/a", *lines)).status == 503
    assert asked.refused[-1].startswith("unavailable: ")


def test_traefiks_headers_are_its_own_names() -> None:
    """Traefik sends what Caddy does, and passes each refusal on; it is not run here."""
    with deciding("traefik") as asked:
        lines = ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /a?b=//", "X-Forwarded-Host: api.example.com")
        answer = send(asked.port, bokun("GET", "/", *lines, signed_target="/a?b=//"))
        assert (answer.status, answer.headers["x-authenticated-id"]) == (200, KEY_ID)
        assert send(asked.port, bokun("GET", "/a?b=//", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /")).status == 401


def test_an_announcement_that_is_there_twice_is_none() -> None:
    """Envoy may be set to append to what the client sends; then nobody can tell whose it is."""
    announced = "X-Original-Body: length="
    with deciding("envoy-http") as asked:
        assert send(asked.port, bokun("GET", "/a", announced)).status == 200
        for lines in ((), (announced, announced), ("X-Original-Body: length=0", announced)):
            assert send(asked.port, bokun("GET", "/a", *lines)).status == 503


@pytest.mark.parametrize("kind", ENVOYS)
def test_a_preflight_brings_no_body(kind: str) -> None:
    """Browsers send none, and Envoy does not always announce the one that it gives."""
    lines = ("Origin: https://a.example", "Access-Control-Request-Method: POST")
    asking = plain("OPTIONS", "/a", *lines)
    with behind() as app, deciding(kind, preflights=True) as asked, front(kind, asked.port, app.port) as running:
        assert send(running.port, asking).status == 200
        assert send(running.port, plain("OPTIONS", "/a", *lines, body=b"abc")).status == 401
        chunked = asking.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert send(running.port, chunked).status == 401
        unsigned = Signed(
            "OPTIONS", "/a", (("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST")), b""
        )
        assert over_http2(running.port)(unsigned) == "verified"  # what the server behind says
        assert over_http2(running.port)(replace(unsigned, body=b"abc", is_chunked=True)) == "401"
        assert len(app.arrived) == 2


def test_connection_takes_no_identity_off(arranged: Arrangement) -> None:
    """RFC 9110, section 7.6.1: a front that sets ours on the client's request may take off what Connection names after.

    The server behind would take what was signed for a request to a public path.
    """
    named = b"Connection: close, X-Authenticated-Id, X-Authenticated-Scheme"
    arranged.app.arrived.clear()
    assert arranged.send(bokun("GET", "/a").replace(b"Connection: close", named)).status == 200
    [request] = arranged.app.arrived
    assert (request.values("x-authenticated-id"), request.values("x-authenticated-scheme")) == ([KEY_ID], ["bokun"])
    assert arranged.send(plain("GET", "/open/a").replace(b"Connection: close", named)).status == 200
    assert set(arranged.app.arrived[-1].values("x-authenticated-id")) <= {""}


def test_a_websocket_is_guarded_where_the_front_takes_upgrade_off() -> None:
    """Traefik does, as Upgrade is of one connection, and leaves the key of the handshake."""
    lines = ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /ws", "Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==")
    with deciding("traefik", guard=MemoryReplayGuard(born=0)) as asked:
        data = bokun("GET", "/", *lines, signed_target="/ws")
        assert [send(asked.port, data).status for _ in range(2)] == [200, 401]
        assert [reason.partition(":")[0] for reason in asked.refused] == ["replayed"]
