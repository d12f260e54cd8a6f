"""A request is signed with the Content-Length that it is sent with, for some schemes sign that header."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import get, status_of, talk
from tests.gateway.test_proxy import FORM, KEY_ID, NOW, proxied, verifier
from undersign import GoGrid, Recipe, Verifier, presets
from undersign.core.message import body_length
from undersign.gateway import Forwarder, SigningProxy

KEY = "dGhlIHBhc3N3b3Jk"  # rfc9421 takes base64
SIGNS_LENGTH = Recipe.from_mapping(
    {
        "name": "signs-the-length",
        "parts": ["method", "target", {"part": "headers", "names": ["content-length"], "drop_blank": True}, "time"],
        "joiner": "\n",
        "mac": "hmac-sha256",
        "encoding": "hex",
        "headers": {"X-Key": "{key_id}", "X-Time": "{time}", "X-Signature": "{signature}"},
    }
)


@pytest.mark.parametrize(
    ("method", "sent", "length"),
    [
        ("POST", b"Content-Length: 3\r\n\r\nabc", ["3"]),
        ("POST", b"Content-Length: 003\r\n\r\nabc", ["3"]),
        ("POST", b"Connection: content-length\r\nContent-Length: 3\r\n\r\nabc", ["3"]),
        ("POST", b"Content-Length: 70000\r\n\r\n" + b"a" * 70_000, ["70000"]),
        ("POST", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", []),
        ("POST", b"\r\n", ["0"]),
        ("GET", b"\r\n", []),
        ("DELETE", b"\r\n", []),
        ("DELETE", b"Content-Length: 0\r\n\r\n", ["0"]),
    ],
)
def test_the_length_is_signed_that_is_sent(upstream: WireServer, method: str, sent: bytes, length: list[str]) -> None:
    with proxied(SIGNS_LENGTH, upstream.url) as port:
        head = f"{method} /a HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n".encode()
        assert status_of(talk(port, head + sent)) == 200
    assert upstream.received().values("content-length") == length
    assert upstream.verified(verifier(SIGNS_LENGTH)).key_id == KEY_ID


def test_a_length_of_0_over_http_2_is_neither_signed_nor_sent(upstream: WireServer) -> None:
    """There a body may be announced and be empty: it goes on in chunks."""
    scheme = presets.rfc9421(components=("@method", "@path"), when_present=("content-length",), digest=None)
    sent: list[Any] = []
    scope = {
        "type": "http",
        "http_version": "2",
        "method": "POST",
        "path": "/a",
        "raw_path": b"/a",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-length", b"0")],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        async with Forwarder() as forwarder:
            app = SigningProxy(scheme, KEY_ID, KEY, origins=[upstream.url], forwarder=forwarder, clock=lambda: NOW)
            await app(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 200
    assert upstream.received().values("content-length") == []
    assert upstream.verified(Verifier(scheme, {KEY_ID: KEY}, clock=lambda: NOW)).key_id == KEY_ID


def test_the_length_is_that_of_a_form_in_which_fields_were_set(upstream: WireServer) -> None:
    with proxied(GoGrid(allow_http=True), upstream.url) as port:
        assert status_of(talk(port, get("/", FORM, method="POST", body=b"a=1&sig=2"))) == 200
    [length] = upstream.received().values("content-length")
    assert int(length) == body_length(upstream.received().body)
