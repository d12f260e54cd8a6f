"""`undersign demo` shows both schemes at work, and fails when verification does not do its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.cli.command import process, undersign
from undersign import Reason, Rejected, Secret, Verified, Verifier
from undersign.verifying.verdict import Claimed, Pending


def test_every_request_is_judged_as_it_must_be() -> None:
    result = process("demo", env={"HTTP_PROXY": "http://127.0.0.1:1", "UNDERSIGN_SECRET": None})
    assert result.code == 0, result.text
    assert "16 of 16" in result.text
    assert max(map(len, result.text.splitlines())) <= 80
    assert "\x1b" not in result.text


def test_rows_as_json() -> None:
    result = undersign("demo", "--json")
    shown = json.loads(result.text)
    assert shown["ok"] is True
    rows = {(row["scheme"], row["client"], row["case"]): (row["status"], row["got"]) for row in shown["rows"]}
    for client in ("requests", "httpx"):
        assert rows["gotom", client, "right"] == (200, "valid")
        assert rows["gotom", client, "wrong secret"] == (401, "mismatch")
        assert rows["gotom", client, "stale clock"] == (401, "stale")
        assert rows["gotom", client, "tampered body"] == (401, "mismatch")
        assert rows["gogrid", client, "right"] == (200, "valid")
        assert rows["gogrid", client, "wrong secret"] == (403, "mismatch")
        assert rows["gogrid", client, "stale clock"] == (403, "mismatch")
        assert rows["gogrid", client, "tampered body"] == (200, "valid")
    assert len(rows) == 16


def accept(verifier: Verifier, pending: Pending) -> Verified:
    assert pending.scheme
    assert pending.claim
    return Verified(pending.scheme.name, pending.claim.key_id, pending.now, frozenset(), 0, pending.now, "", b"")


def reject(verifier: Verifier, pending: Pending) -> Verified:
    assert pending.scheme
    assert pending.claim
    raise Rejected(Reason.MISMATCH, scheme=pending.scheme.name, key_id=pending.claim.key_id)


def fail(verifier: Verifier, pending: Pending) -> Verified:
    raise RuntimeError("broken")


@pytest.mark.parametrize(("stub", "wrong"), [(accept, 8), (reject, 6), (fail, 14)])
def test_it_fails_where_verification_does_nothing(stub: Any, wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "finish", stub)
    result = undersign("demo")
    assert result.code == 1
    assert result.text.count("WRONG") == wrong
    assert f"{16 - wrong} of 16" in result.text
    assert json.loads(undersign("demo", "--json").text)["ok"] is False


def test_it_fails_where_signing_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undersign.GoTom.signature", lambda *_: "A" * 27 + "=")
    shown = json.loads(undersign("demo", "--json").text)
    assert not shown["ok"]


def test_a_client_that_gets_no_answer_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_secrets(claimed: Claimed, secrets: Sequence[Secret], *_: Any, **__: Any) -> Verified:
        raise OSError("gone")

    monkeypatch.setattr(Claimed, "compare", no_secrets)
    result = undersign("demo", "--json")
    assert result.code == 1
    assert {row["got"] for row in json.loads(result.text)["rows"]} == {"no answer", "stale"}
