"""Coinbase Exchange: HMAC-SHA256 of seconds, method, path with query, and body, with a secret in base64.

Source: https://docs.cdp.coinbase.com/exchange/ (authentication) and https://github.com/bennycode/coinbase-pro-node
Window: 30 seconds either side (unchecked).
Refusal: 401 with a JSON message (unchecked).
Mistakes: a secret that is not decoded; the query left out of the path; a body with other spaces than were signed; a
    key of the Advanced Trade API, which wants tokens.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def coinbase_exchange() -> Recipe:
    """Coinbase's Exchange API, once Coinbase Pro. The credential has the extra `passphrase`."""
    return Recipe(
        name="coinbase-exchange",
        parts=["time", "method", "target", "body"],
        mac="hmac-sha256",
        encoding="base64",
        secret="base64",  # noqa: S106 - the form of secrets
        time="unix-decimal",
        window=Window(past=30, future=30),
        headers={
            "CB-ACCESS-KEY": "{key_id}",
            "CB-ACCESS-SIGN": "{signature}",
            "CB-ACCESS-TIMESTAMP": "{time}",
            "CB-ACCESS-PASSPHRASE": "{extra.passphrase}",
        },
    )
