"""Webhooks against the libraries that their APIs publish: what these sign ours verifies, and the other way round.

| API | package | directions |
|---|---|---|
| Slack | slack-sdk, SignatureVerifier | both |
| Stripe | stripe, WebhookSignature and Webhook.construct_event | both |
| Standard Webhooks | standardwebhooks, Webhook | both |
| GitHub | gidgethub, sansio.validate_event | ours signs; by hand with hmac theirs |
| Twilio | twilio, RequestValidator | both |
| Adyen | Adyen, util.generate_payload_sig and is_valid_hmac_payload | both |
| Zoom, Calendly, Shopify, Ably | none that verifies: by hand with hmac | both |
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import standardwebhooks
import stripe
from Adyen.util import generate_payload_sig, is_valid_hmac_payload  # type: ignore[import-untyped]
from gidgethub import ValidationFailure
from gidgethub.sansio import validate_event
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from undersign import Credential, Reason, Rejected, Request, Scheme, Verifier, presets, sign

NOW = 1_700_000_000
URL = "https://hooks.example.com/hooks"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
LETTERS = "abcXYZ019 .:,=&%+/\\\"'{}[]\n\t\u00fc\u20ac\U0001f600"


def texts(seed: str, count: int = 12) -> list[str]:
    """Texts that are made up, the same at each run."""
    made = random.Random(seed)
    return ["".join(made.choices(LETTERS, k=made.randrange(40))) for _ in range(count)]


def posted(body: str | bytes, *headers: tuple[str, str], url: str = URL) -> Request:
    return Request.from_url("POST", url, headers, body.encode() if isinstance(body, str) else body)


def verified(scheme: Scheme, secret: str, request: Request, now: float = NOW, key_id: str = "") -> bool:
    try:
        Verifier(scheme, {key_id or scheme.name: secret}, clock=lambda: now).verify(request)
    except Rejected as rejected:
        if rejected.reason is not Reason.MISMATCH:
            raise
        return False
    return True


def headers_of(
    scheme: Scheme, secret: str, request: Request, *, older: tuple[str, ...] = (), now: float = NOW, **more: Any
) -> dict[str, str]:
    """What ours sets on the request."""
    return dict(sign(scheme, request, Credential(scheme.name, secret, older=older), now=now, **more).headers)


class _At(SlackClock):
    def now(self) -> float:
        return float(NOW)


@pytest.mark.parametrize("text", texts("slack"), ids=len)
def test_slack_sdk(text: str) -> None:
    theirs, ours = SignatureVerifier("a signing secret", _At()), presets.slack()
    value = theirs.generate_signature(timestamp=str(NOW), body=text)
    assert value is not None
    sent = (("X-Slack-Request-Timestamp", str(NOW)), ("X-Slack-Signature", value))
    assert verified(ours, "a signing secret", posted(text, *sent))
    assert not verified(ours, "another", posted(text, *sent))
    headers = headers_of(ours, "a signing secret", posted(text))
    assert theirs.is_valid_request(text, headers)
    assert not theirs.is_valid_request(text + " ", headers)


@pytest.mark.parametrize("text", texts("stripe"), ids=len)
def test_stripe(text: str) -> None:
    secret, ours = "whsec_test_secret", presets.stripe()
    value = stripe.WebhookSignature.generate_signature_header(text, secret, NOW)
    assert verified(ours, secret, posted(text, ("Stripe-Signature", value)))
    assert not verified(ours, "test_secret", posted(text, ("Stripe-Signature", value)))
    headers = headers_of(ours, secret, posted(text))
    assert headers == {"Stripe-Signature": value}
    rotating = headers_of(ours, "whsec_new", posted(text), older=(secret,))["Stripe-Signature"]
    for known in ("whsec_new", secret):
        assert stripe.WebhookSignature.verify_header(text, rotating, known)
        assert verified(ours, known, posted(text, ("Stripe-Signature", rotating)))
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(text + " ", rotating, secret)


def test_stripe_makes_an_event_of_what_ours_has_signed() -> None:
    now = time.time()  # the library asks the clock itself
    body = json.dumps({"id": "evt_test", "object": "event", "type": "charge.succeeded"})
    value = headers_of(presets.stripe(), "whsec_a", posted(body), now=now)["Stripe-Signature"]
    event = stripe.Webhook.construct_event(body, value, "whsec_a")
    assert event.id == "evt_test"
    old = headers_of(presets.stripe(), "whsec_a", posted(body), now=now - 302)["Stripe-Signature"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, old, "whsec_a")


@pytest.mark.parametrize("reading", ["v0=x,{0}", "{0},v0=x", "alg=hmac,{0}"])
def test_stripe_passes_over_the_items_that_ours_does(reading: str) -> None:
    value = reading.format(stripe.WebhookSignature.generate_signature_header("{}", "whsec_a", NOW))
    assert stripe.WebhookSignature.verify_header("{}", value, "whsec_a")
    assert verified(presets.stripe(), "whsec_a", posted("{}", ("Stripe-Signature", value)))


@pytest.mark.parametrize("text", texts("standard"), ids=len)
def test_standardwebhooks(text: str) -> None:
    at = int(time.time())  # the library asks the clock itself
    new, old = (f"whsec_{base64.b64encode(key * 6).decode()}" for key in (b"newr", b"oldr"))
    theirs, ours = standardwebhooks.Webhook(old), presets.standard_webhooks()
    value = theirs.sign("msg_1", datetime.fromtimestamp(at, tz=timezone.utc), text)
    sent = (("webhook-id", "msg_1"), ("webhook-timestamp", str(at)), ("webhook-signature", value))
    for secret in (old, old.removeprefix("whsec_")):
        assert verified(ours, secret, posted(text, *sent), at)
    assert not verified(ours, new, posted(text, *sent), at)
    headers = headers_of(ours, new, posted(text), older=(old,), now=at, nonce="msg_2")
    for secret in (new, old):
        standardwebhooks.Webhook(secret).verify(text, headers, json_parse=False)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        theirs.verify(text + " ", headers, json_parse=False)


@pytest.mark.parametrize("text", texts("github"), ids=len)
def test_gidgethub(text: str) -> None:
    ours, body = presets.github(), text.encode()
    value = headers_of(ours, "a secret", posted(body))["X-Hub-Signature-256"]
    validate_event(body, signature=value, secret="a secret")
    with pytest.raises(ValidationFailure):
        validate_event(body + b" ", signature=value, secret="a secret")
    by_hand = f"sha256={hmac.new(b'a secret', body, hashlib.sha256).hexdigest()}"
    old = ("X-Hub-Signature", f"sha1={hmac.new(b'a secret', body, hashlib.sha1).hexdigest()}")  # is sent as well
    assert verified(ours, "a secret", posted(body, ("X-Hub-Signature-256", by_hand), old))


@pytest.mark.parametrize("text", texts("adyen"), ids=len)
def test_adyen(text: str) -> None:
    key, ours, body = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056", presets.adyen(), text.encode()
    value = generate_payload_sig(body, key).decode()
    assert verified(ours, key, posted(body, ("hmacsignature", value)))
    assert not verified(ours, "AB" + key[2:], posted(body, ("hmacsignature", value)))
    assert is_valid_hmac_payload(headers_of(ours, key, posted(body))["HmacSignature"], key, body)


# Twilio


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("seed", range(8))
def test_twilio_with_a_form(seed: int, algorithm: str) -> None:
    theirs, ours = RequestValidator("a token"), presets.twilio(algorithm=algorithm)
    names, values = texts(f"names {seed}", 4), texts(f"values {seed}", 4)
    pairs = [pair for pair in zip(names, values, strict=True) if pair[0]]
    pairs += [(pairs[0][0], "again"), pairs[0]] if pairs else []
    body, url = urlencode(pairs), "https://a.example/x.php?foo=1&bar=%2f"
    named = f"HMAC_{algorithm.upper()}"
    for origin in ("https://a.example", "https://a.example:443", "https://a.example:8443", "http://a.example"):
        called = url.replace("https://a.example", origin)
        request = posted(body, FORM, url=called)
        value = theirs.compute_signature(called, _MultiDict(parse_qsl(body, keep_blank_values=True)), named)
        assert verified(ours, "a token", _with(request, value)), origin
        assert not verified(ours, "another", _with(request, value))
        assert theirs.validate(
            called,
            _MultiDict(parse_qsl(body, keep_blank_values=True)),
            headers_of(ours, "a token", request)["X-Twilio-Signature"],
            named,
        )


@pytest.mark.parametrize(
    ("signed", "received"),
    [
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example/x", "https://a.example:8443/x"),
        ("https://a.example/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example/x"),
        ("http://a.example/x", "https://a.example/x"),
        ("https://a.example/x", "https://b.example/x"),
        ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example:80/x", "https://a.example/x"),
    ],
)
def test_twilio_signs_with_the_port_or_without(signed: str, received: str) -> None:
    theirs = RequestValidator("a token")
    value = theirs.compute_signature(signed, {"A": "1"})
    request = _with(posted("A=1", FORM, url=received), value)
    assert verified(presets.twilio(), "a token", request) is theirs.validate(received, {"A": "1"}, value)


@pytest.mark.parametrize("text", texts("twilio"), ids=len)
def test_twilio_with_json(text: str) -> None:
    theirs, ours = RequestValidator("a token"), presets.twilio()
    request = posted(text, JSON, url="https://a.example/x?b=2")
    patch = sign(ours, request, Credential("twilio", "a token"), now=NOW)
    sent = patch.apply(request)
    url = sent.origin + sent.target
    assert theirs.validate(url, text, dict(patch.headers)["X-Twilio-Signature"])
    assert verified(ours, "a token", sent)
    url = f"https://a.example/x?bodySHA256={theirs.compute_hash(text)}&c=3"
    request = _with(posted(text, JSON, url=url), theirs.compute_signature(url, {}))
    assert verified(ours, "a token", request)
    for other in (text + " ", ""):
        changed = Request("POST", request.target, request.headers, other.encode(), request.origin)
        if changed.body != request.body:
            with pytest.raises(Rejected, match="malformed: the body is no form, and bodySHA256 in the URL is not its"):
                verified(ours, "a token", changed)


def test_a_body_that_twilio_has_not_signed_is_refused() -> None:
    value = RequestValidator("a token").compute_signature(URL, {})
    assert verified(presets.twilio(), "a token", _with(Request.from_url("GET", URL), value))
    assert verified(presets.twilio(), "a token", _with(posted(""), value))
    for request in (posted("{}", JSON), posted("{}"), posted("{}", JSON, url=f"{URL}?bodySHA256=x&bodySHA256=x")):
        with pytest.raises(Rejected, match="malformed"):
            verified(presets.twilio(), "a token", _with(request, value))
    with pytest.raises(Rejected, match="origin is unknown"):
        verified(presets.twilio(), "a token", _with(Request("GET", "/"), value))


def _with(request: Request, value: str) -> Request:
    headers = (*request.headers, ("X-Twilio-Signature", value))
    return Request(request.method, request.target, headers, request.body, request.origin)


class _MultiDict(dict[str, Any]):
    """What Twilio's validator takes of Flask: names, and all values of each."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getall(self, name: str) -> list[str]:
        return [value for found, value in self._pairs if found == name]


