"""The keys, as a diagnosis needs them: those of the key that a request names, and all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from ..core.credentials import Secret, as_secret
from ..core.message import Request
from ..verifying.lookup import Keys, as_secrets, asker, usable


class KeyRing:
    """What a Verifier takes as `keys`, and has checked; `head` is for a lookup that wants it."""

    def __init__(self, keys: Keys, head: Request) -> None:
        self._keys = keys
        self._head = head

    def secrets(self, key_id: str, scheme: str) -> tuple[bytes, ...]:
        """The key's secrets, newest first; none where it is unknown, or the lookup fails."""
        if callable(self._keys):
            try:
                found = usable(as_secrets(asker(self._keys)(key_id, scheme, self._head), None))
                return tuple(secret.reveal() for secret in found.secrets)
            except Exception:  # whatever a caller's lookup raises; the verifier reports it as unavailable
                return ()
        return tuple(
            secret for name, owner, secret in self._all() if owner == key_id and (name is None or name == scheme)
        )

    def others(self, key_id: str, scheme: str) -> list[tuple[str, bytes]]:
        """The secrets of every other key, each with its key id; a lookup does not tell."""
        own = set(self.secrets(key_id, scheme))
        return [(owner, secret) for _, owner, secret in self._all() if secret not in own]

    def _all(self) -> Iterator[tuple[str | None, str, bytes]]:
        if callable(self._keys):
            return
        for name, value in self._keys.items():
            if isinstance(value, Mapping):
                for key_id, held in cast("Mapping[str, Any]", value).items():
                    yield from ((name, key_id, secret) for secret in _revealed(held))
            else:
                yield from ((None, name, secret) for secret in _revealed(value))


def _revealed(held: Any) -> Iterator[bytes]:
    if held is None:
        return
    single = isinstance(held, (str, bytes, bytearray, Secret)) or not isinstance(held, Sequence)
    for value in cast("Iterable[Any]", (held,) if single else held):
        secret = as_secret(value)
        if isinstance(secret, Secret):
            yield secret.reveal()
