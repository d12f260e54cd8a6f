"""Browsers' preflights: let in where that is asked for, exactly these, and answered by what people have for it."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from undersign import ConfigError, GoGrid, GoTom, Request, Verifier, presets
from undersign.servers._preflights import is_preflight
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .matrix import Running, Start
from .test_frameworks import served
from .test_frameworks import signed as signed_for
from .wire import GOGRID, Answer, message, send, signed

PAGE = "https://app.example.com"
ORIGIN = ("Origin", PAGE)
ASKS = ("Access-Control-Request-Method", "POST")
PREFLIGHT = (ORIGIN, ASKS, ("Access-Control-Request-Headers", "authorization,date"), ("Accept", "*/*"))
VERIFIER = Verifier([GoTom(), GoGrid()], {"user:1": "thepasswordyoureceived"})
IN = 299


def status_asgi(request: Request, **options: Any) -> int:
    """What the ASGI middleware answers; IN where it calls its app, unverified and with nothing of a body."""
    found: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["undersign"] is None
        assert not (await receive()).get("body")
        found.append(IN)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        found.append(message.get("status", 0))

    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "http_version": "2",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers],
    }
    asyncio.run(AsgiMiddleware(app, VERIFIER, **{"origin": "https://api.example.com", **options})(scope, receive, send))
    return found[0]


def status_wsgi(request: Request, **options: Any) -> int:
    """The same of the WSGI middleware."""
    found: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert environ["undersign"] is None
        assert environ["wsgi.input"].read() == b""
        found.append(IN)
        return []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        found.append(int(status[:3]))

    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        key = key.removeprefix("HTTP_") if key in ("HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE") else key
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.target,
        "PATH_INFO": request.target.partition("?")[0],
        "QUERY_STRING": request.target.partition("?")[2],
        "wsgi.input": io.BytesIO(bytes(request.body) if isinstance(request.body, bytes) else b""),
        **headers,
    }
    WsgiMiddleware(app, VERIFIER, **{"origin": "https://api.example.com", **options})(environ, start_response)
    return found[0]


both = pytest.mark.parametrize("status", [status_asgi, status_wsgi])


@both
def test_a_preflight_is_let_in_where_that_is_asked_for(status: Any) -> None:
    preflight = Request("OPTIONS", "/orders?a=b", PREFLIGHT)
    assert status(preflight) == 401
    assert status(preflight, preflights=False) == 401
    assert status(preflight, preflights=True) == IN
    assert status(Request("OPTIONS", "/a%2Fb//c", (("Origin", "null"), ASKS)), preflights=True) == IN
    assert status(Request("OPTIONS", "/orders", (*PREFLIGHT, ("Content-Length", "0"))), preflights=True) == IN


@both
def test_it_brings_the_app_no_body_that_it_has_not_announced(status: Any) -> None:
    assert status(Request("OPTIONS", "/orders", PREFLIGHT, b"unannounced"), preflights=True) == IN


@both
def test_the_preflight_of_a_signed_query_is_one(status: Any) -> None:
    """A browser asks with the URL of the request that it is to send."""
    target = signed(GOGRID, "GET", "/orders").target
    assert status(Request("OPTIONS", target, PREFLIGHT), preflights=True) == IN
    assert status(Request("GET", target.replace("sig=", "sig=0"), PREFLIGHT), preflights=True) == 400


def test_what_claims_a_signature_in_headers_of_its_own_is_none() -> None:
    """It is judged like any other request, whatever it is worth."""
    verifier = Verifier(presets.bokun(), {"user:1": "thepasswordyoureceived"}, clock=lambda: 1_730_974_875)
    claimed = ("X-Bokun-Date", "2024-11-07 10:21:15"), ("X-Bokun-AccessKey", "user:1")
    for signature in ("A" * 27 + "=", "A"):
        headers = (*PREFLIGHT, *claimed, ("X-Bokun-Signature", signature))
        assert not is_preflight(Request("OPTIONS", "/orders", headers), verifier)
    assert is_preflight(Request("OPTIONS", "/orders", PREFLIGHT), verifier)


@both
def test_one_that_names_the_type_of_a_form_is_one_all_the_same(status: Any) -> None:
    """A signature may stand in a form, and what has no body has none."""
    headers = (*PREFLIGHT, ("Content-Type", "application/x-www-form-urlencoded"))
    assert status(Request("OPTIONS", "/orders", headers), preflights=True) == IN


@both
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", PREFLIGHT),
        ("POST", PREFLIGHT),
        ("HEAD", PREFLIGHT),
        ("options", PREFLIGHT),
        ("OPTIONS", ()),
        ("OPTIONS", (ORIGIN,)),
        ("OPTIONS", (ASKS,)),
        ("OPTIONS", (("Origin", ""), ASKS)),
        ("OPTIONS", (("Origin", " "), ASKS)),
        ("OPTIONS", (("Origin", "https://a.example https://b.example"), ASKS)),
        ("OPTIONS", (ORIGIN, ("Origin", "https://b.example"), ASKS)),
        ("OPTIONS", (ORIGIN, ("Access-Control-Request-Method", ""))),
        ("OPTIONS", (ORIGIN, ("Access-Control-Request-Method", "GET, POST"))),
        ("OPTIONS", (ORIGIN, ASKS, ASKS)),
        ("OPTIONS", (*PREFLIGHT, ("Content-Length", "1"))),
        ("OPTIONS", (*PREFLIGHT, ("Content-Length", "00"))),
        ("OPTIONS", (*PREFLIGHT, ("Transfer-Encoding", "chunked"))),
        ("OPTIONS", (*PREFLIGHT, ("Authorization", "Basic dTpw"))),
        ("OPTIONS", (*PREFLIGHT, ("Authorization", ""))),
        ("OPTIONS", (*PREFLIGHT, ("Authorization", "gotom_app_api user:" + "A" * 27 + "="))),
        ("OPTIONS", (*PREFLIGHT, ("X-HTTP-Method-Override", "DELETE"))),
        ("OPTIONS", (*PREFLIGHT, ("X-HTTP-Method", "DELETE"))),
        ("OPTIONS", (*PREFLIGHT, ("X-Method-Override", "DELETE"))),
        ("OPTIONS", (*PREFLIGHT, ("X_HTTP_Method_Override", "DELETE"))),
    ],
)
def test_nothing_else_is(status: Any, method: str, headers: tuple[tuple[str, str], ...]) -> None:
    assert status(Request(method, "/orders", headers), preflights=True) == 401


@both
def test_nor_is_what_names_no_path(status: Any) -> None:
    assert status(Request("OPTIONS", "*", PREFLIGHT), preflights=True) in (401, 500)


@both
def test_a_signed_one_verifies_as_before(status: Any) -> None:
    """The app of these tests takes none that verified."""
    request = signed(GoTom(), "OPTIONS", "/orders", [ORIGIN, ASKS])
    with pytest.raises(AssertionError):
        status(request, preflights=True)


# `public` by method


@both
@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/health", IN),
        ("HEAD", "/health", IN),
        ("GET", "/health?verbose=1", IN),
        ("POST", "/health", 401),
        ("OPTIONS", "/health", 401),
        ("GET", "/health/", 401),
        ("OPTIONS", "/static/a.js", IN),
        ("GET", "/static/a.js", 401),
        ("OPTIONS", "/static/../orders", 401),
        ("OPTIONS", "/static/%2e%2e/orders", 401),
        ("POST", "/any", IN),
        ("DELETE", "/any", IN),
    ],
)
def test_a_path_may_be_public_for_one_method(status: Any, method: str, target: str, expected: int) -> None:
    public = ["GET /health", "OPTIONS /static/*", "/any"]
    assert status(Request(method, target), public=public) == expected


@both
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "x_method_override"])
def test_but_not_with_a_header_that_names_another(status: Any, name: str) -> None:
    request = Request("GET", "/health", ((name, "DELETE"),))
    assert status(request, public=["GET /health"]) == 401
    assert status(request, public=["/health"]) == IN


@pytest.mark.parametrize("entry", ["get /health", "GET  /health", "GET health", "GET ", " /health", "GET /a b", "GET"])
def test_what_is_no_method_and_path_cannot_be_public(entry: str) -> None:
    for middleware in (AsgiMiddleware, WsgiMiddleware):
        with pytest.raises(ConfigError, match="public path"):
            middleware(lambda *parts: None, VERIFIER, public=[entry])  # type: ignore[arg-type]


def test_preflights_is_yes_or_no() -> None:
    with pytest.raises(ConfigError, match="preflights"):
        WsgiMiddleware(lambda *parts: [], VERIFIER, preflights="no")  # type: ignore[arg-type]


# The examples of the documentation, with the real packages


def asked(server: Running, *, origin: str = PAGE) -> Answer:
    headers = (("Origin", origin), *PREFLIGHT[1:])
    return send(server.port, message(Request("OPTIONS", "/orders", headers)).replace(b"Content-Length: 0\r\n", b""))


def called(server: Running, *, is_signed: bool = True) -> Answer:
    request = signed_for("/orders") if is_signed else Request("GET", "/orders")
    return send(server.port, message(request, extra=f"Origin: {PAGE}\r\n"))


ALLOWED = "access-control-allow-origin"


@pytest.mark.parametrize(
    ("app", "refusals_are_readable"),
    [
        ("cors_fastapi:app-uvicorn", True),
        ("cors_flask:app-gunicorn", True),
        ("cors_flask:app-waitress", True),
        ("cors_django:application-gunicorn", False),
        ("cors_django:asgi-uvicorn", False),
    ],
)
def test_pages_of_another_origin(start: Start, app: str, refusals_are_readable: bool) -> None:
    server = start(served(*app.rsplit("-", 1)))
    leave = asked(server)
    assert (leave.status, leave.headers[ALLOWED]) in ((200, PAGE), (204, PAGE)), server.output()
    assert "authorization" in leave.headers["access-control-allow-headers"].lower()
    assert ALLOWED not in asked(server, origin="https://evil.example").headers
    answer = called(server)
    assert (answer.status, answer.json(), answer.headers[ALLOWED]) == (200, ["first"], PAGE)
    refused = called(server, is_signed=False)
    assert (refused.status, refused.headers.get(ALLOWED)) == (401, PAGE if refusals_are_readable else None)
    # Any other OPTIONS needs a signature.
    assert send(server.port, message(Request("OPTIONS", "/orders", (ORIGIN,)))).status == 401
