"""A call to http://host that is led to https://host stays signed; whatever else of a host is not, and that is told."""

from __future__ import annotations

import asyncio
import email.message
import io
import logging
import socket
import ssl
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, build_opener
from urllib.request import Request as UrllibRequest
from urllib.response import addinfourl

import aiohttp
import httpx
import httpx2
import pytest
import trustme
from aiohttp.abc import AbstractResolver

from tests.clients.callers import Caller
from tests.clients.conftest import NOW, SECRET
from tests.clients.wire import WireServer, redirect
from undersign import GoTom, Request, Verifier
from undersign.clients._hop import HopSigner
from undersign.clients.aiohttp import SignatureAuth as AiohttpAuth
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.httpx import sign_every_hop
from undersign.clients.urllib import SignatureHandler
from undersign.core.credentials import secrets_of

HERE, THERE = "http://api.example.test", "https://api.example.test"
OPTIONS: dict[str, Any] = {"clock": lambda: NOW}


def of_urllib(seen: list[Request]) -> None:
    class Answers(HTTPHandler, HTTPSHandler):
        def http_open(self, request: UrllibRequest) -> Any:
            seen.append(
                Request("GET", request.selector, request.header_items(), b"", f"{request.type}://{request.host}")
            )
            headers = email.message.Message()
            if len(seen) == 1:
                headers["Location"] = THERE + "/2"
            answer = addinfourl(io.BytesIO(b""), headers, request.full_url, 302 if len(seen) == 1 else 200)
            answer.msg = "Moved"  # type: ignore[attr-defined]  # which the handlers of answers look at
            return answer

        https_open = http_open  # type: ignore[assignment]

    build_opener(SignatureHandler(GoTom(), "key", SECRET, **OPTIONS), Answers()).open(HERE + "/1").close()


def _httpx(library: Any, seen: list[Request]) -> Any:
    def answer(request: Any) -> Any:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        seen.append(Request(request.method, request.url.raw_path.decode(), request.headers.items(), b"", origin))
        return library.Response(302, headers={"Location": THERE + "/2"}) if len(seen) == 1 else library.Response(200)

    return library.MockTransport(answer)


def of_httpx(seen: list[Request]) -> None:
    for library in (httpx, httpx2):
        seen.clear()
        with sign_every_hop(library.Client(follow_redirects=True, transport=_httpx(library, seen))) as client:
            client.get(HERE + "/1", auth=HttpxAuth(GoTom(), "key", SECRET, **OPTIONS))


def of_async_httpx(seen: list[Request]) -> None:
    async def call() -> None:
        client = httpx.AsyncClient(follow_redirects=True, transport=_httpx(httpx, seen))
        async with sign_every_hop(client):
            await client.get(HERE + "/1", auth=HttpxAuth(GoTom(), "key", SECRET, **OPTIONS))

    asyncio.run(call())


def of_aiohttp(seen: list[Request]) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.test").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    with WireServer(lambda raw: redirect(302, THERE + "/2")) as here, WireServer(context=context) as there:

        class Resolver(AbstractResolver):
            async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
                found = {"hostname": host, "host": "127.0.0.1", "family": socket.AF_INET, "proto": 0, "flags": 0}
                return [{**found, "port": {80: here.port, 443: there.port}[port]}]

            async def close(self) -> None: ...

        async def call() -> None:
            connector = aiohttp.TCPConnector(resolver=Resolver(), ssl=trusting)
            auth = AiohttpAuth(GoTom(), "key", SECRET, **OPTIONS)
            async with aiohttp.ClientSession(connector=connector, middlewares=(auth,)) as session:
                (await session.get(HERE + "/1")).release()

        asyncio.run(call())
        seen += [here.received(), there.received()]


@pytest.mark.parametrize("call", [of_urllib, of_httpx, of_async_httpx, of_aiohttp])
def test_both_hops_are_signed(call: Any) -> None:
    seen: list[Request] = []
    call(seen)
    assert [request.target for request in seen] == ["/1", "/2"]
    verifier = Verifier(GoTom(), {"key": SECRET}, clock=lambda: NOW)
    assert [verifier.verify(request).key_id for request in seen] == ["key", "key"]


@pytest.mark.parametrize(
    ("home", "origin", "origins", "signed"),
    [
        (HERE, THERE, [], True),
        (HERE, THERE, [HERE], False),
        (HERE, THERE, [HERE, THERE], True),
        (THERE, HERE, [], False),
        (HERE + ":8080", THERE, [], False),
        (HERE + ":8080", THERE + ":8080", [], False),
        (HERE + ":443", THERE, [], False),
        (HERE, THERE + ":80", [], False),
        (HERE, "https://other.example.test", [], False),
        (HERE, "https://api.example.test.evil.test", [], False),
        ("http://[::1]", "https://[::1]", [], True),
        ("http://[::1]:8080", "https://[::1]:8080", [], False),
        (HERE, "", [], False),
        ("", "", ["https://api.example.test"], False),
    ],
)
def test_where_the_credential_may_go(home: str, origin: str, origins: list[str], signed: bool) -> None:
    hops = HopSigner(GoTom(), "key", secrets_of(SECRET, ()), origins, lambda: NOW)
    assert hops.allows(origin, home) is signed


def test_every_client_tells_that_a_redirect_goes_unsigned(
    any_caller: Caller, server: WireServer, elsewhere: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.respond = lambda raw: redirect(302, elsewhere.url)
    with caplog.at_level(logging.INFO, "undersign"):
        any_caller.call("GET", server.url, auth=any_caller.auth(GoTom(), "key", SECRET))
    told = [record.getMessage() for record in caplog.records if record.name == "undersign"]
    assert len(told) == 1
    assert f"{server.url} leads to {elsewhere.url} and goes there unsigned" in told[0]
