"""Every preset from real clients to a real server: what requests and httpx sign with it, the middleware verifies."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
import requests
import uvicorn

from tests.presets.published import NAMES, published
from undersign import Scheme, Verifier
from undersign.clients import httpx as httpx_client
from undersign.clients import requests as requests_client
from undersign.servers.asgi import SignatureMiddleware


async def _app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with who has signed, and with the body that came."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    who = scope["undersign"].key_id.encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-who", who)]})
    await send({"type": "http.response.body", "body": body})


class _Server(NamedTuple):
    """A server on loopback whose app is exchanged from test to test."""

    url: str
    apps: dict[str, Any]

    @contextmanager
    def verifying(self, scheme: Scheme, keys: dict[str, str | bytes], now: float) -> Iterator[None]:
        verifier = Verifier(scheme, keys, clock=lambda: now)
        self.apps["now"] = SignatureMiddleware(_app, verifier, origin=self.url)
        yield
        del self.apps["now"]


@pytest.fixture(scope="module")
def server() -> Iterator[_Server]:
    apps: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps["now"](scope, receive, send)

    # h11, since a published example has a method of its own.
    runner = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", http="h11"))
    started = threading.Event()
    startup = runner.startup

    async def tell(*arguments: Any, **keywords: Any) -> None:
        await startup(*arguments, **keywords)
        started.set()

    runner.startup = tell  # type: ignore[method-assign]
    thread = threading.Thread(target=runner.run)
    thread.start()
    assert started.wait(30)
    port = runner.servers[0].sockets[0].getsockname()[1]
    yield _Server(f"http://127.0.0.1:{port}", apps)
    runner.should_exit = True
    thread.join()


def _over_http(scheme: Scheme) -> Scheme:
    """The scheme as it may be tried without TLS."""
    names = {field.name for field in dataclasses.fields(scheme)} if dataclasses.is_dataclass(scheme) else set[str]()
    return dataclasses.replace(scheme, allow_http=True) if "allow_http" in names else scheme  # type: ignore[type-var]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("library", ["requests", "httpx"])
@pytest.mark.parametrize("name", NAMES)
def test_what_a_client_signs_the_middleware_verifies(name: str, library: str, server: _Server) -> None:
    case = published(name)
    scheme, credential, request = _over_http(case.scheme), case.credential, case.request
    key_id, secret = credential.key_id, credential.secret.reveal()
    options: dict[str, Any] = {"clock": lambda: case.now, "extra": credential.extra}
    if case.nonce:
        options["nonce"] = lambda: case.nonce
    headers, url, body = dict(request.headers), server.url + request.target, request.body
    assert isinstance(body, bytes)
    with server.verifying(scheme, {key_id: secret}, case.now):
        if library == "requests":
            auth = requests_client.SignatureAuth(scheme, key_id, secret, **options)
            answer = requests.request(request.method, url, headers=headers, data=body, auth=auth, timeout=30)
            refused = requests.request(request.method, url, headers=headers, data=body, timeout=30).status_code
        else:
            client_auth = httpx_client.SignatureAuth(scheme, key_id, secret, **options)
            sent: dict[str, Any] = {"headers": headers, "content": body}
            with httpx.Client(trust_env=False) as client:
                answer = client.request(request.method, url, auth=client_auth, **sent)  # type: ignore[assignment]
                refused = client.request(request.method, url, **sent).status_code
    assert (answer.status_code, answer.headers.get("x-who")) == (200, key_id)
    assert refused in (400, 401, 403)
