"""Keys in a TOML file, and in one that is read again when it changes."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from ..core.bounded import read_whole
from ..core.credentials import Secret
from ..core.text import decoded, place_in_toml
from ..errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SCOPED = "keys-for"
_LARGEST = 64 * 1024 * 1024  # bytes; a million keys
_SETTLED = 0.5  # seconds without a change: editors and copies write on within less

_log = logging.getLogger("undersign")

_Plain: TypeAlias = "dict[str, list[str]]"
_Stamp: TypeAlias = "tuple[int, ...]"


def load_keys(
    path: str | Path, scheme_names: Sequence[str], *, others: Collection[str] = ()
) -> dict[str, dict[str, list[str]]]:
    """The keys in a TOML file, by scheme name and key id, newest secret first: what a Verifier takes.

    `[keys]` holds `id = "secret"` or `id = ["new", "old"]` for all schemes, `[keys-for.NAME]` the same for one. A key
    in both has the secrets of its own scheme's table alone. `scheme_names` are the schemes in use. A table for one of
    the `others` is left alone, and one for any other name is a mistake. Raises ConfigError, without a secret in it, for
    a file that cannot be read or has another shape.
    """
    tables = _read(path)
    if isinstance(tables, ConfigError):
        raise tables
    if problem := tables.problem(path, scheme_names, others):
        del tables  # so that no frame which raises holds a secret
        raise problem
    return {name: tables.of(name) for name in scheme_names}


class KeyFile:
    """The keys in a TOML file (see `load_keys`), read again when it changes: for a Verifier's `keys`.

    The file is looked at every `interval` seconds at most. A change is taken when two looks, half a second apart at
    least, have found the same. So a file that is just being written is left until it is whole. A new version that
    cannot be read, is not in form or has no table at all is logged, and the last good one stays. `scheme_names` are the
    schemes in use; with None a table may be for any name. `clock` returns seconds that only go up.

    Raises ConfigError for a file that is not there or not in form when this is built. Safe to share between threads.
    """

    def __init__(
        self,
        path: str | Path,
        scheme_names: Sequence[str] | None = None,
        *,
        others: Collection[str] = (),
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(scheme_names, str):
            raise ConfigError('scheme_names is a sequence of names: write ["gotom"]')
        self._path = Path(path)
        self._scheme_names = None if scheme_names is None else tuple(scheme_names)
        self._others = tuple(others)
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self._seen = _stamp(self._path)
        self._seen_at = self._looked
        self._taken: _Stamp | None = ()  # so that the first look which finds no change reads it once more
        keys = self._load()
        if isinstance(keys, ConfigError):
            raise keys
        self._keys = keys
        self._problem = ""
        self.is_refused = False
        """Whether the newest version of the file was not taken, so that the last good one is in use."""

    def sizes(self) -> dict[str, int]:
        """How many key ids there are for each scheme; under "" those for all schemes that have no table."""
        return {name: len(keys) for name, keys in self._keys.items() if name or self._scheme_names is None}

    def __call__(self, key_id: str, scheme_name: str) -> tuple[Secret, ...]:
        """The key's secrets, newest first; none where it is unknown. Raises nothing."""
        self.look()
        keys = self._keys
        return keys.get(scheme_name, keys[""]).get(key_id, ())

    def look(self) -> None:
        """Look at the file where it is time to, as each lookup does: for who watches it while nothing is looked up."""
        if self._clock() - self._looked >= self._interval and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()

    def _look(self) -> None:
        self._looked = self._clock()
        seen = _stamp(self._path)
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._looked
            return
        if seen == self._taken or self._looked - self._seen_at < _SETTLED:
            return
        self._taken = seen
        keys = self._load()
        if isinstance(keys, ConfigError):
            problem, self.is_refused = str(keys), True
            if not _can_be_read(self._path):
                self._taken = ()  # no fault of what it holds, so it need not change to be read the next time
            if problem != self._problem:
                _log.warning("the keys stay as they were: %s", problem)
            self._problem = problem
        elif _stamp(self._path) != seen:
            self._taken = ()  # it changed under way: look again
        else:
            self._keys, self.is_refused, self._problem = keys, False, ""

    def _load(self) -> dict[str, dict[str, tuple[Secret, ...]]] | ConfigError:
        """The secrets by scheme name and key id; those under "" are for all schemes that have no table."""
        if not _is_regular(self._path):
            return ConfigError(
                f"{self._path} is no regular file, and it is read again and again: write the keys to one"
            )
        tables = _read(self._path)
        if isinstance(tables, ConfigError):
            return tables
        if tables.is_empty:
            return ConfigError(f"{self._path}: there is no table of keys: write [keys], even where none is below it")
        names = self._scheme_names
        if problem := tables.problem(self._path, names, self._others):
            return problem
        loaded = {name: _as_secrets(tables.of(name)) for name in (tables.scoped if names is None else names)}
        loaded[""] = _as_secrets(tables.common) if names is None else {}
        return loaded


