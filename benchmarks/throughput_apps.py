"""The apps that throughput.py runs: bare, behind the middleware, and behind a check written by hand.

BENCHMARK_APP names the app: asgi, starlette or fastapi.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from sample import KEY_ID, SECRET
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from undersign import GoTom, Verifier
from undersign.servers.asgi import SignatureMiddleware

ANSWER = b'{"id":26106,"name":"a campaign"}'


async def plain(scope: Any, receive: Any, send: Any) -> None:
    more = scope["method"] != "GET"
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def campaign(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"id": int(request.path_params["number"]), "name": "a campaign"})


starlette = Starlette(routes=[Route("/app-api/campaign/{number:int}", campaign, methods=["GET", "POST"])])
fastapi = FastAPI()


@fastapi.api_route("/app-api/campaign/{number}", methods=["GET", "POST"])
async def campaign_of_fastapi(number: int, request: Request) -> dict[str, object]:
    await request.body()
    return {"id": number, "name": "a campaign"}


APPS: dict[str, Any] = {"asgi": plain, "starlette": starlette, "fastapi": fastapi}


def bare() -> Any:
    return APPS[os.environ["BENCHMARK_APP"]]


def middleware() -> Any:
    return SignatureMiddleware(bare(), Verifier(GoTom(), {KEY_ID: SECRET}))


def by_hand() -> Any:
    app = bare()

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = scope["method"] != "GET"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = dict(scope["headers"])
        key_id, _, sent = headers[b"authorization"].removeprefix(b"gotom_app_api ").partition(b":")
        date = headers[b"date"].decode()
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        expected = signature(scope["method"], headers[b"content-type"].decode("latin-1"), date, target, body)
        age = time.time() - datetime.fromisoformat(date.replace("Z", "+00:00")).timestamp()
        if key_id != KEY_ID.encode() or not hmac.compare_digest(expected, sent) or abs(age) > 1800:
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        is_given = not body

        async def again() -> Any:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, again, send)

    return checked


def signature(method: str, content_type: str, date: str, target: str, body: bytes) -> bytes:
    """The job as one would write it down, in the fastest of the standard library's ways."""
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    text = f"{method}\n{md5}\n{content_type.lower()}\n{date}\n\n{target}"
    return base64.b64encode(hmac.digest(SECRET.encode(), text.encode("latin-1"), "sha1"))
