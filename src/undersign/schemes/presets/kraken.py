"""Kraken: HMAC-SHA512 of the path and the SHA-256 of nonce and body, with a secret in base64.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth, with a published example
Window: none; each nonce has to be larger than the one before it.
Refusal: 200 with EAPI:Invalid signature or EAPI:Invalid nonce.
Mistakes: the inner hash in hex and not as its bytes; a secret that is not decoded; one key in two programs, whose
    nonces overtake each other; a nonce in the body that is not the one which was hashed.
"""

from __future__ import annotations

from ...recipe import Recipe


def kraken() -> Recipe:
    """Kraken's spot REST API, with forms. Each nonce has to be larger than all before it of the same key."""
    return Recipe(
        name="kraken",
        parts=["path", {"part": "digest", "digest": "sha256", "encoding": "raw", "parts": ["nonce", "body"]}],
        mac="hmac-sha512",
        encoding="base64",
        secret="base64",  # noqa: S106 - the form of secrets
        window=None,
        nonce="number",
        methods=("POST",),
        headers={"API-Key": "{key_id}", "API-Sign": "{signature}"},
        form={"nonce": "{nonce}"},
    )
