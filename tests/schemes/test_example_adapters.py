"""The example packages through every adapter: each client signs, and both kinds of middleware verify what it sent.

Nothing in the adapters knows these schemes. One server of each kind has both, with keys of their own.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as UrllibRequest
from urllib.request import build_opener

import aiohttp
import httpx
import pytest
import requests
import uvicorn
from werkzeug.serving import make_server
from yarl import URL

from tests.clients.wire import WireServer, redirect
from undersign import Scheme, Verifier
from undersign.clients import aiohttp as signed_aiohttp
from undersign.clients import httpx as signed_httpx
from undersign.clients import requests as signed_requests
from undersign.clients import urllib as signed_urllib
from undersign.registry import build_scheme
from undersign.servers import asgi, wsgi

from .conftest import EXAMPLES

pytestmark = pytest.mark.usefixtures("examples")

SECRETS = {"webhook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "small-s3": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"}
WRONG = {"webhook": "whsec_bm90IHRoaXM=", "small-s3": "not this"}
KEY_IDS = {"webhook": "webhook", "small-s3": "AKIAIOSFODNN7EXAMPLE"}
HEADERS = {"webhook-id": "msg_1", "x-amz-meta-a": "1", "Content-Type": "text/plain"}
BODY = b'{"a": 1}\r\n\x00\xff'
_PATIENCE = 30.0


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    event = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer(scope["undersign"], event["body"])})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [answer(environ["undersign"], body)]


def answer(verified: Any, body: bytes) -> bytes:
    return json.dumps([verified.scheme, verified.key_id, body.hex(), sorted(verified.covers)]).encode()


@pytest.fixture(scope="module")
def verifier(packages: list[Path]) -> Verifier:
    with pytest.MonkeyPatch.context() as patch:
        for path in packages:
            patch.syspath_prepend(path)
        schemes = [build_scheme(name) for name in SECRETS]
    return Verifier(schemes, {name: {KEY_IDS[name]: secret} for name, secret in SECRETS.items()})


@pytest.fixture(scope="module")
def asgi_url(verifier: Verifier) -> Iterator[str]:
    app: Any = asgi.SignatureMiddleware(asgi_app, verifier)
    server = uvicorn.Server(uvicorn.Config(app, port=0, http="h11", ws="none", lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        assert thread.is_alive(), "the server has ended"
        assert time.monotonic() < deadline
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def wsgi_url(verifier: Verifier) -> Iterator[str]:
    app: Any = wsgi.SignatureMiddleware(wsgi_app, verifier, drops_underscores=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["asgi", "wsgi"])
def url(request: pytest.FixtureRequest) -> str:
    served: str = request.getfixturevalue(f"{request.param}_url")
    return f"{served}/hook%2Fa?acl"


Call = Callable[..., tuple[int, bytes]]


def with_requests(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    auth = signed_requests.SignatureAuth(scheme, key_id, secret, **options)
    with requests.Session() as session:
        response = session.post(url, data=BODY, headers=HEADERS, auth=auth, timeout=30)
    return response.status_code, response.content


def with_adapter(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    origin = "/".join(url.split("/")[:3])
    adapter = signed_requests.SigningAdapter(scheme, key_id, secret, origins=[origin], **options)
    with requests.Session() as session:
        session.mount(origin, adapter)
        response = session.post(url, data=BODY, headers=HEADERS, timeout=30)
    return response.status_code, response.content


def with_httpx(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    auth = signed_httpx.SignatureAuth(scheme, key_id, secret, **options)
    with httpx.Client(auth=auth) as client:
        response = client.post(url, content=BODY, headers=HEADERS)
    return response.status_code, response.content


def with_async_httpx(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    async def send() -> tuple[int, bytes]:
        async with httpx.AsyncClient(auth=signed_httpx.SignatureAuth(scheme, key_id, secret, **options)) as client:
            response = await client.post(url, content=BODY, headers=HEADERS)
        return response.status_code, response.content

    return asyncio.run(send())


def with_aiohttp(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    async def send() -> tuple[int, bytes]:
        auth = signed_aiohttp.SignatureAuth(scheme, key_id, secret, **options)
        async with (
            aiohttp.ClientSession(middlewares=(auth,)) as session,
            session.post(URL(url, encoded=True), data=BODY, headers=HEADERS) as response,
        ):
            return response.status, await response.read()

    return asyncio.run(send())


def with_urllib(url: str, scheme: Scheme, key_id: str, secret: str, **options: Any) -> tuple[int, bytes]:
    opener = build_opener(signed_urllib.SignatureHandler(scheme, key_id, secret, **options))
    try:
        request = UrllibRequest(url, BODY, HEADERS)  # noqa: S310 - of the server above
        with opener.open(request, timeout=30) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


CALLS: list[Call] = [with_requests, with_adapter, with_httpx, with_async_httpx, with_aiohttp, with_urllib]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("name", SECRETS)
def test_what_a_client_signs_a_middleware_verifies(url: str, name: str, call: Call) -> None:
    scheme, key_id = build_scheme(name), KEY_IDS[name]
    status, content = call(url, scheme, key_id, SECRETS[name])
    assert status == 200, content
    told = json.loads(content)
    assert told[:3] == [name, key_id, BODY.hex()]
    assert {"body", "headers"} <= set(told[3])
    status, content = call(url, scheme, key_id, WRONG[name])
    assert (status, content) == (401, b'"Signature not valid"')


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_a_client_sends_the_signatures_of_the_new_and_the_old_secret(call: Call) -> None:
    name, at, old = "webhook", 1_700_000_000, WRONG["webhook"]
    scheme, key_id, new = build_scheme(name), KEY_IDS[name], SECRETS[name]
    with WireServer() as server:
        status, _ = call(server.url, scheme, key_id, new, older=[old], clock=lambda: float(at))
        assert status == 200
        keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in (new, old)]
        macs = [hmac.digest(key, f"msg_1.{at}.".encode() + BODY, "sha256") for key in keys]
        expected = " ".join("v1," + base64.b64encode(mac).decode() for mac in macs)
        assert server.received().values("webhook-signature") == [expected]
        for secret in (new, old):
            verifier = Verifier(scheme, {key_id: secret}, clock=lambda: float(at))
            assert server.verified(verifier).key_id == key_id


@pytest.mark.parametrize("name", SECRETS)
def test_httpie_signs_with_a_plugin_of_four_lines(
    asgi_url: str, name: str, packages: list[Path], tmp_path: Path
) -> None:
    plugin = (EXAMPLES / "small-s3" / "httpie_plugin.py").read_text(encoding="utf-8")
    if name == "webhook":
        plugin = plugin.replace("small_s3", "webhook").replace("SmallS3", "webhook")
        plugin = plugin.replace('"small-s3"', '"webhook"')
    (tmp_path / "httpie_plugin.py").write_text(plugin, encoding="utf-8")
    info = tmp_path / "httpie_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: httpie-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[httpie.plugins.auth.v1]\n{name} = httpie_plugin:Plugin\n")
    (tmp_path / "config.json").write_text('{"disable_update_warnings": true}')
    (tmp_path / "body").write_bytes(BODY)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PYTHONPATH": os.pathsep.join(map(str, [tmp_path, *packages])),
        "HTTPIE_CONFIG_DIR": str(tmp_path),
        "UNDERSIGN_SECRET": SECRETS[name],
        "PYTHONWARNINGS": "",
    }
    headers = [f"{header}:{value}" for header, value in HEADERS.items()]
    command = [sys.executable, "-m", "httpie", "--body", f"--auth-type={name}", f"--auth={KEY_IDS[name]}"]
    with (tmp_path / "body").open("rb") as body:
        done = subprocess.run(
            [*command, "POST", f"{asgi_url}/hook?acl", *headers], stdin=body, capture_output=True, env=environment
        )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)[:3] == [name, KEY_IDS[name], BODY.hex()]


@pytest.mark.parametrize("name", SECRETS)
def test_a_redirect_elsewhere_takes_nothing_of_the_credential_along(name: str) -> None:
    auth = signed_requests.SignatureAuth(build_scheme(name), KEY_IDS[name], SECRETS[name])
    with WireServer() as elsewhere, WireServer(lambda raw: redirect(307, f"{elsewhere.url}/")) as server:
        with requests.Session() as session:
            assert session.post(server.url, data=BODY, headers=HEADERS, auth=auth, timeout=30).status_code == 200
        [first], [second] = server.requests, elsewhere.requests
    sent = {"webhook": b"\r\nwebhook-signature:", "small-s3": b"\r\nauthorization: aws "}[name]
    assert sent in first.lower()
    assert b"\r\nauthorization:" not in second.lower()
    assert (b"\r\nwebhook-" in second.lower()) is (name == "small-s3")  # its own header is the caller's there
    assert second.endswith(BODY)
