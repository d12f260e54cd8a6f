"""A nonce of the caller's own, and a new one where there is none."""

from __future__ import annotations

import urllib.request
from typing import Any

import httpx
import pytest
import requests

from undersign import ConfigError, Recipe
from undersign.clients import httpx as httpx_client
from undersign.clients import requests as requests_client
from undersign.clients import urllib as urllib_client

SCHEME = Recipe(
    name="r",
    parts=["nonce", "target"],
    mac="hmac-sha256",
    window=None,
    headers={"X-Nonce": "{nonce}", "X-Signature": "{key_id} {signature}"},
)
URL = "https://api.example.com/a"


def _with_requests(**options: Any) -> str | None:
    auth = requests_client.SignatureAuth(SCHEME, "key", "secret", **options)
    return requests.Request("GET", URL, auth=auth).prepare().headers.get("X-Nonce")


def _with_httpx(**options: Any) -> str | None:
    auth = httpx_client.SignatureAuth(SCHEME, "key", "secret", **options)
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("X-Nonce"))
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as client:
        client.get(URL)
    return seen[0]


@pytest.mark.parametrize("of", [_with_requests, _with_httpx])
def test_the_nonce_is_the_callers_or_a_new_one(of: Any) -> None:
    assert of(nonce=lambda: "n1") == "n1"
    first, second = of(), of()
    assert first
    assert second
    assert first != second
    with pytest.raises(ConfigError, match="nonce is a function"):
        of(nonce="n1")


def test_urllib_takes_one_too() -> None:
    handler = urllib_client.SignatureHandler(SCHEME, "key", "secret", nonce=lambda: "n1")
    signed = handler.https_request(urllib.request.Request(URL))
    assert signed.get_header("X-nonce") == "n1"
