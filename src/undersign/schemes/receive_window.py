"""The receive windows of exchanges: how old a request may be, in milliseconds, which the caller chooses."""

from __future__ import annotations

from ..core.dates import Window
from ..errors import ConfigError


def receive_window(milliseconds: int | str) -> Window:
    """The window of a request that may be so old, and whose clock may run a second ahead. Raises ConfigError."""
    text = str(milliseconds)
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ConfigError(f"recv_window is milliseconds, such as 5000, not {milliseconds!r}")
    return Window(past=-(-int(text) // 1000), future=1)
