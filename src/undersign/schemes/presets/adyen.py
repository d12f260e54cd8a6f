"""Adyen's webhooks whose signature is in a header: HMAC-SHA256 of the body in base64.

Source: https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/
Window: none, as no time is sent: what was seen verifies for ever, until the key is changed.
Refusal: the app decides; Adyen sends again what is not accepted.
Mistakes: the key as text, which is hex; the webhooks of payments, which carry a signature inside of each of their JSON
    items, over eight fields of it: no scheme for requests, and what Adyen's own library is for.
"""

from __future__ import annotations

from ...recipe import Recipe


def adyen() -> Recipe:
    """Adyen's webhooks for platforms, banking and management. No key id is sent; it is `adyen`."""
    return Recipe(
        name="adyen",
        parts=["body"],
        mac="hmac-sha256",
        encoding="base64",
        secret="hex",  # noqa: S106 - the form of secrets
        window=None,
        headers={"HmacSignature": "{signature}"},
    )
