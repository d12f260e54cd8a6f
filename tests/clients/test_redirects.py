"""Every hop within the credential's origins is signed afresh; any other goes without a trace of the credential."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import httpx
import pytest
import requests

from tests.clients.callers import Caller, iterate
from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import OK, WireServer, once, redirect
from undersign import CannotSign, GoGrid, GoTom, HttpHmac, Rejected, Request, Scheme, Verifier
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.httpx import sign_every_hop
from undersign.clients.requests import SignatureAuth

STATUSES = [301, 302, 303, 307, 308]


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time it is read."""
    seconds = itertools.count(int(NOW))
    return lambda: float(next(seconds))


def methods(server: WireServer) -> list[str]:
    return [server.received(index).method for index in range(len(server.requests))]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("location", ["/next", "/n%2fext?q=%2f&&", "../up"])
def test_the_next_hop_within_the_origin_verifies(
    caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, status: int, location: str
) -> None:
    server.respond = once(redirect(status, location))
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call("GET", server.url + "/a/b/c?x=1", auth=auth) == 200
    assert len(server.requests) == 2
    for index in range(2):
        assert server.verified(verifier, index).key_id == KEY_ID


@pytest.mark.parametrize("status", STATUSES)
def test_a_post_is_signed_as_what_becomes_of_it(
    caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, status: int
) -> None:
    server.respond = once(redirect(status, "/next"))
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call("POST", server.url, auth=auth, data={"a": "1"}) == 200
    assert methods(server) == ["POST", "POST" if status in (307, 308) else "GET"]
    assert server.verified(verifier).key_id == KEY_ID


def test_each_hop_has_a_fresh_date_and_signature(any_caller: Caller, server: WireServer) -> None:
    answers = iter([redirect(302, "/2"), redirect(307, server.url + "/3"), OK])
    server.respond = lambda raw: next(answers)
    auth = any_caller.auth(GoTom(), KEY_ID, SECRET, clock=ticking())
    any_caller.call("GET", server.url + "/1", auth=auth)
    assert [server.received(index).values("date") for index in range(3)] == [
        ["2024-11-07T10:21:15Z"],
        ["2024-11-07T10:21:16Z"],
        ["2024-11-07T10:21:17Z"],
    ]


def test_gogrid_replaces_its_parameters_where_the_location_carries_them(
    caller: Caller, server: WireServer, verifier: Verifier
) -> None:
    server.respond = once(redirect(302, "/next?api_key=old&x=1&sig=0&v=1.5"))
    auth = caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth)
    assert server.received().target.startswith("/next?api_key=key&x=1&sig=")
    gogrid = Verifier(GoGrid(allow_http=True), {"key": SECRET}, clock=lambda: NOW)
    assert server.verified(gogrid).key_id == "key"


@pytest.mark.parametrize("status", STATUSES)
def test_another_origin_gets_no_trace_of_a_header_signature(
    caller: Caller, server: WireServer, elsewhere: WireServer, status: int
) -> None:
    server.respond = once(redirect(status, elsewhere.url + "/next"))
    scheme = HttpHmac(provider="Acme", signed_headers=("X-Tenant",))
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth, headers={"X-Tenant": "t", "X-Other": "stays"})
    assert server.received().values("x-tenant") == ["t"]
    request = elsewhere.received()
    assert {name.lower() for name, _ in request.headers}.isdisjoint({"authorization", "date", "x-tenant"})
    assert request.values("x-other") == ["stays"]


@pytest.mark.parametrize("status", [307, 308])
def test_another_origin_gets_no_trace_of_gogrid_s_parameters(
    caller: Caller, server: WireServer, elsewhere: WireServer, status: int
) -> None:
    def respond(raw: bytes) -> bytes:
        query = Request.from_http(raw).target.partition("?")[2]
        return redirect(status, f"{elsewhere.url}/next?{query}&v=1.5&kept=%2f")

    server.respond = respond
    auth = caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=lambda: NOW)
    caller.call("GET", server.url + "/p?x=1", auth=auth)
    assert elsewhere.received().target.upper() == "/NEXT?X=1&KEPT=%2F"
    caller.call("POST", server.url, auth=auth, data={"a": "1", "b": "2"})
    request = elsewhere.received()
    assert request.body == b"a=1&b=2"
    assert request.values("content-length") == ["7"]


ODD_PLACES = [
    "/next?next=%2Fx%3Fapi_key%3Dkey%26sig%3D{sig}%26v%3D1.5",
    "/next?to=https%253A%252F%252Fapi.example%252F%253Fsig%253D{sig}",
    "/next?a=1;sig={sig};b=2",
    "/next?SIG={upper}&x=1",
    "/next?token={escaped}",
    "/next?token={escaped_thrice}",
    "/{sig}/next",
    "/next;sig={sig}?x=1",
]


