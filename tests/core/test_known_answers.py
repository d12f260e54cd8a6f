"""The answers of independent implementations hold, but for the cases that a ruling refuses (rulings.json)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from undersign import CannotSign, Claim, ConfigError, Credential, GoGrid, GoTom, HttpHmac, Rejected, Request, Verifier
from undersign import sign as sign_request

from .plain import guarded

# The instant at which the cases were recorded that carry no clock of their own: 2026-11-21T23:15:13Z.
_RECORDED_AT = 1_795_302_913

_FOLDER = Path(__file__).parents[3] / "shared" / "known-answers"
_RULINGS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("rulings.json").read_text("utf-8"))


def _load(name: str) -> Any:
    path = _FOLDER / name
    if not path.is_file():
        pytest.skip("the known answers are not beside the checkout: shared/known-answers")
    return json.loads(path.read_text("utf-8"))


def _disagreeing(answers: dict[str, bool]) -> list[str]:
    return sorted(name for name, agrees in answers.items() if not agrees)


def test_every_gotom_signing_answer_holds_but_for_the_rulings() -> None:
    cases = _load("gotom.json")
    agrees = {case["name"]: _gotom_outcome(case) == _gotom_expected(case) for case in cases}
    assert len(agrees) == len(cases) == 106
    assert _disagreeing(agrees) == sorted(_RULINGS["gotom.json"])


def test_where_the_bundles_own_signer_refuses_ours_does_too() -> None:
    for case in _load("gotom.json"):
        if "error" in case:
            assert _gotom_outcome(case) == "refused", case["name"]


def test_every_gotom_verdict_holds_but_for_the_rulings() -> None:
    cases = _load("gotom_verdicts.json")
    users = _users()
    agrees = {case["name"]: _verdict(case, users) == case["secure_verifier"] for case in cases}
    assert len(agrees) == len(cases) == 121
    assert _disagreeing(agrees) == sorted(_RULINGS["gotom_verdicts.json"])


def test_no_ruling_accepts_what_a_secure_verifier_rejects() -> None:
    users = _users()
    for case in _load("gotom_verdicts.json"):
        if case["secure_verifier"] == "reject":
            assert _verdict(case, users) == "reject", case["name"]


def test_a_replay_is_accepted_once_and_refused_29_minutes_and_59_seconds_later() -> None:
    (case,) = (case for case in _load("gotom_verdicts.json") if case["name"] == "replay_after_29m59s")
    request = Request.from_http(_raw(case))
    clock = [case["now"]]
    verifier = Verifier(GoTom(), _users(), clock=lambda: clock[0], replay=guarded())
    assert verifier.verify(request).key_id == "theusernameyoureceived"
    clock[0] += 29 * 60 + 59
    with pytest.raises(Rejected, match="replayed: "):
        verifier.verify(request)


def test_every_gogrid_answer_holds_but_for_the_rulings() -> None:
    cases = _load("gogrid.json")
    agrees = {_gogrid_name(case): _gogrid_outcome(case) == (case["sig"], case["timestamp"]) for case in cases}
    assert len(agrees) == len(cases) == 25
    assert _disagreeing(agrees) == sorted(_RULINGS["gogrid.json"])


def test_every_ruling_is_one_sentence() -> None:
    for rulings in _RULINGS.values():
        for name, ruling in rulings.items():
            assert ruling.endswith("."), name


def _users() -> dict[str, str]:
    # One account has an empty secret, which no verifier takes: to it that user is unknown.
    return {user: secret for user, secret in _load("gotom_users.json").items() if secret}


def _gotom_expected(case: dict[str, Any]) -> object:
    if "error" in case:
        return "refused"
    if "string_to_sign_base64" in case:
        string_to_sign = base64.b64decode(case["string_to_sign_base64"])
    else:
        string_to_sign = case["string_to_sign"].encode()
    return string_to_sign, case["signature"], case["authorization"].encode().decode("latin-1")


def _gotom_outcome(case: dict[str, Any]) -> object:
    scheme = HttpHmac(provider=case["provider"], signed_headers=tuple(case["custom_headers"]), drop_blank_headers=True)
    try:
        request = Request(case["method"], case["request_target"], _headers(case), _body(case))
        canonical = scheme.string_to_sign(request, Claim(case["user"], None))
        signature = scheme.signature(_secret(case), canonical)
        patch = scheme.write(Claim(case["user"], None, (signature,)), request)
    except CannotSign:
        return "refused"
    return canonical, signature, dict(patch.headers)["Authorization"]


def _headers(case: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for name, values in case["headers"].items():
        for value in values if isinstance(values, list) else [values]:
            data = base64.b64decode(value) if name.endswith("_base64") else value.encode()
            pairs.append((name.removesuffix("_base64"), data.decode("latin-1")))
    return tuple(pairs)


def _body(case: dict[str, Any]) -> bytes:
    if repeat := case.get("body_repeat"):
        return base64.b64decode(repeat["base64"]) * int(repeat["times"])
    return str(case["body_utf8"]).encode()


def _secret(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["secret_base64"]) if "secret_base64" in case else str(case["secret"]).encode()


def _raw(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["request_base64"]) if "request_base64" in case else str(case["request_utf8"]).encode()


def _verdict(case: dict[str, Any], users: dict[str, str]) -> str:
    now = _RECORDED_AT if case["now"] is None else case["now"]
    verifier = Verifier(GoTom(), users, clock=lambda: now, replay=guarded())
    try:
        request = Request.from_http(_raw(case))
        verifier.verify(request)
        if case["name"].startswith("replay"):
            verifier.verify(request)
    except Rejected:
        return "reject"
    return "accept"


def _gogrid_name(case: dict[str, Any]) -> str:
    return " ".join([case["api_key"], case["secret"], str(case["timestamp"]), case["encoding"]])


def _gogrid_outcome(case: dict[str, Any]) -> object:
    """The signature that signing sets, and the second at which a verifier finds it."""
    request = Request("GET", "/api/grid/server/list?format=json", origin="https://api.gogrid.com")
    secret = case["secret"].encode(case["encoding"])
    at = case["timestamp"]
    try:
        patch = sign_request(GoGrid(), request, Credential(case["api_key"], secret), now=at)
        verifier = Verifier(GoGrid(), {case["api_key"]: secret}, clock=lambda: at + 600)
    except ConfigError:
        return "refused"
    return dict(patch.query)["sig"], verifier.verify(patch.apply(request)).at
