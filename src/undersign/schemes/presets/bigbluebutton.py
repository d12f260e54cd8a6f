"""BigBlueButton: SHA-1 of the call's name, the query and the secret, as the parameter checksum.

Source: https://docs.bigbluebutton.org/development/api/ (API security model), with a published example
Window: none; no time is signed, so a signature serves for ever.
Refusal: 200 with XML, FAILED and the message key checksumError.
Mistakes: a query that is encoded again after it was signed, + for %20; checksum within what is signed; a hash that the
    server does not take.
"""

from __future__ import annotations

from ...recipe import Recipe


def bigbluebutton(*, algorithm: str = "sha1", allow_http: bool = False) -> Recipe:
    """BigBlueButton's API, where the secret alone says who calls. `algorithm` is sha1, or what the server takes."""
    without = ["checksum"]
    return Recipe(
        name="bigbluebutton",
        parts=[{"part": "path", "segment": -1}, {"part": "query", "without": without}, "secret"],
        mac=f"hash-{algorithm}",
        window=None,
        allow_http=allow_http,
        query={"checksum": "{signature}"},
    )
