"""The signature of an answer, for a scheme that has one: middlewares make it, and clients check it where told to."""

from __future__ import annotations

import asyncio
import base64
import copy
import hmac
import logging
import pickle
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import aiohttp
import httpx
import pytest
import requests
import uvicorn
from httphmac import V2ResponseSigner  # type: ignore[import-untyped]

import undersign.servers._answers
from undersign import ConfigError, Credential, GoTom, Request, Response, Verified, Verifier, presets, sign
from undersign.clients import aiohttp as aiohttp_client
from undersign.clients import httpx as httpx_client
from undersign.clients import requests as requests_client
from undersign.clients import urllib as urllib_client
from undersign.errors import ResponseRejected
from undersign.scheme import response_problem
from undersign.servers import asgi, wsgi

KEY_ID, SECRET = "a-key", "bXlzZWNyZXRzZWNyZXR0aGluZ3Rva2VlcA=="
NAME = "x-server-authorization-hmac-sha256"
SCHEME = presets.acquia_v2(realm="Pipet service")
KEYS = {KEY_ID: SECRET}
TEXT = '{"id": 133, "status": "dône"}'.encode()

A = ("efdde334-fe7b-11e4-a322-1697f925ec7b", "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI=")
B = ("615d6517-1cea-4aa3-b48e-96d83c16c4dd", "TXkgU2VjcmV0IEtleSBUaGF0IGlzIFZlcnkgU2VjdXJl")
C = ("e7fe97fa-a0c8-4a42-ab8e-2c26d52df059", SECRET)
FIRST, SECOND, THIRD = (
    "d1954337-5319-4821-8427-115542e08d10",
    "24c0c836-4f6c-4ed6-a6b0-e091d75ea19d",
    "a9938d07-d9f0-480c-b007-f1e956bcd027",
)
# Source: acquia/http-hmac-spec, branch 2.0, fixtures.json.
PUBLISHED = [
    (A, FIRST, 1432075982, b'{"id": 133, "status": "done"}', "M4wYp1MKvDpQtVOnN7LVt9L8or4pKyVLhfUFVJxHemU="),
    (B, SECOND, 1432075982, b'{"id": 145, "status": "in-progress"}', "C98MEJHnQSNiYCxmI4CxJegO62sGZdzEEiSXgSIoxlo="),
    (A, FIRST, 1432075982, b"", "LusIUHmqt9NOALrQ4N4MtXZEFE03MjcDjziK+vVqhvQ="),
    (C, THIRD, 1449578521, b'"57674bb1-f2ce-4d0f-bfdc-736a78aa027a"', "SlOYi3pUZADkzU9wEv7kw3hmxjlEyMqBONFEVd7iDbM="),
]


@pytest.mark.parametrize(("key", "nonce", "now", "body", "signature"), PUBLISHED)
def test_published_signatures_of_answers(
    key: tuple[str, str], nonce: str, now: int, body: bytes, signature: str
) -> None:
    unsigned = Request("GET", "/v1.0/task", (), b"", "https://example.acquiapipet.net")
    signed = sign(SCHEME, unsigned, Credential(*key), now=now, nonce=nonce).apply(unsigned)
    verified = Verifier(SCHEME, dict([key]), clock=lambda: now).verify(signed)
    assert verified.response_signer is not None
    assert verified.response_signer.headers(Response(200, (), body)) == (
        ("X-Server-Authorization-HMAC-SHA256", signature),
    )


@pytest.mark.parametrize("other", ["SlOYi3pUZADkzU9wEv7kw3hmxjlEyMqBONFEVd7iDbM=", "", None])
def test_a_signature_that_is_there_twice_is_none(other: str | None) -> None:
    """Whoever is in between could add one, and readers of headers take the first, or the last."""
    (key_id, secret), nonce, now, body, good = PUBLISHED[0]
    unsigned = Request("GET", "/v1.0/task", (), b"", "https://example.acquiapipet.net")
    signed = sign(SCHEME, unsigned, Credential(key_id, secret), now=now, nonce=nonce).apply(unsigned)
    headers = tuple((NAME, value) for value in (good, good if other is None else other))
    key = Credential(key_id, secret).secret
    assert response_problem(SCHEME, key, signed, Response(200, headers[:1], body)) is None
    for twice in (headers, headers[::-1]):
        problem = response_problem(SCHEME, key, signed, Response(200, twice, body))
        assert problem == "X-Server-Authorization-HMAC-SHA256 is not the signature of this answer"


