"""What every reader returns."""

from __future__ import annotations

from typing import NamedTuple

from ..core.message import Request


class Found(NamedTuple):
    """A request, and what had to be mended or assumed, a sentence each."""

    request: Request
    notes: tuple[str, ...]
