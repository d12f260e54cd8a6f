"""Starlette. Run: uvicorn starlette_app:app"""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from undersign import AsyncVerifier, GoGrid, GoTom
from undersign.servers.asgi import SignatureMiddleware
from undersign.servers.starlette import SignatureBackend, verified

SECRETS = {"user": ["secret-of-june", "secret-of-may"]}  # newest first, while clients change over


async def secrets_of(key_id: str, scheme: str) -> list[str]:
    """Ask a database here; an empty list is an unknown key."""
    return SECRETS.get(key_id, [])


async def health(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def who(request: Request) -> JSONResponse:
    found = verified(request)
    assert found is not None  # noqa: S101 - the path is not public
    return JSONResponse({"key_id": found.key_id, "scheme": found.scheme, "bytes": len(await request.body())})


@requires("signed:gotom")
async def orders(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.user.display_name})


async def lines() -> AsyncIterator[str]:
    for number in range(100):
        yield f"line {number}\n"


async def report(request: Request) -> StreamingResponse:
    return StreamingResponse(lines(), media_type="text/plain")


async def socket(websocket: WebSocket) -> None:
    found = verified(websocket)
    await websocket.accept()
    await websocket.send_text(found.key_id if found else "")
    await websocket.close()


app = Starlette(
    routes=[
        Route("/health", health),
        Mount("/v1", routes=[Route("/who", who, methods=["GET", "POST"]), Route("/orders", orders)]),
        Route("/report", report),
        WebSocketRoute("/socket", socket),
    ],
    middleware=[
        Middleware(
            SignatureMiddleware,
            verifier=AsyncVerifier([GoTom(), GoGrid()], secrets_of),
            origin="https://api.example.com",
            public=["/health"],
        ),
        Middleware(AuthenticationMiddleware, backend=SignatureBackend()),
    ],
)
