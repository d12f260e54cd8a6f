"""Slack's requests to an app: HMAC-SHA256 of version, time and body.

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack/, with a published example
Window: five minutes either side, as the page and the SDK have it.
Refusal: the app decides.
Mistakes: a form or JSON that a framework has parsed and somebody has written again; the verification token for the
    signing secret.
"""

from __future__ import annotations

from ...recipe import Recipe


def slack() -> Recipe:
    """Slack's commands, events and interactions. No key id is sent; it is `slack`."""
    return Recipe(
        name="slack",
        parts=["literal:v0", "time", "body"],
        joiner=":",
        mac="hmac-sha256",
        headers={"X-Slack-Request-Timestamp": "{time}", "X-Slack-Signature": "v0={signature}"},
    )
