"""DNS Made Easy: HMAC-SHA1 of the date, in three headers.

Source: https://api-docs.dnsmadeeasy.com (authentication), with a published example
Window: 30 seconds either side (unchecked).
Refusal: 403 with a JSON error (unchecked).
Mistakes: another zone than GMT; the names of days and months in the system's language; a clock that is off.
"""

from __future__ import annotations

from typing import Literal

from ...core.dates import Window
from ...recipe import Recipe


def dns_made_easy(*, zone: Literal["GMT", "UTC", "+0000"] = "GMT") -> Recipe:
    """DNS Made Easy's API.

    `zone` is how the date ends: GMT as in its documents, UTC or +0000 as some clients write. A verifier with GMT takes
    these too.
    """
    return Recipe(
        name="dns-made-easy",
        parts=["time"],
        mac="hmac-sha1",
        time="http" if zone == "GMT" else f"%a, %d %b %Y %H:%M:%S {zone}",
        window=Window(past=30, future=30),
        headers={"x-dnsme-apiKey": "{key_id}", "x-dnsme-requestDate": "{time}", "x-dnsme-hmac": "{signature}"},
    )
