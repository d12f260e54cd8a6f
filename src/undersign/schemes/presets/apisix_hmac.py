"""APISIX's hmac-auth plugin: an HMAC of the key id, the request target and the headers that are listed.

Source: https://github.com/apache/apisix (docs/en/latest/plugins/hmac-auth.md), with a published answer
Window: five minutes either side, the plugin's clock_skew.
Refusal: 401 client request can't be validated, with the reason.
Mistakes: the line feed at the end left out; the line of the key id left out; the older X-HMAC headers; three of the
    four answers on its page, which do not follow from their own snippets.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...recipe import Recipe


def apisix_hmac(
    *, signed_headers: Sequence[str] = ("@request-target", "date", "digest"), algorithm: str = "sha256"
) -> Recipe:
    """APISIX's hmac-auth. `signed_headers` are signed in order where the request has them; `digest` adds the body's."""
    credentials = f'keyId="{{key_id}}",algorithm="hmac-{algorithm}",headers="{{headers}}",signature="{{signature}}"'
    digest = {"Digest": "SHA-256={body:sha256:base64?}"} if "digest" in signed_headers else {}
    lines = {"part": "headers", "names": list(signed_headers), "sort": "none", "ended": True}
    return Recipe(
        name="apisix-hmac",
        parts=["key_id", "literal:\n", lines],
        mac=f"hmac-{algorithm}",
        encoding="base64",
        time="http",
        headers={"Date": "{time}", **digest, "Authorization": f"Signature {credentials}"},
    )
