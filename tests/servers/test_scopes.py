"""What ASGI allows in a scope, and what of the app's own scope is seen in front of the middleware."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest

from undersign import GoTom, HttpHmac, Request, Verified, Verifier
from undersign.policy import MemoryReplayGuard
from undersign.servers._common import KEY
from undersign.servers._scope import AppScope
from undersign.servers.asgi import SignatureMiddleware

from .asgi import KEYS, Conversation, Recorder, body_of, both, scope_of
from .wire import GOGRID, signed

BODY = b'{"a": 1}'
# Signed in the test that sends it: a long run of all tests would leave the window.
KINDS: dict[str, Callable[[], Request]] = {
    "goTom": lambda: signed(target="/items?a=b"),
    "goTom, POST": lambda: signed(method="POST", body=BODY),
    "GoGrid": lambda: signed(GOGRID),
}
OPTIONAL: dict[str, dict[str, Any]] = {
    "nothing that is optional": {},
    "all that may be None": {
        "client": None,
        "server": None,
        "extensions": None,
        "root_path": "",
        "scheme": "https",
    },
    "all": {
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "scheme": "https",
        "root_path": "",
        "client": ["127.0.0.1", 1],
        "server": ("/run/app.sock", None),
        "state": {},
        "extensions": {"http.response.pathsend": {}},
    },
    "HTTP/2": {"http_version": "2", "extensions": {}},
    "HTTP/3": {"http_version": "3"},
    "no raw path": {"raw_path": ...},
    "a raw path that is None": {"raw_path": None},
    "no root path": {"root_path": ...},
    "a root path that is None": {"root_path": None},
}
Headers = Callable[[list[tuple[bytes, bytes]]], Any]
HEADERS: dict[str, Headers] = {
    "list of tuples": lambda headers: headers,
    "list of lists": lambda headers: [list(pair) for pair in headers],
    "tuple": tuple,
    "generator": lambda headers: (pair for pair in headers),
    "iterator of iterators": lambda headers: iter([iter(pair) for pair in headers]),
    "list of iterators": lambda headers: [iter(pair) for pair in headers],
    "items of a mapping": lambda headers: dict(headers).items(),
    "bytearrays": lambda headers: [(bytearray(name), bytearray(value)) for name, value in headers],
    "views": lambda headers: [(memoryview(name), memoryview(value)) for name, value in headers],
    "names that are not lower case": lambda headers: [(name.title(), value) for name, value in headers],
}


def status(app: Any, scope: dict[str, Any], body: bytes = b"") -> int:
    return Conversation(SignatureMiddleware(app, both(), origin="https://api.example.com"), scope, body_of(body)).status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optional", OPTIONAL)
def test_what_may_be_missing_in_a_scope(optional: str, kind: str) -> None:
    request, app = KINDS[kind](), Recorder()
    assert isinstance(request.body, bytes)
    assert status(app, scope_of(request, **OPTIONAL[optional]), request.body) == 204
    assert app.scope["undersign"].key_id == "user:1"
    assert app.body == request.body
    forged = Request(request.method, request.target.replace("sig=", "sig=0"), request.headers[:-1], request.body)
    assert status(app, scope_of(forged, **OPTIONAL[optional]), request.body) in (400, 401)


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_string_may_be_missing_or_none(kind: str) -> None:
    for query in (..., None, b""):
        request = signed() if kind == "goTom" else KINDS[kind]()
        expected = 401 if kind == "GoGrid" else 204  # whose signature stands there
        assert isinstance(request.body, bytes)
        assert status(Recorder(), scope_of(request, query_string=query), request.body) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_an_iterable_of_iterables_of_byte_strings(name: str, kind: str) -> None:
    request, app = KINDS[kind](), Recorder()
    scope = scope_of(request)
    expected = scope["headers"]
    scope["headers"] = HEADERS[name](expected)
    assert isinstance(request.body, bytes)
    assert status(app, scope, request.body) == 204
    for seen in (app.scope["headers"], scope["headers"]):  # by the app, and in front of the middleware
        assert [(bytes(name).lower(), bytes(value)) for name, value in seen] == expected


def test_a_scope_without_headers_is_not_signed() -> None:
    given: list[Any] = [..., None, [], ()]
    for headers in given:
        assert status(Recorder(), scope_of(signed(), headers=headers)) == 401


@pytest.mark.parametrize("piece", [bytes, bytearray, memoryview])
def test_a_body_may_come_in_any_kind_of_bytes(piece: Callable[[bytes], Any]) -> None:
    request, app = KINDS["goTom, POST"](), Recorder()
    messages: list[Any] = [
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": piece(BODY[:3]), "more_body": True},
        {"type": "http.request", "body": piece(BODY[3:])},
        {"type": "http.disconnect"},
    ]
    for waiting in (messages, [{"type": "http.request", "body": piece(BODY)}, {"type": "http.disconnect"}]):
        app = Recorder()
        assert Conversation(SignatureMiddleware(app, both()), scope_of(request), waiting).status == 204
        assert app.body == BODY


def test_a_buffer_that_is_used_again_does_not_change_what_was_read() -> None:
    buffer, app = bytearray(4), Recorder()

    async def receive() -> Any:
        piece = pieces.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        buffer[:] = piece
        return {"type": "http.request", "body": memoryview(buffer), "more_body": len(pieces) > 1}

    async def send(message: Any) -> None:
        sent.append(message)

    pieces: list[bytes | None] = [BODY[:4], BODY[4:], None]
    sent: list[Any] = []
    asyncio.run(SignatureMiddleware(app, both())(scope_of(KINDS["goTom, POST"]()), receive, send))
    assert sent[0]["status"] == 204
    assert app.body == BODY


def test_a_websocket_scope_may_hold_as_little() -> None:
    scope: dict[str, Any] = {"type": "websocket", "path": "/items"}
    allowed: list[dict[str, Any]] = [
        {},
        {"extensions": None, "subprotocols": (), "query_string": None, "raw_path": None},
    ]
    for more in allowed:
        app = Recorder()
        headers = iter(scope_of(signed())["headers"])
        assert not Conversation(SignatureMiddleware(app, both()), {**scope, **more, "headers": headers}).sent
        assert app.scope["undersign"].key_id == "user:1"


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_replay_guard_lets_a_websocket_s_handshake_in_once(version: str) -> None:
    """Over HTTP/2 no header asks for one (RFC 8441); a plain GET is guarded no more than before."""
    guarded = Verifier(GoTom(), KEYS, replay=MemoryReplayGuard(born=0))
    app = Recorder()
    middleware = SignatureMiddleware(app, guarded)
    scope = scope_of(signed()) | {"type": "websocket", "http_version": version, "subprotocols": []}
    del scope["method"]
    for calls in (1, 1):
        Conversation(middleware, scope, [{"type": "websocket.connect"}])
        assert app.calls == calls
    for calls in (2, 3):
        Conversation(middleware, scope_of(signed()), [{"type": "http.request"}, {"type": "http.disconnect"}])
        assert app.calls == calls


def test_the_header_that_asks_for_a_websocket_is_there_once() -> None:
    """A scheme may sign it, and what is there twice is refused."""
    scheme = HttpHmac(provider="Acme", signed_headers=("Upgrade",))
    app = Recorder()
    scope = scope_of(signed(scheme, headers=[("Upgrade", "websocket")])) | {"type": "websocket", "subprotocols": []}
    Conversation(SignatureMiddleware(app, Verifier(scheme, KEYS)), scope, [{"type": "websocket.connect"}])
    assert app.calls == 1


# What the app writes in its scope


Writes = Callable[[Any], Any]
WRITES: dict[str, Writes] = {
    "item": lambda scope: scope.__setitem__("route", "/items"),
    "update": lambda scope: scope.update({"route": "/items"}),
    "update by name": lambda scope: scope.update(route="/items"),
    "update by pairs": lambda scope: scope.update([("route", "/items")]),
    "setdefault": lambda scope: scope.setdefault("route", "/items"),
    "or": lambda scope: scope.__ior__({"route": "/items"}),
}


def told(write: Writes, request: Request | None = None, **options: Any) -> tuple[dict[str, Any], list[Any]]:
    """The scope in front of the middleware when the app has run, and what the app saw in its own."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        write(scope)
        seen.append(dict(scope))
        in_front.append(dict(outer))
        await send({"type": "http.response.start", "status": 204, "headers": []})

    in_front: list[Any] = []
    outer = scope_of(request or signed())
    Conversation(SignatureMiddleware(app, both(), **options), outer, body_of(b""))
    assert in_front == [outer]  # it was there while the app still ran
    return outer, seen


