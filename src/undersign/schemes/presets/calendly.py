"""Calendly's webhooks: HMAC-SHA256 of time and body, in a header that is a list.

Source: https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures
Window: three minutes either side, as the page's example has it; that refuses what is too old alone.
Refusal: the app decides.
Mistakes: the signing key of another subscription; a body that was parsed and written again.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def calendly() -> Recipe:
    """Calendly's events. No key id is sent; it is `calendly`."""
    return Recipe(
        name="calendly",
        parts=["time", "body"],
        joiner=".",
        mac="hmac-sha256",
        window=Window(past=180, future=180),
        headers={"Calendly-Webhook-Signature": "t={time},v1={signature}"},
        list_separator=",",
    )
