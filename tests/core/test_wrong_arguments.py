"""What is passed in the wrong kind: each public function says in one sentence what it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import flask
import pytest

from undersign import (
    AsyncVerifier,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Rejected,
    Request,
    Response,
    Signer,
    UndersignError,
    Verifier,
    begin,
    diagnose,
    explain,
    presets,
    sign,
)
from undersign.clients.nonces import nonces_of
from undersign.servers import asgi, wsgi
from undersign.testing import (
    assert_string_to_sign,
    check_scheme,
    signed_async_client,
    signed_django_client,
    signed_flask_client,
    signed_test_client,
)

REQUEST = Request("GET", "/", origin="https://api.example.com")
CREDENTIAL = Credential("user", "secret")
KEYS = {"user": "secret"}
NOW = 1_730_974_875.0

TAKING_A_SCHEME: dict[str, Callable[[Any], object]] = {
    "sign": lambda scheme: sign(scheme, REQUEST, CREDENTIAL, now=NOW),
    "Signer": lambda scheme: Signer(scheme, CREDENTIAL),
    "Verifier": lambda scheme: Verifier(scheme, KEYS),
    "Verifier of a list": lambda scheme: Verifier([scheme], KEYS),
    "AsyncVerifier": lambda scheme: AsyncVerifier(scheme, KEYS),
    "begin": lambda scheme: begin(scheme, REQUEST, now=NOW),
    "begin of a tuple": lambda scheme: begin((GoGrid(), scheme), REQUEST, now=NOW),
    "explain": lambda scheme: explain(scheme, REQUEST, "user", now=NOW),
    "diagnose": lambda scheme: diagnose(REQUEST, scheme, KEYS, now=NOW),
    "nonces_of": nonces_of,
    "assert_string_to_sign": lambda scheme: assert_string_to_sign("", scheme, REQUEST, "user", now=NOW),
    "check_scheme": check_scheme,
    "signed_test_client": lambda scheme: signed_test_client(None, scheme, "user", "secret"),
    "signed_async_client": lambda scheme: signed_async_client(None, scheme, "user", "secret"),
    "signed_flask_client": lambda scheme: signed_flask_client(flask.Flask("app"), scheme, "user", "secret"),
    "signed_django_client": lambda scheme: signed_django_client(None, scheme, "user", "secret"),
}
TAKING_A_REQUEST: dict[str, Callable[[Any], object]] = {
    "sign": lambda request: sign(GoTom(), request, CREDENTIAL, now=NOW),
    "Signer": lambda request: Signer(GoTom(), CREDENTIAL).sign(request),
    "verify": lambda request: Verifier(GoTom(), KEYS).verify(request),
    "Verifier.begin": lambda request: Verifier(GoTom(), KEYS).begin(request),
    "begin": lambda request: begin(GoTom(), request, now=NOW),
    "explain": lambda request: explain(GoTom(), request, "user", now=NOW),
    "explain of a received one": lambda request: explain(GoTom(), request, now=NOW),
    "diagnose": lambda request: diagnose(request, GoTom(), KEYS, now=NOW),
}
TAKING_A_TIME: dict[str, Callable[[Any], object]] = {
    "sign": lambda now: sign(GoTom(), REQUEST, CREDENTIAL, now=now),
    "Signer": lambda now: Signer(GoTom(), CREDENTIAL, clock=lambda: now).sign(REQUEST),
    "verify": lambda now: Verifier(GoTom(), KEYS, clock=lambda: now).verify(REQUEST),
    "Verifier.begin": lambda now: Verifier(GoTom(), KEYS, clock=lambda: now).begin(REQUEST),
    "begin": lambda now: begin(GoTom(), REQUEST, now=now),
    "explain": lambda now: explain(GoTom(), REQUEST, "user", now=now),
}


@pytest.mark.parametrize("call", TAKING_A_SCHEME.values(), ids=TAKING_A_SCHEME.keys())
def test_the_name_of_a_scheme_is_no_scheme_and_the_sentence_says_what_makes_one(call: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigError, match=r"not its name: write GoTom\(\) or undersign\.presets\.stripe\(\)") as caught:
        call("gotom")
    assert "gotom" not in str(caught.value)  # a text in the wrong place may be a secret


@pytest.mark.parametrize("call", TAKING_A_SCHEME.values(), ids=TAKING_A_SCHEME.keys())
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (GoTom, r"the scheme is what GoTom makes, not GoTom itself: write GoTom\(\)"),
        (presets.stripe, r"the scheme is what stripe makes, not stripe itself: write stripe\(\)"),
        (None, r"the scheme is an object such as GoTom\(\) or undersign\.presets\.stripe\(\), not NoneType"),
    ],
)
def test_what_was_not_made_is_no_scheme(call: Callable[[Any], object], given: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call(given)


@pytest.mark.parametrize("call", TAKING_A_REQUEST.values(), ids=TAKING_A_REQUEST.keys())
@pytest.mark.parametrize("given", ["https://api.example.com/", None, {"method": "GET"}, Response(200, (), b"")])
def test_what_is_no_request_is_named_with_the_remedy(call: Callable[[Any], object], given: object) -> None:
    message = rf"the request is an undersign\.Request, not {type(given).__name__}: write Request\.from_url\("
    with pytest.raises(ConfigError, match=message):
        call(given)


@pytest.mark.parametrize("call", TAKING_A_TIME.values(), ids=TAKING_A_TIME.keys())
@pytest.mark.parametrize("given", ["1730974875", None, dt.datetime(2024, 11, 7, tzinfo=dt.timezone.utc)])
def test_a_time_is_a_number_of_seconds(call: Callable[[Any], object], given: object) -> None:
    with pytest.raises(UndersignError, match="Unix seconds") as caught:
        call(given)
    if isinstance(caught.value, Rejected):
        assert caught.value.reason == "unavailable"


def test_a_time_of_a_diagnosis_is_a_number_of_seconds_too() -> None:
    now: Any = None
    (cause,) = diagnose(REQUEST, GoTom(), KEYS, now=now)
    assert "Unix seconds" in cause.detail


def test_a_nonce_is_a_text() -> None:
    nonce: Any = lambda: "text"  # noqa: E731 - as people pass to Signer
    with pytest.raises(ConfigError, match="nonce is the text itself, not function"):
        sign(GoTom(), REQUEST, CREDENTIAL, now=NOW, nonce=nonce)


@pytest.mark.parametrize("given", ["gotom", GoTom(), None])
@pytest.mark.parametrize("middleware", [asgi.SignatureMiddleware, wsgi.SignatureMiddleware])
def test_a_middleware_says_how_its_verifier_is_made(middleware: Any, given: object) -> None:
    with pytest.raises(ConfigError, match=r"write Verifier\(GoTom\(\), keys\)"):
        middleware(lambda: None, given)
