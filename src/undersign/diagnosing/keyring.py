"""The keys, as a diagnosis needs them: those of the key that a request names, and all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

from ..core.credentials import Secret, as_secret
from ..core.message import Request
from ..verifying.lookup import Keys, as_secrets, asker, usable

_SHORT = 5  # a key id with less letters has too many neighbours
_MOST_COMPARED = 2_000


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

    def whose_secret(self, text: str, scheme: str) -> str:
        """The key id whose secret a text is, empty where it is nobody's."""
        found = text.encode("utf-8", "surrogatepass")
        return next((owner for name, owner, secret in self._all() if secret == found and name in (None, scheme)), "")

    def nearest(self, key_id: str, scheme: str) -> str:
        """The one key id that an unknown one is likely to be meant by, empty where there is none: it differs in case,
        in white space, in escapes, or in one or two letters."""
        known = [owner for name, owner, _ in self._all() if name is None or name == scheme]
        if callable(self._keys):
            spellings = (key_id.strip(), unquote(key_id), key_id.strip("'\"<> \t"), key_id.lower(), key_id.upper())
            return next((other for other in spellings if other != key_id and self.secrets(other, scheme)), "")
        plain = _plain(key_id)
        same = list(dict.fromkeys(owner for owner in known if _plain(owner) == plain))
        if len(same) == 1:
            return same[0]
        most = 2 if len(plain) > _SHORT else 1
        close = {
            owner: distance
            for owner in dict.fromkeys(known[:_MOST_COMPARED])
            if abs(len(owner) - len(plain)) <= most
            and len({*plain} ^ {*_plain(owner)}) <= 2 * most
            and (distance := _distance(plain, _plain(owner))) <= most
        }
        best = [owner for owner, distance in close.items() if distance == min(close.values())]
        return best[0] if len(best) == 1 and min(len(plain), len(best[0])) > 2 else ""

    def _all(self) -> Iterator[tuple[str | None, str, bytes]]:
        if callable(self._keys):
            return
        for name, value in self._keys.items():
            if isinstance(value, Mapping):
                for key_id, held in cast("Mapping[str, Any]", value).items():
                    yield from ((name, key_id, secret) for secret in _revealed(held))
            else:
                yield from ((None, name, secret) for secret in _revealed(value))


def _plain(key_id: str) -> str:
    return unquote(key_id).strip("'\"<> \t\r\n").casefold()


def _distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out, changed, or exchanged with the next one."""
    before: list[int] = []
    above, rows = list(range(len(other) + 1)), len(one)
    for row in range(1, rows + 1):
        current = [row]
        for column, letter in enumerate(other, 1):
            changed = above[column - 1] + (one[row - 1] != letter)
            cost = min(above[column] + 1, current[-1] + 1, changed)
            if row > 1 and column > 1 and one[row - 1] == other[column - 2] and one[row - 2] == letter:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]


def _revealed(held: Any) -> Iterator[bytes]:
    if held is None:
        return
    single = isinstance(held, (str, bytes, bytearray, Secret)) or not isinstance(held, Sequence)
    for value in cast("Iterable[Any]", (held,) if single else held):
        secret = as_secret(value)
        if isinstance(secret, Secret):
            yield secret.reveal()
