"""What clients sign in place of the parameters of a query or form, which a scheme takes apart, sorts and joins."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.fields import decode_field
from .cause import Cause, difference
from .changes import Change
from .queries import Written, decoded, fields_of, rewritings
from .wholes import JOINERS

_JOINTS = (("=", "&"), ("", ""), ("=", ""), ("=", "\n"), (":", "\n"), ("=", ","), ("=", ";"), ("=", "|"), (":", ","))


def parameters(encoded: str, right: bytes, without: frozenset[str], separators: str) -> Iterator[Change]:
    """`encoded` are the query and form as they are sent, `right` what is signed of them, `without` those that are not,
    and `separators` what stands in a pair, behind it, and in front of all: a character each, NUL for none."""
    fields = fields_of(encoded)
    kept = [field for field in fields if decode_field(field.name) not in without]
    start = separators[2:]
    own = separators[:1].strip("\0"), separators[1:2].strip("\0")
    joints = dict.fromkeys([own, *_JOINTS] if len(separators) >= 2 else _JOINTS)
    seen = {right}
    usual = list(rewritings(kept))
    as_it_is = next((one for one in usual if _text(one, *own, start) == right), None)
    for is_kept, chosen in ((True, kept), (False, fields)) if kept != fields else ((True, kept),):
        for place, (pair, item) in enumerate(joints):
            for written in usual if is_kept else rewritings(chosen):
                if place and written.changed > 1 and (as_it_is is None or written.spelling != as_it_is.spelling):
                    continue
                value = _text(written, pair, item, start)
                if value not in seen:
                    seen.add(value)
                    where = difference(right, value, "parameters", "as they should be")
                    is_rare = place > 0 or not is_kept or bool(written.others)
                    yield Change(
                        "parameters", value, (_named(written, as_it_is, where, is_kept=is_kept),), lone=is_rare
                    )
    # One thing between all of them, and in front.
    names_and_values = [side for field in (as_it_is.fields if as_it_is else ()) for side in field[:2]]
    for joint in JOINERS[1:]:
        for text in (joint.join(names_and_values), joint + joint.join(names_and_values)):
            value = text.encode("latin-1", "replace")
            if value not in seen:
                where = difference(right, value, "parameters", "as they should be")
                detail = (
                    f"The client put something else between the parameters that are signed than is right ({where})."
                )
                yield Change("parameters", value, (Cause("separator", detail),), lone=1)


def _text(written: Written, pair: str, item: str, start: str) -> bytes:
    text = start + item.join(f"{name}{pair}{value}" for name, value, _ in written.fields)
    return text.encode("latin-1", "replace")


def at_the_end(string: bytes, encoded: str) -> tuple[bytes, str] | None:
    """The parameters of a form that a string to sign ends with, decoded and sorted, and what stands in a pair and
    behind it; None where it ends otherwise."""
    fields = [(decoded(field.name), decoded(field.value)) for field in fields_of(encoded)]
    for pair, item in _JOINTS if fields else ():
        for several in (sorted(fields), sorted(set(fields)), sorted(fields, key=lambda field: field[0])):
            text = item.join(f"{name}{pair}{value}" for name, value in several).encode("latin-1", "replace")
            if string.endswith(text):
                return text, pair.ljust(1, "\0") + item.ljust(1, "\0")
    return None


def _named(written: Written, as_it_is: Written | None, where: str, *, is_kept: bool) -> Cause:
    """What is other in the parameters, beside those that are right, if these are known."""
    if not is_kept or written.others:
        detail = "The client signed more or fewer of the parameters than are signed here, or wrote lists otherwise"
        return Cause("target-parameter", f"{detail} ({where}).")
    if written.spelling == (as_it_is.spelling if as_it_is else ""):
        detail = "The client signed the parameters as they are sent, or in another order"
        return Cause("target-query-order", f"{detail}: sort and join them as the scheme says ({where}).")
    if written.spelling.startswith("decoded"):
        detail = "The client signed the parameters decoded, or in another order"
        return Cause("target-decoded", f"{detail}: write them as the scheme says ({where}).")
    detail = "The client signed the parameters with other percent-escapes"
    return Cause("target-reencoded", f"{detail}: write them as the scheme says ({where}).")
