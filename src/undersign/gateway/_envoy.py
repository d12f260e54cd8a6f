"""What both of Envoy's ways to ask have in common: whether it gives the whole body."""

from __future__ import annotations

from ..core.message import Request
from ..servers._common import declared_length

PARTIAL = "x-envoy-auth-partial-body"
"""Envoy's own header beside a body that it gives: `true` where it has cut it."""


def whole_body(head: Request, content: bytes) -> bytes | None:
    """What Envoy gives, where that is the whole body; None where it gives a part, or nothing of a body that is there.

    Without `with_request_body` it gives nothing and sets no header, and a client may have sent that header itself. So
    an announced body of which no byte comes is one that is kept. Envoy does not tell of bodies in chunks that it keeps:
    its configuration has to have it give them.
    """
    if any(value != "false" for value in head.values(PARTIAL)):
        return None
    if not content and declared_length(head) not in (None, 0):
        return None
    return content
