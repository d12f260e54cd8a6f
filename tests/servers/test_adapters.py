"""Adapters and test clients that pass the decoded path on alone: what was signed verifies where the path tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from undersign import AsyncVerifier, GoTom, Request, Verifier
from undersign.policy import MemoryReplayGuard, ReplayPolicy
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .echo_app import KEY_ID, KEYS
from .matrix import SERVERS, Running
from .wire import GOTOM, message, send, signed

# Target, and whether every adapter lets it in. The others lose what was signed, and say so.
TARGETS = [
    ("/items", True),
    ("/v1/items", True),
    ("/v1/items/", True),
    ("/v1/items?a=1&b=2", True),
    ("/v1/a%20b/~x", True),
    ("/v1/users/a@b.example", True),
    ("/v1/users/a%40b.example", True),
    ("/v1/a%2Fb", False),
    ("/v1/%7Ex", False),
    ("/v1/%69tems", False),
]


@dataclass
class Outcome:
    status: int
    path: str
    reasons: list[str]


class Adapted:
    """The middleware around an app that answers with its path, and what the middleware was told."""

    def __init__(self, **options: Any) -> None:
        self.reasons: list[str] = []
        self.path = ""
        options["on_rejected"] = lambda reason, key_id, detail: self.reasons.append(reason)
        self.wsgi: Any = WsgiMiddleware(self._wsgi, Verifier(GoTom(), KEYS), **options)
        self.asgi: Any = AsgiMiddleware(self._asgi, AsyncVerifier(GoTom(), KEYS), **options)

    def _wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.path = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.path = scope["path"]
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


def headers_of(request: Request) -> dict[str, str]:
    return {"Host": "api.example.com", **dict(request.headers)}


Ask = Callable[[Adapted, Request], int]


def _rest_api(request: Request) -> dict[str, Any]:
    """An event of API Gateway, version 1: the path decoded, the query taken apart."""
    path, _, query = request.target.partition("?")
    several: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        several.setdefault(name, []).append(value)
    headers = headers_of(request)
    return {
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "requestContext": {"resourcePath": "/{proxy+}", "path": f"/prod{path}", "stage": "prod"},
        "body": None,
        "isBase64Encoded": False,
    }


def _http_api(request: Request) -> dict[str, Any]:
    """An event of API Gateway, version 2, and of a function's URL: the query as it was sent."""
    path, _, query = request.target.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers_of(request).items()},
        "requestContext": {
            "stage": "$default",
            "http": {
                "method": request.method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "",
            },
        },
        "isBase64Encoded": False,
    }


def _load_balancer(request: Request) -> dict[str, Any]:
    """An event of an Application Load Balancer: the query taken apart, its values as they were sent."""
    path, _, query = request.target.partition("?")
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1"}},
        "httpMethod": request.method,
        "path": path,
        "queryStringParameters": dict(pair.partition("=")[::2] for pair in query.split("&") if pair),
        "headers": {name.lower(): value for name, value in headers_of(request).items()},
        "body": "",
        "isBase64Encoded": False,
    }


EVENTS = [_rest_api, _http_api, _load_balancer]


def _mangum(event: Callable[[Request], dict[str, Any]]) -> Ask:
    def ask(adapted: Adapted, request: Request) -> int:
        from mangum import Mangum

        loop = asyncio.new_event_loop()  # Mangum makes one of its own otherwise, and leaves it open
        asyncio.set_event_loop(loop)
        try:
            status: int = Mangum(adapted.asgi, lifespan="off")(event(request), object())["statusCode"]  # type: ignore[arg-type]
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        return status

    return ask


def _apig_wsgi(event: Callable[[Request], dict[str, Any]]) -> Ask:
    def ask(adapted: Adapted, request: Request) -> int:
        from apig_wsgi import make_lambda_handler

        status: int = make_lambda_handler(adapted.wsgi)(event(request), object())["statusCode"]
        return status

    return ask


def _serverless_wsgi(event: Callable[[Request], dict[str, Any]]) -> Ask:
    def ask(adapted: Adapted, request: Request) -> int:
        import serverless_wsgi  # type: ignore[import-untyped]

        status: int = serverless_wsgi.handle_request(adapted.wsgi, event(request), object())["statusCode"]
        return status

    return ask


