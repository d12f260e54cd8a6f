"""Marvel's comics API: MD5 of a time, the private and the public key, in the query.

Source: https://developer.marvel.com/documentation/authorization, with a published example
Window: none; the API takes any text for a time, so a signature serves for ever. Give a window to your own verifier.
Refusal: 409 where key, hash or ts is missing; 401 for a hash that does not fit.
Mistakes: the parts in another order, the time is first; a ts that is not the one in the hash; the hash in upper case.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def marvel(*, time: str = "unix", window: Window | None = None) -> Recipe:
    """Marvel's gateway, which is called over http as well.

    `time` is how ts is written: any form of a recipe's times, since the API reads it as text.
    """
    return Recipe(
        name="marvel",
        parts=["time", "secret", "key_id"],
        mac="hash-md5",
        time=time,
        window=window,
        allow_http=True,
        query={"ts": "{time}", "apikey": "{key_id}", "hash": "{signature}"},
    )
