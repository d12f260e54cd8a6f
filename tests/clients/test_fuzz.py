"""A thousand random requests per client, through a socket: what was signed is what came in, for all of them.

The sizes of the hazards are asserted, so that the thousand keep holding what they are for.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
import requests

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import KeepAliveServer
from undersign import GoGrid, GoTom, Scheme, Verifier
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.requests import SignatureAuth

COUNT = 1000
HAZARDS = {
    "escapes": ["%2f", "%2F", "%7e", "%C3%bc", "%20", "%25"],
    "empty fields": ["&&", "?&", "&"],
    "dot segments": ["/../", "/./", "/.."],
    "non-ASCII": ["ü", "密", "é"],
    "plain": ["a", "b=1", "/x", "+", "~", "[]", "=", ";", ":", "@", "!$'()*,", '^`|"<>{}', " ", "server=a&server=b"],
}


def random_requests(seed: int) -> tuple[list[tuple[str, str, dict[str, Any]]], Counter[str]]:
    """Method, target and keywords of a thousand requests, and how many hold each hazard."""
    rng = random.Random(seed)
    made, counts = [], Counter[str]()
    for _ in range(COUNT):
        held: set[str] = set()

        def pieces(kinds: list[str], most: int, held: set[str] = held) -> str:
            chosen = [rng.choice(kinds) for _ in range(rng.randrange(most))]
            held.update(chosen)
            return "".join(rng.choice(HAZARDS[kind]) for kind in chosen)

        path = "/p" + pieces(["plain", "escapes", "dot segments", "non-ASCII"], 6).replace("?", "")
        query = pieces(["plain", "escapes", "empty fields", "non-ASCII"], 8)
        bare = rng.random() < 0.15
        target = path + ("?" if bare else f"?{query}" if rng.random() < 0.8 else "")
        keywords: dict[str, Any] = {}
        method = rng.choice(["GET", "POST"])
        kind = rng.random()
        if method == "POST" and kind < 0.4:
            held.add("binary bodies")
            keywords["binary"] = rng.randbytes(rng.randrange(300))
        elif method == "POST" and kind < 0.6:
            keywords["data"] = {"a": pieces(["plain", "non-ASCII"], 4), "b": "1"}
        elif method == "POST" and kind < 0.8:
            keywords["json"] = {"a": pieces(["plain", "non-ASCII"], 4)}
        if not bare and rng.random() < 0.2:
            keywords["params"] = {"q": pieces(["plain", "escapes", "non-ASCII"], 4)}
        if bare:
            held.add("bare ?")
        counts.update(held)
        made.append((method, target, keywords))
    return made, counts


def with_requests(url: str, auth: Any, made: list[tuple[str, str, dict[str, Any]]]) -> None:
    with requests.Session() as session:
        for method, target, keywords in made:
            arguments = {"data" if name == "binary" else name: value for name, value in keywords.items()}
            session.request(method, url + target, auth=auth, timeout=30, **arguments)


def with_httpx(library: Any) -> Callable[..., None]:
    def send(url: str, auth: Any, made: list[tuple[str, str, dict[str, Any]]]) -> None:
        with library.Client(timeout=30) as client:
            for method, target, keywords in made:
                arguments = {"content" if name == "binary" else name: value for name, value in keywords.items()}
                client.request(method, url + target, auth=auth, **arguments)

    return send


def with_async_httpx(library: Any) -> Callable[..., None]:
    def send(url: str, auth: Any, made: list[tuple[str, str, dict[str, Any]]]) -> None:
        @asynccontextmanager
        async def client() -> AsyncIterator[Any]:
            async with library.AsyncClient(timeout=30) as opened:
                yield opened

        async def send_all() -> None:
            async with client() as opened:
                for method, target, keywords in made:
                    arguments = {"content" if name == "binary" else name: value for name, value in keywords.items()}
                    await opened.request(method, url + target, auth=auth, **arguments)

        asyncio.run(send_all())

    return send


CLIENTS = {
    "requests": (with_requests, SignatureAuth),
    "httpx": (with_httpx(httpx), HttpxAuth),
    "httpx-async": (with_async_httpx(httpx), HttpxAuth),
    "httpx2": (with_httpx(httpx2), HttpxAuth),
    "httpx2-async": (with_async_httpx(httpx2), HttpxAuth),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "client",
    [pytest.param(name, marks=() if name in ("requests", "httpx-async") else pytest.mark.long) for name in CLIENTS],
)
@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def test_a_thousand_requests_are_received_as_they_were_signed(client: str, scheme: Scheme) -> None:
    send, auth = CLIENTS[client]
    made, counts = random_requests(seed=sorted(CLIENTS).index(client))
    hazards = ["escapes", "empty fields", "dot segments", "non-ASCII", "bare ?", "binary bodies"]
    assert {hazard: counts[hazard] >= 100 for hazard in hazards} == dict.fromkeys(hazards, True)
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)
    with KeepAliveServer() as server:
        send(server.url, auth(scheme, KEY_ID, SECRET, clock=lambda: NOW), made)
        assert len(server.requests) == COUNT
        for index in range(COUNT):
            assert server.verified(verifier, index).key_id == KEY_ID
