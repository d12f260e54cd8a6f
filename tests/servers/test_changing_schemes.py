"""A server that moves its clients from a weak scheme to a strong one, from the first day to the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import flask
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from undersign import Component, GoGrid, GoTom, KeyedTimestamp, Scheme, Verified, Verifier
from undersign.clients.httpx import SignatureAuth
from undersign.keys import KeyUsage
from undersign.policy import Requirements
from undersign.servers import asgi, wsgi

ORIGIN = "https://api.example.com"
SECRET = "thepasswordyoureceived"
BOTH = {"gotom": {"a": SECRET, "b": SECRET}, "gogrid": {"a": SECRET, "b": SECRET}}
WITHOUT_A = {"gotom": BOTH["gotom"], "gogrid": {"b": SECRET}}


def _auth(scheme: Scheme, key_id: str) -> SignatureAuth:
    return SignatureAuth(scheme, key_id, SECRET)


@contextmanager
def _asgi(verifier: Verifier, **options: Any) -> Iterator[httpx.Client]:
    app = FastAPI()

    @app.api_route("/items", methods=["GET", "POST"])
    def items() -> list[str]:
        return []

    app.add_middleware(asgi.SignatureMiddleware, verifier=verifier, origin=ORIGIN, **options)
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


@contextmanager
def _wsgi(verifier: Verifier, **options: Any) -> Iterator[httpx.Client]:
    app = flask.Flask("items")
    app.add_url_rule("/items", "items", lambda: "[]", methods=["GET", "POST"])
    transport = httpx.WSGITransport(app=wsgi.SignatureMiddleware(app, verifier, origin=ORIGIN, **options))
    with httpx.Client(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.mark.parametrize("serve", [_asgi, _wsgi])
def test_from_one_scheme_to_the_other(serve: Any) -> None:
    usage, refused = KeyUsage(), []
    hooks: dict[str, Any] = {
        "on_verified": usage.record,
        "on_rejected": lambda reason, key_id, detail: refused.append((reason, key_id)),
    }
    old, new = partial(_auth, GoGrid()), partial(_auth, GoTom())
    require = Requirements(writes={Component.BODY})
    with serve(Verifier([GoTom(), GoGrid()], BOTH), **hooks) as client:
        assert client.get("/items", auth=old("a")).status_code == 200
        assert client.post("/items", auth=old("b")).status_code == 200
        assert [use[:4] for use in usage.report("gogrid")] == [("a", "gogrid", 0, 1), ("b", "gogrid", 0, 1)]
    with serve(Verifier([GoTom(), GoGrid()], BOTH, require=require), **hooks) as client:
        assert client.post("/items", auth=old("b")).status_code == 403
        assert client.post("/items", auth=new("b")).status_code == 200
        assert client.get("/items", auth=old("b")).status_code == 200
    with serve(Verifier([GoTom(), GoGrid()], WITHOUT_A, require=require), **hooks) as client:
        assert client.get("/items", auth=old("a")).status_code == 403
        assert client.get("/items", auth=new("a")).status_code == 200
    assert refused == [("insecure", "b"), ("unknown_key", "a")]
    assert [use[:4] for use in usage.report("gotom")] == [("a", "gotom", 0, 1), ("b", "gotom", 0, 1)]


@pytest.mark.parametrize("serve", [_asgi, _wsgi])
def test_a_request_in_both_schemes_is_in_none(serve: Any) -> None:
    refused: list[str] = []
    with serve(
        Verifier([GoTom(), GoGrid()], BOTH), on_rejected=lambda reason, key_id, detail: refused.append(reason)
    ) as client:
        signed = client.build_request("GET", "/items", params={"api_key": "a", "sig": "0" * 32, "v": "1.5"})
        assert client.send(signed, auth=SignatureAuth(GoTom(), "a", SECRET)).status_code == 401
    assert refused == ["ambiguous"]


@pytest.mark.parametrize("serve", [_asgi, _wsgi])
def test_the_order_of_the_schemes_changes_no_verdict(serve: Any) -> None:
    third = KeyedTimestamp(key_param="apikey", name="third", sig_param="signature")
    keys = {**BOTH, "third": {"c": SECRET}}
    schemes: list[Scheme] = [GoTom(), GoGrid(), third]
    for ordered in (schemes, schemes[::-1], [third, *schemes[:2]]):
        with serve(Verifier(ordered, keys)) as client:
            for scheme, key in zip(schemes, "abc", strict=True):
                assert client.get("/items", auth=SignatureAuth(scheme, key, SECRET)).status_code == 200
            assert client.get("/items", auth=SignatureAuth(GoTom(), "c", SECRET)).status_code == 401
            assert client.get("/items", auth=SignatureAuth(GoGrid(), "c", SECRET)).status_code == 403


@pytest.mark.parametrize("serve", [_asgi, _wsgi])
def test_a_hook_that_fails_changes_nothing(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    def hook(verified: Verified) -> None:
        raise ValueError("secret text")

    with serve(Verifier(GoTom(), {"a": SECRET}), on_verified=hook) as client:
        assert client.get("/items", auth=SignatureAuth(GoTom(), "a", SECRET)).status_code == 200
    assert "on_verified has raised ValueError" in caplog.text
    assert "secret text" not in caplog.text
