"""Ways to run the command line: in this process, in one of its own, and as a server."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from unittest.mock import patch

from tests.canary import CANARY
from undersign.cli.app import run

COMMAND = (sys.executable, "-m", "undersign.cli")
KEY_ID = "crm_sync"
SECRET = "the password you received"
NOW = "1730974875"  # 2024-11-07T10:21:15Z


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def error(self) -> str:
        """The one line on standard error, which every failure comes down to."""
        assert self.err.startswith("undersign: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err


def environment(changed: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment with the secret and no proxies; None removes a variable."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # Buffered, as a user's own terminal has it: what is left in a buffer is written while Python exits.
    own: dict[str, str | None] = {"UNDERSIGN_SECRET": SECRET, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": None}
    wanted: dict[str, str | None] = {**kept, **own, **(changed or {})}
    return {name: value for name, value in wanted.items() if value is not None}


def importing_from(folder: Path) -> dict[str, str | None]:
    """The change of environment that puts a folder in front of all that is installed."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


def undersign(*arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str | None] | None = None) -> Result:
    """Run the command in this process, which is quick, with standard streams of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") for content in (stdin, b"", b"")]
    saved = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = streams
    try:
        with patch.dict(os.environ, environment(env), clear=True):
            code = run([str(argument) for argument in arguments])
    finally:
        sys.stdin, sys.stdout, sys.stderr = saved
    out, err = (stream.detach() for stream in streams[1:])
    CANARY.emit("standard error", err.getvalue())
    return Result(code, out.getvalue(), err.getvalue().decode())


def process(
    *arguments: str | Path,
    stdin: bytes | IO[bytes] = b"",
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
) -> Result:
    """Run the command in a process of its own, as its users do, without a terminal."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin if isinstance(stdin, bytes) else None,
        stdin=None if isinstance(stdin, bytes) else stdin,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        timeout=60,
        start_new_session=True,  # so that nobody's terminal is there to ask on
    )
    CANARY.emit("standard error", done.stderr)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return Result(done.returncode, done.stdout, done.stderr.decode())


@dataclass
class Serving:
    """A server that runs, and once it has ended how it did."""

    url: str
    process: subprocess.Popen[bytes]
    code: int | None = None
    log: list[str] = field(default_factory=list)


@contextmanager
def listening(
    command: str, *arguments: str | Path, env: Mapping[str, str | None] | None = None, patience: float = 30
) -> Iterator[Serving]:
    """A command that listens, until SIGTERM at the end of the block; it then has so many seconds to end."""
    process = subprocess.Popen(
        [*COMMAND, command, *map(str, arguments)],
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
        _, err = process.communicate(timeout=patience)
    server.code = process.returncode
    CANARY.emit(f"the log of undersign {command}", err)
    server.log = err.decode().splitlines()
    assert "Traceback" not in err.decode(), err.decode()


def serving(*arguments: str | Path, env: Mapping[str, str | None] | None = None) -> AbstractContextManager[Serving]:
    """`undersign serve` on a free port, until SIGTERM at the end of the block."""
    return listening("serve", "--port", "0", *arguments, env=env)
