"""The client libraries behind one call, so that a test says once what holds for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as UrllibRequest

import aiohttp
import httpx
import httpx2
import requests

from undersign.clients import aiohttp as undersign_aiohttp
from undersign.clients import httpx as undersign_httpx
from undersign.clients import requests as undersign_requests
from undersign.clients import urllib as undersign_urllib


class Caller:
    """One client library. `call` sends a request and returns the status; `auth` makes its SignatureAuth."""

    def __init__(self, name: str, call: Callable[..., int], auth: Callable[..., Any], *, is_async: bool) -> None:
        self.name = name
        self.call = call
        self.auth = auth
        self.is_async = is_async
        self.is_requests = name == "requests"

    def __repr__(self) -> str:
        return self.name

    def stream(self, pieces: list[bytes]) -> dict[str, Any]:
        """The keyword that sends these pieces from a generator of the client's kind."""
        if self.is_requests:
            return {"data": iterate(pieces)}
        return {"content": aiterate(pieces) if self.is_async else iterate(pieces)}

    def raw(self, body: Any) -> dict[str, Any]:
        """The keyword that sends this body as it is."""
        return {"data" if self.is_requests else "content": body}


def iterate(pieces: list[bytes]) -> Iterator[bytes]:
    yield from pieces


async def aiterate(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _with_requests(method: str, url: str, **keywords: Any) -> int:
    with requests.Session() as session:
        return session.request(method, url, timeout=30, **keywords).status_code


def _with_sync(library: Any) -> Callable[..., int]:
    def call(method: str, url: str, **keywords: Any) -> int:
        with undersign_httpx.sign_every_hop(library.Client(follow_redirects=True, timeout=30)) as client:
            return int(client.request(method, url, **keywords).status_code)

    return call


def _with_async(library: Any) -> Callable[..., int]:
    def call(method: str, url: str, **keywords: Any) -> int:
        async def send() -> int:
            async with undersign_httpx.sign_every_hop(library.AsyncClient(follow_redirects=True, timeout=30)) as client:
                return int((await client.request(method, url, **keywords)).status_code)

        return asyncio.run(send())

    return call


def _with_aiohttp(method: str, url: str, *, auth: Any) -> int:
    async def send() -> int:
        async with aiohttp.ClientSession(middlewares=(auth,)) as client, client.request(method, url) as response:
            return response.status

    return asyncio.run(send())


def _with_urllib(method: str, url: str, *, auth: Any) -> int:
    request = UrllibRequest(url, method=method)  # noqa: S310 - a server of ours
    with build_opener(auth, ProxyHandler({})).open(request, timeout=30) as response:
        return int(response.status)


CALLERS = [
    Caller("requests", _with_requests, undersign_requests.SignatureAuth, is_async=False),
    Caller("httpx", _with_sync(httpx), undersign_httpx.SignatureAuth, is_async=False),
    Caller("httpx-async", _with_async(httpx), undersign_httpx.SignatureAuth, is_async=True),
    Caller("httpx2", _with_sync(httpx2), undersign_httpx.SignatureAuth, is_async=False),
    Caller("httpx2-async", _with_async(httpx2), undersign_httpx.SignatureAuth, is_async=True),
]
# aiohttp and urllib take bodies in ways of their own, and here none at all.
ALL_CALLERS = [
    *CALLERS,
    Caller("aiohttp", _with_aiohttp, undersign_aiohttp.SignatureAuth, is_async=True),
    Caller("urllib", _with_urllib, undersign_urllib.SignatureHandler, is_async=False),
]
