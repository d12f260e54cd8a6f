"""Upyun: HMAC-SHA1 of method, path, date and Content-MD5, with the MD5 of the operator's password as its key.

Source: https://help.upyun.com/knowledge-base/object_storage_authorization/ and
    https://github.com/upyun/python-sdk, with a published answer
Window: 30 minutes either side (unchecked).
Refusal: 401 with a JSON error (unchecked).
Mistakes: a password that is not hashed first; a path that is not percent-encoded; an empty part that keeps its
    separator; Content-MD5 in base64, where the API wants hex.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def upyun(*, password: bool = False) -> Recipe:
    """Upyun's storage API. The secret is md5hex(password), or with `password` the password itself. A Content-MD5 that
    the request has is signed; that it is the body's is for the app to see."""
    return Recipe(
        name="upyun",
        parts=["method", "path", "time", {"part": "header:Content-MD5", "omit_empty": True}],
        joiner="&",
        mac="hmac-sha1",
        encoding="base64",
        secret="md5-hex" if password else "text",
        time="http",
        window=Window(past=1800, future=1800),
        headers={"Authorization": "UPYUN {key_id}:{signature}", "Date": "{time}"},
    )
