"""Sinch's signed requests: HMAC-SHA256 of method, the body's MD5, content type, x-timestamp and path.

Source: https://developers.sinch.com/docs/ (signed requests), with a published example
Window: five minutes either side, a guess; the page names none.
Refusal: 401 with a JSON error (unchecked).
Mistakes: a secret that is not decoded; the MD5 of an empty body where a GET has none; a content type that the HTTP
    library completes.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def sinch() -> Recipe:
    """Sinch's APIs with application signing."""
    return Recipe(
        name="sinch",
        parts=[
            "method",
            {"part": "body", "digest": "md5", "encoding": "base64", "empty": "nothing"},
            {"part": "content-type", "absent": "nothing"},
            {"part": "headers", "names": ["x-timestamp"], "pair": ":"},
            "path",
        ],
        joiner="\n",
        mac="hmac-sha256",
        encoding="base64",
        secret="base64",  # noqa: S106 - the form of secrets
        time="iso",
        window=Window(past=300, future=300),
        headers={"Authorization": "Application {key_id}:{signature}", "x-timestamp": "{time}"},
    )