@pytest.mark.parametrize("place", ODD_PLACES)
def test_another_origin_gets_no_signature_in_an_odd_place_either(
    any_caller: Caller, server: WireServer, elsewhere: WireServer, place: str
) -> None:
    signatures: list[str] = []

    def respond(raw: bytes) -> bytes:
        query = dict(parse_qsl(Request.from_http(raw).target.partition("?")[2]))
        signatures.append(query["sig"])
        forms = {"sig": query["sig"], "upper": query["sig"].upper(), "escaped": quote_all(query["sig"])}
        forms["escaped_thrice"] = quote(quote(forms["escaped"]))
        return redirect(302, elsewhere.url + place.format(**forms))

    server.respond = respond
    auth = any_caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=lambda: NOW)
    assert any_caller.call("GET", server.url + "/p?x=1", auth=auth) == 200
    arrived = elsewhere.received().target
    assert arrived.startswith(("/next", "//next"))
    assert signatures[0] not in unquote(unquote(unquote(arrived))).lower()


def quote_all(text: str) -> str:
    return "".join(f"%{ord(character):02X}" for character in text)


def test_the_way_back_to_the_origin_is_signed_again(
    any_caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, elsewhere: WireServer
) -> None:
    server.respond = once(redirect(302, elsewhere.url))
    elsewhere.respond = lambda raw: redirect(302, server.url + "/back")
    auth = any_caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert any_caller.call("GET", server.url, auth=auth) == 200
    assert server.verified(verifier).key_id == KEY_ID
    with pytest.raises(Rejected, match="missing"):
        elsewhere.verified(verifier)


def test_named_origins_are_all_signed_and_no_other_is_called(
    any_caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, elsewhere: WireServer
) -> None:
    server.respond = once(redirect(302, elsewhere.url))
    auth = any_caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW, origins=[server.url, elsewhere.url])
    assert any_caller.call("GET", server.url, auth=auth) == 200
    assert elsewhere.verified(verifier).key_id == KEY_ID
    here_alone = any_caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW, origins=[server.url])
    with pytest.raises(CannotSign, match="add that to its origins"):
        any_caller.call("GET", elsewhere.url, auth=here_alone)
    assert len(elsewhere.requests) == 1


def test_netrc_never_steps_in(
    caller: Caller, server: WireServer, elsewhere: WireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password netrc-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    answers = iter([redirect(302, "/2"), redirect(302, elsewhere.url)])
    server.respond = lambda raw: next(answers)
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth)
    sent = b"".join(server.requests + elsewhere.requests)
    assert b"Basic" not in sent
    assert sent.count(b"gotom_app_api ") == 2


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("pieces", [[b"one", b"two"], [b"x" * 700_000] * 2], ids=["small", "on disk"])
def test_a_redirect_sends_a_generator_again_whole(
    caller: Caller, server: WireServer, status: int, pieces: list[bytes]
) -> None:
    server.respond = once(redirect(status, "/next"))
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url, auth=auth, **caller.stream(pieces))
    assert server.received(1).body == b"".join(pieces)
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_a_redirect_sends_a_file_again_from_where_it_stood(caller: Caller, server: WireServer, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"headtail")
    server.respond = once(redirect(307, "/next"))
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    with path.open("rb") as file:
        file.seek(4)
        caller.call("POST", server.url, auth=auth, **caller.raw(file))
    assert [server.received(index).body for index in range(2)] == [b"tail", b"tail"]
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_a_stream_that_was_not_needed_is_never_sent_again_empty(caller: Caller, server: WireServer) -> None:
    server.respond = once(redirect(307, "/next"))
    auth = caller.auth(GoGrid(allow_http=True), KEY_ID, SECRET, clock=lambda: NOW)
    with pytest.raises((CannotSign, RuntimeError)):  # RuntimeError: httpx's own StreamConsumed
        caller.call("POST", server.url, auth=auth, **caller.stream([b"one", b"two"]))
    assert len(server.requests) == 1


