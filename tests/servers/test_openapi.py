"""How a scheme shows in FastAPI's OpenAPI: where it puts its signature, whatever scheme it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from undersign import GoGrid, GoTom, HttpHmac, KeyedTimestamp, Recipe, Window

fastapi = pytest.importorskip("fastapi")

TIMED: dict[str, Any] = {"parts": ("time", "key_id", "target"), "mac": "hmac-sha256", "window": Window(60, 60)}


@pytest.mark.parametrize(
    ("scheme", "shown", "challenge"),
    [
        (GoTom(), {"type": "http", "scheme": "gotom_app_api"}, "gotom_app_api"),
        (HttpHmac(provider="Shop"), {"type": "http", "scheme": "Shop"}, "Shop"),
        (GoGrid(), {"type": "apiKey", "in": "query", "name": "sig"}, "gogrid"),
        (
            KeyedTimestamp(key_param="k", name="in-form", placement="form", sig_param="s"),
            {"type": "apiKey", "in": "query", "name": "s"},
            "in-form",
        ),
        (
            Recipe(
                name="own", headers={"X-Key": "{key_id}", "X-Time": "{time}", "X-Signature": "{signature}"}, **TIMED
            ),
            {"type": "apiKey", "in": "header", "name": "X-Signature"},
            "own",
        ),
        (
            Recipe(name="word", headers={"Authorization": "WORD {key_id}:{time}:{signature}"}, **TIMED),
            {"type": "http", "scheme": "WORD"},
            "word",
        ),
    ],
)
def test_the_scheme_says_where_its_signature_is(scheme: Any, shown: dict[str, str], challenge: str) -> None:
    from starlette.requests import HTTPConnection

    from undersign.servers.fastapi import Signed

    signed = Signed(scheme)
    model = signed.model.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert model == shown
    with pytest.raises(fastapi.HTTPException) as refused:
        asyncio.run(signed(HTTPConnection({"type": "http", "headers": [], "undersign": None})))
    assert refused.value.headers == {"WWW-Authenticate": challenge}
