"""Test clients that sign: what they send verifies behind the framework's own middleware, in each placement."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import django
import flask
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, re_path
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from undersign import AsyncVerifier, ConfigError, GoGrid, GoTom, Verifier, presets
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.flask import Signature
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware
from undersign.testing import (
    FrozenClock,
    signed_async_client,
    signed_django_client,
    signed_flask_client,
    signed_test_client,
)

SCHEMES = [GoTom(), GoGrid(), presets.acquia_v2(), presets.rfc9421()]
SECRET = "dGhpcyBpcyBhIHNlY3JldA=="
KEYS = {"user": SECRET}
CLOCK = FrozenClock()
ORIGIN = "https://api.example.com"

Send = Callable[..., tuple[int, Any]]


def told(method: str, target: str, body: bytes, key_id: str | None) -> dict[str, Any]:
    return {"method": method, "target": target, "bytes": len(body), "key_id": key_id}


# One app for each framework: it says what has come, and one path of it leads to another.


def starlette_app(verifier: Verifier) -> Any:
    async def echo(request: StarletteRequest) -> JSONResponse:
        target = request.scope["raw_path"].decode().partition("?")[0]
        return JSONResponse(told(request.method, target, await request.body(), request.scope["undersign"].key_id))

    async def moved(request: StarletteRequest) -> RedirectResponse:
        return RedirectResponse("/orders", 307)

    routes = [Route("/moved", moved), Route("/{rest:path}", echo, methods=["GET", "POST", "PUT"])]
    return AsgiMiddleware(Starlette(routes=routes), verifier, origin=ORIGIN)


def flask_app(verifier: Verifier) -> flask.Flask:
    app = flask.Flask(__name__)
    Signature(verifier, app, origin=ORIGIN)

    @app.route("/moved")
    def moved() -> Any:
        return flask.redirect("/orders", 307)

    @app.route("/<path:rest>", methods=["GET", "POST", "PUT"])
    def echo(rest: str) -> Any:
        target = flask.request.environ["RAW_URI"].partition("?")[0]
        return told(flask.request.method, target, flask.request.get_data(), flask.request.environ["undersign"].key_id)

    return app


def _django_moved(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=307, headers={"Location": "/orders"})


def _django_echo(request: HttpRequest, rest: str) -> HttpResponse:
    target = request.META["RAW_URI"].partition("?")[0]
    response = JsonResponse(told(str(request.method), target, request.body, request.META["undersign"].key_id))
    response.set_cookie("seen", "yes")
    return response


urlpatterns = [path("moved", _django_moved), re_path("^(?P<rest>.*)$", _django_echo)]


def django_app(verifier: Verifier) -> Any:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x")
        django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.test.utils import override_settings

    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        handler = WSGIHandler()

    def application(environ: Any, start_response: Any) -> Any:
        with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
            return handler(environ, start_response)

    return WsgiMiddleware(application, verifier, origin=ORIGIN)


def by_starlette(scheme: Any, secret: str = SECRET, **options: Any) -> Send:
    app = starlette_app(Verifier(SCHEMES, KEYS, clock=CLOCK))
    client = signed_test_client(app, scheme, "user", secret, origin=ORIGIN, **{"clock": CLOCK, **options})

    def send(method: str, target: str, **kwargs: Any) -> tuple[int, Any]:
        answer = client.request(method, target, **kwargs)
        return answer.status_code, answer.json()

    return send


def by_httpx(scheme: Any, secret: str = SECRET, **options: Any) -> Send:
    app = starlette_app(AsyncVerifier(SCHEMES, KEYS, clock=CLOCK))  # type: ignore[arg-type]

    def send(method: str, target: str, **kwargs: Any) -> tuple[int, Any]:
        async def call() -> tuple[int, Any]:
            given = {"clock": CLOCK, **options}
            async with signed_async_client(app, scheme, "user", secret, origin=ORIGIN, **given) as client:
                answer = await client.request(method, target, follow_redirects=True, **kwargs)
                return answer.status_code, answer.json()

        return asyncio.run(call())

    return send


def by_flask(scheme: Any, secret: str = SECRET, **options: Any) -> Send:
    app = flask_app(Verifier(SCHEMES, KEYS, clock=CLOCK))
    client = signed_flask_client(app, scheme, "user", secret, origin=ORIGIN, **{"clock": CLOCK, **options})

    def send(method: str, target: str, **kwargs: Any) -> tuple[int, Any]:
        given = {"query_string" if name == "params" else name: value for name, value in kwargs.items()}
        answer = client.open(target, method=method, follow_redirects=True, **given)
        return answer.status_code, answer.get_json(force=True, silent=True)

    return send


def by_django(scheme: Any, secret: str = SECRET, **options: Any) -> Send:
    application = django_app(Verifier(SCHEMES, KEYS, clock=CLOCK))
    client = signed_django_client(application, scheme, "user", secret, origin=ORIGIN, **{"clock": CLOCK, **options})

    def send(method: str, target: str, **kwargs: Any) -> tuple[int, Any]:
        if "json" in kwargs:
            kwargs = {"data": json.dumps(kwargs["json"]), "content_type": "application/json"}
        elif "data" in kwargs:
            kwargs = {"data": kwargs["data"]} if method == "POST" else kwargs
        elif "params" in kwargs:
            kwargs = {"query_params": kwargs["params"]}
        answer = getattr(client, method.lower())(target, follow=True, **kwargs)
        return answer.status_code, json.loads(answer.content)

    return send


CLIENTS = pytest.mark.parametrize("client", [by_starlette, by_httpx, by_flask, by_django])


@CLIENTS
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_what_is_sent_verifies(client: Callable[..., Send], scheme: Any) -> None:
    send = client(scheme)
    status, found = send("GET", "/orders/a%20b", params={"x": "1 2"})
    assert (status, found["key_id"], found["bytes"]) == (200, "user", 0)
    status, found = send("POST", "/orders", json={"number": 7})
    assert (status, found["method"]) == (200, "POST")
    assert found["bytes"] in (12, 13)
    status, found = send("POST", "/orders", data={"customer": "a b"})
    assert status == 200
    assert found["bytes"] > 0


@CLIENTS
def test_a_redirect_is_signed_afresh(client: Callable[..., Send]) -> None:
    assert client(GoTom())("GET", "/moved") == (200, told("GET", "/orders", b"", "user"))


@CLIENTS
def test_another_secret_and_another_time_are_refused(client: Callable[..., Send]) -> None:
    assert client(GoTom(), "another secret")("GET", "/orders")[0] == 401
    assert client(GoTom(), clock=lambda: CLOCK.now - 86400)("GET", "/orders")[0] == 401


@pytest.mark.parametrize("make", [signed_test_client, signed_async_client, signed_flask_client, signed_django_client])
def test_a_credential_that_cannot_work_is_refused_without_its_secret(make: Any) -> None:
    if make is signed_django_client:
        django_app(Verifier(GoTom(), KEYS))
    with pytest.raises(ConfigError) as raised:
        make(flask.Flask(__name__), GoTom(), "user:\nx", "the secret that is private", origin="nowhere")
    assert "private" not in str(raised.value)
    trace = raised.traceback
    frames = [
        entry.frame.f_locals for entry in trace if "undersign" in str(entry.path) and "tests" not in str(entry.path)
    ]
    assert not [frame for frame in frames if "the secret that is private" in frame.values()]


def test_djangos_client_keeps_cookies_and_follows_to_no_other_host() -> None:
    application = django_app(Verifier(SCHEMES, KEYS, clock=CLOCK))
    client = signed_django_client(application, GoTom(), "user", SECRET, clock=CLOCK, origin=ORIGIN)
    assert client.get("/orders").cookies["seen"].value == "yes"
    assert client.cookies["seen"].value == "yes"
    assert client.get("/orders", SERVER_NAME="elsewhere.example").status_code == 401


def test_an_upload_is_sent_whole() -> None:
    app = flask_app(Verifier(SCHEMES, KEYS, clock=CLOCK))
    client = signed_flask_client(app, GoTom(), "user", SECRET, clock=CLOCK, origin=ORIGIN)
    answer = client.post("/orders", data={"file": (io.BytesIO(b"x" * 100_000), "a.bin")})
    assert answer.get_json()["bytes"] > 100_000
