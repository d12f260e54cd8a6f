"""Webhooks of one's own, a recipe as a package: the form of Standard Webhooks, where the caller sets the message's id.

webhook-id: msg_…          of the message, the same for every attempt to deliver it; the caller sets it
webhook-timestamp: …       Unix seconds
webhook-signature: v1,…    base64( HMAC-SHA256( secret, id.timestamp.body ) ); several, separated by spaces
"""

from __future__ import annotations

from undersign import Recipe


def webhook(*, name: str = "webhook") -> Recipe:
    """Signs the message: its id, the time and the raw body. Method and target are not covered.

    No key id is sent; the scheme's name is the key id under which the verifier's keys have the endpoint's secrets. They
    are written as they are handed out, `whsec_` and base64. While one replaces another, senders sign with both.
    """
    return Recipe(
        name=name,
        parts=[{"part": "header:webhook-id", "excludes": "."}, "time", "body"],
        joiner=".",
        mac="hmac-sha256",
        encoding="base64",
        secret="base64",  # noqa: S106 - the form of secrets
        secret_prefix="whsec_",  # noqa: S106
        headers={"webhook-timestamp": "{time}", "webhook-signature": "v1,{signature}"},
        list_separator=" ",
    )
