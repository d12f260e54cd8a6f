"""Stripe's webhooks: HMAC-SHA256 of time and body, in a header that is a list.

Source: https://docs.stripe.com/webhooks/signature and https://github.com/stripe/stripe-python (_webhook.py)
Window: five minutes either side; the library refuses what is too old alone, and takes any time that is ahead.
Refusal: 400, as the page's examples have it; Stripe sends again, signed anew.
Mistakes: a body that was parsed before it was checked; the secret of another endpoint, or of the command line; `whsec_`
    taken off the secret, where it belongs to it.
"""

from __future__ import annotations

from ...recipe import Recipe


def stripe() -> Recipe:
    """Stripe's events. No key id is sent; it is `stripe`."""
    return Recipe(
        name="stripe",
        parts=["time", "body"],
        joiner=".",
        mac="hmac-sha256",
        headers={"Stripe-Signature": "t={time},v1={signature}"},
        list_separator=",",
    )
