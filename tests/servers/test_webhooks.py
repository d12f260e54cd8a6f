"""The how-to about webhooks: its apps, around webhook_schemes.py, on real servers, called as the providers sign."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
import standardwebhooks
import stripe
from slack_sdk.signature import SignatureVerifier

from undersign import Request

from .matrix import Running, Server
from .test_frameworks import served
from .wire import message, send

WHSEC, OLDER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkZXIgb2xkZXIgb2xkZXIg"
SECRETS = {
    "slack": "8f742231b10e8888abcd99yyyzzz85a5",
    "stripe": "whsec_test_secret",
    "github": "mysecret",
    "shopify": "hush",
    "standard-webhooks": WHSEC,
    "shop": "a secret of our own",
}
ENVIRONMENT = {"UNDERSIGN_KEY_STANDARD_SECRET_2": OLDER}
for scheme, secret in SECRETS.items():
    name = scheme.partition("-")[0].upper()
    ENVIRONMENT |= {f"UNDERSIGN_KEY_{name}_ID": scheme, f"UNDERSIGN_KEY_{name}_SECRET": secret}
BODY = '{"id":"evt_1","text":"g\u00fcltig"}'


def app(name: str, by: str) -> Server:
    return dataclasses.replace(served(name, by), environ=ENVIRONMENT)


pytestmark = pytest.mark.parametrize(
    "server",
    [
        app("webhooks_fastapi:app", "uvicorn"),
        app("webhooks_flask:app", "waitress"),
        app("webhooks_flask:app", "gunicorn"),
        app("webhooks_django:application", "gunicorn"),
    ],
    ids=repr,
    indirect=True,
)


def by_slack(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    value = SignatureVerifier(secret).generate_signature(timestamp=str(at), body=body)
    assert value is not None
    return [("X-Slack-Request-Timestamp", str(at)), ("X-Slack-Signature", value)]


def by_stripe(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    value = stripe.WebhookSignature.generate_signature_header(body, secret, at)
    older = stripe.WebhookSignature.generate_signature_header(body, "whsec_older", at).partition(",")[2]
    return [("Stripe-Signature", f"{value},{older},v0=of-another-version")]


def by_standard_webhooks(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    value = standardwebhooks.Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, tz=timezone.utc), body)
    return [("webhook-id", "msg_1"), ("webhook-timestamp", str(at)), ("webhook-signature", f"v1a,x {value}")]


def by_github(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    digest, old = (hmac.new(secret.encode(), body.encode(), name).hexdigest() for name in ("sha256", "sha1"))
    return [("X-Hub-Signature", f"sha1={old}"), ("X-Hub-Signature-256", f"sha256={digest}")]


def by_shopify(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return [("X-Shopify-Hmac-Sha256", base64.b64encode(digest).decode())]


def by_us(secret: str, body: str, at: int) -> list[tuple[str, str]]:
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return [("X-Shop-Time", str(at)), ("X-Shop-Signature", digest)]


SIGNERS: dict[str, Callable[[str, str, int], list[tuple[str, str]]]] = {
    "slack": by_slack,
    "stripe": by_stripe,
    "github": by_github,
    "shopify": by_shopify,
    "standard-webhooks": by_standard_webhooks,
    "shop": by_us,
}


def posted(server: Running, target: str, headers: list[tuple[str, str]], body: str = BODY) -> int:
    request = Request("POST", target, (("Content-Type", "application/json"), *headers), body.encode())
    answer = send(server.port, message(request))
    if answer.status == 200:
        assert answer.json() == {"received": target.rpartition("/")[2], "bytes": len(body.encode())}
    return answer.status


@pytest.mark.sampled(3)
@pytest.mark.parametrize("provider", SIGNERS)
def test_a_delivery_that_its_provider_has_signed_is_received(server: Running, provider: str) -> None:
    now, sign = int(time.time()), SIGNERS[provider]
    target, headers = f"/hooks/{provider}", sign(SECRETS[provider], BODY, now)
    assert posted(server, target, headers) == 200
    assert posted(server, target, headers, BODY + " ") == 401
    assert posted(server, target, sign(WHSEC[:-4] + "AAAA", BODY, now)) == 401
    assert posted(server, target, headers[:-1]) == 401
    other = "stripe" if provider != "stripe" else "github"
    assert posted(server, f"/hooks/{other}", headers) == 403
    if provider not in ("github", "shopify"):  # which sign no time
        assert posted(server, target, sign(SECRETS[provider], BODY, now - 400)) == 401


def test_an_older_secret_will_do_until_it_is_taken_out(server: Running) -> None:
    headers = by_standard_webhooks(OLDER, BODY, int(time.time()))
    assert posted(server, "/hooks/standard-webhooks", headers) == 200


def test_a_large_delivery_is_refused_before_it_is_read(server: Running) -> None:
    body = "x" * (1024 * 1024 + 1)
    assert posted(server, "/hooks/github", by_github("mysecret", body, 0), body) == 413


def test_the_other_routes_need_no_signature(server: Running) -> None:
    assert send(server.port, message(Request("GET", "/nothing"))).status == 404
    for target in ("/hooks/stripe", "//hooks/stripe", "/x/../hooks/stripe", "/hooks%2Fstripe", "/hooks"):
        assert posted(server, target, []) != 200, target
