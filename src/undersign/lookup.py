"""The secrets of a key, from what a verifier is given as `keys`: hidden at once, and checked before they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from .credentials import Secret, seal
from .errors import ConfigError
from .scheme import Scheme, unusable_secret

# Goes the way of a known key's secrets, and is thrown away.
_STAND_IN = (Secret("no such key"),)


def sealed_keys(keys: Any) -> Any:
    """A copy of the mapping with each secret hidden, or with what is wrong with it in its place. Raises nothing."""
    if callable(keys):
        return keys
    if not isinstance(keys, Mapping):
        return ConfigError(f"keys is a mapping or a callable, not {type(keys).__name__}")
    return {
        key: {key_id: _sealed(item) for key_id, item in value.items()} if isinstance(value, Mapping) else _sealed(value)
        for key, value in keys.items()
    }


def _sealed(value: Any) -> Secret | ConfigError | tuple[Secret | ConfigError, ...]:
    return tuple(seal(item) for item in value) if _is_sequence(value) else seal(value)


def known_secrets(keys: Any, schemes: Sequence[Scheme]) -> dict[tuple[str, str], tuple[Secret, ...]]:
    """The secrets of each key id and scheme name, from the sealed mapping. Raises ConfigError for its faults."""
    if isinstance(keys, ConfigError):
        raise keys
    names = [scheme.name for scheme in schemes]
    scoped = [isinstance(value, Mapping) for value in keys.values()]
    if any(scoped) and not all(scoped):
        raise ConfigError("keys mixes secrets with mappings by scheme name: use one or the other")
    by_scheme = cast("Mapping[str, Mapping[str, Any]]", keys if any(scoped) else dict.fromkeys(names, keys))
    for name in by_scheme:
        if name not in names:
            raise ConfigError(f"keys are given for the scheme {name!r}, which is not verified: {', '.join(names)} are")
    return {
        (key_id, scheme.name): _checked_secrets(key_id, value, scheme)
        for scheme in schemes
        for key_id, value in by_scheme.get(scheme.name, {}).items()
    }


def _checked_secrets(key_id: object, value: Any, scheme: Scheme) -> tuple[Secret, ...]:
    if not isinstance(key_id, str) or not key_id:
        raise ConfigError(f"the key id {key_id!r} is not text, or is empty")
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        raise ConfigError(f"the key {key_id!r} has no secret: give it one, or leave the key out")
    for secret in values:
        if isinstance(secret, ConfigError):
            raise ConfigError(f"the key {key_id!r}: {secret}")
        if flaw := unusable_secret(scheme, secret):
            raise ConfigError(f"the key {key_id!r}: {flaw}; a key for another scheme goes below that scheme's name")
    return values


def as_secrets(found: Any, scheme: Scheme | None) -> tuple[Secret, ...] | ConfigError:
    """What a lookup returned, as secrets, or what is wrong with one; an empty one is no secret at all."""
    known = bool(found)
    if not known:
        found = _STAND_IN  # for the work of a known key, since the time would tell
    secrets: list[Secret] = []
    for value in found if _is_sequence(found) else (found,):
        if isinstance(value, Secret) or value:
            secret = seal(value)
            if isinstance(secret, ConfigError):
                return secret
            if scheme and (flaw := unusable_secret(scheme, secret)) and known:
                return flaw
            secrets.append(secret)
    sealed = tuple(secrets)
    return sealed if known else ()


def unsealed(secrets: tuple[Secret, ...] | ConfigError) -> tuple[Secret, ...]:
    """The secrets. Raises the error that stands in their place."""
    if isinstance(secrets, ConfigError):
        raise secrets
    return secrets


def _is_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
    )
