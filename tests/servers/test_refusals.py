"""What the log and the hook are told of a refusal: who asked for what, and nothing that signs."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from undersign import ConfigError, GoGrid, GoTom, Request, Verifier
from undersign.events.event import shown_path
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.refusal import Refusal
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .echo_app import READER
from .matrix import Running
from .test_answers import forged
from .wire import GOGRID, GOTOM, message, send, signed

VERIFIER = Verifier([GoTom(), GoGrid()], {"user:1": "thepasswordyoureceived"})
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def refuse_by_asgi(request: Request, on_rejected: Any = None, **scope: Any) -> None:
    """Send a request to the ASGI middleware, from 192.0.2.7."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the app is called")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body}

    async def send(message: Any) -> None:
        pass

    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers],
        "client": ("192.0.2.7", 50123),
        **scope,
    }
    middleware = AsgiMiddleware(app, VERIFIER, origin="https://api.example.com", on_rejected=on_rejected)
    asyncio.run(middleware(scope, receive, send))


def refuse_by_wsgi(request: Request, on_rejected: Any = None, **environ: Any) -> None:
    """Send a request to the WSGI middleware, from 192.0.2.7."""
    body = request.body if isinstance(request.body, bytes) else b""
    keys = {name: "HTTP_" + name.upper().replace("-", "_") for name, _ in request.headers}
    plain = ("Content-Type", "Content-Length")
    headers = {keys[name].removeprefix("HTTP_" if name in plain else ""): value for name, value in request.headers}
    path, _, query = request.target.partition("?")
    environ = {
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.target,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        **headers,
        **environ,
    }
    middleware = WsgiMiddleware(
        lambda environ, start_response: pytest.fail("the app is called"),
        VERIFIER,
        origin="https://api.example.com",
        on_rejected=on_rejected,
    )
    middleware({key: value for key, value in environ.items() if value is not None}, lambda *parts: print)


both = pytest.mark.parametrize("refuse", [refuse_by_asgi, refuse_by_wsgi])


@both
def test_the_record_says_who_asked_for_what(refuse: Any, caplog: pytest.LogCaptureFixture) -> None:
    refuse(signed(GOTOM, "POST", "/v1/orders?state=new", secret="other"))
    refuse(Request("DELETE", "/v1/orders/7"), client=None, REMOTE_ADDR=None)
    mismatch, missing = caplog.records
    assert mismatch.getMessage() == (
        "refused: mismatch, POST /v1/orders from 192.0.2.7, key id 'user:1': no secret of the key fits"
    )
    assert missing.getMessage() == "refused: missing, DELETE /v1/orders/7, key id '': no scheme claims the request"
    told = {field.name: mismatch.__dict__[field.name] for field in dataclasses.fields(Refusal)}
    assert told == {
        "reason": "mismatch",
        "key_id": "user:1",
        "detail": "no secret of the key fits",
        "scheme": "gotom",
        "method": "POST",
        "path": "/v1/orders",
        "peer": "192.0.2.7",
    }
    assert (missing.__dict__["scheme"], missing.__dict__["peer"]) == ("", "")


def test_each_server_says_who_asked(server: Running) -> None:
    send(server.port, message(Request("PATCH", "/asked?a=b")))
    wanted = "refused: missing, PATCH /asked from 127.0.0.1, key id '': no scheme claims the request"
    assert server.wait_for(event="log", text=wanted)
    send(server.port, message(signed(GOTOM, "GET", "/role", key_id=READER)))
    wanted = "refused: forbidden, GET /role from 127.0.0.1, key id 'reader': authorize has said no"
    assert server.wait_for(event="log", text=wanted)


@both
def test_the_hook_is_given_an_object(refuse: Any) -> None:
    found: list[Refusal] = []
    for hook in (
        found.append,
        lambda refusal: found.append(refusal),
        partial(lambda into, one: into.append(one), found),
    ):
        refuse(Request("GET", "/orders?sig=1", ()), hook)
    assert len(found) == 3
    refusal = found[0]
    assert (refusal.method, refusal.path, refusal.peer) == ("GET", "/orders", "192.0.2.7")
    with pytest.raises(dataclasses.FrozenInstanceError):
        refusal.path = "/"  # type: ignore[misc]


class Hook:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def three(self, reason: str, key_id: str, detail: str) -> None:
        self.told.append((reason, key_id, detail))

    def any_number(self, *told: str) -> None:
        self.told.append(told)

    def with_defaults(self, reason: str, key_id: str = "", detail: str = "", *, loud: bool = False) -> None:
        self.told.append((reason, key_id, detail))

    def one(self, refusal: Refusal, /, *, loud: bool = False) -> None:
        self.told.append((refusal.reason, refusal.key_id, refusal.detail))

    def __call__(self, reason: str, key_id: str, detail: str) -> None:
        self.three(reason, key_id, detail)


