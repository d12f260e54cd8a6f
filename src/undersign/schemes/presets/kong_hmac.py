"""Kong's hmac-auth plugin: an HMAC of the headers that are listed, and of the request line.

Source: https://github.com/Kong/kong (kong/plugins/hmac-auth) and https://docs.konghq.com/hub/kong-inc/hmac-auth/
Window: five minutes either side, the plugin's clock_skew.
Refusal: 401 HMAC signature cannot be verified, or does not match, with WWW-Authenticate: hmac.
Mistakes: a proxy that changes the HTTP version of the request line or the path; names of headers in another case than
    they are listed; a Digest header that is sent and not listed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...recipe import Recipe


def kong_hmac(
    *,
    signed_headers: Sequence[str] = ("date", "content-md5", "digest", "request-line"),
    algorithm: str = "sha256",
    http_version: str = "1.1",
) -> Recipe:
    """Kong's hmac-auth. `signed_headers` are signed in order where the request has them; `digest` adds the body's."""
    names = {"names": list(signed_headers), "http_version": http_version}
    credentials = f'username="{{key_id}}",algorithm="hmac-{algorithm}",headers="{{headers}}",signature="{{signature}}"'
    digest = {"Digest": "SHA-256={body:sha256:base64?}"} if "digest" in signed_headers else {}
    return Recipe(
        name="kong-hmac",
        parts=[{"part": "headers", "sort": "none", **names}],
        mac=f"hmac-{algorithm}",
        encoding="base64",
        time="http",
        headers={"Date": "{time}", **digest, "Authorization": f"hmac {credentials}"},
    )
