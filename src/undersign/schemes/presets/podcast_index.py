"""Podcast Index: SHA-1 of key, secret and Unix seconds, bare in Authorization.

Source: https://github.com/Podcastindex-org/docs-api (securitySchemes)
Window: three minutes either side, as the API's description says.
Refusal: 401 with plain text, which says whether the time or the hash is wrong.
Mistakes: a fraction or milliseconds in the time; no User-Agent, or that of an example, which is refused too; the key
    in Authorization, as the page's own example has it.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def podcast_index() -> Recipe:
    """The API of the Podcast Index. It wants a User-Agent as well, which clients send."""
    return Recipe(
        name="podcast-index",
        parts=["key_id", "secret", "time"],
        mac="hash-sha1",
        window=Window(past=180, future=180),
        headers={"X-Auth-Key": "{key_id}", "X-Auth-Date": "{time}", "Authorization": "{signature}"},
    )
