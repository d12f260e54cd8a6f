"""Functions in a cloud, whose adapters pass on less than they name: the raw path of Azure is none."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

from undersign import Request

from .test_adapters import TARGETS, Adapted, headers_of
from .wire import GOTOM, signed


def azure_scope(request: Request, target: str = "") -> dict[str, Any]:
    """The scope that azure-functions 1.26 makes: `raw_path` is the decoded path, and there is no `asgi`."""
    url = urlparse(f"https://api.example.com{target or request.target}")
    path = unquote(url.path)
    return {
        "type": "http",
        "asgi.version": "2.1",
        "asgi.spec_version": "2.1",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers_of(request).items()],
        "server": ("api.example.com", 443),
        "state": None,
        "client": None,
        "azure_functions.function_directory": None,
        "azure_functions.function_name": None,
        "azure_functions.invocation_id": None,
        "azure_functions.thread_local_storage": None,
        "azure_functions.trace_context": None,
        "azure_functions.retry_context": None,
    }


def by_azure(adapted: Adapted, request: Request, target: str = "") -> int:
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(adapted.asgi(azure_scope(request, target), receive, send))
    return statuses[0]


def by_edge(adapted: Adapted, request: Request) -> int:
    """By Mangum, from an event of CloudFront's at the edge: path and query as they were sent."""
    mangum = pytest.importorskip("mangum")
    path, _, query = request.target.partition("?")
    headers = {name.lower(): [{"key": name, "value": value}] for name, value in headers_of(request).items()}
    sent = {"uri": path, "querystring": query, "headers": headers, "method": request.method, "clientIp": "192.0.2.1"}
    loop = asyncio.new_event_loop()  # Mangum makes one of its own otherwise, and leaves it open
    asyncio.set_event_loop(loop)
    try:
        answer = mangum.Mangum(adapted.asgi, lifespan="off")({"Records": [{"cf": {"request": sent}}]}, object())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    status: int = answer["status"]
    return status


@pytest.mark.parametrize(("target", "verifies"), [*TARGETS, ("/v1/caf%C3%A9", True), ("/v1/100%25", True)])
def test_what_azure_calls_raw_is_spelled_anew(target: str, verifies: bool) -> None:
    adapted = Adapted()
    status = by_azure(adapted, signed(GOTOM, "GET", target))
    if verifies:
        assert (status, adapted.reasons, adapted.path) == (200, [], unquote(target.partition("?")[0]))
    else:
        assert (status, adapted.reasons, adapted.path) == (500, ["lossy_target"], "")


@pytest.mark.parametrize(("target", "wire"), [("/a%62", "/a%2562"), ("/caf%C3%A9", "/caf%25C3%25A9"), ("/a/b", "/a/c")])
def test_nothing_else_runs_on_azure(target: str, wire: str) -> None:
    adapted = Adapted()
    assert by_azure(adapted, signed(GOTOM, "GET", target), wire) == 500
    assert (adapted.reasons, adapted.path) == (["lossy_target"], "")


def test_what_is_lost_on_azure_is_not_public() -> None:
    adapted = Adapted(public=["/open/*", "/health"])
    for target in ("/open/items", "/open%2Fitems", "/open/%2e%2e/items", "/health%20", "/%2Fhealth"):
        assert by_azure(adapted, Request("GET", target)) == 401
    assert by_azure(adapted, Request("GET", "/health")) == 200


@pytest.mark.parametrize("query", ["a=1&b=2", "a=%20", "a=b+c", "a=%2f", "&a=1", "a", "a=1&b=2&a=3"])
def test_a_query_from_the_edge_is_the_one_that_was_sent(query: str) -> None:
    adapted = Adapted()
    assert (by_edge(adapted, signed(GOTOM, "GET", f"/items?{query}")), adapted.reasons) == (200, [])


def test_a_wrong_secret_at_the_edge_is_the_clients_mistake() -> None:
    adapted = Adapted()
    assert by_edge(adapted, signed(GOTOM, "GET", "/items?a=1", secret="wrong")) == 401
    assert adapted.reasons == ["mismatch"]


def test_a_path_from_the_edge_that_needs_escapes_is_lost() -> None:
    """It comes as it was sent, and for a server that decodes that would be another path."""
    adapted = Adapted()
    assert by_edge(adapted, signed(GOTOM, "GET", "/v1/a%20b")) == 500
    assert by_edge(adapted, signed(GOTOM, "GET", "/v1/items")) == 200
    assert adapted.reasons == ["lossy_target"]
