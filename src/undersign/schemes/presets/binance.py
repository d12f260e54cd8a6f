"""Binance: HMAC-SHA256 of query and body as they are, sent behind them as `signature`.

Source: https://github.com/binance/binance-spot-api-docs (rest-api.md, SIGNED endpoint security), with published
    examples
Window: recvWindow, five seconds where the request names none, and one second ahead.
Refusal: 400 with code -1021 for the time and -1022 for the signature.
Mistakes: parameters that are signed in one order and sent in another; an empty parameter that is signed and not sent;
    a parameter behind the signature; spot and futures keys exchanged.
"""

from __future__ import annotations

from ...core.fields import FORM
from ...recipe import Recipe
from ..receive_window import receive_window


def binance(*, recv_window: int | str | None = None) -> Recipe:
    """Binance's REST APIs. `recv_window` in milliseconds is sent, and is how old a request may be that is verified."""
    sent = {} if recv_window is None else {"recvWindow": str(recv_window)}
    return Recipe(
        name="binance",
        parts=[{"part": "query", "before": "signature"}, {"part": "body", "before": "signature"}],
        mac="hmac-sha256",
        any_case=True,
        time="unix-ms",
        window=receive_window(5000 if recv_window is None else recv_window),
        content_type=FORM,
        headers={"X-MBX-APIKEY": "{key_id}"},
        query_or_form={**sent, "timestamp": "{time}", "signature": "{signature}"},
    )
