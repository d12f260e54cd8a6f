"""A mount that a header of the request names: nobody runs another path than the signed one by adding a header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.http import parse_list_header
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from undersign import Request, Verifier
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware

from .asgi import Conversation, scope_of
from .echo_app import KEYS
from .test_wsgi import Recorder, call, environ_of
from .wire import GOTOM, signed

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def proxy_fix(app: Wsgi) -> Wsgi:
    """As where a proxy that takes a prefix off says so in X-Forwarded-Prefix."""
    return ProxyFix(app, x_prefix=1)


def script_name(app: Wsgi) -> Wsgi:
    """As Flask's snippet has it: the mount that a header names goes off the path."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if mount := environ.get("HTTP_X_SCRIPT_NAME", ""):
            environ["SCRIPT_NAME"] = mount
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(mount)
        return app(environ, start_response)

    return wrapped


class Told:
    """The middleware around a Recorder, and what it has refused."""

    def __init__(self, **options: Any) -> None:
        self.app = Recorder()
        self.refused: list[tuple[str, str]] = []
        options["on_rejected"] = lambda reason, key_id, detail: self.refused.append((reason, detail))
        self.middleware: Any = SignatureMiddleware(self.app, Verifier(GOTOM, KEYS), **options)


def sent(request: Request, target: str, *, raw: bool, **headers: str) -> dict[str, Any]:
    """The environ of a server that passes the target on, or the decoded path alone."""
    environ = environ_of(Request(request.method, target, request.headers), **headers)
    if not raw:
        del environ["REQUEST_URI"]
    return environ


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("mount", ["/a", "/a/", "/x, /a"])
def test_no_header_has_the_app_run_the_rest_of_a_signed_path(raw: bool, mount: str) -> None:
    told = Told()
    request = signed(GOTOM, "GET", "/a/b")
    by_proxy_fix = sent(request, "/b", raw=raw, HTTP_X_FORWARDED_PREFIX=mount)
    assert call(proxy_fix(told.middleware), by_proxy_fix)[0] in (401, 500)
    assert call(script_name(told.middleware), sent(request, "/a/b", raw=raw, HTTP_X_SCRIPT_NAME="/a"))[0] == 500
    assert told.refused[-1][0] == "lossy_target"
    assert "name it in mounts" in told.refused[-1][1]
    assert told.app.calls == 0


@pytest.mark.parametrize("value", ['"/a"', r'"\/a"', 'x, "/a"', '"/a,b"', r'"/a\"b"', "/a"])
def test_proxy_fix_reads_a_list_in_which_values_may_be_quoted(value: str) -> None:
    """On a server that has the decoded path alone, as wsgiref, Tornado and Twisted have."""
    told = Told()
    mount = parse_list_header(value)[-1]
    environ = sent(signed(GOTOM, "GET", quote(f"{mount}/b")), "/b", raw=False, HTTP_X_FORWARDED_PREFIX=value)
    assert call(proxy_fix(told.middleware), environ)[0] == 500
    assert told.refused[-1][0] == "lossy_target"
    assert told.app.calls == 0


@pytest.mark.parametrize("mount", ["/1,2", "/1, 2", "/a"])
def test_a_mount_may_hold_what_separates_values(mount: str) -> None:
    told = Told()
    request = signed(GOTOM, "GET", quote(f"{mount}/b"))
    environ = environ_of(request, PATH_INFO=f"{mount}/b", HTTP_X_SCRIPT_NAME=mount)
    assert call(script_name(told.middleware), environ)[0] == 500
    assert told.app.calls == 0


@pytest.mark.parametrize("raw", [True, False])
def test_a_mount_that_is_named_is_the_apps_own(raw: bool) -> None:
    told = Told(mounts=["/a"])
    request = signed(GOTOM, "GET", "/a/b")
    assert call(script_name(told.middleware), sent(request, "/a/b", raw=raw, HTTP_X_SCRIPT_NAME="/a"))[0] == 200
    assert (told.app.environ["SCRIPT_NAME"], told.app.environ["PATH_INFO"]) == ("/a", "/b")


@pytest.mark.parametrize("raw", [True, False])
def test_a_prefix_that_proxy_fix_has_put_there_is_there_once(raw: bool) -> None:
    told = Told(prefix="/api")
    request = signed(GOTOM, "GET", "/api/v1/items?x=1")
    app = proxy_fix(told.middleware)
    assert call(app, sent(request, "/v1/items?x=1", raw=raw, HTTP_X_FORWARDED_PREFIX="/api"))[0] == 200
    assert (told.app.environ["SCRIPT_NAME"], told.app.environ["PATH_INFO"]) == ("/api", "/v1/items")
    assert call(app, sent(request, "/v1/items?x=1", raw=raw))[0] == 200  # as where the proxy does not say so
    without = signed(GOTOM, "GET", "/v1/items?x=1")
    assert call(app, sent(without, "/v1/items?x=1", raw=raw, HTTP_X_FORWARDED_PREFIX="/api"))[0] in (401, 500)
    assert call(app, sent(without, "/v1/items?x=1", raw=raw))[0] in (401, 500)


