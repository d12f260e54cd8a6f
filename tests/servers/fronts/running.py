"""Starting and stopping what stands in front of a server: proxies, caches, and web servers that run an app."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

from ..matrix import BIN, Running, Server, run_command, skip_without

_PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"  # where Debian puts servers, which is on the path of root alone


@dataclass(frozen=True)
class Front:
    """A program and its configuration.

    `@name@` in the configuration and the command stands for a value: `@port@` is where it listens, `@behind@` the
    port of the server behind it, `@folder@` a folder of its own, `@config@` the file with the configuration; the
    others are given to `running`. `user` is who it becomes where root starts it, `needs` are files that it loads, and
    `suffix` is what the name of its configuration must end in.
    """

    name: str
    command: str
    config: str = ""
    user: str = ""
    needs: tuple[str, ...] = ()
    suffix: str = ""

    def __repr__(self) -> str:
        return self.name

    def missing(self) -> list[str]:
        """Which of its programs and files are not installed."""
        program = self.command.split()[0]
        files = [name for name in self.needs if not Path(name).exists()]
        return files if shutil.which(program, path=_path()) else [program, *files]


def _path() -> str:
    return os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath), _PROGRAMS])


@contextmanager
def running(front: Front, behind: int, values: Mapping[str, object] | None = None) -> Iterator[Running]:
    """Start the front before the server on port `behind`, and stop it. Skips where it is not installed."""
    skip_without(front.missing())
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="front-") as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        if front.user and os.geteuid() == 0:
            shutil.chown(folder, front.user)
        config = folder / f"config{front.suffix}"
        known = {**(values or {}), "port": port, "behind": behind, "folder": folder, "config": config}
        config.write_text(_filled(front.config, known), encoding="utf-8")
        command = [_filled(word, known) for word in front.command.split()]
        command[0] = str(shutil.which(command[0], path=_path()))
        server = Server(front.name, "", lambda port, folder: command, "front")
        yield from run_command(server, command, port, folder)


def _filled(text: str, values: Mapping[str, object]) -> str:
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), text)
