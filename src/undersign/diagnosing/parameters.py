"""What clients sign in place of the parameters of a query or form, which a scheme takes apart, sorts and joins."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.fields import decode_field
from .cause import Cause, difference
from .changes import Change
from .queries import Written, fields_of, rewritings

_JOINTS = (("=", "&"), ("", ""), ("=", ""), ("=", "\n"), (":", "\n"), ("=", ","), ("=", ";"), ("=", "|"), (":", ","))


def parameters(encoded: str, right: bytes, without: frozenset[str], separators: str) -> Iterator[Change]:
    """`encoded` are the query and form as they are sent, `right` what is signed of them, `without` those that are not,
    and `separators` what stands in a pair, behind it, and in front of all, a character each."""
    fields = fields_of(encoded)
    kept = [field for field in fields if decode_field(field.name) not in without]
    start = separators[2:]
    joints = dict.fromkeys([(separators[:1], separators[1:2]), *_JOINTS] if len(separators) >= 2 else _JOINTS)
    seen = {right}
    for is_kept, chosen in ((True, kept), (False, fields)) if kept != fields else ((True, kept),):
        for place, (pair, item) in enumerate(joints):
            for written in rewritings(chosen):
                if place and written.changed > 1:
                    continue
                texts = [f"{name}{pair if mark or place else ''}{value}" for name, value, mark in written.fields]
                value = (start + item.join(texts)).encode("latin-1", "replace")
                if value not in seen:
                    seen.add(value)
                    cause = _named(
                        written, difference(right, value, "parameters", "as they should be"), is_kept=is_kept
                    )
                    is_rare = place > 0 or not is_kept or bool(written.others)
                    yield Change("parameters", value, (cause,), lone=is_rare)


def _named(written: Written, where: str, *, is_kept: bool) -> Cause:
    if not is_kept or written.others:
        detail = "The client signed more or fewer of the parameters than are signed here, or wrote lists otherwise"
        return Cause("target-parameter", f"{detail} ({where}).")
    if not written.spelling:
        detail = "The client signed the parameters as they are sent, or in another order"
        return Cause("target-query-order", f"{detail}: sort and join them as the scheme says ({where}).")
    if written.spelling.startswith("decoded"):
        detail = "The client signed the parameters decoded, or in another order"
        return Cause("target-decoded", f"{detail}: write them as the scheme says ({where}).")
    detail = "The client signed the parameters with other percent-escapes"
    return Cause("target-reencoded", f"{detail}: write them as the scheme says ({where}).")
