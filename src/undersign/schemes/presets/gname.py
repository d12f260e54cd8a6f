"""Gname: MD5 of the sorted and encoded form and the secret, in upper case, as a field of the form.

Source: https://www.gname.com/domain/api, and the tests of go-acme/lego
Window: five minutes either side, a guess; the pages name none.
Refusal: 200 with JSON, whose code is negative (unchecked).
Mistakes: values that are signed before they are encoded; a space as %20, which is + here; the hash in lower case.
"""

from __future__ import annotations

from ...recipe import Recipe


def gname() -> Recipe:
    """Gname's API for resellers. The key id is the appid."""
    return Recipe(
        name="gname",
        parts=[{"part": "params", "of": "form", "encode": "form", "without": ["gntoken"]}, "secret"],
        mac="hash-md5",
        encoding="HEX",
        form={"appid": "{key_id}", "gntime": "{time}", "gntoken": "{signature}"},
    )
