"""Which file the profiles are in."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError

VARIABLE = "UNDERSIGN_CONFIG"


def config_file(given: str | Path | None = None) -> Path:
    """The file that profiles are read from: the one that is given, else that of the variable UNDERSIGN_CONFIG, else
    `undersign/config.toml` in the user's folder for configuration.

    That folder is `$XDG_CONFIG_HOME`, where it is an absolute path, else `~/.config`; on Windows it is `%APPDATA%`.
    Nothing is opened. XDG Base Directory Specification 0.8, section 3. Raises ConfigError where the home that it is in
    is not known.
    """
    chosen = given or os.environ.get(VARIABLE)
    try:
        return Path(chosen).expanduser() if chosen else _folder() / "undersign" / "config.toml"
    except RuntimeError:
        where = f"{chosen}: whose home that is, is not known" if chosen else "your home folder is not known"
        raise ConfigError(f"{where}: name the file of profiles in full, with --config or {VARIABLE}") from None


def expanded(name: str) -> Path:
    """The path, a `~` in front being the home of the user, or of the one behind it. Where that is not known, the path
    is taken as it is written, as a shell takes it."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _folder() -> Path:
    if os.name == "nt" and os.environ.get("APPDATA"):
        return Path(os.environ["APPDATA"])
    folder = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return folder if folder.is_absolute() else Path.home() / ".config"  # a relative one is to be ignored
