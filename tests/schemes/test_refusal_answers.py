"""What refused clients are answered: GoGrid's envelope is GoGrid's alone, all others answer with JSON strings."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from undersign import Acquia, GoGrid, GoTom, KeyedTimestamp, Mashery, Reason, Recipe, Rejected, Request, Tyk, Verifier
from undersign.scheme import Scheme
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware
from undersign.testing import check_scheme

NOW = 1_730_974_875
ORIGIN = "https://api.example.com"
HEAD = Request("GET", "/api/orders", (), b"", ORIGIN)
THIRD_PARTY = KeyedTimestamp(key_param="k", name="third-party", version_param="version", version="7")
RECIPE = Recipe(
    name="declared", parts=["time", "target"], mac="hmac-sha256", headers={"X-Time": "{time}", "X-Sig": "{signature}"}
)
KEYED = {"mashery": Mashery(), "tyk": Tyk(), "third-party": THIRD_PARTY}
OTHERS: dict[str, Scheme] = {**KEYED, "declared": RECIPE, "gotom": GoTom(), "acquia": Acquia()}
NOT_THE_SIGNATURE = {
    Reason.BODY_TOO_LARGE: (413, "Request body too large"),
    Reason.LENGTH_REQUIRED: (411, "Content-Length required"),
    Reason.LOSSY_TARGET: (500, "The server cannot verify requests"),
    Reason.UNAVAILABLE: (503, "Try again later"),
}
GOGRID_403 = (
    b'{"summary": {"total": 1, "start": 0, "returned": 1}, "status": "failure", "method": "/orders", "list": '
    b'[{"object": "error", "errorcode": "AuthenticationFailedException", "message": "Authentication Failed"}]}'
)
GOGRID_400 = (
    b'{"summary": {"total": 1, "start": 0, "returned": 1}, "status": "failure", "method": "/orders", "list": '
    b'[{"object": "error", "errorcode": "IllegalArgumentException", "message": '
    b'"A required parameter is missing or not valid"}]}'
)
GOGRID_401 = (
    b'{"summary": {"total": 1, "start": 0, "returned": 1}, "status": "failure", "method": "/orders", "list": '
    b'[{"object": "error", "errorcode": "UnauthorizedException", "message": "The role of this key may not do this"}]}'
)
FORBIDDEN = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "The key may not do this"}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("reason", Reason)
def test_all_but_gogrid_answer_with_a_json_string(name: str, reason: Reason) -> None:
    answer = OTHERS[name].refusal(Rejected(reason, "why", scheme=name), HEAD)
    status, message = NOT_THE_SIGNATURE.get(reason, (401, "Signature not valid"))
    assert (answer.status, json.loads(answer.body)) == (status, message)
    assert answer.headers[0] == ("Content-Type", "application/json")


@pytest.mark.parametrize("name", OTHERS)
def test_all_but_gogrid_answer_with_a_problem_where_the_key_may_not(name: str) -> None:
    answer = OTHERS[name].forbidden(HEAD)
    assert (answer.status, answer.headers) == (403, (("Content-Type", "application/problem+json"),))
    assert json.loads(answer.body) == FORBIDDEN


def test_gogrid_answers_in_its_envelope() -> None:
    scheme = GoGrid()
    for reason in (Reason.MISMATCH, Reason.UNKNOWN_KEY, Reason.REPLAYED, Reason.INSECURE):
        answer = scheme.refusal(Rejected(reason, "why", scheme="gogrid"), HEAD)
        assert (answer.status, answer.body) == (403, GOGRID_403)
    for reason in (Reason.MALFORMED, Reason.UNSUPPORTED_VERSION):
        answer = scheme.refusal(Rejected(reason, "why", scheme="gogrid"), HEAD)
        assert (answer.status, answer.body) == (400, GOGRID_400)
    answer = scheme.forbidden(HEAD)
    assert (answer.status, answer.headers, answer.body) == (401, (("Content-Type", "application/json"),), GOGRID_401)
    for reason, (status, message) in NOT_THE_SIGNATURE.items():
        answer = scheme.refusal(Rejected(reason, "why", scheme="gogrid"), HEAD)
        assert answer.status == status
        assert json.loads(answer.body)["list"] == [
            {"object": "error", "errorcode": "UnexpectedError", "message": message}
        ]


def test_gogrid_answers_in_the_format_that_is_asked_for() -> None:
    answer = GoGrid().forbidden(Request("GET", "/api/orders?format=csv"))
    assert (answer.status, answer.body) == (
        401,
        (
            b"# FAILURE, /orders, TOTAL, 1, START, 0, RETURNED, 1\n"
            b"# errorcode,message\nUnauthorizedException,The role of this key may not do this\n"
        ),
    )


@pytest.mark.parametrize("scheme", [THIRD_PARTY, GoGrid(name="other-grid")])
def test_both_keep_the_laws(scheme: Scheme) -> None:
    check_scheme(scheme)


def keyed_target(scheme: KeyedTimestamp, secret: str) -> str:
    sig = hashlib.new(scheme.algorithm, f"key{secret}{NOW}".encode(), usedforsecurity=False).hexdigest()
    version = f"&{scheme.version_param}={scheme.version}" if scheme.version_param else ""
    return f"/api/orders?{scheme.key_param}=key&sig={sig}{version}"


def by_wsgi(verifier: Verifier, target: str) -> tuple[int, bytes]:
    """The answer of the WSGI middleware whose `authorize` lets nobody do anything."""
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
    }
    started: list[str] = []
    app = WsgiMiddleware(
        lambda environ, start_response: pytest.fail("the app is called"),
        verifier,
        origin=ORIGIN,
        authorize=lambda verified, head: False,
    )
    body = b"".join(app(environ, lambda status, headers: started.append(status)))  # type: ignore[arg-type]
    return int(started[0][:3]), body


def by_asgi(verifier: Verifier, target: str) -> tuple[int, bytes]:
    """The answer of the ASGI middleware whose `authorize` lets nobody do anything."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pytest.fail("the app is called")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [],
    }
    middleware = AsgiMiddleware(app, verifier, origin=ORIGIN, authorize=lambda verified, head: False)
    with pytest.raises(StopIteration):
        middleware(scope, receive, send).__await__().send(None)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize("answered", [by_asgi, by_wsgi])
@pytest.mark.parametrize("scheme", [*KEYED.values(), GoGrid()], ids=lambda scheme: scheme.name)
def test_the_middlewares_answer_as_the_scheme_does(scheme: KeyedTimestamp, answered: Any) -> None:
    verifier = Verifier([GoTom(), scheme], {"key": "secret"}, clock=lambda: NOW)
    good, bad = (answered(verifier, keyed_target(scheme, secret)) for secret in ("secret", "wrong"))
    if scheme.name == "gogrid":
        assert (good, bad) == ((401, GOGRID_401), (403, GOGRID_403))
    else:
        assert (good[0], json.loads(good[1])) == (403, FORBIDDEN)
        assert bad == (401, b'"Signature not valid"')
