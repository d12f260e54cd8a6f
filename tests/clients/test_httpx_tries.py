"""Transports of httpx that send a request again, or otherwise than they got it: `sign_every_try` signs below them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import aiohttp
import httpx
import pytest
import yarl

from tests.clients.callers import aiterate, iterate
from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.test_httpx_hooks import TENANT, Library, auth_of
from tests.clients.test_httpx_hooks import library as library  # the fixture
from tests.clients.transports import ticking
from tests.clients.wire import OK, WireServer, redirect
from undersign import CannotSign, ConfigError, GoGrid, GoTom, Rejected, Scheme, Verifier, presets
from undersign.clients.httpx import SignatureAuth, sign_every_hop, sign_every_try

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ALL = pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True), TENANT], ids=["gotom", "gogrid", "header"])
HEADERS = {"X-Tenant": "t"}

Prepare = Callable[[Library, Any], Any]


def above(library: Library, transport: Any, prepare: Prepare) -> Any:
    """A transport as people wrap one: it sends what `prepare` makes of the request, and again while that is busy."""

    class Above(library.library.BaseTransport, library.library.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            while (response := transport.handle_request(prepare(library, request))).status_code == 503:
                response.close()
            return response

        async def handle_async_request(self, request: Any) -> Any:
            while (response := await transport.handle_async_request(prepare(library, request))).status_code == 503:
                await response.aclose()
            return response

    return Above()


def as_it_is(library: Library, request: Any) -> Any:
    return request


def changed(library: Library, request: Any) -> Any:
    """As caches do that ask whether what they hold is still good."""
    request.headers = library.library.Headers([*request.headers.raw, (b"If-None-Match", b'"a"')])
    request.headers["X-Tenant"] = "another"
    return request


def rebuilt(library: Library, request: Any) -> Any:
    return library.library.Request(
        request.method, request.url, headers=request.headers, stream=request.stream, extensions=request.extensions
    )


def inner(library: Library) -> Any:
    return library.library.AsyncHTTPTransport() if library.is_async else library.library.HTTPTransport()


def answers(*first: bytes) -> Callable[[bytes], bytes]:
    """Give these answers, and then 200."""
    left = itertools.chain(first, itertools.repeat(OK))
    return lambda raw: next(left)


def times(server: WireServer, scheme: Scheme) -> list[float | None]:
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    return [server.verified(verifier, index).at for index in range(len(server.requests))]


@ALL
@pytest.mark.parametrize("prepare", [as_it_is, changed, rebuilt])
@pytest.mark.parametrize("hops", [False, True], ids=["alone", "with sign_every_hop"])
def test_every_try_and_every_hop_has_a_signature_of_its_own(
    library: Library, server: WireServer, scheme: Scheme, prepare: Prepare, hops: bool
) -> None:
    server.respond = answers(BUSY, BUSY, redirect(307, "/next?y=2"), BUSY)
    transport = above(library, sign_every_try(inner(library)), prepare)
    client = library.client(auth=auth_of(scheme, clock=ticking()), transport=transport)
    if hops:
        sign_every_hop(client)
    response = library.send(client, "POST", server.url + "/a?x=1", data={"a": "1"}, headers=HEADERS)
    assert response.status_code == 200
    at = times(server, scheme)
    assert len(at) == 5
    assert len(set(at)) == 5  # a replay guard would take each


def test_a_stream_is_sent_whole_on_every_try(library: Library, server: WireServer) -> None:
    server.respond = answers(BUSY, BUSY)
    transport = above(library, sign_every_try(inner(library)), as_it_is)
    pieces = [b"a" * 700_000, b"b" * 700_000]
    client = library.client(auth=auth_of(GoTom(), clock=ticking()), transport=transport)
    library.send(client, "PUT", server.url, content=aiterate(pieces) if library.is_async else iterate(pieces))
    assert [server.received(index).body for index in range(3)] == [b"".join(pieces)] * 3
    assert len(set(times(server, GoTom()))) == 3


def test_what_nothing_changed_is_signed_once(library: Library, server: WireServer) -> None:
    """And each hop of a redirect."""
    server.respond = answers(redirect(307, "/next"))
    asked: list[float] = []

    def clock() -> float:
        asked.append(NOW)
        return NOW

    client = library.client(auth=auth_of(GoTom(), clock=clock), transport=sign_every_try(inner(library)))
    library.send(sign_every_hop(client), "GET", server.url)
    assert len(asked) == len(times(server, GoTom())) == 2


@ALL
def test_a_transport_that_leads_elsewhere_takes_no_credential_there(
    library: Library, server: WireServer, elsewhere: WireServer, scheme: Scheme
) -> None:
    def led(library: Library, request: Any) -> Any:
        request.url = request.url.copy_with(port=elsewhere.port)
        return request

    transport = above(library, sign_every_try(inner(library)), led)
    client = library.client(auth=auth_of(scheme), transport=transport)
    library.send(client, "POST", server.url + "/a?x=1", data={"a": "1"}, headers=HEADERS)
    received = elsewhere.requests[0].lower()
    for trace in (b"authorization", b"date:", b"sig=", b"api_key", KEY_ID.encode()):
        assert trace not in received
    assert (b"x-tenant" in received) == (scheme is not TENANT)  # what was not signed is the user's own
    assert received.endswith(b"\r\n\r\na=1")


def test_a_transport_may_lead_to_an_origin_that_is_named(
    library: Library, server: WireServer, elsewhere: WireServer
) -> None:
    def led(library: Library, request: Any) -> Any:
        request.url = request.url.copy_with(port=elsewhere.port)
        request.headers["Host"] = f"127.0.0.1:{elsewhere.port}"
        return request

    transport = above(library, sign_every_try(inner(library)), led)
    auth = auth_of(GoTom(), origins=[server.url, elsewhere.url])
    library.send(library.client(auth=auth, transport=transport), "POST", server.url + "/a", json={})
    assert times(elsewhere, GoTom()) == [int(NOW)]


def test_requests_without_our_auth_stay_as_they_are(library: Library, server: WireServer) -> None:
    client = library.client(transport=sign_every_try(inner(library)))
    library.send(client, "GET", server.url, headers={"Authorization": "Bearer other"})
    assert server.received().values("authorization") == ["Bearer other"]


def test_sign_every_try_twice_is_once_and_the_transport_stays_what_it_is(library: Library) -> None:
    transport = inner(library)
    kind = type(transport)
    assert sign_every_try(sign_every_try(transport)) is transport
    assert type(transport).__mro__[1] is kind
    assert type(transport).__name__ == kind.__name__


@pytest.mark.parametrize("target", ["/a?q=it%27s", "/%7e%2f?x=a%2Bb+c", "/a/%2e%2e/b?", "/a|b?x=[1]"])
def test_a_hook_writes_the_url_as_a_transport_on_another_library_will(server: WireServer, target: str) -> None:
    class OnAiohttp(httpx.AsyncBaseTransport):
        """As httpx-aiohttp does: yarl writes the URL."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            async with (
                aiohttp.ClientSession() as session,
                session.request(request.method, yarl.URL(str(request.url)), headers=request.headers) as response,
            ):
                return httpx.Response(response.status)

    async def as_yarl_writes_it(request: httpx.Request) -> None:
        target = yarl.URL(str(request.url)).raw_path_qs
        request.url = request.url.copy_with(raw_path=target.encode("ascii"))

    async def send(**hooks: Any) -> None:
        async with sign_every_hop(
            httpx.AsyncClient(transport=OnAiohttp(), auth=auth_of(GoTom()), event_hooks=hooks)
        ) as client:
            await client.get(server.url + target)

    asyncio.run(send(request=[as_yarl_writes_it]))
    assert times(server, GoTom()) == [int(NOW)]
    asyncio.run(send())
    with pytest.raises(Rejected):
        times(server, GoTom())