@pytest.mark.parametrize("public", [[], ["/items"]])
@pytest.mark.parametrize("write", WRITES)
def test_what_the_app_writes_is_seen_in_front(write: str, public: list[str]) -> None:
    outer, seen = told(WRITES[write], public=public)
    assert outer == {**scope_of(signed()), "route": "/items"} | {"headers": outer["headers"]}
    assert seen[0]["route"] == "/items"
    assert seen[0]["undersign"] is None if public else isinstance(seen[0]["undersign"], Verified)


@pytest.mark.parametrize(
    "take",
    [
        lambda scope: scope.pop("root_path"),
        lambda scope: scope.__delitem__("root_path"),
        lambda scope: scope.clear(),
        lambda scope: [scope.popitem() for _ in tuple(scope)],
    ],
)
def test_what_the_app_takes_away_is_gone_in_front(take: Writes) -> None:
    outer, _ = told(take)
    assert "root_path" not in outer


def test_what_verified_is_not_seen_in_front_and_stays_where_it_is() -> None:
    def write(scope: Any) -> None:
        scope["undersign"] = scope["undersign"]
        scope.update(scope)
        scope.setdefault("undersign", "another")
        scope.update({"undersign": scope.pop("undersign")})
        assert scope.pop("nothing", 5) == 5

    outer, seen = told(write)
    assert "undersign" not in outer
    assert isinstance(seen[0]["undersign"], Verified)


