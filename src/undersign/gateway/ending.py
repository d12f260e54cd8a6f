"""The end that does not wait: what a process does when Ctrl-C is pressed once more while it ends."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable
from typing import NoReturn

import uvicorn

from .uvicorn_http10 import NO_LINGER

_INTERRUPTED = 130


def end_at_once(servers: Iterable[uvicorn.Server]) -> NoReturn:
    """End this process, with what is in flight broken off and the exit code of Ctrl-C, 130.

    That is for SIGINT which comes while the process ends already: somebody presses Ctrl-C once more. SIGTERM never asks
    for it, however often it comes: systemd, Kubernetes and whoever passes signals on may send several, and requests
    would be lost. Servers that end at once by a signal have one of its own for that too: SIGINT or SIGQUIT in gunicorn,
    beside SIGTERM; SIGTERM in nginx and HAProxy, beside SIGQUIT and SIGUSR1.

    Nothing is waited for. uvicorn's own `force_exit` has the tasks cancelled, each of which answers 500 then and logs a
    trace, and waits for threads, such as one that looks up a name. And the default action of the signal does nothing in
    the first process of a container.
    """
    for server in servers:
        for connection in server.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                _reset_when_closed(connection.transport.get_extra_info("socket"))
    os._exit(_INTERRUPTED)


def _reset_when_closed(connection: socket.socket) -> None:
    """Or else an answer that ends with its connection would look whole."""
    if connection.family != getattr(socket, "AF_UNIX", None):  # none of these is reset
        with contextlib.suppress(OSError):  # it is closed already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
