"""The ASGI middleware by itself: its options, and what passes through it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from undersign import AsyncVerifier, ConfigError, GoGrid, GoTom, Request, Verified, Verifier
from undersign.keys import KeyUsage
from undersign.policy import MemoryReplayGuard
from undersign.servers.asgi import SignatureMiddleware

from .wire import GOGRID, GOTOM, signed

KEYS = {"user:1": "thepasswordyoureceived"}
PLAIN_KEYS = {"user": "thepasswordyoureceived"}
MIB = 1024 * 1024


def both() -> Verifier:
    return Verifier([GoTom(), GoGrid()], KEYS)


class Conversation:
    """Runs an app on one scope, and keeps what it sends."""

    def __init__(self, app: Any, scope: dict[str, Any], messages: Iterable[dict[str, Any]] = ()) -> None:
        self.sent: list[dict[str, Any]] = []
        self.received = 0
        self.waiting = list(messages)
        asyncio.run(app(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        return self.waiting.pop(0)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Recorder:
    """An app that keeps its scope and reads its body and one message more."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.scope = scope
        if scope["type"] == "http":
            while True:
                self.messages.append(await receive())
                if self.messages[-1]["type"] != "http.request":
                    break
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def scope_of(request: Request, **changes: Any) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers],
    }
    return {name: value for name, value in {**scope, **changes}.items() if value is not ...}


def body_of(*pieces: bytes) -> list[dict[str, Any]]:
    last = len(pieces) - 1
    parts = [{"type": "http.request", "body": piece, "more_body": at < last} for at, piece in enumerate(pieces)]
    return [*parts, {"type": "http.disconnect"}]


def test_what_verified_is_in_the_scope() -> None:
    app = Recorder()
    scope = scope_of(signed())
    assert Conversation(SignatureMiddleware(app, both()), scope, body_of(b"")).status == 204
    found = app.scope["undersign"]
    assert isinstance(found, Verified)
    assert (found.scheme, found.key_id) == ("gotom", "user:1")
    assert "undersign" not in scope


def test_lifespan_passes_by() -> None:
    app = Recorder()
    scope = {"type": "lifespan"}
    Conversation(SignatureMiddleware(app, both()), scope)
    assert app.scope is scope


def test_an_unknown_type_is_an_error() -> None:
    with pytest.raises(ConfigError, match="scope type"):
        Conversation(SignatureMiddleware(Recorder(), both()), {"type": "webtransport", "path": "/health"})


def test_a_public_path_is_left_alone() -> None:
    app = Recorder()
    scope = scope_of(Request("POST", "/health"))
    Conversation(SignatureMiddleware(app, both(), public=["/health"]), scope, body_of(b"a", b"b"))
    assert app.scope == {**scope, "undersign": None}
    assert [message.get("body") for message in app.messages] == [b"a", b"b", None]


@pytest.mark.parametrize(
    "pieces", [[b""], [b"abc"], [b"a", b"", b"bc"], [b"x" * MIB, b"y"], [b"z" * 100_000] * 30, [b"", b"", b""]]
)
def test_the_body_is_replayed_once(pieces: list[bytes]) -> None:
    app = Recorder()
    body = b"".join(pieces)
    scope = scope_of(signed(GOTOM, "PUT", body=body))
    conversation = Conversation(SignatureMiddleware(app, both()), scope, body_of(*pieces))
    assert conversation.status == 204
    assert app.body == body
    assert [message["type"] for message in app.messages][-2:] == ["http.request", "http.disconnect"]
    assert sum(not message.get("more_body", False) for message in app.messages[:-1]) == 1
    assert not conversation.waiting


def test_a_body_that_no_scheme_needs_is_not_touched() -> None:
    app = Recorder()
    scope = scope_of(signed(GOGRID, "POST", headers=[("Content-Type", "text/plain")]))
    middleware = SignatureMiddleware(app, both(), origin="https://api.example.com", max_body=1)
    messages = body_of(b"not", b"signed")
    Conversation(middleware, scope, messages)
    assert app.messages == messages


@pytest.mark.parametrize("declared", [5, 2])
def test_a_body_of_another_length_never_reaches_the_app(declared: int) -> None:
    app = Recorder()
    request = signed(GOTOM, "POST", body=b"abc")
    scope = scope_of(request)
    scope["headers"] += [(b"content-length", str(declared).encode())]
    conversation = Conversation(SignatureMiddleware(app, both()), scope, body_of(b"abc"))
    assert (app.calls, conversation.sent) == (0, [])


@pytest.mark.parametrize("length", [b"-1", b"+3", b"3 3", b"3,3", b"0x3", b"\xb3", b""])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    scope = scope_of(signed(GOTOM, "POST", body=b"abc"))
    scope["headers"] += [(b"content-length", length)]
    conversation = Conversation(SignatureMiddleware(Recorder(), both()), scope, body_of(b"abc"))
    assert (conversation.status, conversation.received) == (401, 0)