class TestRequestsStaysItself:
    """What requests does around auth, hooks and redirects goes on as it was."""

    def test_allow_redirects_false_gives_a_next_request_that_signs_itself(self, server: WireServer) -> None:
        server.respond = once(redirect(302, "/next"))
        auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=ticking())
        with requests.Session() as session:
            response = session.get(server.url, auth=auth, allow_redirects=False)
            assert response.status_code == 302
            assert len(server.requests) == 1
            assert response.next is not None
            assert session.send(response.next).status_code == 200
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).at == int(NOW) + 1

    def test_max_redirects_and_history_stay(self, server: WireServer) -> None:
        server.respond = lambda raw: redirect(302, "/again")
        with requests.Session() as session:
            session.max_redirects = 3
            session.auth = SignatureAuth(GoTom(), KEY_ID, SECRET)
            with pytest.raises(requests.TooManyRedirects):
                session.get(server.url)
        assert len(server.requests) == 4

    def test_hooks_and_cookies_stay(self, server: WireServer) -> None:
        answers = iter([redirect(302, "/2").replace(b"Content-Length", b"Set-Cookie: c=1\r\nContent-Length"), OK])
        server.respond = lambda raw: next(answers)
        seen: list[int] = []
        auth = SignatureAuth(GoTom(), KEY_ID, SECRET)

        def hook(response: requests.Response, *arguments: Any, **keywords: Any) -> None:
            seen.append(response.status_code)

        requests.get(server.url, auth=auth, hooks={"response": hook}, timeout=30)
        assert seen == [302, 200]
        assert server.received().values("cookie") == ["c=1"]

    def test_head_is_not_redirected(self, server: WireServer) -> None:
        server.respond = lambda raw: redirect(302, "/2")
        assert requests.head(server.url, auth=SignatureAuth(GoTom(), KEY_ID, SECRET), timeout=30).status_code == 302
        assert len(server.requests) == 1

    def test_a_response_can_be_pickled_and_takes_no_secret_along(self, server: WireServer) -> None:
        auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
        response = requests.get(server.url, auth=auth, timeout=30)
        pickled = pickle.dumps(response)
        assert SECRET.encode() not in pickled
        assert pickle.loads(pickled).request.headers["Date"] == "2024-11-07T10:21:15Z"

    def test_a_request_that_cannot_be_signed_is_left_as_it_was(self) -> None:
        request = requests.Request("PUT", "https://h/p", json={"a": 1}).prepare()
        before = dict(request.__dict__), dict(request.headers)
        with pytest.raises(CannotSign, match="GET and POST"):
            SignatureAuth(GoGrid(), KEY_ID, SECRET)(request)
        assert (dict(request.__dict__), dict(request.headers)) == before
        assert type(request) is requests.PreparedRequest


class TestHttpxStaysItself:
    def test_without_sign_every_hop_the_first_hop_alone_is_signed(self, server: WireServer) -> None:
        server.respond = once(redirect(302, "/next"))
        auth = HttpxAuth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
        httpx.get(server.url, auth=auth, follow_redirects=True)
        verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
        assert server.verified(verifier, 0).key_id == KEY_ID
        with pytest.raises(Rejected, match="mismatch"):
            server.verified(verifier, 1)

    def test_sign_every_hop_twice_is_once_and_other_hooks_stay(self) -> None:
        seen: list[httpx.Request] = []
        with httpx.Client(event_hooks={"request": [seen.append]}) as client:
            assert sign_every_hop(sign_every_hop(client)) is client
            assert client.event_hooks["request"][0] == seen.append
            assert len(client.event_hooks["request"]) == 2

    def test_requests_with_another_auth_pass_untouched(self, server: WireServer) -> None:
        server.respond = once(redirect(302, "/next"))
        with sign_every_hop(httpx.Client(follow_redirects=True)) as client:
            client.get(server.url, auth=("user", "password"))
        assert server.received().values("authorization")[0].startswith("Basic ")

    def test_a_next_request_signs_itself_when_it_is_sent(self, server: WireServer) -> None:
        server.respond = once(redirect(302, "/next"))
        with sign_every_hop(httpx.Client()) as client:
            response = client.get(server.url, auth=HttpxAuth(GoTom(), KEY_ID, SECRET, clock=ticking()))
            assert response.next_request is not None
            client.send(response.next_request)
        assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).at == int(NOW) + 1

    def test_a_generator_for_the_sync_client_alone_is_iterated(self, server: WireServer) -> None:
        with httpx.Client() as client:
            client.post(server.url, content=iterate([b"a"]), auth=HttpxAuth(GoTom(), KEY_ID, SECRET))
        assert server.received().body == b"a"

    def test_a_request_that_cannot_be_signed_is_left_as_it_was(self) -> None:
        request = httpx.Request("PUT", "https://h/p?x=1", json={"a": 1})
        before = request.url, request.headers.raw, request.stream
        with pytest.raises(CannotSign, match="GET and POST"):
            next(HttpxAuth(GoGrid(), KEY_ID, SECRET).sync_auth_flow(request))
        assert (request.url, request.headers.raw, request.stream) == before
        assert request.extensions == {}


def test_another_origin_gets_no_trace_of_an_earlier_hop_s_signature_either(
    any_caller: Caller, server: WireServer, elsewhere: WireServer
) -> None:
    seen: list[str] = []

    def respond(raw: bytes) -> bytes:
        seen.append(Request.from_http(raw).target.partition("?")[2])
        return redirect(302, "/2" if len(seen) == 1 else f"{elsewhere.url}/?{seen[0]}&x=1")

    server.respond = respond
    any_caller.call("GET", server.url, auth=any_caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=ticking()))
    assert elsewhere.received().target == "/?x=1"


def test_a_signed_host_follows_the_redirect(caller: Caller, server: WireServer, elsewhere: WireServer) -> None:
    scheme = HttpHmac(provider="Acme", signed_headers=("Host",))
    server.respond = once(redirect(302, elsewhere.url + "/next"))
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW, origins=[server.url, elsewhere.url])
    caller.call("GET", server.url, auth=auth)
    assert elsewhere.received().values("host") == [elsewhere.url.removeprefix("http://")]
    assert elsewhere.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID
