"""Expedia's Rapid API: SHA-512 of key, secret and Unix seconds, which are sent beside it in Authorization.

Source: https://developer.expediapartnersolutions.com/reference/signature-authentication/
Window: five minutes either side, as the page says.
Refusal: 401 (unchecked).
Mistakes: one time in the hash and another in the header; a signature that is made once and kept; the MD5 of the
    older API.
"""

from __future__ import annotations

from ...recipe import Recipe


def expedia_rapid() -> Recipe:
    """Expedia's Rapid API for lodging."""
    return Recipe(
        name="expedia-rapid",
        parts=["key_id", "secret", "time"],
        mac="hash-sha512",
        headers={"Authorization": "EAN APIKey={key_id},Signature={signature},timestamp={time}"},
    )