@both
def test_a_hook_of_three_strings_is_told_them(refuse: Any) -> None:
    hook = Hook()
    for call in (hook, hook.three, hook.any_number, hook.with_defaults, hook.one):
        refuse(Request("GET", "/orders"), call)
    assert hook.told == [("missing", "", "no scheme claims the request")] * 5


@pytest.mark.parametrize(
    "hook",
    [lambda: None, lambda one, two: None, lambda one, two, three, four: None, lambda one, *, two: None, "log", 1],
)
def test_a_hook_that_takes_neither_is_refused_at_once(hook: Any) -> None:
    for middleware in (AsgiMiddleware, WsgiMiddleware):
        make: Callable[..., Any] = middleware
        with pytest.raises(ConfigError, match="on_rejected"):
            make(None, VERIFIER, on_rejected=hook)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/a%2Fb//c", "/a%2Fb//c"),
        ("/a?api_key=k&sig=s", "/a"),
        ("/a??sig=s", "/a"),
        ("/a%3Fapi_key=k&sig=s", "/a…"),
        ("/a%3fsig=s?x", "/a…"),
        ("/a%253Fsig%253Ds", "/a…"),
        ("/a&sig=s", "/a…"),
        ("/a;sig=s/b", "/a…"),
        ("/a%3Bsig%3Ds", "/a…"),
        ("/sig=s", "/sig…"),
        ("/a#sig=s", "/a…"),
        ("/a\r\n\x1b[31m\u2028b\x85", "/a???[31m?b?"),
        ("/" + "a" * 1000, "/" + "a" * 199 + "…"),
        ("/" + "a" * 1000 + "?sig=s", "/" + "a" * 199 + "…"),
        ("/" + "a" * 1000 + ";sig=s", "/" + "a" * 199 + "…"),
    ],
)
def test_a_path_shows_no_query(target: str, path: str) -> None:
    assert shown_path(target) == path


@both
def test_what_the_client_chooses_is_short_and_on_one_line(refuse: Any, caplog: pytest.LogCaptureFixture) -> None:
    request = Request("G\nET" + "X" * 1000, "/\x1b[31m" + "a" * 1000)
    refuse(request, client=("evil\r\n" * 100, 1), REMOTE_ADDR="evil\r\n" * 100)
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 400
    assert all(str(record.__dict__[field.name]).isprintable() for field in dataclasses.fields(Refusal))


BARE = "a bare ?"


def said(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = caplog.records
    caplog.clear()
    return record.getMessage()


def test_the_bare_mark_is_spoken_of_where_it_could_be(caplog: pytest.LogCaptureFixture) -> None:
    refuse_by_asgi(forged(signed(GOTOM)))
    assert BARE in said(caplog)
    # A query is there; the server has shown the mark; the signature does not cover the target; or it does not matter.
    refuse_by_asgi(forged(signed(GOTOM, "GET", "/items?a")))
    assert BARE not in said(caplog)
    refuse_by_asgi(forged(signed(GOTOM)), raw_path=b"/items?")
    assert BARE not in said(caplog)
    form = signed(GOGRID, "POST", "/items", FORM, b"a=b", secret="other")
    refuse_by_asgi(form)
    assert said(caplog).endswith(": no secret of the key fits")
    for request in (Request("GET", "/items"), signed(GOTOM, age=7200), signed(GOTOM, key_id="nobody")):
        refuse_by_asgi(request)
        assert BARE not in said(caplog)


def test_nor_is_a_decoded_path_where_it_was_not_signed(caplog: pytest.LogCaptureFixture) -> None:
    refuse_by_wsgi(forged(signed(GOTOM)), RAW_URI=None)
    assert "decoded" in said(caplog)
    refuse_by_wsgi(signed(GOGRID, "POST", "/items", FORM, b"a=b", secret="other"), RAW_URI=None)
    assert "decoded" not in said(caplog)


@both
def test_a_signed_query_is_not_shown(refuse: Any, caplog: pytest.LogCaptureFixture) -> None:
    request = signed(GOGRID, "GET", "/items", secret="other")
    refuse(request)
    (record,) = caplog.records
    signature = request.target.partition("sig=")[2][:32]
    assert not any(signature in str(value) for value in record.__dict__.values())
    assert (record.__dict__["scheme"], record.__dict__["path"]) == ("gogrid", "/items")
