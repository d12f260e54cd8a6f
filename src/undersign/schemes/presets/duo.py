"""Duo's Admin and Auth APIs: HMAC-SHA512 of date, method, host, path, parameters, and digests of body and headers.

Source: https://duo.com/docs/adminapi#authentication and https://github.com/duosecurity/duo_client_python, with
    published answers for version 2
Window: five minutes either side (unchecked).
Refusal: 401 with code 40103, Invalid signature in request credentials.
Mistakes: a parameter that is added after signing; + for a space; a line feed behind the secret; a date in another form
    than the header has.
"""

from __future__ import annotations

from typing import Any, Literal

from ...recipe import Recipe


def duo(*, version: Literal["2", "4", "5"] = "5", algorithm: str = "sha512") -> Recipe:
    """Duo's signature `version`: 5 as its pages say; 4 signs no headers; 2 signs the parameters of query and form
    alone, with `algorithm` sha1 in the oldest clients."""
    params = {"part": "params", "of": "both" if version == "2" else "query", "encode": "rfc3986", "sort": "pair"}
    parts: list[Any] = ["time", "method", {"part": "host", "fold": "lower"}, "path", params]
    if version != "2":
        parts.append("body:sha512")
    if version == "5":
        headers = {"part": "headers", "prefix": "X-Duo-", "pair": "\0", "item": "\0"}
        parts.append({"part": "digest", "digest": "sha512", "parts": [headers]})
    return Recipe(
        name="duo",
        parts=parts,
        joiner="\n",
        mac=f"hmac-{algorithm}",
        time="rfc2822",
        headers={"Authorization": "Basic {basic}", "Date": "{time}"},
    )
