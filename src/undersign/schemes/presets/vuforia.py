"""Vuforia's web services: HMAC-SHA1 of method, the body's MD5, media type, date and path.

Source: https://developer.vuforia.com/library/web-api/vuforia-web-api-authentication and
    https://github.com/VWS-Python/vws-auth-tools, with published answers
Window: five minutes either side (unchecked).
Refusal: 401 AuthenticationFailure, 403 RequestTimeTooSkewed (unchecked).
Mistakes: a multipart boundary in the signed content type; a charset that the HTTP library adds; a date that is signed
    and not the one which is sent.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def vuforia() -> Recipe:
    """Vuforia's target and query APIs."""
    return Recipe(
        name="vuforia",
        parts=["method", "body:md5", {"part": "media-type", "absent": "nothing"}, "time", "path"],
        joiner="\n",
        mac="hmac-sha1",
        encoding="base64",
        time="http",
        window=Window(past=300, future=300),
        headers={"Authorization": "VWS {key_id}:{signature}", "Date": "{time}"},
    )
