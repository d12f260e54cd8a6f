"""A request is signed with the Content-Length that it is sent with, for some schemes sign that header."""

from __future__ import annotations

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import get, status_of, talk
from tests.gateway.test_proxy import FORM, KEY_ID, proxied, verifier
from undersign import GoGrid, Recipe
from undersign.core.message import body_length

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


def test_the_length_is_that_of_a_form_in_which_fields_were_set(upstream: WireServer) -> None:
    with proxied(GoGrid(allow_http=True), upstream.url) as port:
        assert status_of(talk(port, get("/", FORM, method="POST", body=b"a=1&sig=2"))) == 200
    [length] = upstream.received().values("content-length")
    assert int(length) == body_length(upstream.received().body)
