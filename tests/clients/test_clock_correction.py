"""With adjust_clock, a refusal over https that shows our clock is off is answered with the server's time, once."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import trustme

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import WireServer, redirect
from undersign import GoGrid, GoTom, Rejected, Request, Scheme, Verifier
from undersign.clients.aiohttp import SignatureAuth as AiohttpAuth
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.httpx import sign_every_hop
from undersign.clients.requests import SignatureAuth

Get = Callable[..., int]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


class VerifyingServer(WireServer):
    """Verifies at its own clock, and refuses with its own Date."""

    def __init__(
        self, scheme: Scheme, now: float, context: ssl.SSLContext | None = None, headers: str = "X-Any: thing"
    ) -> None:
        super().__init__(self._answer_to, context)
        self._headers = headers
        self._verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: self.now)
        self.now = now

    def _answer_to(self, raw: bytes) -> bytes:
        try:
            self._verifier.verify(Request.from_http(raw, origin=self.url))
            status = 200
        except Rejected:
            status = 401
        date = formatdate(self.now, usegmt=True)
        lines = [f"HTTP/1.1 {status} X", f"Date: {date}", self._headers, "Content-Length: 0", "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode()


def get_with_requests(url: str, bundle: str, scheme: Scheme, auth: Any = None, **keywords: Any) -> tuple[int, Any]:
    auth = auth or SignatureAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    return requests.post(url, auth=auth, verify=bundle, data={"a": "1"}, timeout=30).status_code, auth


def get_with_httpx(url: str, bundle: str, scheme: Scheme, auth: Any = None, **keywords: Any) -> tuple[int, Any]:
    auth = auth or HttpxAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    context = ssl.create_default_context(cafile=bundle)
    with sign_every_hop(httpx.Client(verify=context, timeout=30, follow_redirects=True)) as client:
        return client.post(url, auth=auth, data={"a": "1"}).status_code, auth


def get_with_async_httpx(url: str, bundle: str, scheme: Scheme, auth: Any = None) -> tuple[int, Any]:
    auth = auth or HttpxAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    context = ssl.create_default_context(cafile=bundle)

    async def send() -> int:
        async with sign_every_hop(httpx.AsyncClient(verify=context, timeout=30, follow_redirects=True)) as client:
            return (await client.post(url, auth=auth, data={"a": "1"})).status_code

    return asyncio.run(send()), auth


def get_with_aiohttp(url: str, bundle: str, scheme: Scheme, auth: Any = None) -> tuple[int, Any]:
    auth = auth or AiohttpAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    context = ssl.create_default_context(cafile=bundle)

    async def send() -> int:
        async with (
            aiohttp.ClientSession(middlewares=(auth,)) as session,
            session.post(url, data={"a": "1"}, ssl=context) as response,
        ):
            return response.status

    return asyncio.run(send()), auth


@pytest.fixture(
    params=[get_with_requests, get_with_httpx, get_with_async_httpx, get_with_aiohttp],
    ids=["requests", "httpx", "async", "aiohttp"],
)
def post(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("scheme", [GoTom(), GoGrid()], ids=["gotom", "gogrid"])
@pytest.mark.parametrize("off", [-7200, 7200])
def test_it_signs_once_more_and_remembers(
    post: Any, scheme: Scheme, off: int, context: ssl.SSLContext, bundle: str, caplog: pytest.LogCaptureFixture
) -> None:
    with VerifyingServer(scheme, NOW + off, context) as server, caplog.at_level(logging.WARNING, "undersign"):
        status, auth = post(server.url, bundle, scheme)
        assert (status, len(server.requests)) == (200, 2)
        status, _ = post(server.url, bundle, scheme, auth)
        assert (status, len(server.requests)) == (200, 3)
    assert [record.name for record in caplog.records] == ["undersign"]
    assert f"{off:+d} s" in caplog.text


def test_a_wrong_secret_is_tried_once(post: Any, context: ssl.SSLContext, bundle: str) -> None:
    with VerifyingServer(GoTom(provider="other"), NOW, context) as server:
        status, _ = post(server.url, bundle, GoTom())
        assert (status, len(server.requests)) == (401, 1)


def test_more_than_a_day_is_not_followed(post: Any, context: ssl.SSLContext, bundle: str) -> None:
    with VerifyingServer(GoTom(), NOW + 86_500, context) as server:
        status, _ = post(server.url, bundle, GoTom())
        assert (status, len(server.requests)) == (401, 1)


@pytest.mark.parametrize(
    "headers",
    [
        "Age: 7200",
        "Age: 1",
        'Warning: 110 - "Response is Stale"',
        'warning: 299 a "b", 112 a.example "Disconnected Operation"',
        "Cache-Status: ExampleCache; hit; ttl=376",
        "Cache-Status: Origin; fwd=miss, Edge; hit",
        "X-Cache: HIT from a.example",
        "X-Cache: TCP_MEM_HIT",
        "X-Cache: MISS, HIT",
        "X-Cache: RefreshHit from cloudfront",
        "X-Cache-Hits: 0, 3",
        "CF-Cache-Status: STALE",
        "X-Proxy-Cache: UPDATING",
        "Date: Thu, 07 Nov 2024 10:00:00 GMT",
    ],
)
def test_what_a_cache_answers_teaches_nothing(
    post: Any, context: ssl.SSLContext, bundle: str, headers: str, caplog: pytest.LogCaptureFixture
) -> None:
    with VerifyingServer(GoTom(), NOW - 7200, context, headers) as server:
        status, auth = post(server.url, bundle, GoTom())
        assert (status, len(server.requests)) == (401, 1)
        server.now = NOW
        assert post(server.url, bundle, GoTom(), auth)[0] == 200
        assert len(server.requests) == 2
    assert "clock" not in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        "Age: 0",
        "Cache-Control: no-store",
        "Cache-Status: Edge; fwd=stale; fwd-status=401",
        "X-Cache: MISS from white.example",
        "X-Cache: Error from cloudfront",
        "X-Cache-Hits: 0",
        "CF-Cache-Status: DYNAMIC",
        'Warning: 199 - "Something"',
    ],
)
def test_what_comes_through_a_cache_is_the_servers_own(
    post: Any, context: ssl.SSLContext, bundle: str, headers: str
) -> None:
    with VerifyingServer(GoTom(), NOW + 7200, context, headers) as server:
        status, _ = post(server.url, bundle, GoTom())
        assert (status, len(server.requests)) == (200, 2)


def test_plain_http_is_not_believed(post: Any, bundle: str) -> None:
    with VerifyingServer(GoTom(), NOW + 7200) as server:
        status, _ = post(server.url, bundle, GoTom())
        assert (status, len(server.requests)) == (401, 1)


def test_where_the_credential_may_not_go_no_clock_is_followed(
    post: Any, context: ssl.SSLContext, bundle: str, server: WireServer
) -> None:
    with VerifyingServer(GoTom(), NOW + 7200, context) as elsewhere:
        server.respond = lambda raw: redirect(307, elsewhere.url)
        post(server.url, bundle, GoTom())
        assert (len(server.requests), len(elsewhere.requests)) == (1, 1)
        assert b"authorization" not in elsewhere.requests[0].lower()


def test_without_the_option_nothing_is_corrected(context: ssl.SSLContext, bundle: str) -> None:
    with VerifyingServer(GoTom(), NOW + 7200, context) as server:
        auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
        assert get_with_requests(server.url, bundle, GoTom(), auth)[0] == 401
        assert len(server.requests) == 1


def test_the_offset_of_one_origin_is_not_used_for_another(context: ssl.SSLContext, bundle: str) -> None:
    auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    with VerifyingServer(GoTom(), NOW + 7200, context) as late, VerifyingServer(GoTom(), NOW, context) as right:
        assert get_with_requests(late.url, bundle, GoTom(), auth)[0] == 200
        assert get_with_requests(right.url, bundle, GoTom(), auth)[0] == 200
        assert (len(late.requests), len(right.requests)) == (2, 1)


@pytest.mark.parametrize("library", [SignatureAuth, HttpxAuth])
def test_a_file_is_sent_again_from_where_it_stood(
    library: Any, context: ssl.SSLContext, bundle: str, tmp_path: Path
) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"headtail")
    auth = library(GoTom(), KEY_ID, SECRET, clock=lambda: NOW, adjust_clock=True)
    with VerifyingServer(GoTom(), NOW + 7200, context) as server, path.open("rb") as file:
        file.seek(4)
        if library is SignatureAuth:
            requests.post(server.url, auth=auth, verify=bundle, data=file, timeout=30)
        else:
            httpx.post(server.url, auth=auth, verify=ssl.create_default_context(cafile=bundle), content=file)
        assert [server.received(index).body for index in range(2)] == [b"tail", b"tail"]