def _httpx(adapted: Adapted, request: Request) -> int:
    import httpx

    with httpx.Client(transport=httpx.WSGITransport(adapted.wsgi)) as client:
        url = f"https://api.example.com{request.target}"
        return client.request(request.method, url, headers=dict(request.headers)).status_code


def _webob(adapted: Adapted, request: Request) -> int:
    import webob  # type: ignore[import-untyped]

    blank = webob.Request.blank(request.target, method=request.method, headers=dict(request.headers))
    status: int = blank.get_response(adapted.wsgi).status_code
    return status


def _webtest(adapted: Adapted, request: Request) -> int:
    import webtest  # type: ignore[import-untyped]

    answer = webtest.TestApp(adapted.wsgi).get(request.target, headers=dict(request.headers), expect_errors=True)
    status: int = answer.status_code
    return status


def _channels(adapted: Adapted, request: Request) -> int:
    from channels.testing import HttpCommunicator  # type: ignore[import-untyped]

    async def ask() -> int:
        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
        answer = await HttpCommunicator(adapted.asgi, request.method, request.target, b"", headers).get_response()
        return int(answer["status"])

    return asyncio.run(ask())


def _channels_websocket(adapted: Adapted, request: Request) -> int:
    from channels.testing import WebsocketCommunicator

    async def ask() -> int:
        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
        communicator = WebsocketCommunicator(adapted.asgi, request.target, headers)
        is_accepted, _ = await communicator.connect()
        return 200 if is_accepted else 500

    return asyncio.run(ask())


ADAPTERS: dict[str, Ask] = {
    **{f"mangum-{event.__name__}": _mangum(event) for event in EVENTS},
    **{f"apig_wsgi-{event.__name__}": _apig_wsgi(event) for event in EVENTS},
    **{f"serverless_wsgi-{event.__name__}": _serverless_wsgi(event) for event in EVENTS},
    "httpx": _httpx,
    "webob": _webob,
    "webtest": _webtest,
    "channels": _channels,
    "channels-websocket": _channels_websocket,
}


@pytest.fixture(params=ADAPTERS, ids=str)
def ask(request: pytest.FixtureRequest) -> Ask:
    pytest.importorskip(request.param.partition("-")[0])
    return ADAPTERS[request.param]


@pytest.mark.parametrize(("target", "verifies"), TARGETS)
def test_what_an_adapter_loses_is_found_out_by_the_signature(ask: Ask, target: str, verifies: bool) -> None:
    adapted = Adapted()
    status = ask(adapted, signed(GOTOM, "GET", target))
    if verifies:
        assert (status, adapted.reasons) == (200, [])
        assert adapted.path == unquote(target.partition("?")[0])
    else:
        assert (status, adapted.reasons, adapted.path) == (500, ["lossy_target"], "")


def test_nothing_else_verifies(ask: Ask) -> None:
    adapted = Adapted()
    signed_ones = signed(GOTOM, "GET", "/v1/items")
    for target in ("/v1/item", "/v1/items/", "/v2/items", "/v1/items/x", "/v1%2Fitems%2Fx", "/v1/Items"):
        assert ask(adapted, Request("GET", target, signed_ones.headers)) == 500
    assert ask(adapted, signed(GOTOM, "GET", "/v1/items", secret="wrong")) == 500
    assert ask(adapted, signed(GOTOM, "GET", "/v1/items", key_id="unknown")) == 500
    assert set(adapted.reasons) == {"lossy_target"}
    assert adapted.path == ""


def test_what_is_lost_is_not_public(ask: Ask) -> None:
    adapted = Adapted(public=["/open/*", "/health"])
    for target in ("/open/items", "/open%2Fitems", "/open/../items"):
        assert ask(adapted, Request("GET", target)) != 200
    assert ask(adapted, Request("GET", "/health")) == 200


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("query", ["a=%20", "a=b+c", "a=%2f", "&a=1", "a", "a=1&b=2&a=3"])
def test_a_query_that_an_event_has_taken_apart_is_lost(event: Any, query: str) -> None:
    """Version 2 alone keeps it; of the others the log says that the server has lost it, not that the client erred."""
    adapted = Adapted()
    status = _mangum(event)(adapted, signed(GOTOM, "GET", f"/items?{query}"))
    if event is _http_api:
        assert (status, adapted.reasons) == (200, [])
    else:
        assert (status, adapted.reasons) in ((200, []), (500, ["lossy_target"]))


