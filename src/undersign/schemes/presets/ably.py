"""Ably's webhooks: HMAC-SHA256 of the body in base64, with the name of the key.

Source: https://ably.com/docs/platform/integrations/webhooks
Window: none, as no time is sent: what was seen verifies for ever, until the key is revoked.
Refusal: the app decides.
Mistakes: the whole key as the secret, of which what stands before the colon is the key id, and what is behind it the
    secret.
"""

from __future__ import annotations

from ...recipe import Recipe


def ably() -> Recipe:
    """Ably's webhooks. An API key `appId.keyId:secret` is the key id, a colon and the secret."""
    return Recipe(
        name="ably",
        parts=["body"],
        mac="hmac-sha256",
        encoding="base64",
        window=None,
        headers={"X-Ably-Key": "{key_id}", "X-Ably-Signature": "{signature}"},
    )
