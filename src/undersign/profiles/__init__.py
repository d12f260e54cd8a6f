"""Profiles: a scheme, a key id and the place of a secret under one name, in a file of the user's.

    config.toml ──> Profiles ──> Profile ── credential() ──> Credential: the secret is read now
    [profiles.demo]              no secret in it             and goes to the profile's origins alone

The command line, the clients' `from_profile` and the proxy read the same file.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import ConfigError
from .profile import Profile
from .reading import find_profile
from .where import config_file

__all__ = ["Profile", "config_file", "load_profile"]

_log = logging.getLogger("undersign")


def load_profile(profile: str | Profile, config: str | Path | None = None) -> Profile:
    """The profile of that name, in the file `config`; see `config_file` for where it is else. No secret is read yet.
    One that is loaded already is taken as it is.

    Raises ConfigError, which names file, line, table and key with the remedy, for a file that cannot be read, a name
    that is not there and whatever is wrong with the profile. What is risky about it is logged as a warning.
    """
    if isinstance(profile, Profile):
        return profile
    if not isinstance(profile, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # a caller may have no types
        raise ConfigError(f"a profile is its name, as text, or a Profile, not {type(profile).__name__}")
    found = find_profile(profile, config)
    if isinstance(found, ConfigError):
        raise found
    for risk in found.risks:
        _log.warning("%s", risk)
    return found
