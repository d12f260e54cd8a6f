"""MEXC: HMAC-SHA256 of query and body as they are, sent behind them as `signature`; Binance's formula.

Source: https://mexcdevelop.github.io/apidocs/spot_v3_en/ (signed), with published examples
Window: recvWindow, five seconds where the request names none, and one second ahead.
Refusal: 400 with code 700003 for the time and 700002 for the signature (unchecked).
Mistakes: parameters that are signed in one order and sent in another; a signature in upper case; parameters of the
    body signed as JSON.
"""

from __future__ import annotations

from ...core.fields import FORM
from ...recipe import Recipe
from ..receive_window import receive_window


def mexc(*, recv_window: int | str | None = None) -> Recipe:
    """MEXC's spot API. `recv_window` in milliseconds is sent, and is how old a request may be that is verified."""
    sent = {} if recv_window is None else {"recvWindow": str(recv_window)}
    return Recipe(
        name="mexc",
        parts=[{"part": "query", "before": "signature"}, {"part": "body", "before": "signature"}],
        mac="hmac-sha256",
        time="unix-ms",
        window=receive_window(5000 if recv_window is None else recv_window),
        content_type=FORM,
        headers={"X-MEXC-APIKEY": "{key_id}"},
        query_or_form={**sent, "timestamp": "{time}", "signature": "{signature}"},
    )
