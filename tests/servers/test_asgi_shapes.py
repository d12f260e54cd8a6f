"""The plainest requests through the ASGI middleware, and each shape near to them: one path judges them all."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import AsyncVerifier, GoTom, Request, Verified, Verifier
from undersign.policy import MemoryReplayGuard
from undersign.servers.asgi import SignatureMiddleware

from .asgi import PLAIN_KEYS, Conversation, Recorder, body_of, scope_of
from .wire import GOTOM, signed


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
