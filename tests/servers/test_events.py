"""What hooks are told of each request that is judged: by the middlewares, and by a verifier that is called directly."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from prometheus_client import CollectorRegistry
from werkzeug.test import Client

from undersign import (
    AsyncVerifier,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Rejected,
    Request,
    Scheme,
    Verified,
    Verifier,
    sign,
)
from undersign.clients.httpx import SignatureAuth
from undersign.events import Event, EventLog
from undersign.events.opentelemetry import OpenTelemetryEvents
from undersign.events.prometheus import PrometheusEvents
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

NOW = 1_730_974_875
KEYS = {"shop": "a secret that is long"}
SECRET = KEYS["shop"]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


def signed(target: str = "/orders", secret: str = SECRET, method: str = "GET", body: bytes = b"") -> Request:
    request = Request(method, target, (("Host", "api.example.com"),), body, "https://api.example.com")
    return sign(GoTom(), request, Credential("shop", secret), now=NOW).apply(request)


def told_by_asgi(request: Request, **options: Any) -> list[Event]:
    events: list[Event] = []
    options = {"verifier": Verifier(GoTom(), KEYS, clock=lambda: NOW), "events": events.append, **options}
    app = AsgiMiddleware(asgi_app, origin="https://api.example.com", **options)

    assert isinstance(request.body, bytes)
    body = request.body

    async def call() -> None:
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 50123))
        async with httpx.AsyncClient(transport=transport) as client:
            await client.request(
                request.method,
                "https://api.example.com" + request.target,
                headers=list(request.headers),
                content=body,
            )

    asyncio.run(call())
    return events


def told_by_wsgi(request: Request, **options: Any) -> list[Event]:
    events: list[Event] = []
    options = {"verifier": Verifier(GoTom(), KEYS, clock=lambda: NOW), "events": events.append, **options}
    app = WsgiMiddleware(wsgi_app, origin="https://api.example.com", **options)
    Client(app).open(
        request.target,
        method=request.method,
        headers=list(request.headers),
        data=request.body,
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    ).close()
    return events


BOTH = pytest.mark.parametrize("told", [told_by_asgi, told_by_wsgi])


@BOTH
def test_a_request_that_is_let_in_is_told_without_a_reason(told: Callable[..., list[Event]]) -> None:
    (event,) = told(signed("/orders?card=1"))
    assert dataclasses.asdict(event) | {"duration": 0} == {
        "method": "GET",
        "path": "/orders",
        "peer": "192.0.2.7",
        "scheme": "gotom",
        "key_id": "shop",
        "reason": "",
        "duration": 0,
    }
    assert event.is_verified
    assert 0 < event.duration < 60
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.reason = "mismatch"  # type: ignore[misc]


@BOTH
@pytest.mark.parametrize(
    ("request_", "options", "reason", "key_id"),
    [
        (signed(secret="another"), {}, "mismatch", "shop"),
        (Request("GET", "/orders"), {}, "missing", ""),
        (signed(), {"authorize": lambda verified, head: False}, "forbidden", "shop"),
        (signed(method="POST", body=b"abc"), {"max_body": 2}, "body_too_large", "shop"),
    ],
)
def test_a_refusal_is_told_with_its_reason(
    told: Callable[..., list[Event]], request_: Request, options: dict[str, Any], reason: str, key_id: str
) -> None:
    (event,) = told(request_, **options)
    assert (event.reason, event.key_id, event.is_verified) == (reason, key_id, False)
    assert event.scheme == ("gotom" if key_id else "")
    assert SECRET not in str(event)


def test_a_body_without_an_end_is_told_with_the_key_that_claims_it() -> None:
    request = signed(method="POST")
    chunked = dataclasses.replace(request, headers=(*request.headers, ("Transfer-Encoding", "chunked")))
    (event,) = told_by_wsgi(chunked)
    assert (event.reason, event.key_id, event.scheme) == ("length_required", "shop", "gotom")


@pytest.mark.parametrize("schemes", [[GoGrid(), GoTom()], [GoTom(), GoGrid()]], ids=["last", "first"])
def test_what_a_key_may_not_do_is_answered_in_the_shape_of_its_own_scheme(schemes: list[Scheme]) -> None:
    app = WsgiMiddleware(
        wsgi_app,
        Verifier(schemes, KEYS, clock=lambda: NOW),
        origin="https://api.example.com",
        authorize=lambda verified, head: False,
    )
    request = signed()
    answer = Client(app).open(request.target, headers=list(request.headers))
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")


@BOTH
def test_the_hook_of_what_is_let_in_is_told_who_that_is(told: Callable[..., list[Event]]) -> None:
    let_in: list[Verified] = []
    told(signed(), on_verified=let_in.append)
    told(signed(secret="another"), on_verified=let_in.append)
    assert [verified.key_id for verified in let_in] == ["shop"]


@BOTH
def test_the_older_hooks_are_told_as_before(told: Callable[..., list[Event]]) -> None:
    strings: list[tuple[str, ...]] = []
    (event,) = told(
        signed(secret="another"), on_rejected=lambda reason, key_id, detail: strings.append((reason, key_id))
    )
    assert strings == [(event.reason, event.key_id)]


@BOTH
def test_a_public_path_is_not_judged_and_not_told(told: Callable[..., list[Event]]) -> None:
    assert told(Request("GET", "/health"), public=["/health"]) == []


@BOTH
def test_the_verifiers_hooks_are_told_where_the_middleware_has_none(told: Callable[..., list[Event]]) -> None:
    events: list[Event] = []
    told(signed(), verifier=Verifier(GoTom(), KEYS, clock=lambda: NOW, events=events.append), events=None)
    assert [event.reason for event in events] == [""]


@BOTH
def test_what_a_hook_raises_changes_nothing_and_the_next_one_is_told(
    told: Callable[..., list[Event]], caplog: pytest.LogCaptureFixture
) -> None:
    events: list[Event] = []

    def broken(event: Event) -> None:
        raise OSError("with what nobody should read")

    told(signed(), events=[broken, events.append])
    assert [event.reason for event in events] == [""]
    assert caplog.messages == ["the events hook broken has raised OSError"]


def test_a_verifier_that_is_called_directly_tells_what_it_knows() -> None:
    events: list[Event] = []
    verifier = Verifier(GoTom(), KEYS, clock=lambda: NOW, events=events.append)
    verifier.verify(signed())
    with pytest.raises(Rejected):
        verifier.verify(signed(secret="another"))
    told = AsyncVerifier(GoTom(), KEYS, clock=lambda: NOW, events=[events.append])
    asyncio.run(told.verify(signed()))
    with pytest.raises(Rejected):
        asyncio.run(told.verify(Request("GET", "/")))
    assert [(event.reason, event.peer, event.key_id) for event in events] == [
        ("", "", "shop"),
        ("mismatch", "", "shop"),
        ("", "", "shop"),
        ("missing", "", ""),
    ]


def test_no_signature_and_no_control_character_is_in_an_event() -> None:
    events: list[Event] = []
    verifier = Verifier(GoTom(), KEYS, clock=lambda: NOW, events=events.append)
    with pytest.raises(Rejected):
        verifier.verify(Request("GET\x1b[2J", "/x%3Fsig=abc\nGET", (), b"", "https://a.example"))
    assert (events[0].method, events[0].path) == ("GET?[2J", "/x…")


async def coroutine(event: Event) -> None: ...


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (coroutine, "is a coroutine"),
        (EventLog, "make an object of it, EventLog()"),
        ([print, "log"], "a callable that takes one Event"),
    ],
)
def test_a_hook_that_cannot_work_is_refused_when_it_is_given(events: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("(", r"\(").replace(")", r"\)")):
        Verifier(GoTom(), KEYS, events=events)


def test_the_log_has_one_line_an_event_with_the_fields_as_attributes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "undersign.events")
    EventLog()(Event("GET", "/orders", "192.0.2.7", "gotom", "shop", "", 0.00125))
    EventLog(refused=logging.WARNING)(Event("GET", "/orders", "", "", "", "missing", 0.5))
    assert caplog.messages == [
        "verified, GET /orders from 192.0.2.7, scheme gotom, key id 'shop', 1.2 ms",
        "missing, GET /orders, key id '', 500.0 ms",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert (caplog.records[0].key_id, caplog.records[0].duration) == ("shop", 0.00125)  # type: ignore[attr-defined]


def test_prometheus_has_no_label_that_clients_choose() -> None:
    registry = CollectorRegistry()
    count = PrometheusEvents(registry)
    for number in range(100):
        count(Event("GET", f"/{number}", f"192.0.2.{number}", "gotom", f"key-{number}", "unknown_key", 0.001))
    count(Event("GET", "/", "", "", "", "missing", 0.001))
    labels = {"scheme": "gotom", "reason": "unknown_key"}
    assert registry.get_sample_value("undersign_requests_total", labels) == 100
    assert registry.get_sample_value("undersign_requests_total", {"scheme": "none", "reason": "missing"}) == 1
    assert registry.get_sample_value("undersign_verdict_seconds_count", {"scheme": "gotom"}) == 100
    totals = [sample for metric in registry.collect() for sample in metric.samples if sample.name.endswith("_total")]
    assert len(totals) == 2


def test_prometheus_names_the_keys_that_it_is_told_and_no_other() -> None:
    registry = CollectorRegistry()
    count = PrometheusEvents(registry, key_ids=["shop"])
    for key_id in ("shop", "stranger", "another"):
        count(Event("GET", "/", "", "gotom", key_id, "", 0.001))
    labels = {"scheme": "gotom", "reason": "verified"}
    assert registry.get_sample_value("undersign_requests_total", {**labels, "key_id": "shop"}) == 1
    assert registry.get_sample_value("undersign_requests_total", {**labels, "key_id": "other"}) == 2
    with pytest.raises(ConfigError, match="write key_ids="):
        PrometheusEvents(CollectorRegistry(), key_ids="shop")


def test_opentelemetry_measures_and_marks_the_current_span() -> None:
    reader = InMemoryMetricReader()
    measure = OpenTelemetryEvents(MeterProvider([reader]).get_meter("test"))
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        measure(Event("GET", "/", "", "gotom", "shop", "", 0.25))
    assert isinstance(span, ReadableSpan)
    assert dict(span.attributes or {}) == {
        "undersign.scheme": "gotom",
        "undersign.reason": "verified",
        "undersign.key_id": "shop",
    }
    measure(Event("GET", "/", "", "gotom", "shop", "mismatch", 0.25))
    data: Any = reader.get_metrics_data()
    points = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert [(dict(point.attributes), point.sum) for point in points] == [
        ({"scheme": "gotom", "reason": "verified"}, 0.25),
        ({"scheme": "gotom", "reason": "mismatch"}, 0.25),
    ]


def test_a_client_signs_and_the_server_tells() -> None:
    """The whole way, in one process: httpx signs, the middleware verifies and tells."""
    events: list[Event] = []
    app = AsgiMiddleware(asgi_app, Verifier(GoTom(), KEYS), origin="https://api.example.com", events=events.append)

    async def call() -> int:
        auth = SignatureAuth(GoTom(), "shop", SECRET)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), auth=auth) as client:
            return (await client.post("https://api.example.com/orders", json={"a": 1})).status_code

    assert asyncio.run(call()) == 200
    assert [(event.method, event.reason) for event in events] == [("POST", "")]
