"""A PostgreSQL of the tests' own, which they stop and start."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.ports import free_port

_CONFIG = "listen_addresses = '127.0.0.1'\nfsync = off\nmax_connections = 20\nshared_buffers = 1MB\n"


def _program(name: str) -> str | None:
    """Debian keeps PostgreSQL's programs out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


class Postgres:
    """A server on a free port of loopback, with one database that anyone may use. It does not run as root."""

    def __init__(self, folder: Path) -> None:
        for name in ("initdb", "pg_ctl"):
            if _program(name) is None:
                pytest.skip(f"{name} of PostgreSQL is not installed")
        self.port = free_port()
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self._folder = folder
        self._data = folder / "data"
        if os.geteuid() == 0:
            shutil.chown(folder, self.user)
        self._do("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8")
        config = self._data / "postgresql.conf"
        config.write_text(f"{_CONFIG}port = {self.port}\nunix_socket_directories = '{folder}'\n", encoding="ascii")

    def start(self) -> None:
        self._do("pg_ctl", "start", "-w", "-l", str(self._folder / "log"))

    def stop(self) -> None:
        self._do("pg_ctl", "stop", "-w", "-m", "fast")

    def restart(self) -> None:
        """Every connection that is open now is dead."""
        self.stop()
        self.start()

    def _do(self, name: str, *arguments: str) -> None:
        command = [str(_program(name)), "-D", str(self._data), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.user, "--", *command]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    # Not in a folder of pytest's, which nobody else may enter.
    with TemporaryDirectory(prefix="undersign-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
