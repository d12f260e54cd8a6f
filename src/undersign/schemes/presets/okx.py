"""OKX: HMAC-SHA256 of an ISO date with milliseconds, method, path with query, and body.

Source: https://www.okx.com/docs-v5/en/ (authentication)
Window: 30 seconds either side (unchecked).
Refusal: 401 with code 50102 for the time, 50112 and 50113 for time and signature in another form.
Mistakes: a secret that looks like hex and is text; the query left out of a GET; a date without milliseconds; the
    passphrase left out.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def okx() -> Recipe:
    """OKX's API V5. The credential has the extra `passphrase`."""
    return Recipe(
        name="okx",
        parts=["time", "method", "target", "body"],
        mac="hmac-sha256",
        encoding="base64",
        time="iso-ms",
        window=Window(past=30, future=30),
        headers={
            "OK-ACCESS-KEY": "{key_id}",
            "OK-ACCESS-SIGN": "{signature}",
            "OK-ACCESS-TIMESTAMP": "{time}",
            "OK-ACCESS-PASSPHRASE": "{extra.passphrase}",
        },
    )
