"""KuCoin: HMAC-SHA256 of milliseconds, method, path with query, and body, and the MAC of the passphrase besides.

Source: https://github.com/Kucoin/kucoin-api-docs (authentication), with a published example
Window: five seconds either side.
Refusal: 400 with code 400001 for an absent header, 400002 for the time, 400004 for the passphrase, 400005 for the
    signature.
Mistakes: a query that is sorted for the signature and sent unsorted; a passphrase in clear for keys of version 2 and
    later, or its MAC for those of version 1; a body that is serialised again.
"""

from __future__ import annotations

from typing import Literal

from ...core.dates import Window
from ...recipe import Recipe


def kucoin(*, key_version: Literal["1", "2", "3"] = "2") -> Recipe:
    """KuCoin's REST API. The credential has the extra `passphrase`; keys of version 1 send it as it is."""
    headers = {"KC-API-KEY": "{key_id}", "KC-API-SIGN": "{signature}", "KC-API-TIMESTAMP": "{time}"}
    if str(key_version) == "1":
        headers["KC-API-PASSPHRASE"] = "{extra.passphrase}"
    else:
        headers |= {"KC-API-PASSPHRASE": "{mac:extra.passphrase}", "KC-API-KEY-VERSION": str(key_version)}
    return Recipe(
        name="kucoin",
        parts=["time", "method", "target", "body"],
        mac="hmac-sha256",
        encoding="base64",
        time="unix-ms",
        window=Window(past=5, future=5),
        headers=headers,
    )
