"""Last.fm: MD5 of the sorted, decoded parameters and the secret, with nothing between.

Source: https://www.last.fm/api/authspec and https://lastfm-docs.github.io/api-docs/auth/signature/
Window: none; no time is signed, so a signature serves for ever.
Refusal: error 13, "Invalid method signature supplied".
Mistakes: format or callback signed; an empty parameter that is sent and not signed; another case of the method's name.
"""

from __future__ import annotations

from ...recipe import Recipe


def lastfm() -> Recipe:
    """Last.fm's API. Clients send the hash in lower case; one example has it in upper case, and both are taken."""
    without = ["api_sig", "format", "callback"]
    return Recipe(
        name="lastfm",
        parts=[{"part": "params", "of": "both", "pair": "", "item": "", "without": without}, "secret"],
        mac="hash-md5",
        any_case=True,
        window=None,
        query_or_form={"api_key": "{key_id}", "api_sig": "{signature}"},
    )
