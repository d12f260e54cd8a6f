"""What `auth=` costs: over a no-op auth, as a multiple of a hand-written auth that does the same hashing.

    python benchmarks/auth.py

Requests go to a transport that answers at once, so that the rest of the client's work is small and the same for all.
The three take turns in one process, and the fastest round of each counts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
from requests.adapters import BaseAdapter
from sample import KEY_ID, SECRET
from turns import fastest

from undersign import GoTom
from undersign.clients.httpx import SignatureAuth as HttpxAuth
from undersign.clients.requests import SignatureAuth as RequestsAuth

URL = "https://demo.gotom.io/app-api/campaign/26106?x=1"


def header(method: str, target: str, content_type: str, date: str, body: bytes) -> str:
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    text = f"{method}\n{md5}\n{content_type.lower()}\n{date}\n\n{target}"
    signature = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), "sha1").digest()).decode()
    return f"gotom_app_api {KEY_ID}:{signature}"


def by_hand_for_requests(request: requests.PreparedRequest) -> requests.PreparedRequest:
    parts = urlsplit(request.url or "")
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    request.headers.setdefault("Content-Type", "application/json")
    request.headers["Date"] = date
    content_type = str(request.headers["Content-Type"])
    body = request.body or b""
    assert isinstance(body, bytes)
    request.headers["Authorization"] = header(request.method or "", target, content_type, date, body)
    return request


class ByHandForHttpx(httpx.Auth):
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Any:
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        request.headers.setdefault("Content-Type", "application/json")
        request.headers["Date"] = date
        target = request.url.raw_path.decode("ascii")
        content_type = request.headers["Content-Type"]
        request.headers["Authorization"] = header(request.method, target, content_type, date, request.content)
        yield request


class Answer(BaseAdapter):
    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        request.path_url  # noqa: B018 - as every real adapter does
        response = requests.Response()
        response.status_code, response.request, response._content = 200, request, b""
        response.raw = None
        return response

    def close(self) -> None:
        pass


def main() -> None:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Answer())
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)), trust_env=False)
    print("body       client    by hand   undersign   (µs over a no-op auth)   ratio")
    for size in (0, 1024, 64 * 1024, 1024 * 1024):
        body = bytes(size)
        calls = 100 if size < 100_000 else 20
        for name, send, auths in (
            ("requests", _requests_call(session, body), (lambda r: r, by_hand_for_requests, RequestsAuth)),
            ("httpx", _httpx_call(client, body), (httpx.Auth(), ByHandForHttpx(), HttpxAuth)),
        ):
            nothing, by_hand, signature_auth = auths
            ours = signature_auth(GoTom(), KEY_ID, SECRET)
            kinds = {"nothing": nothing, "by hand": by_hand, "ours": ours}
            best = fastest({kind: partial(send, auth) for kind, auth in kinds.items()}, 15, calls)
            hand, own = best["by hand"] - best["nothing"], best["ours"] - best["nothing"]
            print(f"{size:>8} B {name:9} {hand:9.1f} {own:11.1f} {'':24} {own / hand:6.2f}")


def _requests_call(session: requests.Session, body: bytes) -> Callable[[Any], object]:
    return lambda auth: session.post(URL, data=body, auth=auth)


def _httpx_call(client: httpx.Client, body: bytes) -> Callable[[Any], object]:
    return lambda auth: client.post(URL, content=body, auth=auth)


if __name__ == "__main__":
    main()
