"""Keys in environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..core.credentials import Secret, as_secret
from ..errors import ConfigError

_SECRET_SUFFIX = re.compile(r"_SECRET(?:_([1-9][0-9]*))?")


class EnvironmentKeys:
    """The keys in environment variables, read once: for a Verifier's `keys`.

    With the prefix `UNDERSIGN_KEY_`, a key that is called SHOP there has these:

    - `UNDERSIGN_KEY_SHOP_ID`: its key id.
    - `UNDERSIGN_KEY_SHOP_SECRET`: its secret; `…_SECRET_2`, `…_SECRET_3` are older ones, for rotation.
    - `UNDERSIGN_KEY_SHOP_SCHEMES`: the names of the schemes that it is for, between spaces. All schemes where it is not
      set.

    Raises ConfigError, without a secret in it, where there is no key or a variable that does not belong to one.
    """

    def __init__(self, prefix: str = "UNDERSIGN_KEY_", *, environ: Mapping[str, str] | None = None) -> None:
        keys = _from_environment(prefix, os.environ if environ is None else environ)
        del environ
        if isinstance(keys, ConfigError):
            raise keys
        self._keys = keys

    def __call__(self, key_id: str, scheme_name: str) -> tuple[Secret, ...]:
        """The key's secrets, newest first; none where it is unknown. Raises nothing."""
        return self._keys.get((key_id, scheme_name)) or self._keys.get((key_id, ""), ())


def _from_environment(
    prefix: str, environ: Mapping[str, str]
) -> dict[tuple[str, str], tuple[Secret, ...]] | ConfigError:
    """The secrets by key id and scheme name, "" for all schemes; or what is wrong."""
    left = {name for name in environ if name.startswith(prefix)}
    # A name may end in _ID itself, so the longest come first: A_ID_ID belongs to A_ID, not to A.
    called = sorted((name[len(prefix) : -3] for name in left if name.endswith("_ID")), key=len, reverse=True)
    keys: dict[tuple[str, str], tuple[Secret, ...]] = {}
    for name in called:
        stem = f"{prefix}{name}"
        left.discard(f"{stem}_ID")
        numbered: dict[int, Secret] = {}
        for variable in sorted(left):
            match = _SECRET_SUFFIX.fullmatch(variable.removeprefix(stem)) if variable.startswith(stem) else None
            if match is None:
                continue
            secret = as_secret(os.fsencode(environ[variable]))
            if isinstance(secret, ConfigError):
                return ConfigError(f"the environment variable {variable}: {secret}")
            if numbered.setdefault(int(match[1] or 1), secret) is not secret:
                return ConfigError(f"the environment variables {stem}_SECRET and {variable} are the same: set one")
            left.discard(variable)
        key_id = environ[f"{stem}_ID"]
        if not key_id or not numbered:
            return ConfigError(f"the environment variables {stem}_ID and {stem}_SECRET go together, neither empty")
        left.discard(f"{stem}_SCHEMES")
        schemes = environ.get(f"{stem}_SCHEMES")
        if schemes is not None and not schemes.split():
            return ConfigError(f"the environment variable {stem}_SCHEMES is empty: name schemes, or leave it out")
        for scheme in [""] if schemes is None else schemes.split():
            if (key_id, scheme) in keys:
                return ConfigError(f"two keys below {prefix} have the key id {key_id!r}: number the secrets of one")
            keys[key_id, scheme] = tuple(numbered[number] for number in sorted(numbered))
    if left:
        return ConfigError(f"the environment variable {min(left)} belongs to no key: there is none with its _ID")
    if not keys:
        return ConfigError(
            f"there is no environment variable {prefix}…_ID: set {prefix}SHOP_ID and {prefix}SHOP_SECRET, "
            "SHOP being a name of your own"
        )
    return keys