def test_what_is_refused_by_its_head_is_not_read() -> None:
    for request in (signed(age=7200), signed(age=-7200), Request("GET", "/items")):
        conversation = Conversation(SignatureMiddleware(Recorder(), both()), scope_of(request), body_of(b""))
        assert (conversation.status, conversation.received) == (401, 0)


@pytest.mark.parametrize(
    ("path", "target", "status"),
    [
        ("/items", "/items", 204),
        ("", "/", 204),
        ("/a/b", "/a/b", 204),
        ("/~", "/~", 204),
        ("/é", "/%C3%A9", 204),
        ("/a b@c", "/a%20b@c", 204),
        ("/a b@c", "/a%20b%40c", 204),
        ("/a/b", "/a%2Fb", 500),
        ("/~", "/%7E", 500),
        ("/é", "/%c3%a9", 500),
        ("/\udce9", "/%E9", 500),
        ("/\udce9", "/%ED%B3%A9", 500),
        ("*", "/*", 500),
        ("items", "/items", 500),
        ("/items", "/other", 401),
    ],
)
@pytest.mark.parametrize("raw_path", [None, ...])
def test_a_server_without_a_raw_path(path: str, target: str, status: int, raw_path: Any) -> None:
    scope = scope_of(signed(GOTOM, "GET", target), raw_path=raw_path, path=path)
    assert Conversation(SignatureMiddleware(Recorder(), both()), scope, body_of(b"")).status == status


def test_a_query_that_is_text() -> None:
    """As Django's AsyncClient has it, without a raw path."""
    scope = scope_of(signed(GOTOM, "GET", "/v1/a?b=%2f"), raw_path=..., query_string="b=%2f")
    assert Conversation(SignatureMiddleware(Recorder(), both()), scope, body_of(b"")).status == 204


def test_a_raw_path_that_holds_the_query() -> None:
    scope = scope_of(signed(GOTOM, "GET", "/a?b"), raw_path=b"/a?b")
    assert Conversation(SignatureMiddleware(Recorder(), both()), scope, body_of(b"")).status == 204


@pytest.mark.parametrize(
    ("root_path", "raw_path", "signs"),
    [
        ("/api", "/api/items", "/api/items"),
        ("/api/", "/api/items", "/api/items"),
        ("/api", "/items", "/api/items"),
        ("", "/items", "/api/items"),
        ("", "/api/items", "/api/api/items"),
        ("/other", "/api/items", "/api/api/items"),
        ("/api", "/apis", "/api/apis"),
        ("/ap", "/api/items", "/api/api/items"),
        ("/api/v1", "/api/v1/items", "/api/v1/items"),
    ],
)
def test_prefix_and_root_path(root_path: str, raw_path: str, signs: str) -> None:
    middleware = SignatureMiddleware(Recorder(), both(), prefix="/api")
    scope = scope_of(signed(GOTOM, "GET", signs), root_path=root_path, raw_path=raw_path.encode(), path=raw_path)
    assert Conversation(middleware, scope, body_of(b"")).status == 204


def test_without_a_prefix_the_root_path_says_nothing() -> None:
    scope = scope_of(signed(GOTOM, "GET", "/items"), root_path="/api")
    assert Conversation(SignatureMiddleware(Recorder(), both()), scope, body_of(b"")).status == 204


async def _says_true(verified: Verified, head: Request) -> bool:
    await asyncio.sleep(0)
    return True


async def _says_false(verified: Verified, head: Request) -> bool:
    await asyncio.sleep(0)
    return False


def _fails(verified: Verified, head: Request) -> bool:
    raise RuntimeError("redis://:password@host")


@pytest.mark.parametrize(
    ("authorize", "status"),
    [
        (lambda verified, head: True, 204),
        (lambda verified, head: verified.key_id == "user:1" and head.target == "/items", 204),
        (lambda verified, head: "yes", 403),
        (lambda verified, head: None, 403),
        (_says_true, 204),
        (_says_false, 403),
        (_fails, 503),
    ],
)
def test_authorize(authorize: Any, status: int, caplog: pytest.LogCaptureFixture) -> None:
    app = Recorder()
    middleware = SignatureMiddleware(app, both(), authorize=authorize)
    assert Conversation(middleware, scope_of(signed()), body_of(b"")).status == status
    assert app.calls == (status == 204)
    assert "password" not in caplog.text


# The plainest requests, and each shape near to them: one path judges them all.


def plain_scope(**changes: Any) -> dict[str, Any]:
    return scope_of(signed(key_id="user"), **{"http_version": "1.1", **changes})


