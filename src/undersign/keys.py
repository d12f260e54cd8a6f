"""Key sources that do I/O: a TOML file."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

from .errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SCOPED = "keys-for"


def load_keys(
    path: str | Path, scheme_names: Sequence[str], *, others: Collection[str] = ()
) -> dict[str, dict[str, list[str]]]:
    """The keys in a TOML file, by scheme name and key id, newest secret first: what a Verifier takes.

    `[keys]` holds `id = "secret"` or `id = ["new", "old"]` for all schemes, `[keys-for.NAME]` the same for one. A
    key in both has the secrets of its own scheme's table alone. `scheme_names` are the schemes in use; a table for
    one of the `others` is left alone, and one for any other name is a mistake. Raises ConfigError, without a secret
    in it, for a file that cannot be read or has another shape.
    """
    try:
        content: dict[str, Any] = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except ValueError:
        # The parser's message may quote the file.
        raise ConfigError(f'{path}: not TOML in UTF-8; write [keys] and below it lines such as id = "secret"') from None
    for table in content:
        if table not in ("keys", _SCOPED):
            raise ConfigError(f"{path}: unknown table {table!r}; there are [keys] and [keys-for.SCHEME]")
    common = _table(path, "keys", content.get("keys", {}))
    scoped = _as_table(content.get(_SCOPED, {}))
    if scoped is None:
        raise ConfigError(f"{path}: write [keys-for.SCHEME], and the keys below it")
    for name in scoped:
        if name not in scheme_names and name not in others:
            raise ConfigError(
                f"{path}: [keys-for.{name}] is for a scheme that is not in use: {', '.join(scheme_names)} are"
            )
    return {name: {**common, **_table(path, f"keys-for.{name}", scoped.get(name, {}))} for name in scheme_names}


def _table(path: str | Path, name: str, table: object) -> dict[str, list[str]]:
    entries = _as_table(table)
    if entries is None:
        raise ConfigError(f'{path}: [{name}] is a table: write [{name}] and below it lines such as id = "secret"')
    keys: dict[str, list[str]] = {}
    for key_id, value in entries.items():
        if isinstance(value, dict):
            raise ConfigError(f'{path}: [{name}] {key_id!r} is a table: quote key ids that hold a dot, "like.this"')
        secrets: list[Any] = value if isinstance(value, list) else [value]
        if not key_id or not secrets or not all(isinstance(secret, str) and secret for secret in secrets):
            raise ConfigError(f"{path}: [{name}] {key_id!r} is a text or a list of texts, none of them empty")
        keys[key_id] = secrets
    return keys


def _as_table(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
