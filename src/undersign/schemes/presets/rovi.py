"""Rovi's and TiVo's metadata: Mashery's MD5 of key, secret and Unix seconds, in the query.

Source: http://prod-doc.rovicorp.com/mashery/index.php/Authentication-Code-Examples and https://developers.tivo.com
Window: five minutes either side, as Mashery's pages say.
Refusal: 403 with X-Mashery-Error-Code (unchecked).
Mistakes: local time for UTC; hex of the text of the hash; a signature that is kept and sent again later.
"""

from __future__ import annotations

from ...recipe import Recipe


def rovi(*, allow_http: bool = False) -> Recipe:
    """Rovi's metadata APIs. Their older examples are over http, where anyone on the way can use the signature."""
    return Recipe(
        name="rovi",
        parts=["key_id", "secret", "time"],
        mac="hash-md5",
        allow_http=allow_http,
        query={"apikey": "{key_id}", "sig": "{signature}"},
    )
