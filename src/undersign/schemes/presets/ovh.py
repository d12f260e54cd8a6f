"""OVHcloud: SHA-1 of secret, consumer key, method, URL, body and time, joined by +.

Source: https://github.com/ovh/python-ovh (ovh/client.py and its tests)
Window: five minutes either side, a guess; the API has /auth/time for clients whose clock is off.
Refusal: 400 or 403 with JSON, INVALID_SIGNATURE or the like (unchecked).
Mistakes: a body that is written again with other spaces; the URL without its query; a local clock; no consumer key.
"""

from __future__ import annotations

from ...recipe import Recipe


def ovh() -> Recipe:
    """OVHcloud's API. The key id is the application key; the consumer key is the credential's extra `consumer_key`."""
    return Recipe(
        name="ovh",
        parts=["secret", "extra:consumer_key", "method", "url", "body", "time"],
        joiner="+",
        mac="hash-sha1",
        headers={
            "X-Ovh-Application": "{key_id}",
            "X-Ovh-Consumer": "{extra.consumer_key}",
            "X-Ovh-Timestamp": "{time}",
            "X-Ovh-Signature": "$1${signature}",
        },
    )
