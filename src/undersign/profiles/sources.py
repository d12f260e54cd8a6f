"""Where a secret is kept: a variable, a file, what a command prints, the system's keyring, or the profile itself.

A source is the name of a place. It holds no secret, so it may be shown and pickled; `read` looks into the place, each
time it is called. What goes wrong there is returned, so that no frame which raises holds a secret.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from ..core.bounded import read_whole
from ..core.credentials import Secret
from ..core.text import decoded, printable
from ..errors import ConfigError
from .document import LARGEST

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 64 * 1024
"""Bytes that a secret may have, with the newline that is taken off; a private key in PEM has a tenth of that."""
_PATIENCE = 120.0
"""Seconds that a command may take. A password manager asks its user for a passphrase, who has to find it first; and
without any end, a command that waits for what never comes would have a service wait with it, and say nothing."""
_MOMENT = 1.0  # seconds
_NAME_OF_A_VARIABLE = re.compile(r"[A-Z]+(?:_[A-Z0-9]+)+")  # what is no secret in base32, hex or base64 either


@dataclass(frozen=True)
class FromEnvironment:
    """The environment variable of that name. `called` is what names it, for errors."""

    variable: str
    called: str = "secret-env"

    def __str__(self) -> str:
        # Whoever takes the name for the place of the secret itself has written a secret here.
        known = _NAME_OF_A_VARIABLE.fullmatch(self.variable) or self.variable in os.environ
        return f"the environment variable {self.variable if known else f'that {self.called} names'}"

    __repr__ = __str__

    def read(self) -> Secret | ConfigError:
        """The secret, or why there is none."""
        if self.variable not in os.environ:
            return ConfigError(f"{self} is not set")
        return _secret(os.fsencode(os.environ[self.variable]), self)


@dataclass(frozen=True)
class FromFile:
    """The content of a file. One newline at its end is not part of the secret."""

    path: Path
    called: str = "secret-file"

    def __str__(self) -> str:
        return f"the file {self.path}" if os.path.lexists(self.path) else f"the file that {self.called} names"

    __repr__ = __str__

    def read(self) -> Secret | ConfigError:
        """The secret, or why there is none."""
        try:
            content = read_whole(self.path, _LARGEST, "a secret: name a file that holds it alone")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            shown = str(self.path) if os.path.lexists(self.path) else str(self)
            return ConfigError(f"{shown}: {why}")
        if content.startswith(b"\xef\xbb\xbf") or (content.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in content):
            return ConfigError(
                f"{self.path} begins with a byte order mark, which an editor has put there: save it without one"
            )
        return _secret(_without_newline(content), self.path)

    @property
    def risk(self) -> str:
        """What may be wrong with the place, as a sentence; empty where nothing is."""
        if is_private(self.path) or not self.path.is_file():  # neither a folder nor a pipe is to have its mode changed
            return ""
        return f"others may read the file {self.path}: chmod 600 {self.path}"


class _Output(threading.Thread):
    """Reads what a command prints, up to a byte more than a secret may have, and then closes the pipe.

    A thread, since there is no other way to wait for a pipe for so many seconds on every system. It is a daemon: what
    the command has started may keep the pipe open when the command itself is gone.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self.content = b""

    def run(self) -> None:
        with self._pipe:
            self.content = self._pipe.read(_LARGEST + 1)


