"""The string that a client says it has signed, beside the one that is right, and where the two part ways.

Either may hold what a ticket must not: the secret where it is one of the parts, a body, a cookie. The right one says
what that is, and the same bytes are hidden in the client's. Where the secret is among the parts and is not known, all
of the client's string that is not as expected may be the secret, so none of that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.text import agreement
from ..scheme import Part
from .aligning import Pairing, align
from .explanation import Explanation
from .readings import Reading, readings
from .showing import Span, private_spans, shown_bytes, shown_part, shown_pieces, spans_like, spans_of, visible

_SECRET = b"\0"
# What people write where a secret stands when they print it.
_MASKED = re.compile(
    rb"\0|<[^<>]{0,40}>|\{[^{}]{0,40}\}|\[[^][]{0,40}\]|\$?\w*(?i:secret)\w*|\*+|[xX]{3,}|\.{3,}|(?:\xe2\x80\xa6)+"
)
_PLACEHOLDER = re.compile(rb"<[A-Za-z_]\w*>")
_DIGEST = re.compile(rb"[A-Za-z0-9+/=_-]{0,130}\r?\n?")
# What might be a secret: long, and no word.
_TOKEN = re.compile(rb"(?=[^\s/?&:;,]*[0-9])(?=[^\s/?&:;,]*[A-Za-z])[^\s/?&:;,]{8,}|[^\s/?&:;,]{20,}")
_SHORTEST_HIDDEN = 6
_AROUND = 1024
_LONGEST_FILLED = 64 * 1024


@dataclass(frozen=True, slots=True)
class Compared:
    """One part of the string to sign, or several that cannot be told apart in the client's, as both have it."""

    parts: tuple[str, ...]
    expected: str
    signed: str
    same: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the client's string first differs: byte `offset` of it, byte `offset_in_part` of the part, from 0.

    `expected` and `signed` are the part as both have it, safe to be shown, and the marks are the places in those texts
    where they differ: None where that is hidden. `expected_byte` and `signed_byte` are the bytes there, as `0x41` or
    `past the end`, and empty where they are private. It is not `certain` where it is behind a secret whose length is
    not known; then the offsets hold if the rest is as long as it should be.
    """

    part: str
    offset: int
    offset_in_part: int
    expected: str
    signed: str
    expected_mark: int | None
    signed_mark: int | None
    expected_byte: str
    signed_byte: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """The client's string to sign beside the right one. `str()` is for a ticket, `as_json()` the same as values.

    `reading` has the codes of what was done to the bytes that were given: none where they are taken as they stand.
    `secret_compared` is False where the secret is among the parts, and what the client has there could not be told to
    be right. `gives_signature` says whether the client's string, with the secret that is known, gives the signature
    that was sent; None where that was not tried. `mistakes` says what else the client did, in sentences, where its
    string gives that signature with another secret, MAC or encoding.
    """

    same: bool
    reading: tuple[str, ...]
    read_as: str
    expected_length: int
    signed_length: int
    compared: tuple[Compared, ...]
    difference: Difference | None
    secret_compared: bool = True
    gives_signature: bool | None = None
    mistakes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    @property
    def conclusion(self) -> str:
        """What follows of the signature, in one or two sentences; empty where it was not tried."""
        if self.gives_signature is None:
            return ""
        if self.gives_signature:
            if self.same:
                return "With the secret it gives the signature that was sent: string, secret and MAC are right."
            return (
                "With the secret it gives the very signature that was sent: secret and MAC are right, and the "
                "difference is the cause."
            )
        if self.mistakes:
            also = "" if self.same else ", and the difference is one too"
            return f"It gives the signature that was sent with another mistake{also}. {' '.join(self.mistakes)}"
        if self.same:
            return (
                "With the secret it does not give the signature that was sent, so the secret, the MAC or its encoding "
                "is another, or the client has signed another string than this."
            )
        return (
            "With the secret it does not give the signature that was sent either: the secret, the MAC or its encoding "
            "differs too, or the client has signed another string than this."
        )

    def as_json(self) -> dict[str, Any]:
        """What `str()` shows, as values for JSON."""
        found = self.difference
        return {
            "same": self.same,
            "reading": list(self.reading),
            "expected_length": self.expected_length,
            "signed_length": self.signed_length,
            "difference": None
            if found is None
            else {
                "part": found.part,
                "offset": found.offset,
                "offset_in_part": found.offset_in_part,
                "expected": found.expected,
                "signed": found.signed,
                "expected_byte": found.expected_byte,
                "signed_byte": found.signed_byte,
                "certain": found.certain,
            },
            "parts": [
                {"names": list(pair.parts), "expected": pair.expected, "signed": pair.signed, "same": pair.same}
                for pair in self.compared
            ],
            "secret_compared": self.secret_compared,
            "gives_signature": self.gives_signature,
            "mistakes": list(self.mistakes),
        }

    def _lines(self) -> Iterator[str]:
        yield f"The client's string: {self.signed_length} bytes, read {self.read_as}"
        if self.same:
            yield "  the same as is expected" + ("" if self.secret_compared else ", the secret aside")
        for pair in self.compared:
            if not pair.same:
                yield from self._beside(pair)
        same = [_name(name) for pair in self.compared if pair.same for name in pair.parts]
        if same and not self.same:
            yield f"  the same: {', '.join(same)}"
        if self.difference is not None:
            yield self._first(self.difference)
        if self.reading and self.gives_signature is None:
            yield "If the client signs the bytes of the file as they stand, and not only prints them so, they differ."
        if self.conclusion:
            yield self.conclusion

    def _beside(self, pair: Compared) -> Iterator[str]:
        yield f"  {', '.join(map(_name, pair.parts))}"
        yield f"    expected  {pair.expected}".rstrip()
        yield f"    client's  {pair.signed}".rstrip()
        found = self.difference
        if found is not None and found.part in pair.parts and found.signed_mark is not None:
            yield f"              {' ' * found.signed_mark}^"

    def _first(self, found: Difference) -> str:
        if not found.certain:
            return f"First difference: {_name(found.part)}, or the secret, whose end is not known"
        there = f": {found.expected_byte} is expected, {found.signed_byte} is there" if found.expected_byte else ""
        return (
            f"First difference: {_name(found.part)}, byte {found.offset_in_part} of it and byte {found.offset} of the "
            f"client's string{there}"
        )


def compare(
    explanation: Explanation,
    signed: bytes,
    *,
    secrets: Sequence[bytes] = (),
    hidden: Sequence[bytes] = (),
    gives_signature: Callable[[bytes], bool] | None = None,
) -> Comparison:
    """The string that a client has signed, as it has printed it, beside that of the explanation.

    Of what its bytes may stand for (see `readings`) that is taken which gives the signature that was sent, as
    `gives_signature` says; else its own bytes where they are right, else what is right, else what is right the
    furthest. `secrets` are those that are known, in all forms that give them away, the first being what stands in the
    string where a scheme has the secret among its parts. They and `hidden` are shown nowhere in the client's string.
    `undersign.diagnosing.strings.beside` is one call that does it all.
    """
    found = [_Pair(explanation, reading, secrets, hidden) for reading in readings(signed)]
    fits = gives_signature or (lambda _: False)
    for pair in found:
        # Where a secret is masked in what is right for the rest, the scheme puts the one that is known there.
        pair.fits = fits(explanation.canonical if pair.same else pair.reading.value)
    best = max(
        found, key=lambda pair: (pair.fits, pair.same, pair.agreed, pair.agreed_behind, -len(pair.reading.steps))
    )
    return best.comparison(None if gives_signature is None else best.fits)


class _Pair:
    """Both strings, the client's in one reading."""

    def __init__(
        self, explanation: Explanation, reading: Reading, secrets: Sequence[bytes], hidden: Sequence[bytes]
    ) -> None:
        self.reading, self.fits = reading, False
        self._parts, self._signed, self._secrets = explanation.parts, reading.value, tuple(dict.fromkeys(secrets))
        self._hidden = hidden
        self._values, self._hides_all = _with_secret(explanation, reading.value, secrets[0] if secrets else None)
        self._expected = b"".join(self._values)
        self.same = self._expected == self._signed
        self.agreed = agreement(self._expected, self._signed)
        self.agreed_behind = agreement(self._expected[::-1], self._signed[::-1])

    def comparison(self, gives_signature: bool | None) -> Comparison:
        pairings = align(self._values, self._signed)
        private = [*self._hidden, *self._private_values()]
        return Comparison(
            self.same,
            self.reading.steps,
            str(self.reading),
            len(self._expected),
            len(self._signed),
            tuple(self._compared(pairing, private) for pairing in pairings),
            None if self.same else self._difference(pairings, private),
            not self._hides_all,
            gives_signature,
        )

    def _private_values(self) -> Iterator[bytes]:
        for part, value in zip(self._parts, self._values, strict=True):
            if part.shown and part.name not in ("secret", "body"):
                yield value.rstrip(b"\n")
            spans = () if part.shown else private_spans(value, part.name)
            yield from (value[start:end] for start, end in spans if end - start >= _SHORTEST_HIDDEN)

    def _compared(self, pairing: Pairing, private: Sequence[bytes]) -> Compared:
        parts, value = self._parts[pairing.first : pairing.last], self._signed[pairing.start : pairing.end]
        expected = "".join(map(shown_part, parts))
        same = b"".join(self._values[pairing.first : pairing.last]) == value
        signed = expected if same else shown_bytes(value, self._spans(pairing, private))
        return Compared(tuple(part.name for part in parts), expected, signed, same)

    def _spans(self, pairing: Pairing, private: Sequence[bytes]) -> list[Span]:
        """What of the client's bytes there is not to be shown."""
        parts, value = self._parts[pairing.first : pairing.last], self._signed[pairing.start : pairing.end]
        if not value:
            return []
        if self._hides_all or any(part.shown for part in parts):
            return [(0, len(value))]
        if any("digest" in part.name for part in parts) and not _DIGEST.fullmatch(value):  # the body itself
            return [(0, len(value))]
        spans = [*private_spans(value, parts[0].name), *spans_of(value, private), *spans_like(value, self._secrets)]
        if not self._secrets:
            spans += self._doubtful(pairing, value)
        return spans

    def _doubtful(self, pairing: Pairing, value: bytes) -> list[Span]:
        """What may be a secret that is not known: where it is more than the part that is expected."""
        own = b"".join(self._values[pairing.first : pairing.last]).rstrip(b"\n")
        place = value.find(own)
        surplus = [(0, len(value))] if place < 0 else [(0, place), (place + len(own), len(value))]
        if place < 0 and pairing.last - pairing.first == 1:
            return []
        found = [match for start, end in surplus for match in _TOKEN.finditer(value, start, end)]
        return [match.span() for match in found if match[0] not in self._expected]

    def _difference(self, pairings: Sequence[Pairing], private: Sequence[bytes]) -> Difference:
        offset, expected_offset, certain = self._first_difference()
        start, place = 0, 0
        for place, value in enumerate(self._values):
            if expected_offset < start + len(value) or place == len(self._values) - 1:
                break
            start += len(value)
        part = self._parts[place]
        pairing = next(pairing for pairing in pairings if pairing.first <= place < pairing.last)
        compared = self._compared(pairing, private)
        expected_mark, signed_mark = self._marks(pairing, place, expected_offset - start, offset, private)
        is_body = part.shown.startswith("<the body")
        is_hidden = not is_body and (expected_mark is None or signed_mark is None)
        is_private = self._hides_all or is_hidden or self._is_private(offset, private)
        return Difference(
            part.name,
            offset,
            expected_offset - start,
            compared.expected,
            compared.signed,
            None if is_private else expected_mark,
            None if is_private else signed_mark,
            "" if is_private else _byte(self._expected, expected_offset),
            "" if is_private else _byte(self._signed, offset),
            certain,
        )

    def _marks(
        self, pairing: Pairing, place: int, expected_offset: int, offset: int, private: Sequence[bytes]
    ) -> tuple[int | None, int | None]:
        """Where they differ in the shown texts of the part at that place, and of what the client has for it."""
        part = self._parts[place]
        if part.shown:
            return None, None
        expected = _mark(part.value, private_spans(part.value, part.name), expected_offset)
        if expected is not None:
            expected += len("".join(map(shown_part, self._parts[pairing.first : place])))
        value = self._signed[pairing.start : pairing.end]
        return expected, _mark(value, self._spans(pairing, private), offset - pairing.start)

    def _is_private(self, offset: int, private: Sequence[bytes]) -> bool:
        """Whether the byte there is one of a secret, or of what else is hidden, whatever part it stands for."""
        start = max(0, offset - _AROUND)
        around = self._signed[start : offset + _AROUND]
        spans = [*spans_of(around, private), *spans_like(around, self._secrets)]
        return any(first <= offset - start < last for first, last in spans)

    def _first_difference(self) -> tuple[int, int, bool]:
        """Its place in the client's string, and in the right one; and whether that is certain."""
        holes = [place for place, part in enumerate(self._parts) if _is_secret(part)]
        before = len(b"".join(self._values[: holes[0]])) if holes else 0
        if not self._hides_all or self.agreed < before or self._values[holes[0]] != self._parts[holes[0]].value:
            return self.agreed, self.agreed, True
        # How long the secret is there is not known: what is behind it is told from the end.
        behind = b"".join(self._values[holes[-1] + 1 :])
        start = max(before, len(self._signed) - len(behind))
        agreed = agreement(behind, self._signed[start:])
        return start + agreed, len(self._expected) - len(behind) + agreed, False


