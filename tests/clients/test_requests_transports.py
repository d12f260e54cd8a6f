"""requests: every hop is settled before an adapter sees it, whatever it reads, and whoever wrote it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import NOW, SECRET
from tests.clients.transports import TRANSPORTS, Answer, Open
from undersign import GoGrid, HttpHmac, Request, Scheme, Verifier
from undersign.clients.requests import SignatureAuth

ACME = HttpHmac(provider="Acme", signed_headers=("X-Tenant",))
GOGRID = GoGrid(allow_http=True)


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Open:
    found: Open = request.param
    return found


class Exchange:
    """One call through a transport: what was sent, hop by hop, and how it was answered."""

    def __init__(self, transport: Open, directory: Path) -> None:
        self.sent: list[Request] = []
        self._transport = transport
        self._directory = directory

    def post(self, scheme: Scheme, location: Callable[[str, str, Request], str], **keywords: Any) -> None:
        """POST, and be led by a 307 to where `location(home, elsewhere, first request)` says."""
        seconds = itertools.count(int(NOW))
        auth = SignatureAuth(scheme, "key", SECRET, clock=lambda: float(next(seconds)))

        def respond(request: Request) -> Answer:
            self.sent.append(request)
            return (307, {"Location": location(home, elsewhere, request)}) if len(self.sent) == 1 else (200, {})

        with self._transport(respond, self._directory) as (session, home, elsewhere):
            response = session.post(home + "/1?x=%2f", auth=auth, allow_redirects=True, **keywords)
            assert response.status_code == 200
        assert len(self.sent) == 2


@pytest.fixture
def exchange(transport: Open, tmp_path: Path) -> Exchange:
    return Exchange(transport, tmp_path)


BODIES: list[tuple[Scheme, dict[str, Any]]] = [
    (ACME, {"json": {"a": 1}, "headers": {"X-Tenant": "t"}}),
    (GOGRID, {"data": {"a": "1"}}),
    (GOGRID, {"json": {"a": 1}}),
]
IDS = ["header", "form", "query"]


@pytest.mark.parametrize(("scheme", "keywords"), BODIES, ids=IDS)
def test_the_next_hop_has_a_signature_of_its_own(exchange: Exchange, scheme: Scheme, keywords: dict[str, Any]) -> None:
    exchange.post(scheme, lambda home, elsewhere, first: home + "/2?y=%2f", **keywords)
    verifier = Verifier(scheme, {"key": SECRET}, clock=lambda: NOW)
    first, second = (verifier.verify(request) for request in exchange.sent)
    assert second.at > first.at
    assert exchange.sent[1].target.startswith("/2?y=%2F")


@pytest.mark.parametrize(("scheme", "keywords"), BODIES, ids=IDS)
def test_another_origin_gets_no_trace_of_the_credential(
    exchange: Exchange, scheme: Scheme, keywords: dict[str, Any]
) -> None:
    exchange.post(scheme, lambda home, elsewhere, first: elsewhere + "/2?y=%2f", **keywords)
    other = exchange.sent[1]
    assert {name.lower() for name, _ in other.headers}.isdisjoint({"authorization", "date", "x-tenant"})
    assert (other.method, other.target.lower()) == ("POST", "/2?y=%2f")
    assert other.body in (b'{"a": 1}', b"a=1")
    assert other.values("content-length") in ([str(len(other.body))], [])


def test_another_origin_gets_no_trace_where_the_answer_brings_it_back(exchange: Exchange) -> None:
    def location(home: str, elsewhere: str, first: Request) -> str:
        return f"{elsewhere}/2?{first.target.partition('?')[2]}&y=1"

    exchange.post(GOGRID, location, json={"a": 1})
    assert exchange.sent[1].target.lower() == "/2?x=%2f&y=1"
