"""What a credential has besides key id and secret goes out with every client."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import WireServer
from undersign import Recipe, Verifier, Window
from undersign.clients.aiohttp import SignatureAuth as AiohttpAuth
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.requests import SignatureAuth, SigningAdapter
from undersign.clients.urllib import SignatureHandler

SCHEME = Recipe(
    name="tenants",
    parts=("time", "extra:tenant", "target"),
    mac="hmac-sha256",
    window=Window(60, 60),
    allow_http=True,
    headers={
        "X-Tenant": "{extra.tenant}",
        "X-Key": "{key_id}",
        "X-Time": "{time}",
        "X-Signature": "{signature}",
    },
)
OPTIONS: dict[str, Any] = {"clock": lambda: NOW, "extra": {"tenant": "north"}}


def by_requests(url: str) -> None:
    requests.get(url, auth=SignatureAuth(SCHEME, KEY_ID, SECRET, **OPTIONS), timeout=30)


def by_adapter(url: str) -> None:
    with requests.Session() as session:
        session.mount(url, SigningAdapter(SCHEME, KEY_ID, SECRET, origins=[url], **OPTIONS))
        session.get(url + "/", timeout=30)


def by_httpx(url: str) -> None:
    httpx.get(url, auth=HttpxAuth(SCHEME, KEY_ID, SECRET, **OPTIONS), trust_env=False)


def by_aiohttp(url: str) -> None:
    async def call() -> None:
        auth = AiohttpAuth(SCHEME, KEY_ID, SECRET, **OPTIONS)
        async with aiohttp.ClientSession(middlewares=(auth,)) as session, session.get(url) as response:
            await response.read()

    asyncio.run(call())


def by_urllib(url: str) -> None:
    handler = SignatureHandler(SCHEME, KEY_ID, SECRET, **OPTIONS)
    opener = urllib.request.build_opener(handler, urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        response.read()


@pytest.mark.parametrize("call", [by_requests, by_adapter, by_httpx, by_aiohttp, by_urllib])
def test_an_extra_is_sent_and_signed(server: WireServer, call: Callable[[str], None]) -> None:
    call(server.url)
    received = server.received()
    assert received.values("x-tenant") == ["north"]
    verified = Verifier(SCHEME, {KEY_ID: SECRET}, clock=lambda: NOW).verify(received)
    assert verified.key_id == KEY_ID