@pytest.mark.parametrize("verifier_class", [Verifier, AsyncVerifier])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_every_version_and_method_comes_to_the_app_alike(verifier_class: Any, method: str) -> None:
    told: list[Verified] = []
    apps = Recorder(), Recorder(), Recorder()
    scope = scope_of(signed(GOTOM, method, "/items?a=b", key_id="user"))
    for app, version in zip(apps, ("1.0", "1.1", "2"), strict=True):
        middleware = SignatureMiddleware(app, verifier_class(GoTom(), PLAIN_KEYS), on_verified=told.append)
        assert Conversation(middleware, {**scope, "http_version": version}, body_of(b"")).status == 204
        assert app.scope == {**scope, "http_version": version, "undersign": told[-1]}
    assert apps[0].messages == apps[1].messages == apps[2].messages
    assert told[0] == told[1] == told[2]
    assert (told[0].scheme, told[0].key_id, told[0].secret_index) == ("gotom", "user", 0)


@pytest.mark.parametrize("pieces", [[b"x"], [b"", b"x"], [b"", b"", b"x", b""]])
def test_a_body_that_nothing_announces_never_comes_to_the_app(pieces: list[bytes]) -> None:
    app = Recorder()
    middleware = SignatureMiddleware(app, Verifier(GoTom(), PLAIN_KEYS))
    assert Conversation(middleware, plain_scope(), body_of(*pieces)).status == 401  # it is not the body that is signed
    assert app.calls == 0


@pytest.mark.parametrize(
    ("changes", "options", "status"),
    [
        ({}, {}, 204),
        ({"http_version": "2"}, {}, 204),
        ({"raw_path": b"/item"}, {}, 401),
        ({"raw_path": b"/items/"}, {}, 401),
        ({"raw_path": b"http://api.example.com/items"}, {}, 204),
        ({"raw_path": b""}, {}, 401),
        ({"raw_path": b"/items?"}, {}, 204),
        ({"query_string": b"a"}, {}, 401),
        ({"method": "DELETE"}, {}, 401),
        ({"method": "get"}, {}, 401),
        ({}, {"prefix": "/api"}, 401),
        ({}, {"authorize": lambda verified, head: True}, 204),
        ({}, {"authorize": lambda verified, head: False}, 403),
        ({"raw_path": b"/items", "headers": []}, {"public": ["/items"]}, 204),
    ],
)
def test_each_shape_near_the_plainest_request(changes: Any, options: Any, status: int) -> None:
    middleware = SignatureMiddleware(Recorder(), Verifier(GoTom(), PLAIN_KEYS), **options)
    assert Conversation(middleware, plain_scope(**changes), body_of(b"")).status == status


@pytest.mark.parametrize("name", [b"x-http-method-override", b"X_HTTP_Method", b"x-method-override"])
@pytest.mark.parametrize(("method", "status"), [("GET", 204), ("DELETE", 204), ("POST", 401)])
def test_an_override_header_keeps_a_signed_post_out(name: bytes, method: str, status: int) -> None:
    scope = scope_of(signed(GOTOM, method, "/items", key_id="user"))
    scope["headers"] = [*scope["headers"], (name, b"DELETE")]
    assert (
        Conversation(SignatureMiddleware(Recorder(), Verifier(GoTom(), PLAIN_KEYS)), scope, body_of(b"")).status
        == status
    )


@pytest.mark.parametrize(("method", "second"), [("GET", 204), ("POST", 401), ("DELETE", 401)])
def test_a_replay_guard_sees_each_of_them(method: str, second: int) -> None:
    verifier = Verifier(GoTom(), PLAIN_KEYS, replay=MemoryReplayGuard(born=0))
    middleware = SignatureMiddleware(Recorder(), verifier)
    scope = scope_of(signed(GOTOM, method, "/items", key_id="user"))
    assert Conversation(middleware, scope, body_of(b"")).status == 204
    assert Conversation(middleware, scope, body_of(b"")).status == second


def test_a_public_path_is_public_to_those_who_sign_too() -> None:
    app = Recorder()
    Conversation(
        SignatureMiddleware(app, Verifier(GoTom(), PLAIN_KEYS), public=["/items"]), plain_scope(), body_of(b"")
    )
    assert app.scope["undersign"] is None


class _Permissions(dict[str, list[str]]):
    def __call__(self, verified: Verified, head: Request) -> bool:
        return head.target in self.get(verified.key_id, [])


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_permissions_that_are_still_empty_let_nobody_in(version: str) -> None:
    app = Recorder()
    middleware = SignatureMiddleware(app, Verifier(GoTom(), PLAIN_KEYS), authorize=_Permissions())
    assert Conversation(middleware, plain_scope(http_version=version), body_of(b"")).status == 403
    assert not app.calls


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_headers_that_can_be_read_once_are_read_whole_and_passed_on(version: str) -> None:
    scope = plain_scope(http_version=version)
    for headers, status in ((scope["headers"], 204), ([(b"date", b"0")] * 2 + scope["headers"], 401)):
        app = Recorder()
        middleware = SignatureMiddleware(app, Verifier(GoTom(), PLAIN_KEYS))
        assert Conversation(middleware, {**scope, "headers": iter(headers)}, body_of(b"")).status == status
        assert app.calls == 0 or app.scope["headers"] == headers


