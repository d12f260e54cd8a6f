"""An app whose framework shows what verified, and that nobody has wrapped: nobody gets in."""

from __future__ import annotations

import asyncio

import pytest

from undersign import ConfigError, GoTom, Verifier
from undersign.events.event import printable
from undersign.servers._common import verified_in


def test_without_the_middleware_there_is_no_answer() -> None:
    with pytest.raises(ConfigError, match="no SignatureMiddleware"):
        verified_in({})
    assert verified_in({"undersign": None}) is None


def test_fastapi_and_starlette() -> None:
    pytest.importorskip("fastapi")
    from starlette.requests import HTTPConnection

    from undersign.servers.fastapi import Signed
    from undersign.servers.starlette import SignatureBackend

    connection = HTTPConnection({"type": "http", "headers": []})
    for call in (Signed(GoTom()), SignatureBackend().authenticate):
        with pytest.raises(ConfigError):
            asyncio.run(call(connection))


def test_flask() -> None:
    flask = pytest.importorskip("flask")
    from undersign.servers.flask import Signature, signed

    app = flask.Flask("unwrapped")
    app.add_url_rule("/", view_func=signed(lambda: "in"))
    assert app.test_client().get("/").status_code == 500
    Signature(Verifier(GoTom(), {"user": "secret"}), app, public=["/"])
    assert app.test_client().get("/").status_code == 401
    assert app.test_client().get("/x").get_json() == "Signature required"


def test_django() -> None:
    pytest.importorskip("django")
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse

    from undersign.servers.django import SignatureMiddleware

    if not settings.configured:
        settings.configure()
    middleware = SignatureMiddleware(lambda request: HttpResponse("in"))
    request = HttpRequest()
    with pytest.raises(ConfigError):
        middleware(request)
    request.META["undersign"] = None
    assert middleware(request).status_code == 200


def test_what_is_logged_is_printable_and_short() -> None:
    assert printable("a\r\nb\x1b[31m\u2028\u202e\x00é") == "a??b?[31m???é"
    assert len(printable("x" * 10_000)) == 201
