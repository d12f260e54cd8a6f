"""Sockets on which the processes listen: on a port, or on a path for clients of the same machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BACKLOG = 2048


def on_port(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def on_path(path: Path, *, for_owner_alone: bool = False) -> socket.socket:
    """A Unix socket that listens there, in the place of one that a process has left behind. Raises OSError, also where
    another process listens on it: that would get nothing more, and take this one away when it ends."""
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177) if for_owner_alone else None
    try:
        if path.is_socket() and not _is_served(path):
            path.unlink()
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        if before is not None:
            os.umask(before)
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
