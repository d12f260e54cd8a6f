"""The digest of a string to sign that is put together as clients do it, and the search of a time that is not sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ..parts.macs import keyed_hashes, new_hash
from .search import Budget
from .wholes import recoded


class _Mark:
    """What stands in a list of parts for what is put in later."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


SECRET, TIME = _Mark("secret"), _Mark("time")

Seconds = tuple[str, Callable[[int], Sequence[bytes]]]
"""How a second is written: its name, and the one spelling or several that it may have."""
WHOLE: Seconds = ("seconds", lambda second: (b"%d" % second,))

Parts = Mapping[Any, Any]
"""The parts of a string to sign by their places, each bytes, SECRET, TIME or None where it is left out; and `order`,
`join`, `end`, `text`, `mac`, `secret` and `time`."""


class Formula:
    """How a digest of this length comes of parts.

    `order` holds places of parts, or bytes that stand between them. `algorithm` is the hash that the length tells.
    `is_it` says of a digest whether it is the one, where that was not sent whole.
    """

    def __init__(
        self, digest: bytes, algorithm: str, right: Parts | None = None, is_it: Callable[[bytes], bool] | None = None
    ) -> None:
        self.is_it: Callable[[bytes], bool] = is_it or digest.__eq__
        self.algorithm = algorithm
        # Nearly all of what is tried has the right order.
        self._order = right["order"] if right and len(right["order"]) > 1 else None
        self._take = itemgetter(*self._order) if self._order else tuple
        self._is_keyed = right is not None and SECRET in right.values()
        self._written: dict[range, list[bytes]] = {}  # the same seconds are tried beside many changes

    def string(self, parts: Parts) -> bytes:
        """The string to sign, without a time that is not sent."""
        before, _, behind = self._around(parts)
        return before + behind

    def fits(self, parts: Parts) -> bool:
        """Whether the digest is that of these parts."""
        if parts["secret"] is None:
            return False
        order = parts["order"]
        if order == self._order:
            texts = self._take(parts)
            if self._is_keyed or None in texts:
                texts = [parts["secret"] if text is SECRET else text for text in texts if text is not None]
        else:
            texts = [parts["secret"] if text is SECRET else text for text in _texts(parts, order)]
        string: bytes = parts["join"].join(texts) + parts["end"]
        if parts["text"]:
            string = recoded(parts["text"], string)
        return self.is_it(self._mac(parts, string))

    def which(self, parts: Parts, several: Sequence[Parts]) -> int | None:
        """Which of several further changes, all of the same pieces, gives the digest beside these parts; its place.

        Nearly all the time of a search for two changes is spent here.
        """
        keys = several[0].keys() if several else ()
        if list(keys) == ["secret"]:
            return self._secret_of(parts, [change["secret"] for change in several])
        order, secret, mac = parts["order"], parts["secret"], parts["mac"]
        places = {place: order.index(place) for place in keys if type(place) is int and order.count(place) == 1}
        if len(places) < len(keys) or mac not in ("hmac", "hash") or parts["text"] or secret is None:
            return next((place for place, change in enumerate(several) if self.fits({**parts, **change})), None)
        texts: list[Any] = [parts[place] if type(place) is int else place for place in order]
        texts = [secret if text is SECRET else text for text in texts]
        may_lack = None in texts or any(None in change.values() for change in several)
        join, end, is_it = parts["join"], parts["end"], self.is_it
        inner, outer = keyed_hashes(secret, self.algorithm) if mac == "hmac" else (new_hash(self.algorithm), None)
        for number, change in enumerate(several):
            for place, at in places.items():
                texts[at] = change[place]
            found = inner.copy()
            found.update(join.join([text for text in texts if text is not None] if may_lack else texts) + end)
            if outer is not None:
                last = outer.copy()
                last.update(found.digest())
                found = last
            if is_it(found.digest()):
                return number
        return None

    def _secret_of(self, parts: Parts, secrets: Sequence[bytes]) -> int | None:
        """Which of the secrets gives the digest of these parts, whose string holds it once at most; its place."""
        if SECRET in parts.values():
            return self._secret_inside(parts, secrets)
        before, _, _ = self._around(parts)
        string = recoded(parts["text"], before) if parts["text"] else before
        is_it, algorithm = self.is_it, self.algorithm
        if parts["mac"] != "hmac":
            for place, secret in enumerate(secrets):
                if is_it(self._mac({**parts, "secret": secret}, string)):
                    return place
            return None
        for place, secret in enumerate(secrets):
            inner, outer = keyed_hashes(secret, algorithm)
            inner, outer = inner.copy(), outer.copy()
            inner.update(string)
            outer.update(inner.digest())
            if is_it(outer.digest()):
                return place
        return None

    def _secret_inside(self, parts: Parts, secrets: Sequence[bytes]) -> int | None:
        if parts["mac"] != "hash" or parts["text"]:
            return next((place for place, secret in enumerate(secrets) if self.fits({**parts, "secret": secret})), None)
        # What stands before, between and behind the places of the secret, which is put between all of them.
        around: list[list[bytes]] = [[]]
        for text in _texts(parts, parts["order"]):
            if text is SECRET:
                around[-1].append(b"")
                around.append([b""])
            else:
                around[-1].append(text)
        before, *behind = (parts["join"].join(texts) for texts in around)
        if not behind:
            return 0 if secrets and self.fits(parts) else None
        behind[-1] += parts["end"]
        is_it, prefix = self.is_it, new_hash(self.algorithm, before)
        for place, secret in enumerate(secrets):
            found = prefix.copy()
            found.update(secret.join((b"", *behind)))
            if is_it(found.digest()):
                return place
        return None

    def _around(self, parts: Parts) -> tuple[bytes, bool, bytes]:
        """What stands before and behind the time, and whether that is in it at all."""
        join, end = parts["join"], parts["end"]
        texts = [parts["secret"] if text is SECRET else text for text in _texts(parts, parts["order"])]
        if TIME not in texts:
            return join.join(texts) + end, False, b""
        place = texts.index(TIME)
        before: bytes = join.join([*texts[:place], b""])
        behind: bytes = join.join([b"", *(b"" if text is TIME else text for text in texts[place + 1 :])])
        return before, True, behind + end

    def _mac(self, parts: Parts, string: bytes) -> bytes:
        mac, algorithm, secret = parts["mac"], self.algorithm, parts["secret"]
        if mac == "hmac":
            return _hmac(algorithm, secret, string)
        if mac == "hash":
            return new_hash(algorithm, string).digest()  # type: ignore[no-any-return]
        if isinstance(mac, tuple):
            key = parts[mac[1]]
            return _hmac(algorithm, key if isinstance(key, bytes) else b"", string)
        return _MACS[mac](algorithm, secret, string)

    # A time that is not sent

    def second(self, parts: Parts, seconds: range, budget: Budget) -> int | None:
        """The second whose digest this is, None where it is none of these."""
        if parts["secret"] is None or not seconds:
            return None
        before, is_there, behind = self._around(parts)
        if not is_there:
            return seconds[0] if budget.take() and self.fits(parts) else None
        name, write = parts["time"]
        mac = parts["mac"]
        is_plain = mac in ("hash", "hmac") and not parts["text"]
        cost = (1 if mac == "hash" else 2) if is_plain else 5
        cost *= 1 + len(behind) // 512
        if not is_plain:
            cost += len(before) // 512
        if not budget.take(len(seconds) * cost):
            return None
        if is_plain and name == "seconds":
            return self._search(parts, before, seconds, behind)
        for second in seconds:
            times = write(second)
            if not budget.take((len(times) - 1) * cost):
                return None
            for time in times:
                string = before + time + behind
                if parts["text"]:
                    string = recoded(parts["text"], string)
                if self.is_it(self._mac(parts, string)):
                    return second
        return None

    def _search(self, parts: Parts, before: bytes, seconds: range, behind: bytes) -> int | None:
        """The same for whole seconds: what stands before them is hashed once."""
        outer = None
        if parts["mac"] == "hmac":
            inner, outer = keyed_hashes(parts["secret"], self.algorithm)
            prefix = inner.copy()
            prefix.update(before)
        else:
            prefix = new_hash(self.algorithm, before)
        is_it, copy = self.is_it, prefix.copy
        if seconds not in self._written:
            self._written[seconds] = [b"%d" % second for second in seconds]
        written = self._written[seconds]
        strings = [time + behind for time in written] if behind else written
        for place, string in enumerate(strings):
            found = copy()
            found.update(string)
            if outer is not None:
                last = outer.copy()
                last.update(found.digest())
                found = last
            if is_it(found.digest()):
                return seconds[place]
        return None


