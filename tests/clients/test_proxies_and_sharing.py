"""Environment proxies stay in use, and one auth object serves many clients, threads and tasks at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import httpx2
import pytest
import requests

from tests.clients.callers import Caller
from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, Request, Scheme, Verifier
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.httpx import sign_every_hop
from undersign.clients.requests import SignatureAuth


def test_the_environment_s_proxy_is_used_and_what_it_gets_verifies(
    caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call("GET", "http://api.example.test/a?x=1", auth=auth) == 200
    assert server.received().target.startswith("http://api.example.test/a?x=1")
    assert server.verified(verifier).key_id == KEY_ID


def _check_all(server: WireServer, verifier: Verifier, count: int) -> None:
    assert len(server.requests) == count
    seen = set()
    for raw in server.requests:
        request = Request.from_http(raw, origin=server.url)
        assert verifier.verify(request).key_id == KEY_ID
        seen.add(request.values("x-number")[0])
        assert request.target.startswith(f"/p?n={request.values('x-number')[0]}")
    assert len(seen) == count


def test_sixteen_threads_share_one_auth(scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
    by_requests = SignatureAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    by_httpx = HttpxAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW)

    def send(number: int) -> None:
        url, headers = f"{server.url}/p?n={number}", {"X-Number": str(number)}
        if number % 3 == 0:
            requests.post(url, auth=by_requests, headers=headers, data={"n": str(number)}, timeout=30)
        else:
            library = httpx if number % 3 == 1 else httpx2
            library.post(url, auth=by_httpx, headers=headers, data={"n": str(number)}, timeout=30)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(96)))
    _check_all(server, verifier, 96)


def test_sixty_four_tasks_share_one_auth(scheme: Scheme, verifier: Verifier, server: WireServer) -> None:
    auth = HttpxAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW)

    async def send_all() -> None:
        async with (
            sign_every_hop(httpx.AsyncClient(auth=auth)) as one,
            sign_every_hop(httpx2.AsyncClient(auth=auth)) as two,
        ):

            async def send(number: int) -> None:
                client = one if number % 2 else two
                url, headers = f"{server.url}/p?n={number}", {"X-Number": str(number)}
                await client.post(url, headers=headers, data={"n": str(number)}, timeout=30)

            await asyncio.gather(*(send(number) for number in range(64)))

    asyncio.run(send_all())
    _check_all(server, verifier, 64)


@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)])
def test_one_auth_serves_the_test_client_as_well(scheme: Scheme) -> None:
    testclient = pytest.importorskip("starlette.testclient")
    received: list[Request] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # three words of ASGI
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        message = await receive()
        received.append(Request(scope["method"], target, headers, message.get("body", b""), "http://testserver"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    auth = HttpxAuth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    client = testclient.TestClient(app)
    client.post("/p?x=%2f", auth=auth, data={"a": "1"})
    sign_every_hop(client).get("/p?x=%2f", auth=auth)
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    assert [verifier.verify(request).key_id for request in received] == [KEY_ID, KEY_ID]
