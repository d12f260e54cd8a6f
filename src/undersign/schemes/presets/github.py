"""GitHub's webhooks: HMAC-SHA256 of the body.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, with a published example
Window: none, as no time is sent: a delivery that was seen verifies for ever, until the secret is changed.
Refusal: the app decides.
Mistakes: a body that was parsed and written again; the form content type, whose body is `payload=…` and signed so; the
    header of SHA-1, X-Hub-Signature, which is sent as well.
"""

from __future__ import annotations

from ...recipe import Recipe


def github() -> Recipe:
    """GitHub's deliveries, and those of the many that follow it. No key id is sent; it is `github`."""
    return Recipe(
        name="github",
        parts=["body"],
        mac="hmac-sha256",
        window=None,
        headers={"X-Hub-Signature-256": "sha256={signature}"},
    )
