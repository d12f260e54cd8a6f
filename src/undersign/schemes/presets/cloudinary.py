"""Cloudinary's upload API: SHA-1 of the sorted parameters of the form and the secret.

Source: https://cloudinary.com/documentation/authentication_signatures and cloudinary/pycloudinary
Window: one hour, as the page says (unchecked).
Refusal: 401 with JSON, whose message names the string that the server has signed.
Mistakes: file, api_key, cloud_name or resource_type signed; a parameter that is sent and not signed; a list that is
    not joined by commas; a form in multipart, which this does not sign.
"""

from __future__ import annotations

from typing import Literal

from ...core.dates import Window
from ...recipe import Recipe


def cloudinary(*, algorithm: str = "sha1", signature_version: Literal[1, 2] = 2) -> Recipe:
    """Cloudinary's upload and admin calls that are signed, as urlencoded forms.

    `algorithm` is sha1, or sha256 as the account is set. `signature_version` 2 escapes & in values; 1 does not.
    """
    without = ["signature", "file", "api_key", "cloud_name", "resource_type"]
    params = {"part": "params", "of": "form", "without": without, "drop_blank": True}
    if signature_version > 1:
        params["encode"] = "item"
    return Recipe(
        name="cloudinary",
        parts=[params, "secret"],
        mac=f"hash-{algorithm}",
        window=Window(past=3600, future=3600),
        form={"api_key": "{key_id}", "timestamp": "{time}", "signature": "{signature}"},
    )