class _Tables:
    """What a file of keys holds: for all schemes, and for each scheme its own."""

    def __init__(self, common: _Plain, scoped: dict[str, _Plain], is_empty: bool) -> None:
        self.common = common
        self.scoped = scoped
        self.is_empty = is_empty

    def of(self, name: str) -> _Plain:
        """The keys of one scheme."""
        return {**self.common, **self.scoped.get(name, {})}

    def problem(
        self, path: str | Path, scheme_names: Sequence[str] | None, others: Collection[str]
    ) -> ConfigError | None:
        """What is wrong with the names of the tables, or None."""
        for name in self.scoped:
            if scheme_names is not None and name not in scheme_names and name not in others:
                used = ", ".join(scheme_names)
                return ConfigError(f"{path}: [keys-for.{name}] is for a scheme that is not in use: {used} are")
        return None


def _read(path: str | Path) -> _Tables | ConfigError:
    # Problems are returned, all the way up, so that no frame which raises holds a secret.
    _warn_of_writers(Path(path))
    try:
        content: dict[str, Any] = tomllib.loads(decoded(read_whole(Path(path), _LARGEST, "a file of keys")))
    except OSError as error:
        return ConfigError(f"{path}: {error.strerror or 'cannot be read'}")
    except (ValueError, RecursionError) as error:
        # The parser's message may quote the file.
        return ConfigError(
            f'{place_in_toml(path, error)}: not TOML in UTF-8; write [keys] and below it lines such as id = "secret"'
        )
    for table, value in content.items():
        if table not in ("keys", _SCOPED):
            if not isinstance(value, dict):
                return ConfigError(f"{path}: {table!r} stands in no table: write [keys] above it")
            return ConfigError(f"{path}: unknown table {table!r}; there are [keys] and [keys-for.SCHEME]")
    scoped = _as_table(content.get(_SCOPED, {}))
    if scoped is None:
        return ConfigError(f"{path}: write [keys-for.SCHEME], and the keys below it")
    common = _keys_in(path, "keys", content.get("keys", {}))
    if isinstance(common, ConfigError):
        return common
    by_scheme: dict[str, _Plain] = {}
    for name, table in scoped.items():
        if not isinstance(table, dict):
            return ConfigError(
                f"{path}: {name!r} is below [keys-for]: write [keys-for.SCHEME] there, to name the scheme"
            )
        keys = _keys_in(path, f"keys-for.{name}", table)
        if isinstance(keys, ConfigError):
            return keys
        by_scheme[name] = keys
    return _Tables(common, by_scheme, is_empty=not content)


def _is_regular(path: Path) -> bool:
    """Whether it can be read more than once; true of what is not there, which reading says better."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def _can_be_read(path: Path) -> bool:
    if not _is_regular(path):  # opening a pipe waits for who writes
        return True
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _warn_of_writers(path: Path) -> None:
    """Log that others may write the file: whoever does has whatever key they like."""
    try:
        mode = path.stat().st_mode
    except OSError:  # reading it will say so
        return
    if os.name == "posix" and mode & stat.S_IWOTH:
        _log.warning("every user of this machine may write the keys in %s: chmod o-w", path)


def _keys_in(path: str | Path, name: str, table: object) -> _Plain | ConfigError:
    entries = _as_table(table)
    if entries is None:
        return ConfigError(f'{path}: [{name}] is a table: write [{name}] and below it lines such as id = "secret"')
    keys: _Plain = {}
    for key_id, value in entries.items():
        if isinstance(value, dict):
            return ConfigError(f'{path}: [{name}] {key_id!r} is a table: quote key ids that hold a dot, "like.this"')
        secrets: list[Any] = value if isinstance(value, list) else [value]
        if not key_id or not secrets or not all(isinstance(secret, str) and secret for secret in secrets):
            return ConfigError(f"{path}: [{name}] {key_id!r} is a text or a list of texts, none of them empty")
        keys[key_id] = secrets
    return keys


def _as_table(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _as_secrets(keys: _Plain) -> dict[str, tuple[Secret, ...]]:
    return {key_id: tuple(map(Secret, secrets)) for key_id, secrets in keys.items()}


def _stamp(path: Path) -> _Stamp | None:
    """What changes with the file; None where it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