def test_a_transport_may_have_slots(library: Library, server: WireServer) -> None:
    """Those on curl_cffi have."""
    kind = library.library.AsyncHTTPTransport if library.is_async else library.library.HTTPTransport

    class Slotted:
        __slots__ = ("inner",)

        def __init__(self) -> None:
            self.inner = kind()

        def handle_request(self, request: Any) -> Any:
            return self.inner.handle_request(request)

        async def handle_async_request(self, request: Any) -> Any:
            return await self.inner.handle_async_request(request)

    server.respond = answers(BUSY)
    slotted: Any = Slotted()
    client = library.client(
        auth=auth_of(GoTom(), clock=ticking()), transport=above(library, sign_every_try(slotted), as_it_is)
    )
    library.send(client, "GET", server.url)
    assert len(set(times(server, GoTom()))) == 2


def test_what_is_no_transport_is_refused_by_name(library: Library) -> None:
    client: Any = library.client()
    with pytest.raises(ConfigError, match=r"sign_every_try takes a transport.*sign_every_hop"):
        sign_every_try(client)


class TestAnAuthAroundOurs:
    """httpx says how an auth for sync and async clients is written: one generator, `auth_flow`."""

    def around(self, library: Library, auth: SignatureAuth, *, whole: bool = False) -> Any:
        class Around(library.library.Auth):  # type: ignore[name-defined,misc]
            requires_request_body = whole

            def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
                request.headers["X-Tenant"] = "acme"
                yield from auth.auth_flow(request)

        return Around()

    @ALL
    def test_its_requests_are_signed(self, library: Library, server: WireServer, scheme: Scheme) -> None:
        auth = self.around(library, auth_of(scheme))
        library.send(library.client(auth=auth), "POST", server.url + "/a?x=1", data={"a": "1"})
        assert len(times(server, scheme)) == 1

    def test_a_stream_is_signed_where_it_can_be_read(self, library: Library, server: WireServer) -> None:
        def send(auth: Any) -> None:
            body: Any = aiterate([b"a", b"b"]) if library.is_async else iterate([b"a", b"b"])
            library.send(library.client(auth=auth), "PUT", server.url, content=body)

        if library.is_async:
            with pytest.raises(CannotSign, match=r"async stream.*async_auth_flow.*requires_request_body"):
                send(self.around(library, auth_of(GoTom())))
            assert not server.requests
            send(self.around(library, auth_of(GoTom()), whole=True))
        else:
            send(self.around(library, auth_of(GoTom())))
        assert len(times(server, GoTom())) == 1
        assert server.received().body == b"ab"

    def test_an_answer_that_cannot_be_read_to_be_checked_is_no_answer(
        self, library: Library, server: WireServer
    ) -> None:
        if not library.is_async:
            return
        auth = SignatureAuth(presets.acquia_v2(), "key", "dGhpcyBpcyBhIHNlY3JldA==", check_response=True)
        with pytest.raises(ConfigError, match=r"async stream.*async_auth_flow"):
            library.send(library.client(auth=self.around(library, auth)), "GET", server.url)

    def test_one_that_takes_the_flow_of_its_kind_reads_every_stream(self, library: Library, server: WireServer) -> None:
        auth = auth_of(GoTom())

        class Around(library.library.Auth):  # type: ignore[name-defined,misc]
            def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
                yield from auth.sync_auth_flow(request)

            async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
                flow = auth.async_auth_flow(request)
                try:
                    sent = await anext(flow)
                    while True:
                        sent = await flow.asend((yield sent))
                except StopAsyncIteration:
                    return

        pieces = [b"a", b"b"]
        body: Any = aiterate(pieces) if library.is_async else iterate(pieces)
        library.send(library.client(auth=Around()), "PUT", server.url, content=body)
        assert len(times(server, GoTom())) == 1
