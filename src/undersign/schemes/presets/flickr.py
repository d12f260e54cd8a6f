"""Flickr's old authentication: MD5 of the secret and the sorted, decoded parameters, with nothing between.

Source: https://www.flickr.com/services/api/auth.spec.html (section 8); Remember the Milk has the same
Window: none; no time is signed, so a signature serves for ever.
Refusal: 200 with error 96, "Invalid signature".
Mistakes: values that are signed as they are encoded; format left out of what is signed; another order.
"""

from __future__ import annotations

from ...recipe import Recipe


def flickr() -> Recipe:
    """Flickr's signed calls, and those of other APIs that took them over.

    `api_key` is a parameter of the call, as `method` is: the caller sets it. A verifier reads the key id from it.
    """
    without = ["api_sig"]
    return Recipe(
        name="flickr",
        parts=["secret", {"part": "params", "of": "both", "pair": "", "item": "", "without": without}],
        mac="hash-md5",
        window=None,
        key_id_param="api_key",
        query_or_form={"api_sig": "{signature}"},
    )
