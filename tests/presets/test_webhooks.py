"""Webhooks without a time and with one: replays, what can be required, whose they are, and what has verified."""

from __future__ import annotations

import itertools
import math

import pytest

from undersign import (
    BodyDigest,
    CannotSign,
    Component,
    ConfigError,
    Credential,
    Reason,
    Rejected,
    Request,
    Scheme,
    Verified,
    Verifier,
    presets,
    sign,
)
from undersign.keys import TenantKey
from undersign.policy import MemoryReplayGuard, ReplayPolicy

NOW = 1_700_000_000
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C05755"  # in the form of each: text, base64 and hex
TIMELESS = ["github", "shopify", "twilio", "ably", "adyen"]
TIMED = ["slack", "zoom", "stripe", "calendly", "standard-webhooks"]
REQUEST = Request("POST", "/hooks/a?b=1", (("Content-Type", "application/json"),), b'{"id": 1}', "https://a.example")


def made(name: str) -> Scheme:
    scheme: Scheme = getattr(presets, name.replace("-", "_"))()
    return scheme


def signed(scheme: Scheme, at: int = NOW, request: Request = REQUEST) -> Request:
    nonce = "msg_1" if scheme.needs_nonce else ""
    return sign(scheme, request, Credential(scheme.name, KEY), now=at, nonce=nonce).apply(request)


def reason(verifier: Verifier, request: Request) -> Reason | None:
    try:
        verifier.verify(request)
    except Rejected as rejected:
        return rejected.reason
    return None


@pytest.mark.parametrize("name", TIMELESS)
def test_what_has_no_time_verifies_for_ever(name: str) -> None:
    scheme = made(name)
    for now in (NOW, NOW + 10 * 365 * 86_400):
        found = Verifier(scheme, {name: KEY}, clock=itertools.repeat(now).__next__).verify(signed(scheme))
        assert (found.expires, found.at) == (math.inf, now)
    with pytest.raises(ConfigError, match=f"{name} never covers what is required: date"):
        Verifier(scheme, {name: KEY}, require={Component.DATE})


@pytest.mark.parametrize("name", TIMELESS)
def test_a_guard_remembers_what_has_no_time_as_long_as_it_is_told(name: str) -> None:
    scheme, now = made(name), [NOW]
    guard = MemoryReplayGuard(born=0)
    with pytest.raises(ConfigError, match=r"signs no time, so its signatures never expire: .*lifetime=86_400"):
        Verifier(scheme, {name: KEY}, replay={name: guard})
    replay = {name: ReplayPolicy(guard, lifetime=3600)}
    verifier = Verifier(scheme, {name: KEY}, clock=lambda: now[0], replay=replay)
    assert reason(verifier, signed(scheme)) is None
    assert reason(verifier, signed(scheme)) is Reason.REPLAYED  # the provider's own second attempt looks the same
    other = Request("POST", REQUEST.target, REQUEST.headers, b'{"id": 2}', REQUEST.origin)
    assert reason(verifier, signed(scheme, request=other)) is None
    now[0] += 3600
    assert reason(verifier, signed(scheme)) is Reason.REPLAYED
    now[0] += 1
    assert reason(verifier, signed(scheme)) is None


@pytest.mark.parametrize("name", TIMED)
def test_an_attempt_that_is_signed_anew_is_no_replay(name: str) -> None:
    scheme, replay = made(name), {name: MemoryReplayGuard(born=0)}
    verifier = Verifier(scheme, {name: KEY}, clock=lambda: NOW + 10, replay=replay)
    assert reason(verifier, signed(scheme)) is None
    assert reason(verifier, signed(scheme)) is Reason.REPLAYED
    assert reason(verifier, signed(scheme, NOW + 10)) is None
    window = scheme.window
    assert reason(verifier, signed(scheme, NOW + 9 - window.past)) is Reason.STALE
    assert reason(verifier, signed(scheme, NOW + 11 + window.future)) is Reason.FUTURE


def test_the_id_of_a_message_is_what_has_verified() -> None:
    scheme = presets.standard_webhooks()
    verifier = Verifier(scheme, {scheme.name: KEY}, clock=lambda: NOW)
    first, again = (verifier.verify(signed(scheme, at)) for at in (NOW, NOW + 5))
    assert first.nonce == again.nonce == "msg_1"
    assert first.replay_id != again.replay_id
    other = signed(scheme).headers
    changed = tuple((name, "msg_2" if name == "webhook-id" else value) for name, value in other)
    request = Request("POST", REQUEST.target, changed, REQUEST.body, REQUEST.origin)
    assert reason(verifier, request) is Reason.MISMATCH


@pytest.mark.parametrize("name", [name for name in TIMELESS + TIMED if name != "ably"])
def test_the_path_tells_whose_secret_it_is(name: str) -> None:
    secrets = {"alpha": KEY, "beta": "AB" + KEY[2:]}

    def secret_of(key_id: str, scheme: str, head: Request) -> TenantKey:
        assert key_id == scheme == name
        tenant = head.target.partition("?")[0].rpartition("/")[2]
        return TenantKey(tenant, secrets[tenant])

    scheme = made(name)
    verifier = Verifier(scheme, secret_of, clock=lambda: NOW)

    def sent(path: str) -> Request:
        request = Request("POST", path, REQUEST.headers, REQUEST.body, REQUEST.origin)
        return signed(scheme, request=request)

    found: Verified = verifier.verify(sent("/hooks/alpha"))
    assert found.tenant == "alpha"
    assert reason(verifier, sent("/hooks/beta")) is Reason.MISMATCH
    assert reason(verifier, sent("/hooks/gamma")) is Reason.UNKNOWN_KEY


def test_a_form_of_twilios_has_to_be_read_whole() -> None:
    scheme, form = presets.twilio(), ("Content-Type", "application/x-www-form-urlencoded")
    verifier = Verifier(scheme, {"twilio": KEY}, clock=lambda: NOW)
    request = signed(scheme, request=Request("POST", "/hooks", (form,), b"Body=a%0Ab&To=1", "https://a.example"))
    assert verifier.verify(request).signed == b"https://a.example/hooksBodya\nbTo1"
    packed = Request("POST", "/hooks", (*request.headers, ("Content-Encoding", "gzip")), b"x", request.origin)
    streamed = Request("POST", "/hooks", (form,), BodyDigest({}, 9), request.origin)
    for sent in (packed, Request("POST", "/hooks", request.headers, b"Body=%ff", request.origin)):
        assert reason(verifier, sent) is Reason.MALFORMED
    with pytest.raises(CannotSign, match="the form is streamed or compressed"):
        signed(scheme, request=streamed)
    with pytest.raises(CannotSign, match="a parameter of the form is not UTF-8"):
        signed(scheme, request=Request("POST", "/hooks", (form,), b"Body=%ff", request.origin))
    assert scheme.private_headers() == scheme.comma_headers() == frozenset()
    with pytest.raises(ConfigError, match="algorithm 'md5' is none of Twilio's: use sha1 or sha256"):
        presets.twilio(algorithm="md5")


def test_two_providers_at_once_are_none() -> None:
    schemes = [presets.slack(), presets.github()]
    verifier = Verifier(schemes, {"slack": {"slack": KEY}, "github": {"github": KEY}}, clock=lambda: NOW)
    both = signed(presets.github(), request=signed(presets.slack()))
    assert reason(verifier, both) is Reason.AMBIGUOUS