def _texts(parts: Parts, order: Sequence[Any]) -> list[Any]:
    found = [parts[place] if type(place) is int else place for place in order]
    return [text for text in found if text is not None] if None in found else found


def _hmac(algorithm: str, secret: bytes, string: bytes) -> bytes:
    inner, outer = keyed_hashes(secret, algorithm)
    inner, outer = inner.copy(), outer.copy()
    inner.update(string)
    outer.update(inner.digest())
    digest: bytes = outer.digest()
    return digest


def _hash(algorithm: str, string: bytes) -> bytes:
    digest: bytes = new_hash(algorithm, string).digest()
    return digest


_MACS: dict[str, Callable[[str, bytes, bytes], bytes]] = {
    "swapped": lambda name, secret, string: _hmac(name, string, secret),
    "secret first": lambda name, secret, string: _hash(name, secret + string),
    "secret last": lambda name, secret, string: _hash(name, string + secret),
    "secret on its line": lambda name, secret, string: _hash(name, secret + b"\n" + string),
    "secret on the last line": lambda name, secret, string: _hash(name, string + b"\n" + secret),
    "secret first and last": lambda name, secret, string: _hash(name, secret + string + secret),
    "of hash in hex": lambda name, secret, string: _hmac(name, secret, _hash(name, string).hex().encode()),
    "of hash": lambda name, secret, string: _hmac(name, secret, _hash(name, string)),
    "hash of HMAC": lambda name, secret, string: _hash(name, _hmac(name, secret, string)),
    "hash of HMAC in hex": lambda name, secret, string: _hash(name, _hmac(name, secret, string).hex().encode()),
    "of nothing": lambda name, secret, string: _hmac(name, secret, b""),
    "hash of nothing": lambda name, secret, string: _hash(name, b""),
    "HMAC twice": lambda name, secret, string: _hmac(name, secret, _hmac(name, secret, string).hex().encode()),
}


def _twice(write: Callable[[bytes], bytes]) -> Callable[[str, bytes, bytes], bytes]:
    return lambda name, secret, string: _hash(name, write(_hash(name, string)))


_MACS["twice in hex"] = _twice(lambda digest: digest.hex().encode())
_MACS["twice in HEX"] = _twice(lambda digest: digest.hex().upper().encode())
_MACS["twice"] = _twice(lambda digest: digest)
