"""Zoom's webhooks: HMAC-SHA256 of version, time and body.

Source: https://developers.zoom.us/docs/api/webhooks/ (verify with Zoom's header)
Window: five minutes either side, a guess that is usual; the page names none.
Refusal: the app decides.
Mistakes: a body that was parsed and written again; the answer to `endpoint.url_validation`, which is the HMAC of its
    plainToken alone and no signature of the request.
"""

from __future__ import annotations

from ...recipe import Recipe


def zoom() -> Recipe:
    """Zoom's events. No key id is sent; it is `zoom`."""
    return Recipe(
        name="zoom",
        parts=["literal:v0", "time", "body"],
        joiner=":",
        mac="hmac-sha256",
        headers={"x-zm-request-timestamp": "{time}", "x-zm-signature": "v0={signature}"},
    )
