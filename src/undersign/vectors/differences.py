"""Where a signed request is another than a test has it: one sentence, of the first difference.

The library's own runs and the judge of ports tell it in the same words. What was got may hold a secret, or a valid
signature: `Shown` says how it is shown, from what was got and what is right; without it a difference names its place
alone, but for the string to sign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..core.message import Pairs, Patch
from ..core.text import shortened

if TYPE_CHECKING:
    from . import Test

Shown: TypeAlias = Callable[[bytes, bytes], bytes]

_LINES = ("the method", "the body's MD5", "the content type", "the date", "the custom headers")
_CONTEXT = 16


def difference_when_signed(
    test: Test, string: bytes, patch: Patch, target: str, body: bytes, shown: Shown | None = None
) -> str:
    """How the string to sign, the patch, or the target or body of the signed request differ; empty where none does."""
    return (
        string_difference(test, string, shown or (lambda got, _: got))
        or _patch_difference(test.patch or Patch(), patch, shown)
        or _difference("the target of the signed request", test.target.encode(), target.encode(), shown)
        or _difference("the body of the signed request", test.body, body, shown)
    )


def string_difference(test: Test, got: bytes, shown: Shown = lambda got, _: got) -> str:
    """How the string to sign differs, and in which line where it has those of goTom; empty where it does not."""
    want = test.string_to_sign
    if want is None:
        return ""
    told = _difference("the string to sign", want, got, shown)
    if told and want.count(b"\n") >= len(_LINES):
        lines_before = want[: _first_difference(want, got)].count(b"\n")
        last = want.count(b"\n")
        told += f", in {'the target' if lines_before == last else _LINES[min(lines_before, len(_LINES) - 1)]}"
    return told


def _difference(what: str, want: bytes, got: bytes, shown: Shown | None) -> str:
    if got == want:
        return ""
    at = _first_difference(want, got)
    told = f"{what} differs at byte {at}"
    if shown is None:
        return told
    # What is hidden moves what follows it, so the excerpt begins where the text that is shown differs.
    text = shown(got, want)
    return f"{told}: got {quoted(_around(_first_difference(want, text), text))}, expected {quoted(_around(at, want))}"


def _around(place: int, text: bytes) -> bytes:
    return text[max(place - _CONTEXT, 0) : place + _CONTEXT]


def quoted(text: bytes | str) -> str:
    """The text between quotes, on one line and in ASCII, as JSON writes it; bytes that are not UTF-8 as \\x and two
    digits."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", json.dumps(text))


def _patch_difference(want: Patch, got: Patch, shown: Shown | None) -> str:
    wanted, found = ({(name.lower(), value) for name, value in patch.headers} for patch in (want, got))
    if wanted != found:
        name = min(name for name, _ in wanted ^ found)
        values = [sorted(value for key, value in pairs if key == name) for pairs in (wanted, found)]
        return f"the header {quoted(name)} of the patch differs{_both(shown, *values)}"
    for part, expected, given in (("query", want.query, got.query), ("form", want.form, got.form)):
        if expected != given:
            at = _first_difference(expected, given)
            values = [["=".join(pair) for pair in pairs[at : at + 1]] for pairs in (expected, given)]
            return f"the {part} of the patch differs at pair {at}{_both(shown, *values)}"
    return ""


def _both(shown: Shown | None, want: Sequence[str], got: Sequence[str]) -> str:
    if shown is None:
        return ""
    told = shown(_listed(got).encode(), b"").decode()
    return f": got {told}, expected {_listed(want)}"


def _listed(values: Sequence[str]) -> str:
    return " and ".join(quoted(shortened(value)) for value in values) or "none"


def _first_difference(want: bytes | Pairs, got: bytes | Pairs) -> int:
    both = enumerate(zip(want, got, strict=False))
    return next((at for at, (one, other) in both if one != other), min(len(want), len(got)))
