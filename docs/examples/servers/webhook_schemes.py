"""Whose webhooks are received: what they have in common on each framework."""

from __future__ import annotations

from undersign import Recipe, Request, Verified, Verifier, presets
from undersign.keys import EnvironmentKeys

OWN = Recipe(
    name="shop",
    parts=["time", "body"],
    joiner=".",
    mac="hmac-sha256",
    headers={"X-Shop-Time": "{time}", "X-Shop-Signature": "{signature}"},
)
SCHEMES = [presets.slack(), presets.stripe(), presets.github(), presets.shopify(), presets.standard_webhooks(), OWN]
VERIFIER = Verifier(SCHEMES, EnvironmentKeys())


def at_its_own_path(verified: Verified, head: Request) -> bool:
    """Stripe's signature is for /hooks/stripe, and for no other path: none of these signs it."""
    return head.target.partition("?")[0] == f"/hooks/{verified.scheme}"
