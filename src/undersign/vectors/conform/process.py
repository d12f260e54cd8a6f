"""A port's process: lines to it and from it, each wait bounded, and nothing of it left at the end."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

_LONGEST_LINE = 1024 * 1024
_MOST_LINES_WAITING = 1000
_GRACE = 2.0


class PortEnded(Exception):
    """The port closed its standard output."""


class PortProcess:
    """A running port. Its standard error is that of the caller.

    Raises ConfigError where the command cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            # In a session of its own, so that at the end all that it started can be ended with it.
            self._process = subprocess.Popen(  # noqa: S603  # running the user's command is what this is for
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=os.name == "posix",
            )
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            if len(command) == 1 and " " in command[0]:
                told += f"; write its words apart: -- {command[0]}"
            raise ConfigError(f"the port {command[0]!r} cannot be started: {told}") from None
        # Threads, since a port that does not read would block a write, and one that does not answer a read.
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._in: queue.Queue[bytes | None] = queue.Queue(_MOST_LINES_WAITING)
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def send(self, line: bytes) -> None:
        """Hand a line over, to be written as soon as the port reads."""
        self._out.put(line)

    def receive(self, until: float) -> bytes | None:
        """The next line, or None where none comes until then (of `time.monotonic`). Raises PortEnded."""
        try:
            line = self._in.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            return None
        if line is None:
            self._in.put(None)  # the end stays the end
            raise PortEnded
        return line

    def ending(self) -> str:
        """How the process ended, as words for a sentence."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        code = self._process.returncode
        if code is None:
            return "closed its standard output"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit status {code}"

    def stop(self, line: bytes) -> bool:
        """Say the last line; whether the process then ends by itself."""
        self._out.put(line)
        self._out.put(None)
        end = time.monotonic() + _GRACE
        while time.monotonic() < end:
            with contextlib.suppress(PortEnded):
                self.receive(time.monotonic())  # what it still says must not keep it from ending
            if self._process.poll() is not None:
                return True
            time.sleep(0.005)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._kill()
        self._out.put(None)
        end = time.monotonic() + _GRACE
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                self._in.get(timeout=0.01)  # so that a reader which waits for room comes to the end
        if not any(thread.is_alive() for thread in self._threads):
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what is left to write, and nobody to read it
                    if stream:
                        stream.close()

    def _kill(self) -> None:
        # The whole group, whether or not its first process has ended: a child of it may be running on.
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)

    def _write(self) -> None:
        stream = self._process.stdin
        assert stream  # noqa: S101  # for type checkers
        with contextlib.suppress(OSError, ValueError):
            while (line := self._out.get()) is not None:
                stream.write(line)
                if self._out.empty():
                    stream.flush()
            stream.close()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream  # noqa: S101  # for type checkers
        with contextlib.suppress(OSError, ValueError):
            # A line that is longer comes in pieces, none of which is JSON, so it counts as noise.
            while line := stream.readline(_LONGEST_LINE):
                self._in.put(line)
        self._in.put(None)