# The apps


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    path, headers, status = scope["path"], [(b"content-type", b"application/json")], 200
    if path.startswith("/to/"):
        status, headers = 302, [(b"location", path.removeprefix("/to/").encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    pieces = [TEXT[:5], TEXT[5:]] if path != "/long" else [b"x" * 300_000] * 4
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


def wsgi_app(environ: Any, start_response: Any) -> Any:
    path, headers, status = environ["PATH_INFO"], [("Content-Type", "application/json")], "200 OK"
    if path.startswith("/to/"):
        status, headers = "302 Found", [("Location", path.removeprefix("/to/"))]
    write = start_response(status, headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    if path == "/long":
        return iter([b"x" * 300_000] * 4)
    write(TEXT[:5])
    return iter([TEXT[5:]])


class Tampering:
    """Stands in front of a middleware, as someone on the way would."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message.get("body", b"").replace(b"133", b"134")}
            elif scope["path"] == "/stripped":
                headers = [pair for pair in message["headers"] if pair[0] != NAME.encode()]
                message = {**message, "headers": headers}
            elif scope["path"] == "/twice":
                message = {**message, "headers": [*message["headers"], *message["headers"]]}
            await send(message)

        tampers = scope["path"] in ("/changed", "/stripped", "/twice")
        await self.app(scope, receive, changed if tampers else send)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the standard library's own name


def run_asgi() -> tuple[str, Callable[[], None]]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps["app"](scope, receive, send)

    apps: dict[str, Any] = {}
    runner = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error"))
    started, startup = threading.Event(), runner.startup

    async def tell(*arguments: Any, **keywords: Any) -> None:
        await startup(*arguments, **keywords)
        started.set()

    runner.startup = tell  # type: ignore[method-assign]
    thread = threading.Thread(target=runner.run)
    thread.start()
    assert started.wait(30)
    url = f"http://127.0.0.1:{runner.servers[0].sockets[0].getsockname()[1]}"
    guarded = asgi.SignatureMiddleware(asgi_app, Verifier(SCHEME, KEYS), origin=url, authorize=_allowed)
    apps["app"] = Tampering(guarded)

    def stop() -> None:
        runner.should_exit = True
        thread.join()

    return url, stop


def run_wsgi() -> tuple[str, Callable[[], None]]:
    server = make_server("127.0.0.1", 0, wsgi_app, handler_class=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    guarded = wsgi.SignatureMiddleware(
        wsgi_app, Verifier(SCHEME, KEYS), origin=url, authorize=_allowed, drops_underscores=True
    )
    server.set_app(guarded)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return url, stop


def _allowed(verified: Verified, head: Request) -> bool:
    return head.target != "/forbidden"


@pytest.fixture(scope="module", params=[run_asgi, run_wsgi], ids=["asgi", "wsgi"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    found, stop = request.param()
    yield found
    stop()


@pytest.fixture(scope="module")
def asgi_url() -> Iterator[str]:
    found, stop = run_asgi()
    yield found
    stop()


# The clients: each returns status and body, and checks the answer


def by_requests(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    auth = requests_client.SignatureAuth(SCHEME, KEY_ID, SECRET, check_response=True, **options)
    answer = requests.request(method, url, auth=auth, timeout=30)
    return answer.status_code, answer.content


def by_requests_stream(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    auth = requests_client.SignatureAuth(SCHEME, KEY_ID, SECRET, check_response=True, **options)
    with requests.Session() as session, session.request(method, url, auth=auth, stream=True, timeout=30) as answer:
        return answer.status_code, b"".join(answer.iter_content(3))


def by_httpx(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    auth = httpx_client.SignatureAuth(SCHEME, KEY_ID, SECRET, check_response=True, **options)
    client = httpx_client.sign_every_hop(httpx.Client(trust_env=False, follow_redirects=True))
    with client, client.stream(method, url, auth=auth) as answer:
        return answer.status_code, b"".join(answer.iter_bytes(3))


def by_async_httpx(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    async def call() -> tuple[int, bytes]:
        auth = httpx_client.SignatureAuth(SCHEME, KEY_ID, SECRET, check_response=True, **options)
        async with httpx_client.sign_every_hop(httpx.AsyncClient(trust_env=False, follow_redirects=True)) as client:
            answer = await client.request(method, url, auth=auth)
            return answer.status_code, answer.content

    return asyncio.run(call())


def by_aiohttp(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    async def call() -> tuple[int, bytes]:
        auth = aiohttp_client.SignatureAuth(SCHEME, KEY_ID, SECRET, check_response=True, **options)
        async with aiohttp.ClientSession(middlewares=(auth,)) as session, session.request(method, url) as answer:
            return answer.status, await answer.read()

    return asyncio.run(call())


def by_urllib(method: str, url: str, **options: Any) -> tuple[int, bytes]:
    handler = urllib_client.SignatureHandler(SCHEME, KEY_ID, SECRET, check_response=True, **options)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
    try:
        with opener.open(urllib.request.Request(url, method=method), timeout=30) as answer:  # noqa: S310
            first: bytes = answer.read(3)
            return answer.status, first + answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


CLIENTS = [by_requests, by_requests_stream, by_httpx, by_async_httpx, by_aiohttp, by_urllib]


@pytest.mark.parametrize("call", CLIENTS)
def test_a_client_gets_an_answer_that_is_signed(call: Callable[..., tuple[int, bytes]], url: str) -> None:
    assert call("GET", f"{url}/things?limit=10") == (200, TEXT)
    assert call("POST", f"{url}/things") == (200, TEXT)
    assert call("HEAD", f"{url}/things") == (200, b"")


@pytest.mark.parametrize("call", CLIENTS)
def test_a_redirect_is_an_answer_too(call: Callable[..., tuple[int, bytes]], url: str) -> None:
    assert call("GET", f"{url}/to//things") == (200, TEXT)


@pytest.mark.parametrize("call", CLIENTS)
def test_who_is_led_elsewhere_unsigned_gets_an_error(
    call: Callable[..., tuple[int, bytes]], url: str, asgi_url: str
) -> None:
    # The other server could answer whatever it likes: what it gets is not signed, and neither is its answer.
    with pytest.raises(ResponseRejected, match="its request went unsigned"):
        call("GET", f"{url}/to/{asgi_url}/things")


@pytest.mark.parametrize("call", CLIENTS)
def test_what_the_key_may_not_do_is_answered_with_a_signature(call: Callable[..., tuple[int, bytes]], url: str) -> None:
    status, body = call("GET", f"{url}/forbidden")
    assert status == 403
    assert b"may not do this" in body


@pytest.mark.parametrize("call", CLIENTS)
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/changed", "is not the signature of this answer"),
        ("/stripped", "there is no X-Server-Authorization-HMAC-SHA256"),
        ("/twice", "is not the signature of this answer"),
    ],
)
def test_an_answer_that_was_changed_on_the_way_is_an_error(
    call: Callable[..., tuple[int, bytes]], path: str, why: str, asgi_url: str
) -> None:
    with pytest.raises(ResponseRejected, match=why) as caught:
        call("GET", asgi_url + path)
    assert caught.value.status == 200
    assert SECRET not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("call", CLIENTS)
def test_a_refusal_is_not_signed_and_says_so(call: Callable[..., tuple[int, bytes]], url: str) -> None:
    with pytest.raises(ResponseRejected, match="whose status is 401") as caught:
        call("GET", f"{url}/things", clock=lambda: 1_000_000_000)
    assert caught.value.status == 401


def test_acquias_own_client_takes_the_signature(url: str) -> None:
    auth = requests_client.SignatureAuth(SCHEME, KEY_ID, SECRET)
    answer = requests.get(f"{url}/things", auth=auth, timeout=30)
    sent = answer.request.headers

    class Theirs:
        def get_header(self, name: str) -> str:
            return str(sent.get(name, ""))

    answer.encoding = "utf-8"
    assert V2ResponseSigner().check(Theirs(), answer, SECRET)
    answer._content = TEXT.replace(b"133", b"134")
    assert not V2ResponseSigner().check(Theirs(), answer, SECRET)


def test_an_answer_that_is_too_long_to_hold_goes_out_unsigned(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for function in (undersign.servers._answers.signing_send, undersign.servers._answers.signed_answer):
        monkeypatch.setattr(function, "__defaults__", (1_000_000,))
    auth = requests_client.SignatureAuth(SCHEME, KEY_ID, SECRET)
    with caplog.at_level(logging.WARNING, "undersign"):
        answer = requests.get(f"{url}/long", auth=auth, timeout=30)
    assert answer.content == b"x" * 1_200_000
    assert NAME not in answer.headers
    assert "goes out unsigned" in caplog.text
    with pytest.raises(ResponseRejected, match="there is no X-Server"):
        by_requests("GET", f"{url}/long")


def test_a_scheme_that_signs_no_answers_cannot_have_them_checked() -> None:
    with pytest.raises(ConfigError, match="gotom signs no answers"):
        requests_client.SignatureAuth(GoTom(), "me", "a secret", check_response=True)


def test_the_signer_of_an_answer_is_not_handed_on() -> None:
    unsigned = Request("GET", "/", (), b"", "https://api.example.com")
    signed = sign(SCHEME, unsigned, Credential(KEY_ID, SECRET), now=1432075982, nonce="n").apply(unsigned)
    verified = Verifier(SCHEME, {KEY_ID: ("bmV3", SECRET)}, clock=lambda: 1432075982).verify(signed)
    assert verified.secret_index == 1
    expected = base64.b64encode(hmac.digest(base64.b64decode(SECRET), b"n\n1432075982\n\xff", "sha256")).decode()
    assert verified.response_signer is not None
    assert verified.response_signer.headers(Response(200, (), b"\xff"))[0][1] == expected  # with the secret that fitted
    assert verified._replace(tenant="t").response_signer is verified.response_signer
    assert SECRET not in repr(verified) + repr(verified.response_signer)
    for copied in (pickle.loads(pickle.dumps(verified)), copy.copy(verified)):
        assert copied == verified
        assert copied.response_signer is None


def test_an_app_is_not_offered_to_send_a_file_past_the_signature() -> None:
    offered: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        offered.append(scope["extensions"])
        await send({"type": "http.response.start", "status": 200, "headers": [(NAME.encode(), b"forged")]})
        await send({"type": "http.response.early_hint", "links": []})
        await send({"type": "http.response.body", "body": b"a file"})

    unsigned = Request("GET", "/", (), b"", "https://api.example.com")
    signed = sign(SCHEME, unsigned, Credential(KEY_ID, SECRET), now=1432075982, nonce="n").apply(unsigned)
    verifier = Verifier(SCHEME, KEYS, clock=lambda: 1432075982)
    middleware = asgi.SignatureMiddleware(app, verifier, origin="https://api.example.com")
    names = ("pathsend", "zerocopysend", "trailers", "early_hint")
    extensions: dict[str, Any] = {f"http.response.{name}": {} for name in names}
    headers = [(name.lower().encode(), value.encode()) for name, value in signed.headers]
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(middleware({**scope, "extensions": extensions}, receive, send))
    assert offered == [{"http.response.early_hint": {}}]
    assert [message["type"].rpartition(".")[2] for message in sent] == ["early_hint", "start", "body"]
    values = [value for name, value in sent[1]["headers"] if name == NAME.encode()]
    assert len(values) == 1
    assert values != [b"forged"]


# ASGI's messages, as they go out


class Length:
    """Signs an answer with the length of its body."""

    def headers(self, response: Response) -> tuple[tuple[str, str], ...]:
        return (("X-Length", str(len(response.body))),)


START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b"), (b"x-length", b"0")]}
SIGNED = {**START, "headers": [(b"a", b"b"), (b"x-length", b"3")]}
HINT = {"type": "http.response.early_hint", "links": []}
FILE = {"type": "http.response.pathsend", "path": "/a"}


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("sent", "went_out"),
    [
        ([START, piece(b"abc")], [SIGNED, piece(b"abc")]),
        ([START, piece(b"ab", more=True), piece(b"c")], [SIGNED, piece(b"abc")]),
        (
            [START, piece(b"abc", more=True), {"type": "http.response.body"}],
            [SIGNED, {**piece(b"abc"), "more_body": ...}],
        ),
        ([HINT, START, HINT, piece(b"abc")], [HINT, HINT, SIGNED, piece(b"abc")]),
        ([{**START, "status": 500}, START, piece(b"abc")], [SIGNED, piece(b"abc")]),
    ],
)
def test_an_answer_is_held_until_its_end(sent: list[dict[str, Any]], went_out: list[dict[str, Any]]) -> None:
    found, _ = gone_out(sent)
    assert found == [{key: value for key, value in one.items() if value is not ...} for one in went_out]


@pytest.mark.parametrize(
    ("sent", "went_out"),
    [
        (
            [START, piece(b"abcdef", more=True), piece(b"ghijkl", more=True), piece(b"m")],
            [START, piece(b"abcdefghijkl", more=True), piece(b"m")],
        ),
        ([START, piece(b"abc", more=True), FILE], [START, piece(b"abc", more=True), FILE]),
        ([START, FILE], [START, FILE]),
    ],
)
def test_what_cannot_be_held_goes_out_unsigned(
    sent: list[dict[str, Any]], went_out: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    assert gone_out(sent)[0] == went_out
    assert "an answer is over 10 bytes, or sent as a file, and goes out unsigned" in caplog.text


def test_an_answer_with_trailers_is_not_held() -> None:
    sent = [{**START, "trailers": True}, piece(b"a", more=True), piece(b"b")]
    found, times = gone_out(sent)
    assert found == sent
    assert times == [1, 2, 3]


def gone_out(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[int]]:
    """What has gone out, and how much of it after each message."""
    found: list[Any] = []
    signer: Any = Length()
    times: list[int] = []

    async def send(message: Any) -> None:
        found.append(message)

    async def run() -> None:
        signed = undersign.servers._answers.signing_send(signer, send, 10)
        for message in messages:
            await signed(message)
            times.append(len(found))

    asyncio.run(run())
    return found, times
