"""Caches between code and the wire: what they ask again is signed afresh, and what they keep holds no signature."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.transports import ticking
from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, Scheme, Verifier
from undersign.clients.requests import SignatureAuth

GOOD = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nCache-Control: max-age=0\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
SAME = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nConnection: close\r\n\r\n'


def respond(raw: bytes) -> bytes:
    return SAME if b"if-none-match" in raw.lower() else GOOD


def by_requests_cache() -> Any:
    from requests_cache import CachedSession

    # What docs/clients/requests.md says: without it GoGrid's URLs are never alike.
    ignored = ["sig", "api_key", "Authorization"]
    return CachedSession(backend="memory", cache_control=True, ignored_parameters=ignored)


def by_cache_control() -> Any:
    from cachecontrol import CacheControl

    return CacheControl(requests.Session())


@pytest.mark.parametrize("session_of", [by_requests_cache, by_cache_control])
def test_what_is_asked_again_is_signed_afresh(session_of: Any, server: WireServer) -> None:
    server.respond = respond
    session = session_of()
    session.auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=ticking())
    answers = [session.get(server.url + "/a?x=1") for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "ok")] * 3
    assert len(server.requests) > 1
    verifier = Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)
    at = [server.verified(verifier, index).at for index in range(len(server.requests))]
    assert len(set(at)) == len(at)
    assert server.received().values("if-none-match") == ['"a"']


@pytest.mark.parametrize("scheme", [GoTom(), GoGrid(allow_http=True)], ids=["gotom", "gogrid"])
def test_requests_cache_keeps_no_signature_and_answers(scheme: Scheme, server: WireServer, tmp_path: Path) -> None:
    from requests_cache import CachedSession

    auth = SignatureAuth(scheme, KEY_ID, SECRET, clock=ticking())
    with CachedSession(
        tmp_path / "cache",
        backend="filesystem",
        serializer="pickle",
        ignored_parameters=["sig", "api_key", "Authorization"],
    ) as session:
        answers = [session.get(server.url + "/a?x=1", auth=auth) for _ in range(3)]
        kept = pickle.dumps([(answer.url, answer.request) for answer in session.cache.responses.values()])
    assert len(server.requests) == 1
    assert [getattr(answer, "from_cache", None) for answer in answers] == [False, True, True]
    received = server.received()
    signatures = [value for name, value in received.headers if name.lower() == "authorization"]
    signatures += [field[4:] for field in received.target.split("&") if field.startswith("sig=")]
    assert len(signatures) == 1
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert files
    for signature in signatures:
        assert signature.rpartition(":")[2].encode() not in kept + files
