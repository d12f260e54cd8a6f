"""Websocket handshakes on protected paths are verified, on the servers that speak websocket."""

from __future__ import annotations

import pytest

from undersign import Request

from .echo_app import KEY_ID
from .matrix import SERVERS, Running
from .wire import GOGRID, GOTOM, Answer, message, send, signed

SPEAKING = pytest.mark.parametrize(
    "server", [server for server in SERVERS if server.interface == "asgi"], ids=repr, indirect=True
)
UPGRADE = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def shake(server: Running, request: Request, target: str | None = None) -> Answer:
    data = message(request, target=target, extra=UPGRADE).replace(b"Connection: close", b"Connection: Upgrade")
    return send(server.port, data)


@SPEAKING
@pytest.mark.parametrize("scheme", [GOTOM, GOGRID], ids=["gotom", "gogrid"])
def test_a_signed_handshake_is_accepted(server: Running, scheme: object) -> None:
    request = signed(GOTOM if scheme is GOTOM else GOGRID, "GET", "/socket//a%2Fb?x=1")
    assert shake(server, request).status == 101
    assert server.wait_for(event="app", path="/socket//a/b")[-1]["key_id"] == KEY_ID


@SPEAKING
def test_other_handshakes_are_refused(server: Running) -> None:
    before = len(server.events(event="app"))
    good = signed(GOTOM, "GET", "/socket")
    unsigned = Request("GET", "/socket", (("Content-Type", "application/json"),))
    refused = [
        shake(server, unsigned),
        shake(server, good, "/socket2"),
        shake(server, signed(GOTOM, "GET", "/socket", age=7200)),
        shake(server, signed(GOTOM, "GET", "/socket", secret="wrong")),
    ]
    assert {answer.status for answer in refused} <= {401, 403}
    assert len(server.events(event="app")) == before
