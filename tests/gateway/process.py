"""`undersign proxy` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.canary import CANARY
from tests.cli.command import COMMAND, Serving, environment


@contextmanager
def proxying(*arguments: str | Path, env: Mapping[str, str | None] | None = None) -> Iterator[Serving]:
    """The proxy on a free port, until SIGTERM at the end of the block."""
    process = subprocess.Popen(
        [*COMMAND, "proxy", "--listen", "127.0.0.1:0", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        start_new_session=True,
    )
    assert process.stdout
    try:
        first = process.stdout.readline().decode()
        assert first.startswith("listening on "), first + (process.stderr.read().decode() if process.stderr else "")
        server = Serving(first.removeprefix("listening on ").strip(), process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    server.code = process.returncode
    CANARY.emit("the log of undersign proxy", err)
    server.log = err.decode().splitlines()
    assert "Traceback" not in err.decode(), err.decode()
