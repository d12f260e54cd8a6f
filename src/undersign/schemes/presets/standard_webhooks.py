"""Standard Webhooks: HMAC-SHA256 of message id, time and body in base64, as Svix, OpenAI, Clerk and Resend send it.

Source: https://github.com/standard-webhooks/standard-webhooks (specification, and the tests of its libraries)
Window: five minutes either side, as the libraries have it.
Refusal: the app decides; its sender sends again, signed anew under the same id.
Mistakes: the secret as text, which is base64 behind `whsec_`; a body that was parsed and written again; a new id for a
    message that is sent again.
"""

from __future__ import annotations

from ...recipe import Recipe


def standard_webhooks() -> Recipe:
    """Standard Webhooks. No key id is sent; it is `standard-webhooks`. The nonce is the message's id, without a `.`."""
    return Recipe(
        name="standard-webhooks",
        parts=[{"part": "nonce", "excludes": "."}, "time", "body"],
        joiner=".",
        mac="hmac-sha256",
        encoding="base64",
        secret="base64",  # noqa: S106 - the form of secrets
        secret_prefix="whsec_",  # noqa: S106
        headers={"webhook-id": "{nonce}", "webhook-timestamp": "{time}", "webhook-signature": "v1,{signature}"},
        list_separator=" ",
    )
