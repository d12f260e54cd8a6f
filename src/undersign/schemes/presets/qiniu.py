"""Qiniu's management credentials: HMAC-SHA1 of method, path with query, host, content type, X-Qiniu headers and body.

Source: https://developer.qiniu.com/kodo/1201/access-token and https://github.com/qiniu/go-sdk (auth), with published
    answers
Window: none; nothing of a time is looked at.
Refusal: 401 bad token (unchecked).
Mistakes: a body that is signed though its type is neither a form nor JSON; base64 where the API wants base64url;
    the name of an X-Qiniu header in another case than the canonical one.
"""

from __future__ import annotations

from typing import Any, Literal

from ...core.fields import FORM
from ...recipe import Recipe


def qiniu(*, version: Literal["qiniu", "qbox"] = "qiniu") -> Recipe:
    """Qiniu's APIs. `version` qbox is the older credential, of path, query and a form alone."""
    types = [FORM] if version == "qbox" else [FORM, "application/json"]
    head: list[Any] = ["target", "literal:\n"]
    if version == "qiniu":
        head = ["method", "literal: ", "target", "literal:\nHost: ", "host", "literal:\nContent-Type: ", "content-type"]
        head += ["literal:\n", {"part": "headers", "prefix": "X-Qiniu-", "title": True, "ended": True}, "literal:\n"]
    return Recipe(
        name="qiniu",
        parts=[*head, {"part": "body", "when": {"content_types": types}}],
        mac="hmac-sha1",
        encoding="base64url",
        window=None,
        content_type=FORM if version == "qiniu" else None,
        headers={"Authorization": f"{'Qiniu' if version == 'qiniu' else 'QBox'} {{key_id}}:{{signature}}"},
    )
