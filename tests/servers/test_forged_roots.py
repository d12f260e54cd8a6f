"""A root path that a client may have named, or that does not stand at the beginning of the path."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from undersign import Request, Verifier
from undersign.servers.asgi import SignatureMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .asgi import Conversation, Recorder, body_of, scope_of
from .echo_app import KEYS
from .wire import GOTOM, signed

# What the scopes of these servers have in common, with what stands on a Unix socket, and behind a middleware of
# uvicorn's that takes the client from X-Forwarded-For.
DAPHNE: dict[str, dict[str, Any]] = {
    "tcp": {"client": ["127.0.0.1", 40000], "server": ["127.0.0.1", 8000]},
    "unix": {"client": None, "server": None},
    "client replaced": {"client": ("192.0.2.1", 0), "server": ["127.0.0.1", 8000]},
    "client replaced, unix": {"client": ("192.0.2.1", 0), "server": None},
}
OTHERS: dict[str, dict[str, Any]] = {
    "uvicorn": {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "spec": {"spec_version": "2.3"}},
    "uvicorn, unix": {"client": None, "server": ("/run/u.sock", None), "spec": {"spec_version": "2.3"}},
    "hypercorn, unix": {"client": None, "server": None, "spec": {"spec_version": "2.1"}},
    "httpx": {"client": ("127.0.0.1", 1), "server": ("h", None), "spec": {}},
}


def scope_at(request: Request, root: str, ends: dict[str, Any]) -> dict[str, Any]:
    ends = dict(ends)
    asgi = {"version": "3.0", **ends.pop("spec", {})}
    return scope_of(request, root_path=root, asgi=asgi, http_version="1.1", scheme="http", **ends)


def status(app: Any, scope: dict[str, Any]) -> int:
    return Conversation(app, scope, body_of(b"")).status


def middleware(**options: Any) -> SignatureMiddleware:
    return SignatureMiddleware(Recorder(), Verifier(GOTOM, KEYS), **options)


@pytest.mark.parametrize("ends", DAPHNE.values(), ids=DAPHNE)
@pytest.mark.parametrize("root", ["/a", "/c", "/b", "/", "a"])
def test_a_root_path_from_daphne_has_to_be_the_prefix(root: str, ends: dict[str, Any]) -> None:
    """Also one that the path does not begin with: Litestar runs /c for /a/b/c with /b."""
    assert status(middleware(), scope_at(signed(GOTOM, "GET", "/a/b/c"), root, ends)) == 500
    assert status(middleware(public=["/a/*"]), scope_at(Request("GET", "/a/b/c"), root, ends)) == 500


@pytest.mark.parametrize("ends", DAPHNE.values(), ids=DAPHNE)
def test_a_root_path_that_is_the_prefix_is_the_operators(ends: dict[str, Any]) -> None:
    app = middleware(prefix="/api")
    taken_off = {**ends, "path": "/items", "raw_path": b"/items"}
    assert status(app, scope_at(signed(GOTOM, "GET", "/api/items"), "/api", taken_off)) == 204
    assert status(app, scope_at(signed(GOTOM, "GET", "/api/items"), "/api", ends)) == 204
    for path in ("/v1/api/items", "/apis"):
        scope = scope_at(signed(GOTOM, "GET", f"/api{path}"), "/api", ends)
        assert status(app, scope | {"path": path, "raw_path": path.encode()}) == 500


@pytest.mark.parametrize("ends", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("root", ["/a", "/c", "/b"])
def test_a_root_path_from_another_server_is_the_operators(root: str, ends: dict[str, Any]) -> None:
    assert status(middleware(), scope_at(signed(GOTOM, "GET", "/a/b/c"), root, ends)) == 204


@pytest.mark.parametrize("ends", OTHERS.values(), ids=OTHERS)
def test_no_path_is_public_in_which_the_root_path_stands_further_on(ends: dict[str, Any]) -> None:
    """Litestar takes off what stands in front of it as well, and would run /b for anyone who asks for /open/a/b."""
    app = middleware(public=["/open/*", "/ab/*", "/a/*", "/a"])
    for path, expected in (("/open/a/b", 401), ("/ab/c", 401), ("/open/b", 204), ("/a/open/a/b", 204), ("/a", 204)):
        assert status(app, scope_at(Request("GET", path), "/a", ends)) == expected, path
    assert status(app, scope_at(signed(GOTOM, "GET", "/open/a/b"), "/a", ends)) == 204


def test_a_mount_of_starlettes_does_not_run_another_route_for_a_root_path() -> None:
    """With a root path that does not fit, the mount leaves its own part of the path there: {tenant}/{of}/items."""
    ran: list[str] = []

    def route(name: str) -> Any:
        async def run(request: StarletteRequest) -> PlainTextResponse:
            ran.append(name)
            return PlainTextResponse(name)

        return run

    routes = [Route("/items", route("own")), Route("/{of}/items", route("other"))]
    app = SignatureMiddleware(Starlette(routes=[Mount("/{tenant}", routes=routes)]), Verifier(GOTOM, KEYS))
    for root, expected in (("", 200), ("/evil", 500)):
        assert status(app, scope_at(signed(GOTOM, "GET", "/acme/items"), root, DAPHNE["tcp"])) == expected
    assert ran == ["own"]


@pytest.mark.parametrize(("root", "expected"), [("", 204), ("/evil", 500), ("/shop", 500)])
def test_a_mount_of_starlettes_is_no_root_path_of_daphnes(root: str, expected: int) -> None:
    app = Starlette(routes=[Mount("/shop", middleware()), Mount("/", middleware())])
    assert status(app, scope_at(signed(GOTOM, "GET", "/shop/items"), root, DAPHNE["tcp"])) == expected


@pytest.mark.parametrize(("root", "expected"), [("", 200), ("/a", 500)])
def test_a2wsgi_passes_on_the_root_path_of_daphne(root: str, expected: int) -> None:
    ran: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        ran.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    middleware: Any = WsgiMiddleware(app, Verifier(GOTOM, KEYS), drops_underscores=True)
    adapted: Any = WSGIMiddleware(middleware)
    statuses: list[int] = []

    async def converse() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        await adapted(scope_at(signed(GOTOM, "GET", "/a/b"), root, DAPHNE["tcp"]), receive, send)

    asyncio.run(converse())
    assert statuses == [expected]
    assert ran == (["/a/b"] if expected == 200 else [])
