"""`undersign proxy` as a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from tests.cli.command import Serving, listening


def proxying(*arguments: str | Path, env: Mapping[str, str | None] | None = None) -> AbstractContextManager[Serving]:
    """The proxy on a free port, until SIGTERM at the end of the block."""
    return listening("proxy", "--listen", "127.0.0.1:0", *arguments, env=env, patience=60)
