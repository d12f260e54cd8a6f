"""Request hooks of httpx run behind auth: with sign_every_hop, what they change is signed, whenever they were added."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import httpx2
import pytest

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import WireServer, once, redirect
from undersign import CannotSign, GoGrid, GoTom, HttpHmac, Scheme, Verifier
from undersign.clients.httpx import SignatureAuth, sign_every_hop

Hook = Callable[[Any], None]
TENANT = HttpHmac(provider="p", signed_headers=("X-Tenant",))
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Library:
    """httpx or httpx2, sync or async, asked in the same words."""

    def __init__(self, library: Any, *, is_async: bool) -> None:
        self.library = library
        self.is_async = is_async

    def hook(self, hook: Hook) -> Any:
        if not self.is_async:
            return hook

        async def called(request: Any) -> None:
            hook(request)

        return called

    def client(self, **keywords: Any) -> Any:
        kind = self.library.AsyncClient if self.is_async else self.library.Client
        return kind(**{"follow_redirects": True, "timeout": 30, **keywords})

    def send(self, client: Any, method: str, url: str, **keywords: Any) -> Any:
        """The answer to the request; and to each redirect that is followed by hand, where the client follows none."""
        if self.is_async:
            return asyncio.run(self._asend(client, method, url, keywords))
        return self._send(client, method, url, keywords)

    def _send(self, client: Any, method: str, url: str, keywords: Any) -> Any:
        with client:
            response = client.request(method, url, **keywords)
            while response.next_request is not None:
                response = client.send(response.next_request)
            return response

    async def _asend(self, client: Any, method: str, url: str, keywords: Any) -> Any:
        async with client:
            response = await client.request(method, url, **keywords)
            while response.next_request is not None:
                response = await client.send(response.next_request)
            return response


@pytest.fixture(
    params=[Library(library, is_async=is_async) for library in (httpx, httpx2) for is_async in (False, True)],
    ids=["httpx", "httpx-async", "httpx2", "httpx2-async"],
)
def library(request: pytest.FixtureRequest) -> Library:
    found: Library = request.param
    return found


def auth_of(scheme: Scheme, **keywords: Any) -> SignatureAuth:
    return SignatureAuth(scheme, KEY_ID, SECRET, **{"clock": lambda: NOW, **keywords})


def set_header(request: Any) -> None:
    request.headers["X-Tenant"] = "acme"


def set_date(request: Any) -> None:
    request.headers["Date"] = "Thu, 07 Nov 2024 09:00:00 GMT"


def set_method(request: Any) -> None:
    request.method = "GET"


def set_query(request: Any) -> None:
    request.url = request.url.copy_merge_params({"page": "1"})


def set_authorization(request: Any) -> None:
    request.headers["Authorization"] = "Bearer other"


def set_body(request: Any) -> None:
    body = b"b=2"
    # As the library of the request has it.
    module = httpx if isinstance(request, httpx.Request) else httpx2
    request.stream = module.ByteStream(body)
    request.headers["Content-Length"] = str(len(body))


def drop_signature(request: Any) -> None:
    request.headers.pop("Authorization", None)
    request.url = request.url.copy_with(query=b"x=1")


CHANGES = [set_header, set_date, set_method, set_query, set_authorization, set_body, drop_signature]
LATER = ["appended", "assigned", "put first"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("scheme", [TENANT, GoGrid(allow_http=True)], ids=["header", "query"])
@pytest.mark.parametrize(
    ("change", "added"),
    [*((change, "before") for change in CHANGES), *((set_header, added) for added in LATER)],
)
def test_what_a_hook_changes_is_signed_on_every_hop(
    library: Library, server: WireServer, change: Hook, added: str, scheme: Scheme
) -> None:
    server.respond = once(redirect(307, "/next?y=2"))
    hook = library.hook(change)
    client = sign_every_hop(
        library.client(auth=auth_of(scheme), event_hooks={"request": [hook] if added == "before" else []})
    )
    if added == "appended":
        client.event_hooks["request"].append(hook)
    elif added == "assigned":
        client.event_hooks = {"request": [hook]}
    elif added == "put first":
        client.event_hooks = {"request": [*client.event_hooks["request"], hook]}
    response = library.send(client, "POST", server.url + "/a?x=1", content=b"a=1", headers={"X-Tenant": "t"})
    assert response.status_code == 200
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    assert [server.verified(verifier, index).key_id for index in range(2)] == [KEY_ID] * 2
    assert response.request.content == server.received().body
    assert server.received().method == ("GET" if change is set_method else "POST")


def test_a_form_that_a_hook_changes_is_signed_within(library: Library, server: WireServer) -> None:
    scheme = GoGrid(allow_http=True)
    hook = library.hook(set_body)
    client = sign_every_hop(library.client(auth=auth_of(scheme), event_hooks={"request": [hook]}))
    response = library.send(client, "POST", server.url, content=b"a=1", headers=FORM)
    assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW))
    assert response.request.content == server.received().body
    assert parse_qs(response.request.content.decode())["b"] == ["2"]


def test_a_request_that_no_hook_changes_is_signed_once(library: Library, server: WireServer) -> None:
    seconds = itertools.count(int(NOW))
    client = sign_every_hop(library.client(auth=auth_of(GoTom(), clock=lambda: next(seconds))))
    library.send(client, "POST", server.url, content=b"a=1")
    assert next(seconds) == int(NOW) + 1


def move_to(server: WireServer) -> Hook:
    def move(request: Any) -> None:
        request.url = request.url.copy_with(port=server.port)

    return move


def test_a_call_that_a_hook_sends_elsewhere_is_signed_for_there(
    library: Library, server: WireServer, elsewhere: WireServer
) -> None:
    elsewhere.respond = once(redirect(307, "/next"))
    hook = library.hook(move_to(elsewhere))
    client = sign_every_hop(library.client(auth=auth_of(GoTom()), event_hooks={"request": [hook]}))
    library.send(client, "POST", server.url)
    verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
    assert [elsewhere.verified(verifier, index).key_id for index in range(2)] == [KEY_ID] * 2


def test_a_hook_sends_the_credential_nowhere_but_to_its_origins(
    library: Library, server: WireServer, elsewhere: WireServer
) -> None:
    hook = library.hook(move_to(elsewhere))
    auth = auth_of(GoTom(), origins=[server.url])
    client = sign_every_hop(library.client(auth=auth, event_hooks={"request": [hook]}))
    with pytest.raises(CannotSign, match="origin"):
        library.send(client, "POST", server.url)
    assert not elsewhere.requests


@pytest.mark.parametrize("scheme", [TENANT, GoGrid(allow_http=True)], ids=["header", "query"])
def test_a_redirect_elsewhere_carries_no_trace_whatever_hooks_set(
    library: Library, server: WireServer, elsewhere: WireServer, scheme: Scheme
) -> None:
    server.respond = once(redirect(307, elsewhere.url + "/next"))
    hooks = {"request": [library.hook(set_header), library.hook(set_date)]}
    client = sign_every_hop(library.client(auth=auth_of(scheme), event_hooks=hooks))
    library.send(client, "POST", server.url + "/a", content=b"a=1", headers=FORM)
    received = elsewhere.requests[0].lower()
    for trace in (b"authorization", b"date:" if scheme is TENANT else b"sig=", b"api_key", KEY_ID.encode()):
        assert trace not in received


@pytest.mark.parametrize("every_hop", [True, False])
@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def test_redirects_that_are_followed_by_hand_are_hops_of_the_same_call(
    library: Library, server: WireServer, elsewhere: WireServer, scheme: Scheme, every_hop: bool
) -> None:
    answers = iter([redirect(307, "/next"), redirect(307, elsewhere.url + "/next")])
    server.respond = lambda raw: next(answers)
    client = library.client(auth=auth_of(scheme), follow_redirects=False)
    if every_hop:
        client = sign_every_hop(client)
    library.send(client, "POST", server.url + "/a", content=b"a=1", headers=FORM)
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    assert [server.verified(verifier, index).key_id for index in range(2)] == [KEY_ID] * 2
    received = elsewhere.requests[0].lower()
    for trace in (b"authorization", b"date:", b"sig=", b"api_key", KEY_ID.encode()):
        assert trace not in received


def test_sign_every_hop_twice_is_once(library: Library, server: WireServer) -> None:
    client = library.client(auth=auth_of(GoTom()))
    assert sign_every_hop(sign_every_hop(client)) is client
    assert len(client.event_hooks["request"]) == 1
    assert isinstance(client, library.library.AsyncClient if library.is_async else library.library.Client)
