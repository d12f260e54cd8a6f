"""HTX, once Huobi: HMAC-SHA256 of method, host, path and the sorted query, which has all but the signature in it.

Source: https://www.htx.com/en-us/opend/newApiPages/ (authentication), with a published example
Window: five minutes either side (unchecked).
Refusal: 200 with err-code api-signature-not-valid.
Mistakes: parameters that are sorted as a dictionary does and not by their bytes; Unix time; the host of another
    region; a signature in base64 that is not percent-encoded.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def htx() -> Recipe:
    """HTX's REST API, signature version 2. The body of a POST is not signed."""
    return Recipe(
        name="htx",
        parts=[
            "method",
            {"part": "host", "fold": "lower"},
            "path",
            {"part": "params", "without": ["Signature"], "encode": "rfc3986"},
        ],
        joiner="\n",
        mac="hmac-sha256",
        encoding="base64",
        time="%Y-%m-%dT%H:%M:%S",
        window=Window(past=300, future=300),
        query={"AccessKeyId": "{key_id}", "SignatureMethod": "HmacSHA256", "SignatureVersion": "2"}
        | {"Timestamp": "{time}", "Signature": "{signature}"},
    )
