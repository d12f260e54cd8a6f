"""Bybit's API V5: HMAC-SHA256 of time, key, receive window, and query or body.

Source: https://github.com/bybit-exchange/docs (v5/guide, authentication)
Window: recv_window, five seconds, and less than one second ahead.
Refusal: retCode 10002 for the time, 10003 for the key, 10004 for the signature.
Mistakes: a body that is serialised again, with other spaces; a query in another order; a clock that is off; another
    recv_window in the header than in the string.
"""

from __future__ import annotations

from ...recipe import Recipe
from ..receive_window import receive_window


def bybit(*, recv_window: int | str = 5000) -> Recipe:
    """Bybit's API V5. `recv_window` is in milliseconds."""
    return Recipe(
        name="bybit",
        parts=["time", "key_id", f"literal:{recv_window}", "query", "body"],
        mac="hmac-sha256",
        time="unix-ms",
        window=receive_window(recv_window),
        headers={
            "X-BAPI-API-KEY": "{key_id}",
            "X-BAPI-TIMESTAMP": "{time}",
            "X-BAPI-RECV-WINDOW": str(recv_window),
            "X-BAPI-SIGN": "{signature}",
        },
    )
