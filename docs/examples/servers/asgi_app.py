"""A plain ASGI app. Run: uvicorn asgi_app:app"""

from __future__ import annotations

from typing import Any

from undersign import GoTom, Verifier
from undersign.servers.asgi import SignatureMiddleware


async def hello(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    text = f"Hello, {scope['undersign'].key_id if scope['undersign'] else 'anyone'}\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


app = SignatureMiddleware(
    hello,
    Verifier(GoTom(), {"user": "secret"}),
    origin="https://api.example.com",
    public=["/health"],
)
