"""What verifies or is public is what the app runs: the target that was sent, beside the path that the app gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from undersign import Component, GoTom, Request, Verifier
from undersign.policy import Requirements
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .asgi import Conversation, body_of, scope_of
from .asgi import Recorder as AsgiRecorder
from .echo_app import KEYS, ORIGIN
from .test_wsgi import Recorder, call, environ_of
from .wire import GOGRID, GOTOM, signed

PUBLIC = ["/static/*", "/health"]


def told(options: dict[str, Any]) -> list[str]:
    reasons: list[str] = []
    options["on_rejected"] = lambda reason, key_id, detail: reasons.append(reason)
    return reasons


def wsgi(request: Request, environ: dict[str, Any] | None = None, **options: Any) -> tuple[int, list[str], int]:
    """Status, what the hook was told, and how often the app has run."""
    app, reasons = Recorder(), told(options)
    verifier = options.pop("verifier", Verifier([GoTom(), GOGRID], KEYS))
    middleware = WsgiMiddleware(app, verifier, origin=ORIGIN, **options)
    return call(middleware, {**environ_of(request), **(environ or {})})[0], reasons, app.calls


def asgi(request: Request, scope: dict[str, Any] | None = None, **options: Any) -> tuple[int, list[str], int]:
    app, reasons = AsgiRecorder(), told(options)
    verifier = options.pop("verifier", Verifier([GoTom(), GOGRID], KEYS))
    middleware = AsgiMiddleware(app, verifier, origin=ORIGIN, **options)
    return Conversation(middleware, scope_of(request, **(scope or {})), body_of(b"")).status, reasons, app.calls


RAN: Any = (200, [], 1)
LOSSY: Any = (500, ["lossy_target"], 0)


@pytest.mark.parametrize("scheme", [GOTOM, GOGRID])
@pytest.mark.parametrize(
    ("sent", "environ", "expected"),
    [
        ("/static/v1/admin", {"PATH_INFO": "/v1/admin"}, LOSSY),
        ("/v1/items", {"PATH_INFO": "/v1/admin"}, LOSSY),
        ("/v1/items", {"PATH_INFO": "/V1/items"}, LOSSY),
        ("/v1/items", {"PATH_INFO": "/v1/items/"}, LOSSY),
        ("/v1/items", {"PATH_INFO": "/index.wsgi/v1/items"}, LOSSY),
        ("/v1/items", {"PATH_INFO": ""}, LOSSY),
        ("/v1/items", {"SCRIPT_NAME": "/v1", "PATH_INFO": "/items"}, RAN),
        ("/v1/items", {"SCRIPT_NAME": "/v1/items", "PATH_INFO": ""}, RAN),
        ("/v1/items", {"SCRIPT_NAME": "/v2", "PATH_INFO": "/items"}, LOSSY),
        ("/v1/items", {"SCRIPT_NAME": "/v1", "PATH_INFO": "/v1/items"}, LOSSY),
        ("/v1%2Fitems", {"PATH_INFO": "/v1/items"}, RAN),
        ("/v1%2Fitems", {"PATH_INFO": "/v1%2Fitems"}, RAN),  # cheroot, and Apache with AllowEncodedSlashes NoDecode
        ("/v1%2fitems", {"PATH_INFO": "/v1%2fitems"}, RAN),  # Apache
        ("/v1%2fitems", {"PATH_INFO": "/v1%2Fitems"}, RAN),  # cheroot
        ("/v1%2Fitems", {"PATH_INFO": "/v1%2fitems"}, LOSSY),
        ("/v1/%69tems", {"PATH_INFO": "/v1/%69tems"}, LOSSY),
        ("/v1/%2569tems", {"PATH_INFO": "/v1/items"}, LOSSY),  # decoded twice
        ("/%C3%A9", {"PATH_INFO": "/Ã©"}, RAN),
        ("/%e9", {"PATH_INFO": "/é"}, RAN),
        ("/%e9", {"PATH_INFO": "/ï¿½"}, RAN),  # werkzeug
        ("/%e9", {"PATH_INFO": "/e"}, LOSSY),
        ("/a%00b", {"PATH_INFO": "/a\0b"}, RAN),
        ("/a%00b", {"PATH_INFO": "/a"}, LOSSY),
        ("/a%zz", {"PATH_INFO": "/a%zz"}, RAN),
        ("/a%zz", {"PATH_INFO": "/a\0"}, LOSSY),  # uWSGI
        ("//v1/items", {"PATH_INFO": "/v1/items"}, RAN),  # waitress
        ("//..", {"PATH_INFO": "/.."}, RAN),  # waitress leaves dot segments as they are
        ("///v2/../v1/items", {"PATH_INFO": "/v2/../v1/items"}, RAN),
        ("//v2/../v1/items", {"PATH_INFO": "/../v1/items"}, LOSSY),
        ("//%2e%2e/v1/items", {"PATH_INFO": "/../v1/items"}, RAN),
        ("/v1//items", {"PATH_INFO": "/v1/items"}, RAN),  # nginx and Apache
        ("/v1/items", {"PATH_INFO": "/v1//items"}, RAN),
        ("/v1/./items", {"PATH_INFO": "/v1/items"}, RAN),
        ("/v2/../v1/items", {"PATH_INFO": "/v1/items"}, RAN),
        ("/../v1/items", {"PATH_INFO": "/v1/items"}, RAN),
        ("/v1/items/..", {"PATH_INFO": "/v1/"}, RAN),
        ("/v1/items/.", {"PATH_INFO": "/v1/items/"}, RAN),
        ("/v1/items", {"PATH_INFO": "/v2/../v1/items"}, LOSSY),
        ("/v2/../v1/items", {"PATH_INFO": "/v2/items"}, LOSSY),
    ],
)
def test_what_verifies_on_wsgi_is_what_the_app_runs(
    scheme: Any, sent: str, environ: dict[str, Any], expected: Any
) -> None:
    request = signed(scheme, "GET", sent)
    assert wsgi(request, environ) == expected


@pytest.mark.parametrize(
    ("sent", "query", "expected"),
    [
        ("/v1/items?", "", RAN),
        ("/v1/items??", "?", RAN),
        ("/v1/items?a=%2f&&", "a=%2f&&", RAN),
        ("/v1/items", "admin=1", LOSSY),
        ("/v1/items?a=1", "a=1&admin=1", LOSSY),
        ("/v1/items?a=1", "", LOSSY),
        ("/v1/items?a=%2f", "a=/", LOSSY),
    ],
)
def test_the_query_is_the_apps(sent: str, query: str, expected: Any) -> None:
    assert wsgi(signed(GOTOM, "GET", sent), {"QUERY_STRING": query}) == expected
    assert wsgi(signed(GOTOM, "GET", sent, secret="wrong"), {"QUERY_STRING": query}) == (401, ["mismatch"], 0)


@pytest.mark.parametrize(
    ("sent", "scope", "expected"),
    [
        ("/static/v1/admin", {"path": "/v1/admin"}, LOSSY),
        ("/v1/items", {"path": "/v1/items/"}, LOSSY),
        ("/v1/items", {"path": "/items"}, LOSSY),
        ("/v1/items", {"path": "/items", "root_path": "/v1"}, RAN),
        ("/v1/items", {"path": "/items", "root_path": "/v1/"}, RAN),
        ("/v1/items", {"path": "/items", "root_path": "/v2"}, LOSSY),
        ("/v1/items", {"path": "/v1/items", "root_path": "/v2"}, RAN),
        ("/%C3%A9", {"path": "/é"}, RAN),
        ("/%e9", {"path": "/\ufffd"}, RAN),
        ("/v1%2Fitems", {"path": "/v1/items"}, RAN),
        ("/v1%2Fitems", {"path": "/v1%2Fitems"}, RAN),
        ("/v1/%69tems", {"path": "/v1/%69tems"}, LOSSY),
        ("/v1//items", {"path": "/v1/items"}, RAN),
        ("/v2/../v1/items", {"path": "/v1/items"}, RAN),
        ("/v2/../v1/items", {"path": "/v2/items"}, LOSSY),
    ],
)
def test_what_verifies_on_asgi_is_what_the_app_runs(sent: str, scope: dict[str, Any], expected: Any) -> None:
    expected = (204, *expected[1:]) if expected is RAN else expected
    assert asgi(signed(GOTOM, "GET", sent), scope) == expected


@pytest.mark.parametrize("path", ["/v1/admin", "/static/v1/admin/", "/static//v1/admin", "", "/static/v1/%61dmin"])
def test_a_path_that_is_rewritten_is_not_public(path: str) -> None:
    """nginx has `rewrite ^/static/(.*)$ /$1;` in front of uwsgi_pass, and the app would run /v1/admin."""
    unsigned = Request("GET", "/static/v1/admin")
    is_other = path != "/static//v1/admin"
    refused = LOSSY if is_other else (401, ["missing"], 0)
    assert wsgi(unsigned, {"PATH_INFO": path}, public=PUBLIC) == refused
    assert asgi(unsigned, {"path": path}, public=PUBLIC) == refused
    assert wsgi(unsigned, public=PUBLIC) == RAN
    assert asgi(unsigned, public=PUBLIC) == (204, [], 1)


def test_a_query_that_is_rewritten_is_not_public() -> None:
    unsigned = Request("GET", "/static/a?b=c")
    assert wsgi(unsigned, public=PUBLIC) == RAN
    assert wsgi(unsigned, {"QUERY_STRING": "b=d"}, public=PUBLIC) == LOSSY


def test_a_path_that_is_rewritten_to_a_public_one_is_not_public() -> None:
    unsigned = Request("GET", "/v1/admin")
    assert wsgi(unsigned, {"PATH_INFO": "/health"}, public=PUBLIC) == (401, ["missing"], 0)
    assert asgi(unsigned, {"path": "/health"}, public=PUBLIC) == (401, ["missing"], 0)


def test_a_signature_that_does_not_fit_says_what_else_is_the_matter(caplog: pytest.LogCaptureFixture) -> None:
    request = signed(secret="wrong")
    assert wsgi(request, {"PATH_INFO": "/other"}) == (401, ["mismatch"], 0)
    assert "run another path" in caplog.text


def test_a_mount_on_asgi_is_not_public() -> None:
    """Frameworks route by the rest there: /v1/admin, where /static was taken off."""
    scope = {"path": "/v1/admin", "root_path": "/static"}
    assert asgi(Request("GET", "/static/v1/admin"), scope, public=PUBLIC) == (401, ["missing"], 0)


# nginx that takes /api off by `rewrite`, before uwsgi_pass, leaves REQUEST_URI whole.


@pytest.mark.parametrize(
    ("sent", "runs", "signs"),
    [
        ("/api/items", "/items", "/api/items"),
        ("/items", "/items", "/api/items"),
        ("/items", "/api/items", "/api/items"),
        ("/api/items", "/api/items", "/api/api/items"),
        ("/api/a%20b", "/a b", "/api/a%20b"),
        ("/api//items", "/items", "/api//items"),
    ],
)
def test_a_prefix_that_is_taken_off_the_apps_path_alone(sent: str, runs: str, signs: str) -> None:
    request = Request("GET", sent, signed(GOTOM, "GET", signs).headers)
    assert wsgi(request, {"PATH_INFO": runs}, prefix="/api") == RAN
    assert asgi(request, {"path": runs}, prefix="/api") == (204, [], 1)
    other = Request("GET", sent, signed(GOTOM, "GET", "/other").headers)
    assert wsgi(other, {"PATH_INFO": runs}, prefix="/api") == (401, ["mismatch"], 0)
    if sent == "/api/items" == signs:
        assert wsgi(request, {"PATH_INFO": "/apis"}, prefix="/api") == (401, ["mismatch"], 0)
        assert wsgi(Request("GET", sent), {"PATH_INFO": runs}, prefix="/api", public=[sent]) == RAN


# `authorize` and `require` see the target as it was sent.


def _only_open(verified: Any, head: Request) -> bool:
    return head.target.startswith("/open/")


@pytest.mark.parametrize(
    "options",
    [{"authorize": _only_open}, {"verifier": Verifier(GoTom(), KEYS, require=Requirements(always={Component.BODY}))}],
)
def test_what_judges_the_target_needs_the_path_as_it_was_sent(options: dict[str, Any]) -> None:
    """uWSGI, nginx and Apache resolve dot segments: a key for /open/ would run /admin."""
    request = signed(GOTOM, "GET", "/open/../admin")
    assert wsgi(request, {"PATH_INFO": "/admin"}, **options) == LOSSY
    assert asgi(request, {"path": "/admin"}, **options) == LOSSY
    assert wsgi(request, **options) == RAN
    assert asgi(request, **options) == (204, [], 1)
    mounted = signed(GOTOM, "GET", "/open/items")
    assert wsgi(mounted, {"SCRIPT_NAME": "/open", "PATH_INFO": "/items"}, **options) == RAN
    assert asgi(mounted, {"root_path": "/open", "path": "/items"}, **options) == (204, [], 1)


# Mounts, as frameworks make them.


@pytest.mark.parametrize("inside", [True, False])
def test_a_dispatcher_around_the_middleware_and_inside(inside: bool) -> None:
    app = Recorder()
    options: dict[str, Any] = {"origin": ORIGIN, "mounts": ["/shop"], "public": ["/shop/health"]}
    protected: Callable[..., Any]
    if inside:
        protected = WsgiMiddleware(DispatcherMiddleware(Recorder(), {"/shop": app}), Verifier(GoTom(), KEYS), **options)
    else:
        protected = DispatcherMiddleware(Recorder(), {"/shop": WsgiMiddleware(app, Verifier(GoTom(), KEYS), **options)})
    for target in ("/shop/items", "/shop", "/shop/a%20b", "/shop/a%2Fb"):
        assert call(protected, _served(signed(GOTOM, "GET", target)))[0] == 200
    assert call(protected, _served(Request("GET", "/shop/health")))[0] == 200
    assert call(protected, _served(Request("GET", "/shop/items")))[0] == 401
    assert app.calls == 5


def _served(request: Request) -> dict[str, Any]:
    environ = environ_of(request)
    return {**environ, "PATH_INFO": unquote(environ["PATH_INFO"])}


@pytest.mark.parametrize("inside", [True, False])
def test_a_mount_of_starlette_around_the_middleware_and_inside(inside: bool) -> None:
    app = AsgiRecorder()
    options: dict[str, Any] = {"public": ["/shop/health"]}
    if inside:
        protected: Any = AsgiMiddleware(Starlette(routes=[Mount("/shop", app)]), Verifier(GoTom(), KEYS), **options)
    else:
        protected = Starlette(routes=[Mount("/shop", AsgiMiddleware(app, Verifier(GoTom(), KEYS), **options))])
    for target in ("/shop/items", "/shop/a%20b", "/shop/a%2Fb", "/shop/health"):
        request = Request("GET", target) if target.endswith("health") else signed(GOTOM, "GET", target)
        assert Conversation(protected, _served_asgi(request), body_of(b"")).status == 204
    assert Conversation(protected, _served_asgi(Request("GET", "/shop/items")), body_of(b"")).status == 401
    assert app.calls == 4


def _served_asgi(request: Request) -> dict[str, Any]:
    scope = scope_of(request, http_version="1.1")
    return {**scope, "path": unquote(scope["path"])}


class _Rewrites:
    """An ASGI middleware that changes the path alone, as many do."""

    def __init__(self, app: Any, old: str, new: str) -> None:
        self.app, self.old, self.new = app, old, new

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app({**scope, "path": scope["path"].replace(self.old, self.new)}, receive, send)


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_middleware_that_rewrites_the_path_alone(version: str) -> None:
    app = AsgiRecorder()
    middleware = AsgiMiddleware(app, Verifier(GoTom(), {"user": KEYS["user:1"]}), public=PUBLIC)
    request = signed(GOTOM, "GET", "/static/admin", key_id="user")
    scope = scope_of(request, http_version=version)
    assert Conversation(_Rewrites(middleware, "/static", ""), scope, body_of(b"")).status == 500
    scope = scope_of(signed(GOTOM, "GET", "/v1/items", key_id="user"), http_version=version)
    assert Conversation(_Rewrites(middleware, "/v1", "/v2"), scope, body_of(b"")).status == 500
    assert app.calls == 0
    assert Conversation(_Rewrites(middleware, "/v3", "/v2"), scope, body_of(b"")).status == 204


def test_a_server_without_a_target_has_nothing_to_compare() -> None:
    environ: dict[str, Any] = {"SCRIPT_NAME": "/v1", "PATH_INFO": "/items"}
    request = signed(GOTOM, "GET", "/v1/items?a=%2f")
    plain = {name: value for name, value in environ_of(request).items() if name != "REQUEST_URI"}
    app: Any = Recorder()
    assert call(WsgiMiddleware(app, Verifier(GoTom(), KEYS)), {**plain, **environ})[0] == 200
    assert app.calls == 1