def _with_secret(explanation: Explanation, signed: bytes, secret: bytes | None) -> tuple[list[bytes], bool]:
    """The values of the parts, with what stands in the client's string where a secret or a placeholder does; and
    whether something in it may be a secret that is not known."""
    values = [part.value for part in explanation.parts]
    holes = [place for place, part in enumerate(explanation.parts) if _is_secret(part)]
    if not holes:
        return values if explanation.received else _filled(values, signed), False

    def filled(there: bytes) -> list[bytes]:
        return [value.replace(_SECRET, there) if place in holes else value for place, value in enumerate(values)]

    if secret is not None and secret in signed:
        return filled(secret), False
    there = _between(values, holes, signed)
    if there is not None and (secret is None or _MASKED.fullmatch(there)):
        return filled(there), True
    return (values if secret is None else filled(secret)), True


def _between(values: Sequence[bytes], holes: Sequence[int], signed: bytes) -> bytes | None:
    """What stands where the secret goes, if all else is as expected."""
    start = len(b"".join(values[: holes[0]]))
    length, left = divmod(len(signed) - len(b"".join(values)) + len(holes), len(holes))
    there = signed[start : start + length]
    if left or length < 1:
        return None
    filled = (value.replace(_SECRET, there, 1) if place in holes else value for place, value in enumerate(values))
    return there if b"".join(filled) == signed else None


