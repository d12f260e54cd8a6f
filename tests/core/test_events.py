"""What a verifier tells its hooks of each request that it is called with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from undersign import AsyncVerifier, Credential, GoTom, Rejected, Request, Verifier, sign
from undersign.events import Event

NOW = 1_730_974_875
BARE = Request("GET", "/a?b=1", (), b"", "https://h")
SIGNED = sign(GoTom(), BARE, Credential("user", "secret"), now=NOW).apply(BARE)


def _verify(kind: Any, request: Request, *events: Any) -> None:
    verifier = kind(GoTom(), {"user": "secret"}, clock=lambda: NOW, events=list(events))
    found = verifier.verify(request)
    if kind is AsyncVerifier:
        asyncio.run(found)


def _fails(_: Event) -> None:
    raise ValueError("secret")


@pytest.mark.parametrize("kind", [Verifier, AsyncVerifier])
def test_each_hook_is_told_of_a_request_that_verified_and_of_one_that_did_not(kind: Any) -> None:
    first: list[Event] = []
    second: list[Event] = []
    _verify(kind, SIGNED, first.append, second.append)
    with pytest.raises(Rejected):
        _verify(kind, BARE, first.append, second.append)
    assert first == second
    told = [(one.method, one.path, one.peer, one.scheme, one.key_id, one.reason) for one in first]
    assert told == [("GET", "/a", "", "gotom", "user", ""), ("GET", "/a", "", "", "", "missing")]
    assert [one.is_verified for one in first] == [True, False]
    assert all(0 < one.duration < 60 for one in first)


@pytest.mark.parametrize("kind", [Verifier, AsyncVerifier])
def test_a_hook_that_fails_changes_no_verdict_and_is_named(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Event] = []
    _verify(kind, SIGNED, _fails, told.append)
    assert len(told) == 1
    assert caplog.messages == ["the events hook _fails has raised ValueError"]
