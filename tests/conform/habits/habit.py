"""What a habit is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Habit(NamedTuple):
    """Whose it is, the hook where the port follows it, and what it does to the value there."""

    language: str
    hook: str
    does: Callable[[Any], Any]


Text = Callable[[str], str]
