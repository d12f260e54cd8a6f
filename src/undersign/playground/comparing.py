"""The string that somebody else has signed beside the one that is expected, as the page shows it.

`undersign.diagnosing.strings` reads it, as people print and paste it, takes both apart and says what follows; here that
is put into sentences and marks.
"""

from __future__ import annotations

from typing import Any

from ..core.credentials import Credential
from ..core.message import Request
from ..diagnosing.strings import beside
from ..explaining import Comparison
from ..scheme import Scheme
from ..verifying.lookup import Keys


def difference(
    scheme: Scheme, request: Request, own: str, *, now: float, keys: Keys | None, key: str | Credential | None
) -> dict[str, Any]:
    """Whether they are the same, in a sentence; what was taken for what; and the parts of both, the differing marked.

    Raises what `explain` raises.
    """
    signed = own.encode("utf-8", "replace")
    found = beside(scheme, request, signed, now=now, keys=keys, key=key).comparison
    return {
        "same": found.same,
        "length": found.signed_length,
        "sentence": _sentence(found),
        "notes": [note for note in (f"It is read {found.read_as}." if found.reading else "", found.conclusion) if note],
        "part": found.difference.part if found.difference else "",
        "byte": found.difference.offset if found.difference else None,
        "parts": [
            {
                "name": ", ".join(pair.parts),
                "same": pair.same,
                "expected": _marked(pair.expected, pair.signed, same=pair.same),
                "own": _marked(pair.signed, pair.expected, same=pair.same),
            }
            for pair in found.compared
        ],
    }


def _sentence(found: Comparison) -> str:
    if found.same:
        aside = "" if found.secret_compared else ", the secret aside"
        return f"Your string is the one that is expected{aside}."
    first = found.difference
    if first is None:
        return "Your string is another one."
    if not first.certain:
        return f"The first difference is in {first.part}, or in the secret, whose end is not known."
    there = f": {first.expected_byte} is expected, and {first.signed_byte} is there" if first.expected_byte else ""
    where = f"byte {first.offset_in_part} of it and {first.offset} of all"
    return f"The first difference is in {first.part}, at {where}{there}."


def _marked(text: str, other: str, *, same: bool) -> list[tuple[str, str]]:
    """The text before what differs, that, and what is behind it; what is hidden is marked as a whole."""
    if same:
        return [("same", text)]
    if text.startswith("<") or other.startswith("<"):
        return [("differs", text)]
    shortest = min(len(text), len(other))
    start = next((place for place in range(shortest) if text[place] != other[place]), shortest)
    tail = 0
    while tail < shortest - start and text[-1 - tail] == other[-1 - tail]:
        tail += 1
    end = len(text) - tail
    return [("same", text[:start]), ("differs", text[start:end]), ("same", text[end:])]