def _filled(values: list[bytes], signed: bytes) -> list[bytes]:
    """The values with what the client has put where a request that is still to be signed has `<nonce>`."""
    if len(signed) > _LONGEST_FILLED or not any(_PLACEHOLDER.search(value) for value in values):
        return values
    groups = [b"(%b)" % b".+?".join(map(re.escape, _PLACEHOLDER.split(value))) for value in values]
    found = re.fullmatch(b"".join(groups), signed, re.DOTALL)
    return list(found.groups()) if found else values


def _is_secret(part: Part) -> bool:
    return part.value.startswith(_SECRET) and part.shown == "<secret>"


def _mark(value: bytes, hidden: Sequence[Span], place: int) -> int | None:
    """Where a byte of the value stands in its shown text; None where it is hidden."""
    while 0 < place < len(value) and value[place] & 0xC0 == 0x80:  # the middle of a character
        place -= 1
    column = 0
    for start, end, text in shown_pieces(value, hidden):
        if place < end:
            if any(first <= place < last for first, last in hidden):
                return None
            return column + len(visible(value[start:place] + b".")) - 1
        column += len(text)
    return column


def _byte(value: bytes, place: int) -> str:
    return f"0x{value[place]:02x}" if place < len(value) else "past the end"


def _name(text: str) -> str:
    return visible(text.encode("utf-8", "surrogatepass"))
