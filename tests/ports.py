"""Ports of loopback for servers that cannot be handed a socket, and which nobody else takes before they start.

The system gives a port that has just been free to whoever asks next, for a connection as well as for a listener. So
these are below the ones that it gives (from 32768 on Linux, 49152 elsewhere), and each worker of a run has its own.
"""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _PER_WORKER, _WORKERS = 11_000, 1_300, 16
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_begin = random.randrange(_PER_WORKER)  # another run may go on beside this one
_candidates = itertools.cycle(
    _FIRST + _worker * _PER_WORKER + (_begin + step) % _PER_WORKER for step in range(_PER_WORKER)
)


def free_port() -> int:
    """A port that nobody listens on, and that is not given again for a thousand times."""
    for port in itertools.islice(_candidates, _PER_WORKER):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has waited for its end is no listener
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
