"""Both ends in one process: httpx signs, the ASGI middleware verifies. Run `python both_ends.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from small_s3 import SmallS3

from undersign import Verifier
from undersign.clients.httpx import SignatureAuth
from undersign.servers.asgi import SignatureMiddleware


async def store(scope: Any, receive: Any, send: Any) -> None:
    """The application: it is called for requests that have verified, and for no others."""
    verified = scope["undersign"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{verified.key_id} by {verified.scheme}\n".encode()})


async def main() -> None:
    origin = "https://store.example.com"
    app: Any = SignatureMiddleware(store, Verifier(SmallS3(), {"AKIDEXAMPLE": "the secret"}), origin=origin)
    for secret in ("the secret", "another one"):
        auth = SignatureAuth(SmallS3(), "AKIDEXAMPLE", secret)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin, auth=auth) as client:
            response = await client.put("/bucket/key", content=b"data", headers={"x-amz-acl": "private"})
        print(response.status_code, response.text.strip())


asyncio.run(main())
