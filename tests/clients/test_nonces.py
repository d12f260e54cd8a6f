"""A nonce of the caller's own, and a new one where there is none."""

from __future__ import annotations

import re
import urllib.request
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import requests

from undersign import ConfigError, Recipe, presets
from undersign.clients import httpx as httpx_client
from undersign.clients import requests as requests_client
from undersign.clients import urllib as urllib_client
from undersign.clients.nonces import GrowingNonces

from .wire import WireServer

SCHEME = Recipe(
    name="r",
    parts=["nonce", "target"],
    mac="hmac-sha256",
    window=None,
    allow_http=True,
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


def test_the_adapter_takes_one_too() -> None:
    with WireServer() as server:
        session = requests.Session()
        nonces = iter(["n1", "n2"])
        adapter = requests_client.SigningAdapter(
            SCHEME, "key", "secret", origins=[server.url], nonce=lambda: next(nonces)
        )
        session.mount(server.url, adapter)
        session.get(f"{server.url}/a")
        session.get(f"{server.url}/b")
    sent = [re.search(rb"\r\nX-Nonce: (.*?)\r\n", request) for request in server.requests]
    assert [found and found[1] for found in sent] == [b"n1", b"n2"]


# APIs that want a number larger than the last: https://docs.kraken.com/api/docs/guides/spot-rest-auth

KRAKEN_SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def test_a_nonce_that_is_a_number_grows_without_a_word_of_the_caller() -> None:
    auth = requests_client.SignatureAuth(presets.kraken(), "key", KRAKEN_SECRET)
    call = requests.Request("POST", "https://api.kraken.com/0/private/Balance", data={"a": "1"}, auth=auth)
    bodies: list[Any] = [call.prepare().body for _ in range(3)]
    forms = [parse_qs(body.decode()) for body in bodies]
    nonces = [int(form["nonce"][0]) for form in forms]
    assert nonces[0] < nonces[1] < nonces[2]
    assert nonces[0] > 1_700_000_000_000_000  # microseconds, as many digits as other programs with the key may send


def test_a_number_grows_where_the_clock_does_not() -> None:
    times = iter([100.0, 100.0, 99.0, 100.000005])
    grows = GrowingNonces(lambda: next(times))
    assert [grows() for _ in range(4)] == ["100000000", "100000001", "100000002", "100000005"]
