"""NIFCLOUD DNS: HMAC-SHA1 of the Date header, in a header of its own.

Source: https://docs.nifcloud.com/cp/api/authentication.htm, and the client in go-acme/lego
Window: five minutes either side, a guess; the pages name none.
Refusal: XML with AuthFailed, or that the signature does not match.
Mistakes: a Date that the client sets anew; hex for base64; the header Authorization in place of the API's own.
"""

from __future__ import annotations

from ...recipe import Recipe


def nifcloud() -> Recipe:
    """NIFCLOUD's API for DNS."""
    credential = "NIFTY3-HTTPS NiftyAccessKeyId={key_id},Algorithm=HmacSHA1,Signature={signature}"
    return Recipe(
        name="nifcloud",
        parts=["time"],
        mac="hmac-sha1",
        encoding="base64",
        time="http",
        headers={"Date": "{time}", "X-Nifty-Authorization": credential},
    )