@dataclass(frozen=True)
class FromCommand:
    """What a command prints, which is run without a shell. One newline at its end is not part of the secret."""

    words: tuple[str, ...]
    called: str = "secret-command"
    patience: float = _PATIENCE
    """Seconds that it may take."""

    def __str__(self) -> str:
        return f"the command {printable(self.words[0])}"  # its arguments may be private

    __repr__ = __str__

    def read(self) -> Secret | ConfigError:
        """The secret, or why there is none. What the command says on standard error is shown as it is."""
        try:
            process = subprocess.Popen(  # noqa: S603  # the user's own command, from a file that others cannot write
                self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it cannot be run"
            return ConfigError(f"{self}, of {self.called}: {why}")
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        output = _Output(process.stdout)
        deadline = time.monotonic() + self.patience
        code = None
        try:
            output.start()
            output.join(self.patience)
            if not output.is_alive() and len(output.content) <= _LARGEST:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            _end(process)
        if len(output.content) > _LARGEST:
            return ConfigError(
                f"{self}, of {self.called}, prints over {_LARGEST} bytes, which is too large for a secret: "
                "have it print the secret alone"
            )
        if code is None:
            return ConfigError(
                f"{self}, of {self.called}, has not ended within {self.patience:g} seconds: "
                "run it by itself to see what it waits for"
            )
        if code:
            return ConfigError(f"{self}, of {self.called}, has failed with exit code {code}")
        return _secret(_without_newline(output.content), f"what {self}, of {self.called}, prints,")


@dataclass(frozen=True)
class FromKeyring:
    """The password that the system's keyring holds for a user of a service; the extra `keyring` reads it."""

    service: str
    user: str
    called: str = "secret-keyring"

    def __str__(self) -> str:
        return f"the keyring, service {printable(self.service)}, user {printable(self.user)}"

    __repr__ = __str__

    def read(self) -> Secret | ConfigError:
        """The secret, or why there is none."""
        try:
            import keyring
        except ModuleNotFoundError:
            return ConfigError(f"{self.called} needs the package keyring: pip install 'undersign[keyring]'")
        try:
            found = keyring.get_password(self.service, self.user)
        except Exception as error:  # of any kind: backends are other people's, and are named in variables and files
            return ConfigError(f"{self} cannot be asked: {type(error).__name__}; see: keyring diagnose")
        if found is None:
            return ConfigError(f"{self} has no password: add it with keyring set SERVICE USER")
        return _secret(found.encode("utf-8", "surrogateescape"), self)


@dataclass(frozen=True)
class FromProfile:
    """The profile itself, in a file that nobody else may read; `keys` lead to the text in the file."""

    path: Path
    keys: tuple[str, ...]
    called: str = "secret"

    def __str__(self) -> str:
        return f"the file {self.path} itself"

    __repr__ = __str__

    def read(self) -> Secret | ConfigError:
        """The secret, or why there is none."""
        if not is_private(self.path):
            return ConfigError(public_problem(self.path, self.called))
        try:
            found: Any = tomllib.loads(decoded(read_whole(self.path, LARGEST, "a file of profiles")))
            for key in self.keys:
                found = cast("Mapping[str, Any]", found)[key]
            return _secret(found.encode(), self)
        except OSError as error:
            return ConfigError(f"{self.path}: {error.strerror or 'it cannot be read'}")
        except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
            return ConfigError(f"{self.path} has changed: there is no {'.'.join(self.keys)} any more")


Source: TypeAlias = "FromEnvironment | FromFile | FromCommand | FromKeyring | FromProfile"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it where it still runs. It has a moment for that, or a terminal on which it asks would stay without echo.

    It is in our process group, as whoever reads from the terminal has to be, so what it has started is its own to end.
    """
    process.terminate()
    try:
        process.wait(_MOMENT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_private(path: Path) -> bool:
    """Whether the owner alone may read the file, or its system has no such modes, or it is not there."""
    try:
        return os.name != "posix" or not stat.S_IMODE(path.stat().st_mode) & 0o077
    except OSError:  # reading it will say so
        return True


def public_problem(path: Path, called: str) -> str:
    """What to say of a value that stands in a file which others may read."""
    return f"{called} stands in a file that others may read: chmod 600 {path}, or keep it elsewhere, as in {called}-env"


def _without_newline(content: bytes) -> bytes:
    return content[:-1].removesuffix(b"\r") if content.endswith(b"\n") else content


def _secret(content: bytes, source: object) -> Secret | ConfigError:
    return Secret(content) if content else ConfigError(f"{source} is empty: an empty secret signs for anyone")
