"""Bokun: HMAC-SHA1 of date, access key, method and path with query, in three headers.

Source: https://bokun.dev/booking-api-rest/ (authentication), with a published example
Window: 15 minutes either side, a guess; the page names none.
Refusal: 401 (unchecked).
Mistakes: a secret that looks like hex and is text; local time for UTC; the query left out of the path.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def bokun() -> Recipe:
    """Bokun's booking API."""
    return Recipe(
        name="bokun",
        parts=["time", "key_id", "method", "target"],
        mac="hmac-sha1",
        encoding="base64",
        time="%Y-%m-%d %H:%M:%S",
        window=Window(past=900, future=900),
        headers={"X-Bokun-Date": "{time}", "X-Bokun-AccessKey": "{key_id}", "X-Bokun-Signature": "{signature}"},
    )
