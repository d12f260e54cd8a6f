"""What both of Envoy's ways to ask have in common: whether it gives the whole body."""

from __future__ import annotations

from ..core.message import Request
from ..servers._common import declared_length

PARTIAL = "x-envoy-auth-partial-body"
"""Envoy's own header beside a body that it gives: `true` where it has cut it."""


def whole_body(head: Request, content: bytes) -> bytes | None:
    """What Envoy gives, where that is the whole body; None where it gives a part, or nothing of a body that is there.

    Envoy sets the header beside each body that is not empty, in place of a client's. `with_request_body` is not set
    where a body is announced, and neither the header nor a byte of it comes.
    """
    flags = set(head.values(PARTIAL))
    if flags and flags != {"false"}:
        return None
    if not flags and not content and declared_length(head) not in (None, 0):
        return None
    return content
