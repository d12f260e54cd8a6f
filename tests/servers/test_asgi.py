"""The ASGI middleware by itself: its options, and what passes through it."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from undersign import AsyncVerifier, ConfigError, GoTom, Request, Verified, Verifier
from undersign.keys import KeyUsage
from undersign.servers._common import Authenticator
from undersign.servers.asgi import SignatureMiddleware

from .asgi import KEYS, MIB, Conversation, Recorder, body_of, both, scope_of
from .wire import GOGRID, GOTOM, signed


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
    assert (app.calls, conversation.status, conversation.body) == (0, 400, b"")


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


def test_a_body_that_breaks_off_is_the_clients_failure() -> None:
    """Some servers call a broken chunk a disconnect, and a request without an answer their own failure."""
    app, told = Recorder(), list[Any]()
    middleware = SignatureMiddleware(app, both(), on_rejected=lambda *refused: told.append(refused))
    begun: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.disconnect"},
    ]
    conversation = Conversation(middleware, scope_of(signed(GOTOM, "PUT", body=b"abc")), begun)
    assert (conversation.status, conversation.body, app.calls, told) == (400, b"", 0, [])
    unsigned = Request("PUT", "/items", (("Content-Length", "3"),), b"abc", "https://api.example.com")
    assert Conversation(middleware, scope_of(unsigned), [{"type": "http.disconnect"}]).status == 401


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"verifier": GoTom()}, "verifier is a Verifier or an AsyncVerifier, not GoTom"),
        ({"origin": "api.example.com"}, "not an origin: 'api.example.com'"),
        ({"origin": "https://api.example.com/path"}, "not an origin: 'https://api.example.com/path'"),
        *(({"prefix": prefix}, f"prefix '{prefix}' is not a plain path") for prefix in ("api", "/api/", "/a%2Fb")),
        ({"public": "/health"}, 'public is a collection of paths: write public=["/health"]'),
        *(
            ({"public": [path]}, f"the public path '{path}' is not plain: begin it with /")
            for path in ("health", "/a//b", "/a/../b", "/%61", "/a*", "*", "")
        ),
        ({"public": ["/*"]}, "the public path '/*' leaves nothing to protect: name what is public"),
        *(({"max_body": size}, f"max_body is a number of bytes, not {size!r}") for size in (-1, "1", True)),
        ({"authorize": "role"}, "authorize is a callable: authorize(verified, head) returns True for those let in"),
        ({"on_verified": KeyUsage()}, "on_verified(verified) is a callable, such as KeyUsage().record"),
        ({"on_rejected": []}, "on_rejected is a callable that takes one Refusal; this is list"),
        ({"diagnosis": {"a": "b"}}, "diagnosis is a DiagnosisLog(keys), not dict"),
        ({"diagnosis": True}, "diagnosis is a DiagnosisLog(keys), not bool"),
        ({"preflights": 1}, "preflights is True or False, not 1"),
        ({"linger": 1}, "linger is a Linger(seconds=…, limit=…), not int"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        SignatureMiddleware(Recorder(), **{"verifier": both(), **options})


def test_nothing_is_let_in_unsigned_unless_that_is_asked_for() -> None:
    assert not Authenticator(both(), origin="").lets_unsigned
    assert Authenticator(both(), origin="", preflights=True).lets_unsigned
    assert Authenticator(both(), origin="", public=["/health"]).lets_unsigned


def test_a_body_over_http_2_needs_no_announcement_and_is_verified() -> None:
    app = Recorder()
    middleware = SignatureMiddleware(app, Verifier(GoTom(), {"user": KEYS["user:1"]}))
    signed_body, none = signed(body=b"{}", key_id="user"), signed(key_id="user")
    assert Conversation(middleware, scope_of(signed_body, http_version="2"), body_of(b"{}")).status == 204
    assert app.body == b"{}"
    assert Conversation(middleware, scope_of(none, http_version="2"), body_of(b"{}")).status == 401


@pytest.mark.parametrize(("method", "has_body"), [("GET", True), ("HEAD", False)])
def test_a_refusal_of_head_has_no_body(method: str, has_body: bool) -> None:
    refused = Conversation(SignatureMiddleware(Recorder(), both()), scope_of(Request(method, "/")))
    assert refused.status == 401
    assert bool(refused.body) is has_body
