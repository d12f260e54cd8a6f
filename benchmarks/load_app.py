"""The app that load.py sends its requests to. It notes what becomes of each, by the request's X-Request-Id.

LOAD_REDIS is the URL of the Redis server, LOAD_TIMEOUT how many seconds it has, and LOAD_NOTES the file for the notes:
lines of id, what happened, and what is to be said of it, between tabs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextvars import ContextVar
from typing import Any

from load_cases import AHEAD, GRID_USES, MAX_BODY, ORIGIN, secret_of

from undersign import AsyncVerifier, GoGrid, GoTom
from undersign.policy import ReplayPolicy
from undersign.policy.redis import AsyncRedisReplayGuard
from undersign.servers.asgi import SignatureMiddleware

_request_id: ContextVar[str] = ContextVar("request_id")


class Notes(logging.Handler):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, what: str, said: str = "") -> None:
        os.write(self._file, f"{_request_id.get()}\t{what}\t{said}\n".encode())

    def emit(self, record: logging.LogRecord) -> None:
        # With fail_open and for hooks that raise there are lines without a reason, and none of them belongs here.
        self.note("logged", getattr(record, "reason", record.getMessage()))


async def lookup(key_id: str, scheme_name: str) -> str | None:
    return secret_of(key_id)


def app() -> Any:
    notes = Notes(os.environ["LOAD_NOTES"])
    logging.getLogger("undersign").addHandler(notes)

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        md5, length, more = hashlib.md5(usedforsecurity=False), 0, True
        while more:
            message = await receive()
            assert message["type"] == "http.request", "the app was called for a client that had gone before"
            md5.update(message.get("body", b""))
            length += len(message.get("body", b""))
            more = message.get("more_body", False)
        verified = scope["undersign"]
        who = verified.key_id if verified else None
        notes.note("app")
        content = json.dumps({"key_id": who, "length": length, "md5": md5.hexdigest()}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    guard = AsyncRedisReplayGuard(os.environ["LOAD_REDIS"], timeout=float(os.environ["LOAD_TIMEOUT"]), skew=0)
    policies = {
        "gotom": ReplayPolicy(guard, ahead=AHEAD),
        "gogrid": ReplayPolicy(guard, max_uses=GRID_USES, ahead=AHEAD),
    }
    guarded = SignatureMiddleware(
        inner,
        AsyncVerifier([GoTom(), GoGrid()], lookup, replay=policies),
        origin=ORIGIN,
        public=["/health"],
        max_body=MAX_BODY,
        on_rejected=lambda reason, key_id, detail: notes.note("told", reason),
    )

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        _request_id.set(next(value.decode() for name, value in scope["headers"] if name == b"x-request-id"))
        try:
            await guarded(scope, receive, send)
        finally:
            notes.note("done")

    return noted