def test_what_stands_in_front_keeps_its_own_headers_and_path() -> None:
    """The app gets a path without scheme and host, and the length of a body that came in chunks."""
    request = signed(method="POST", target="/items", body=BODY)
    app = Recorder()
    headers = [*scope_of(request)["headers"], (b"transfer-encoding", b"chunked")]
    whole = "https://api.example.com/items"
    outer = scope_of(request, headers=headers, path=whole, raw_path=whole.encode())
    assert Conversation(SignatureMiddleware(app, both()), outer, body_of(BODY)).status == 204
    assert (app.scope["path"], app.scope["raw_path"]) == ("/items", b"/items")
    assert (b"content-length", b"8") in app.scope["headers"]
    assert (outer["path"], outer["headers"]) == (whole, headers)


def call(app: Any, path: str) -> int:
    async def sent() -> int:
        request = signed(target=path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            answer = await client.get(f"https://api.example.com{path}", headers=list(request.headers))
            return answer.status_code

    return asyncio.run(sent())


def fastapi_app() -> Any:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()
    app.add_middleware(SignatureMiddleware, verifier=Verifier(GoTom(), {"user:1": "thepasswordyoureceived"}))

    def item(number: int) -> dict[str, int]:
        return {"number": number}

    app.get("/items/{number}")(item)
    return app


def metrics(registry: Any, name: str) -> list[dict[str, str]]:
    found: Iterable[Any] = registry.collect()
    return [sample.labels for family in found for sample in family.samples if sample.name == name]


def test_prometheus_counts_by_route_in_front() -> None:
    exporter = pytest.importorskip("starlette_exporter")
    prometheus = pytest.importorskip("prometheus_client")
    app = fastapi_app()
    app.add_middleware(exporter.PrometheusMiddleware, app_name="undersign", prefix="undersign_front", group_paths=True)
    assert call(app, "/items/7") == 200
    found = metrics(prometheus.REGISTRY, "undersign_front_requests_total")
    assert [labels["path"] for labels in found] == ["/items/{number}"]


def test_the_instrumentator_counts_by_route_in_front() -> None:
    instrumentator = pytest.importorskip("prometheus_fastapi_instrumentator")
    prometheus = pytest.importorskip("prometheus_client")
    app, registry = fastapi_app(), prometheus.CollectorRegistry()
    instrumentator.Instrumentator(registry=registry).instrument(app)
    assert call(app, "/items/7") == 200
    assert [labels["handler"] for labels in metrics(registry, "http_requests_total")] == ["/items/{number}"]


def test_opentelemetry_names_spans_by_route_in_front() -> None:
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.fastapi")
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter, provider, app = memory.InMemorySpanExporter(), trace.TracerProvider(), fastapi_app()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    instrumentation.FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    assert call(app, "/items/7") == 200
    assert exporter.get_finished_spans()[-1].name == "GET /items/{number}"


def test_sentry_names_transactions_by_route_in_front() -> None:
    sentry = pytest.importorskip("sentry_sdk")
    of_fastapi = pytest.importorskip("sentry_sdk.integrations.fastapi")
    seen: list[str] = []

    def keep(event: Any, hint: Any) -> None:
        seen.append(event["transaction"])

    with sentry.isolation_scope():
        # Its integrations would change libraries for all tests that follow: headers of clients, for one.
        sentry.init(
            dsn="http://key@127.0.0.1:9/1",
            traces_sample_rate=1.0,
            before_send_transaction=keep,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[of_fastapi.FastApiIntegration()],
        )
        try:
            assert call(sentry.integrations.asgi.SentryAsgiMiddleware(fastapi_app()), "/items/7") == 200
        finally:
            sentry.init(default_integrations=False, auto_enabling_integrations=False)
    assert "/items/{number}" in seen


def test_what_an_app_takes_out_of_its_scope_is_gone_in_front_and_another_s_verified_stays() -> None:
    outer: dict[str, Any] = {KEY: "another's", "path": "/a", "route": "b"}
    scope = AppScope(outer, None)
    assert scope.pop("route") == "b"
    assert scope.pop(KEY) is None
    assert outer == {KEY: "another's", "path": "/a"}
    del scope["path"]
    outer["path"] = "set in front since"
    assert scope.pop("path", "gone") == "gone"
    assert outer["path"] == "set in front since"