def test_the_stage_of_a_rest_api_is_a_prefix() -> None:
    adapted = Adapted(prefix="/prod")
    event = _rest_api(signed(GOTOM, "GET", "/prod/v1/items"))
    event["path"] = "/v1/items"
    assert _mangum(lambda request: event)(adapted, signed()) == 200
    assert adapted.path == "/v1/items"


def test_two_spellings_of_a_target_have_one_replay_id() -> None:
    """Whoever respells what was signed has still sent what was signed."""
    guard = ReplayPolicy(MemoryReplayGuard(born=0), methods="all")
    seen: list[str] = []
    verifier = Verifier(GoTom(), KEYS, replay={"gotom": guard})
    middleware = WsgiMiddleware(Adapted()._wsgi, verifier, on_verified=lambda verified: seen.append(verified.replay_id))
    adapted = Adapted()
    adapted.wsgi = middleware
    request = signed(GOTOM, "GET", "/v1/items")
    assert _httpx(adapted, request) == 200
    assert _httpx(adapted, Request("GET", "/v1%2Fitems", request.headers)) == 401
    assert _httpx(adapted, request) == 401
    assert len(seen) == 1


def test_authorize_sees_the_target_that_was_signed() -> None:
    seen: list[str] = []

    def may(verified: Any, head: Request) -> bool:
        seen.append(head.target)
        return True

    adapted = Adapted(authorize=may)
    for target in ("/v1/a@b?c", "/v1/a%40b?c"):
        assert _httpx(adapted, signed(GOTOM, "GET", target)) == 200
        assert _channels(adapted, signed(GOTOM, "GET", target)) == 200
    assert seen == ["/v1/a@b?c", "/v1/a@b?c", "/v1/a%40b?c", "/v1/a%40b?c"]


def test_text_that_is_no_latin_1_in_an_environ_is_not_respelled() -> None:
    """httpx puts the decoded text there, where PEP 3333 has its bytes; `/?` must not verify for `/€`."""
    adapted = Adapted()
    for signs in ("/v1/%E2%82%AC", "/v1/%3F"):
        request = Request("GET", "/v1/%E2%82%AC", signed(GOTOM, "GET", signs).headers)
        assert _httpx(adapted, request) == 500
    assert adapted.path == ""


def test_falcons_client_has_no_query_in_its_raw_uri() -> None:
    testing = pytest.importorskip("falcon.testing")
    adapted = Adapted()
    for target in (*(target for target, _ in TARGETS), "/v1/a%2Fb?c=%2f"):
        path, _, query = target.partition("?")
        request = signed(GOTOM, "GET", target)
        answer = testing.simulate_get(adapted.wsgi, path, query_string=query, headers=dict(request.headers))
        assert answer.status_code == 200, target  # it has the path as it was sent
        other = testing.simulate_get(adapted.wsgi, path, query_string=f"{query}&x", headers=dict(request.headers))
        assert other.status_code == 401


BY_ADAPTER = [server for server in SERVERS if server.name in ("tornado", "twisted")]


@pytest.mark.parametrize("server", BY_ADAPTER, ids=repr, indirect=True)
@pytest.mark.parametrize(("target", "verifies"), TARGETS)
def test_a_server_around_an_adapter(server: Running, target: str, verifies: bool) -> None:
    request = signed(GOTOM, "POST", target, [("Content-Type", "text/csv")], b"a,b")
    answer = send(server.port, message(request))
    assert answer.status == (200 if verifies else 500)
    if verifies:
        assert (answer.json()["key_id"], answer.json()["body_bytes"]) == (KEY_ID, 3)
        assert answer.json()["path"] == unquote(target.partition("?")[0])
