"""FastAPI, called from pages of another origin. Run: uvicorn cors_fastapi:app"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from undersign import GoTom, Verifier
from undersign.servers.asgi import SignatureMiddleware

app = FastAPI()
app.add_middleware(SignatureMiddleware, verifier=Verifier(GoTom(), {"user": "secret"}))
# What is added last stands outermost: it answers preflights, and its headers are on refusals too.
app.add_middleware(
    CORSMiddleware,
    allow_origins=["https://app.example.com"],
    allow_methods=["GET", "POST"],
    allow_headers=["Authorization", "Content-Type", "Date"],
)


@app.get("/orders")
def orders() -> list[str]:
    return ["first"]
