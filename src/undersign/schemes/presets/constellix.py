"""Constellix: HMAC-SHA1 of Unix milliseconds, with key and time in one header.

Source: https://api-docs.constellix.com, and the client in go-acme/lego
Window: 30 seconds either side, a guess; the pages name none.
Refusal: 401 (unchecked).
Mistakes: seconds for milliseconds; hex for base64; the three values in another order.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def constellix() -> Recipe:
    """Constellix' API for DNS."""
    return Recipe(
        name="constellix",
        parts=["time"],
        mac="hmac-sha1",
        encoding="base64",
        time="unix-ms",
        window=Window(past=30, future=30),
        headers={"x-cns-security-token": "{key_id}:{signature}:{time}"},
    )
