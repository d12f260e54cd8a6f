"""Adapters that people derive from requests' own and that change what they send: that is signed, as late as it is."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.clients.callers import iterate
from tests.clients.conftest import NOW, SECRET
from tests.clients.transports import GOGRID, auth, verifier
from tests.clients.wire import OK, WireServer, once, redirect
from undersign import GoTom, HttpHmac, Scheme
from undersign.clients.requests import SignatureAuth

TENANT = HttpHmac(provider="p", signed_headers=("X-Tenant",))
ALL = pytest.mark.parametrize("scheme", [GoTom(), GOGRID, TENANT], ids=["gotom", "gogrid", "header"])
Change = Callable[[requests.PreparedRequest], None]


class Changes(HTTPAdapter):
    """As people write them."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        self._change(request)
        return super().send(request, *arguments, **keywords)


def session_of(change: Change) -> requests.Session:
    session = requests.Session()
    session.mount("http://", Changes(change))
    return session


def set_header(request: requests.PreparedRequest) -> None:
    request.headers["X-Tenant"] = "acme"


def set_query(request: requests.PreparedRequest) -> None:
    request.prepare_url(request.url, {"page": "1"})


def set_method(request: requests.PreparedRequest) -> None:
    request.method = "GET"


def compress(request: requests.PreparedRequest) -> None:
    if "Content-Encoding" not in request.headers:
        assert isinstance(request.body, (bytes, str))
        request.body = gzip.compress(request.body.encode() if isinstance(request.body, str) else request.body)
        request.headers["Content-Encoding"] = "gzip"
        request.headers["Content-Length"] = str(len(request.body))


@ALL
@pytest.mark.parametrize("change", [set_header, set_query, set_method])
def test_what_an_adapter_changes_is_signed_on_every_hop(server: WireServer, scheme: Scheme, change: Change) -> None:
    server.respond = once(redirect(307, "/next?y=2"))
    response = session_of(change).post(
        server.url + "/a?x=1", json={"a": 1}, headers={"X-Tenant": "t"}, auth=auth(scheme)
    )
    assert response.status_code == 200
    at = [server.verified(verifier(scheme), index).at for index in range(2)]
    assert len(set(at)) == 2


@pytest.mark.parametrize("scheme", [GoTom(), TENANT], ids=["gotom", "header"])
def test_a_body_that_an_adapter_compresses_is_signed_as_it_is_sent(server: WireServer, scheme: Scheme) -> None:
    session_of(compress).post(server.url + "/a", json={"a": 1}, headers={"X-Tenant": "t"}, auth=auth(scheme))
    assert server.verified(verifier(scheme))
    body = server.received().body
    assert isinstance(body, bytes)
    assert gzip.decompress(body) == b'{"a": 1}'


def test_a_stream_that_the_scheme_does_not_need_is_sent_by_it(server: WireServer) -> None:
    session_of(set_header).post(server.url, data=iterate([b"a", b"b"]), auth=auth(GOGRID))
    assert server.verified(verifier(GOGRID))
    assert server.received().body == b"ab"


@ALL
def test_a_hop_to_another_origin_stays_without_the_credential(
    server: WireServer, elsewhere: WireServer, scheme: Scheme
) -> None:
    server.respond = once(redirect(307, elsewhere.url + "/next"))
    session_of(set_header).post(server.url + "/a?x=1", json={"a": 1}, auth=auth(scheme))
    received = elsewhere.requests[0].lower()
    assert b"x-tenant: acme" in received  # which the adapter itself has set there
    for trace in (b"authorization", b"date:", b"sig=", b"api_key"):
        assert trace not in received


def test_an_adapter_that_sends_to_an_address_leaves_the_signature_as_it_is(server: WireServer) -> None:
    asked: list[float] = []

    def clock() -> float:
        asked.append(NOW)
        return NOW

    def to_address(request: requests.PreparedRequest) -> None:
        request.headers["X-Route"] = "address"
        request.url = (request.url or "").replace("api.example.test", f"127.0.0.1:{server.port}")

    session_of(to_address).get("http://api.example.test/a", auth=SignatureAuth(GoTom(), "key", SECRET, clock=clock))
    assert server.verified(verifier(GoTom()))
    assert len(asked) == 1


def test_a_hook_that_changes_the_request_and_sends_it_again_is_signed(server: WireServer) -> None:
    def again(response: requests.Response, **keywords: Any) -> requests.Response:
        if response.status_code != 401:
            return response
        response.content  # noqa: B018 - it frees the connection
        response.request.headers["X-Tenant"] = "acme"
        return response.connection.send(response.request, **keywords)

    server.respond = once(OK.replace(b"200 OK", b"401 No"))
    headers = {"X-Tenant": "t"}
    requests.post(server.url, json={}, headers=headers, hooks={"response": again}, auth=auth(TENANT), timeout=30)
    assert [server.verified(verifier(TENANT), index).at for index in range(2)] == [int(NOW), int(NOW) + 1]