@pytest.mark.parametrize("raw", [True, False])
def test_a_mount_that_no_header_names_needs_no_option(raw: bool) -> None:
    told = Told()
    app: Any = ProxyFix(DispatcherMiddleware(Recorder(), {"/shop": told.middleware}), x_prefix=1)
    request = signed(GOTOM, "GET", "/shop/items")
    environ = sent(request, "/shop/items", raw=raw, HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_REFERER="https://a/shop")
    assert call(app, {**environ, "HTTP_X_PATH": "/", "HTTP_ACCEPT": "*/*, text/html", "HTTP_X_OTHER": "/sho"})[0] == 200
    assert told.refused == []


def test_a_mount_that_begins_with_what_a_header_names_is_refused() -> None:
    """As where a dispatcher behind ProxyFix adds its own to it."""
    told = Told()
    dispatcher: Any = DispatcherMiddleware(Recorder(), {"/shop": told.middleware})
    environ = sent(signed(GOTOM, "GET", "/a/shop/items"), "/a/shop/items", raw=True, HTTP_X_SCRIPT_NAME="/a")
    assert call(script_name(dispatcher), environ)[0] == 500
    assert told.refused[-1][0] == "lossy_target"


@pytest.mark.parametrize(("target", "status"), [("/api/api/items", 200), ("/api/items", 500)])
def test_a_mount_of_the_servers_own_is_no_prefix_that_proxy_fix_has_put_there(target: str, status: int) -> None:
    """As with waitress's url_prefix: the path came with it."""
    told = Told(prefix="/api")
    environ = sent(signed(GOTOM, "GET", target), "/items", raw=False, HTTP_X_FORWARDED_PREFIX="/api")
    assert call(proxy_fix(told.middleware), {**environ, "SCRIPT_NAME": "/api"})[0] == status


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("name", ["X-Vhm-Root", "x_vhm_root"])
def test_no_header_has_pyramid_begin_elsewhere(raw: bool, name: str) -> None:
    """Its traversal puts the value in front of the path, and runs the view that it comes by first."""
    key = f"HTTP_{name.upper().replace('-', '_')}"
    for options in ({}, {"prefix": "/admin"}):
        told = Told(public=["/open", "/admin/open"], **options)
        request = signed(GOTOM, "GET", f"{options.get('prefix', '')}/b")
        for root in ("/admin", "/admin/delete/", "admin", "/./"):
            assert call(told.middleware, sent(request, "/b", raw=raw, **{key: root}))[0] == 500
            assert "X-Vhm-Root" in told.refused[-1][1]
            assert call(told.middleware, sent(Request("GET", "/open"), "/open", raw=raw, **{key: root}))[0] in (
                401,
                500,
            )
        assert told.app.calls == 0
        for root in ("", "/"):
            assert call(told.middleware, sent(request, "/b", raw=raw, **{key: root}))[0] == 200
            assert call(told.middleware, sent(Request("GET", "/open"), "/open", raw=raw, **{key: root}))[0] == 200
    named = Told(public=["/open"], mounts=["/admin"])
    for root in ("/admin", "/admin/"):
        assert call(named.middleware, sent(Request("GET", "/open"), "/open", raw=raw, **{key: root}))[0] == 200


@pytest.mark.parametrize("raw_path", [b"/b", None])
@pytest.mark.parametrize("name", [b"x-vhm-root", b"x_vhm_root"])
def test_nor_where_pyramid_is_behind_an_adapter(raw_path: bytes | None, name: bytes) -> None:
    app = AsgiMiddleware(hello, Verifier(GOTOM, KEYS), public=["/b"])
    for request in (Request("GET", "/b"), signed(GOTOM, "GET", "/b")):
        scope = scope_of(request, raw_path=raw_path)
        assert Conversation(app, {**scope, "headers": [*scope["headers"], (name, b"/admin")]}).status == 500


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def status_of(app: Any, environ: dict[str, Any]) -> int:
    """As `call`, for an adapter that starts its answer when it is asked for the first piece."""
    started: list[str] = []
    for _ in app(environ, lambda status, headers, exc_info=None: started.append(status)):
        pass
    return int(started[0][:3])


@pytest.mark.parametrize("software", ["gunicorn/23.0", "waitress"])
@pytest.mark.parametrize(("prefix", "status"), [("", 500), ("/a", 200)])
def test_a2wsgi_passes_a_mount_on(software: str, prefix: str, status: int) -> None:
    """gunicorn takes the header SCRIPT_NAME, which no environ shows; what sets it elsewhere has a header that stays."""
    a2wsgi = pytest.importorskip("a2wsgi")
    app = a2wsgi.ASGIMiddleware(AsgiMiddleware(hello, Verifier(GOTOM, KEYS), prefix=prefix, public=["/a"]))
    named = {} if software.startswith("gunicorn") else {"HTTP_X_SCRIPT_NAME": "/a"}
    mounted = {"SERVER_SOFTWARE": software, "SCRIPT_NAME": "/a", "PATH_INFO": "/b", **named}
    assert status_of(app, environ_of(signed(GOTOM, "GET", "/a/b"), **mounted)) == status
    assert status_of(app, environ_of(Request("GET", "/a"), **{**mounted, "PATH_INFO": ""})) == status
    plain = environ_of(signed(GOTOM, "GET", f"{prefix}/b"), SERVER_SOFTWARE=software, PATH_INFO="/b")
    assert status_of(app, plain) == 200
