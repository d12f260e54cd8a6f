"""West.cn: MD5 of user, API password and Unix milliseconds, as fields of the form.

Source: https://www.west.cn/CustomerCenter/doc/apiv2.html, and the client in go-acme/lego
Window: five minutes either side, a guess; the pages name none.
Refusal: JSON with an error code, such as 10000 where fields are missing.
Mistakes: seconds for milliseconds; a form in UTF-8, which the API reads as GBK.
"""

from __future__ import annotations

from ...recipe import Recipe


def west_cn() -> Recipe:
    """West.cn's API for domains. The key id is the user's name, the secret the API password."""
    return Recipe(
        name="west-cn",
        parts=["key_id", "secret", "time"],
        mac="hash-md5",
        time="unix-ms",
        form={"username": "{key_id}", "time": "{time}", "token": "{signature}"},
    )
