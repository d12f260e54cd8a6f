"""Adapters that people write and that change what they send: derived from SigningAdapter, that is signed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.clients.conftest import SECRET
from tests.clients.transports import GOGRID, ticking, verifier
from tests.clients.wire import WireServer, once, redirect
from undersign import GoTom, HttpHmac, Scheme
from undersign.clients.requests import SigningAdapter

TENANT = HttpHmac(provider="p", signed_headers=("X-Tenant",))
Change = Callable[[requests.PreparedRequest], None]


class Changes(SigningAdapter):
    """As people write them."""

    change: Change

    def send(self, request: requests.PreparedRequest, *arguments: Any, **keywords: Any) -> requests.Response:
        self.change(request)
        return super().send(request, *arguments, **keywords)


def set_header(request: requests.PreparedRequest) -> None:
    request.headers["X-Tenant"] = "acme"


def set_query(request: requests.PreparedRequest) -> None:
    request.prepare_url(request.url, {"page": "1"})


def compress(request: requests.PreparedRequest) -> None:
    if "Content-Encoding" not in request.headers:
        assert isinstance(request.body, bytes)
        request.body = gzip.compress(request.body)
        request.headers["Content-Encoding"] = "gzip"
        request.headers["Content-Length"] = str(len(request.body))


@pytest.mark.parametrize("scheme", [GoTom(), GOGRID, TENANT], ids=["gotom", "gogrid", "header"])
@pytest.mark.parametrize("change", [set_header, set_query, compress])
def test_what_it_changes_is_signed_on_every_hop(server: WireServer, scheme: Scheme, change: Change) -> None:
    adapter = Changes(scheme, "key", SECRET, origins=[server.url], clock=ticking())
    adapter.change = change
    server.respond = once(redirect(307, "/next?y=2"))
    with requests.Session() as session:
        session.mount("http://", adapter)
        response = session.post(server.url + "/a?x=1", json={"a": 1}, headers={"X-Tenant": "t"})
    assert response.status_code == 200
    keys = verifier(scheme)
    assert all(server.verified(keys, index) for index in range(2))