def test_an_async_verifier() -> None:
    async def lookup(key_id: str, scheme: str) -> str | None:
        await asyncio.sleep(0)
        return KEYS.get(key_id)

    middleware = SignatureMiddleware(Recorder(), AsyncVerifier(GoTom(), lookup))
    assert Conversation(middleware, scope_of(signed()), body_of(b"")).status == 204
    assert Conversation(middleware, scope_of(signed(secret="other")), body_of(b"")).status == 401


def test_a_lookup_that_fails_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    def lookup(key_id: str, scheme: str) -> str:
        raise OSError("postgres://user:password@host")

    reasons: list[str] = []
    app = Recorder()
    middleware = SignatureMiddleware(
        app, Verifier(GoTom(), lookup), on_rejected=lambda reason, key_id, detail: reasons.append(reason)
    )
    assert Conversation(middleware, scope_of(signed()), body_of(b"")).status == 503
    assert (app.calls, reasons) == (0, ["unavailable"])
    assert "OSError" in caplog.text
    assert "password" not in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_a_hook_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def hook(reason: str, key_id: str, detail: str) -> None:
        raise ValueError("secret text")

    middleware = SignatureMiddleware(Recorder(), both(), on_rejected=hook)
    assert Conversation(middleware, scope_of(signed(secret="other")), body_of(b"")).status == 401
    assert "on_rejected has raised ValueError" in caplog.text
    assert "secret text" not in caplog.text


def test_the_log_is_structured_and_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    request = signed(key_id="x\u2028y\x85\u202e" + "z" * 500, secret="other")
    seen: list[tuple[str, str, str]] = []
    middleware = SignatureMiddleware(Recorder(), both(), on_rejected=lambda *parts: seen.append(parts))
    Conversation(middleware, scope_of(request), body_of(b""))
    (record,) = caplog.records
    assert record.name == "undersign"
    assert record.__dict__["reason"] == "unknown_key"
    assert seen[0][1] == record.__dict__["key_id"]
    assert all(char.isprintable() for char in record.getMessage())
    assert len(record.getMessage()) < 500


def test_websockets() -> None:
    app = Recorder()
    connect = [{"type": "websocket.connect"}]
    good = scope_of(signed(), type="websocket", method=...)
    bad = scope_of(signed(secret="other"), type="websocket", method=...)
    middleware = SignatureMiddleware(app, both())
    untouched = Conversation(middleware, good, connect)
    assert (app.calls, untouched.received) == (1, 0)
    assert Conversation(middleware, bad, connect).sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]
    denied = Conversation(middleware, {**bad, "extensions": {"websocket.http.response": {}}}, connect)
    assert denied.sent[0]["type"] == "websocket.http.response.start"
    assert (denied.status, denied.body) == (401, b'"Signature not valid"')
    assert Conversation(middleware, bad, [{"type": "websocket.disconnect"}]).sent == []
    assert app.calls == 1


@pytest.mark.parametrize(
    "options",
    [
        {"verifier": GoTom()},
        {"origin": "api.example.com"},
        {"origin": "https://api.example.com/path"},
        {"prefix": "api"},
        {"prefix": "/api/"},
        {"prefix": "/a%2Fb"},
        {"public": "/health"},
        {"public": ["health"]},
        {"public": ["/a//b"]},
        {"public": ["/a/../b"]},
        {"public": ["/%61"]},
        {"public": ["/a*"]},
        {"public": ["*"]},
        {"public": ["/*"]},
        {"public": [""]},
        {"max_body": -1},
        {"max_body": "1"},
        {"max_body": True},
        {"authorize": "role"},
        {"on_verified": KeyUsage()},  # and not its `record`
        {"on_rejected": []},
        {"diagnosis": {"a": "b"}},
        {"diagnosis": True},
    ],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SignatureMiddleware(Recorder(), **{"verifier": both(), **options})


def test_a_body_over_http_2_needs_no_announcement_and_is_verified() -> None:
    app = Recorder()
    middleware = SignatureMiddleware(app, Verifier(GoTom(), {"user": KEYS["user:1"]}))
    signed_body, none = signed(body=b"{}", key_id="user"), signed(key_id="user")
    assert Conversation(middleware, scope_of(signed_body, http_version="2"), body_of(b"{}")).status == 204
    assert app.body == b"{}"
    assert Conversation(middleware, scope_of(none, http_version="2"), body_of(b"{}")).status == 401
