"""An app behind the ASGI middleware, in conversation with a server that is played."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from undersign import GoGrid, GoTom, Request, Verifier

KEYS = {"user:1": "thepasswordyoureceived"}
PLAIN_KEYS = {"user": "thepasswordyoureceived"}
MIB = 1024 * 1024


def both() -> Verifier:
    return Verifier([GoTom(), GoGrid()], KEYS)


class Conversation:
    """Runs an app on one scope, and keeps what it sends."""

    def __init__(self, app: Any, scope: dict[str, Any], messages: Iterable[dict[str, Any]] = ()) -> None:
        self.sent: list[dict[str, Any]] = []
        self.received = 0
        self.waiting = list(messages)
        asyncio.run(app(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        return self.waiting.pop(0)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Recorder:
    """An app that keeps its scope and reads its body and one message more."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.scope = scope
        if scope["type"] == "http":
            while True:
                self.messages.append(await receive())
                if self.messages[-1]["type"] != "http.request":
                    break
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def scope_of(request: Request, **changes: Any) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers],
    }
    return {name: value for name, value in {**scope, **changes}.items() if value is not ...}


def body_of(*pieces: bytes) -> list[dict[str, Any]]:
    last = len(pieces) - 1
    parts = [{"type": "http.request", "body": piece, "more_body": at < last} for at, piece in enumerate(pieces)]
    return [*parts, {"type": "http.disconnect"}]
