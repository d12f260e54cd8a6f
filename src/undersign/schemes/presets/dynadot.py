"""Dynadot's RESTful API: HMAC-SHA256 of key, target, request id and body, a line each.

Source: https://www.dynadot.com/domain/api-document, and the client in go-acme/lego
Window: none; no time is signed. A request id that is new each time lets a replay guard refuse what comes again.
Refusal: JSON with a code and a message (unchecked).
Mistakes: a path without its leading slash; no line for a request id or a body that is empty; hex for base64.
"""

from __future__ import annotations

from ...recipe import Recipe


def dynadot() -> Recipe:
    """Version 2 of Dynadot's API. The nonce is the request id, which may be left out."""
    return Recipe(
        name="dynadot",
        parts=["key_id", "target", "nonce", "body"],
        joiner="\n",
        mac="hmac-sha256",
        encoding="base64",
        window=None,
        nonce="optional",
        headers={"Authorization": "Bearer {key_id}", "X-Request-ID": "{nonce}", "X-Signature": "{signature}"},
    )
