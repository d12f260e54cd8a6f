"""A Redis server of the tests' own, on a unix socket, which they may kill."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

_BOUND = 20.0


class RedisServer:
    """A redis-server that keeps nothing on disk, unless `options` say so, on a unix socket.

    `program` may be another with the same options; `configuration` is a file that it reads first, and may rewrite.
    """

    def __init__(self, *options: str, program: str = "redis-server", configuration: Path | None = None) -> None:
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"{program} is missing")
        self._program: str = found
        self._configuration = [] if configuration is None else [str(configuration)]
        # Not below pytest's folders: the path of a unix socket has 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="undersign-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = self.folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", ""]
        arguments = [*self._configuration, *arguments, *self._options]
        self._process = subprocess.Popen(
            [self._program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _BOUND
        while not self._answers():
            assert self._process.poll() is None, "redis-server has ended"
            assert time.monotonic() < deadline, "redis-server does not answer"

    def kill(self) -> None:
        """End it at once, without a chance to write anything down."""
        assert self._process is not None
        self._process.kill()  # a halted one too: let it go on, and it answers once more
        self._process.wait(_BOUND)

    def stop(self) -> None:
        """Halt it, so that it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A client, for looking in; close it."""
        return redis.Redis(unix_socket_path=str(self.socket), decode_responses=True)

    def close(self) -> None:
        """End it, and take its folder away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
