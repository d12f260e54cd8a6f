"""Shopify's webhooks: HMAC-SHA256 of the body in base64.

Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https and https://github.com/Shopify/shopify-api-ruby
Window: none, as no time is sent: a delivery that was seen verifies for ever, until the secret is changed.
Refusal: 401, as the libraries have it.
Mistakes: a body that was parsed before it was checked; one secret alone while two are in use; the callback of an
    installation, which is signed in its query and is another scheme.
"""

from __future__ import annotations

from ...recipe import Recipe


def shopify() -> Recipe:
    """Shopify's webhooks. No key id is sent; it is `shopify`."""
    return Recipe(
        name="shopify",
        parts=["body"],
        mac="hmac-sha256",
        encoding="base64",
        window=None,
        headers={"X-Shopify-Hmac-Sha256": "{signature}"},
    )
