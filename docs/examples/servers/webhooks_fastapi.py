"""Webhooks on FastAPI. Run: uvicorn webhooks_fastapi:app"""

from __future__ import annotations

from fastapi import FastAPI, Request
from webhook_schemes import VERIFIER, at_its_own_path

from undersign.servers.asgi import SignatureMiddleware

hooks = FastAPI()
hooks.add_middleware(SignatureMiddleware, verifier=VERIFIER, authorize=at_its_own_path, max_body=1024 * 1024)


@hooks.post("/{provider}")
async def receive(provider: str, request: Request) -> dict[str, object]:
    return {"received": provider, "bytes": len(await request.body())}


app = FastAPI()
app.mount("/hooks", hooks)
