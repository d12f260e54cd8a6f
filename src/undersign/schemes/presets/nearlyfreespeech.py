"""NearlyFreeSpeech.NET: SHA-1 of login, time, salt, API key, path and the body's SHA-1, in one header.

Source: https://members.nearlyfreespeech.net/wiki/API/Introduction, and the tests of go-acme/lego
Window: five minutes either side, a guess.
Refusal: 401 with a JSON error (unchecked).
Mistakes: an empty path, which is signed as /; no hash of an empty body; a salt that is used twice.
"""

from __future__ import annotations

from ...recipe import Recipe


def nearlyfreespeech() -> Recipe:
    """NearlyFreeSpeech.NET's API. The key id is the login, the secret the API key, and the nonce the salt."""
    return Recipe(
        name="nearlyfreespeech",
        parts=["key_id", "time", "nonce", "secret", "path", "body:sha1:hex"],
        joiner=";",
        mac="hash-sha1",
        headers={"X-NFSN-Authentication": "{key_id};{time};{nonce};{signature}"},
    )