# By hand

BY_HAND: dict[str, Callable[[bytes, bytes], dict[str, str]]] = {
    "zoom": lambda key, body: {
        "x-zm-request-timestamp": str(NOW),
        "x-zm-signature": f"v0={_hex(key, b'v0:%d:' % NOW + body)}",
    },
    "calendly": lambda key, body: {"Calendly-Webhook-Signature": f"t={NOW},v1={_hex(key, b'%d.' % NOW + body)}"},
    "shopify": lambda key, body: {"X-Shopify-Hmac-Sha256": _base64(key, body)},
    "ably": lambda key, body: {"X-Ably-Key": "ably", "X-Ably-Signature": _base64(key, body)},
}


def _hex(key: bytes, string: bytes) -> str:
    return hmac.new(key, string, hashlib.sha256).hexdigest()


def _base64(key: bytes, string: bytes) -> str:
    return base64.b64encode(hmac.new(key, string, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("text", texts("by hand", 6), ids=len)
@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, text: str) -> None:
    ours: Scheme = getattr(presets, name)()
    expected: Mapping[str, str] = BY_HAND[name](b"a secret", text.encode())
    assert headers_of(ours, "a secret", posted(text)) == expected
    assert verified(ours, "a secret", posted(text, *expected.items()))
    assert not verified(ours, "a secret", posted(text + " ", *expected.items()))


def test_zooms_handshake_is_the_hmac_of_its_token() -> None:
    token = b"qgg8vlvZRS6UYooatFL8Aw"
    assert presets.zoom().signature(b"a secret", token) == _hex(b"a secret", token)
