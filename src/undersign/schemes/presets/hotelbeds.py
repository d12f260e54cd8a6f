"""Hotelbeds: SHA-256 of key, secret and Unix seconds in a header; the time is not sent.

Source: https://developer.hotelbeds.com/documentation/ (authentication)
Window: five minutes either side, as the Mashery gateway in front of it takes by default; the pages name none.
Refusal: 403 with X-Mashery-Error-Code: ERR_403_NOT_AUTHORIZED, and the text "Not Authorized".
Mistakes: a clock that is off; milliseconds for seconds; a signature that is kept and sent again later.
"""

from __future__ import annotations

from ...recipe import Recipe


def hotelbeds() -> Recipe:
    """Hotelbeds' APIs. Clients write the hash in either case, and both are taken."""
    return Recipe(
        name="hotelbeds",
        parts=["key_id", "secret", "time"],
        mac="hash-sha256",
        any_case=True,
        headers={"Api-key": "{key_id}", "X-Signature": "{signature}"},
    )
