"""Pusher Channels: HMAC-SHA256 of method, path and the sorted query, which has time, key and the body's MD5 in it.

Source: https://pusher.com/docs/channels/library_auth_reference/rest-api/ and
    https://github.com/pusher/pusher-http-python, with published examples
Window: ten minutes either side.
Refusal: 401 with a text, such as Timestamp expired.
Mistakes: body_md5 of a body that is serialised again; a clock that is off; parameters that are signed as they are
    escaped; parameters with lists.
"""

from __future__ import annotations

from ...core.dates import Window
from ...recipe import Recipe


def pusher() -> Recipe:
    """Pusher's HTTP API, which Soketi and Laravel Reverb speak as well."""
    return Recipe(
        name="pusher",
        parts=["method", "path", {"part": "params", "without": ["auth_signature"], "lower_names": True, "plain": True}],
        joiner="\n",
        mac="hmac-sha256",
        window=Window(past=600, future=600),
        query={
            "auth_key": "{key_id}",
            "auth_timestamp": "{time}",
            "auth_version": "1.0",
            "body_md5": "{body:md5}",
            "auth_signature": "{signature}",
        },
    )
