"""Active24 and Websupport: HMAC-SHA1 of method, path and Unix seconds, as the password of Basic.

Source: https://rest.active24.cz/v2/docs/intro, and the tests of go-acme/lego
Window: five minutes either side, a guess; the pages name none.
Refusal: 401 (unchecked).
Mistakes: the query signed with the path; the date signed in place of its seconds; hex that is encoded twice.
"""

from __future__ import annotations

from ...recipe import Recipe


def active24() -> Recipe:
    """Active24's and Websupport's API. The query is not signed. The time is sent as a date, and signed in seconds."""
    return Recipe(
        name="active24",
        parts=["method", "path", "time:unix"],
        joiner=" ",
        mac="hmac-sha1",
        time="iso",
        headers={"Authorization": "Basic {basic}", "Date": "{time}"},
    )
