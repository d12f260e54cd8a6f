"""What is suggested for a name that is misspelled, at each place of a recipe, of options and profiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import pytest

from undersign import Recipe
from undersign.core.grammar import did_you_mean
from undersign.parts import message, templates
from undersign.profiles.reading import KEYS
from undersign.recipe import CALLED_OTHERWISE
from undersign.registry import option_types

FIELDS = [field.name.replace("query_or_form", "query-or-form") for field in dataclasses.fields(Recipe) if field.init]
PARTS = [*message._SIMPLE, *message._TABLES, *message._WITH_ARGUMENT]
PLACES: dict[str, tuple[Sequence[str], Mapping[str, Sequence[str]]]] = {
    "fields": (FIELDS, CALLED_OTHERWISE),
    "parts": (PARTS, message._CALLED_OTHERWISE),
    "placeholders": (templates.PLACEHOLDERS, templates._CALLED_OTHERWISE),
    "profiles": (list(KEYS), {}),
    **{
        f"options of {part}": (options + message._OPTIONS, message._OPTIONS_CALLED_OTHERWISE)
        for part, options in message._OPTIONS_OF.items()
    },
    **{f"-o of {name}": (list(option_types(name)), {}) for name in ("gotom", "gogrid")},
}
SHORTEST = 4
"""Of less a slip leaves too little to tell by."""


def slips(name: str) -> Iterator[str]:
    """A letter left out or written twice, a plural, another case, and another spelling of the hyphen."""
    for place, letter in enumerate(name):
        yield name[:place] + name[place + 1 :]
        yield name[:place] + letter + name[place:]
    yield from (f"{name}s", name.upper(), name.title(), name.replace("-", "_"), name.replace("_", "-"))


@pytest.mark.parametrize("place", PLACES)
def test_a_slip_in_a_name_suggests_that_name(place: str) -> None:
    names, others = PLACES[place]
    for name in names:
        for slip in slips(name):
            if slip not in names and len(slip) >= SHORTEST:
                assert did_you_mean(slip, names, others) == f" (did you mean {name!r}?)", slip


@pytest.mark.parametrize("place", PLACES)
def test_what_pages_call_it_is_no_name_itself_and_leads_to_one(place: str) -> None:
    names, others = PLACES[place]
    for other in others:
        if any(word in names for word in others[other]) and other not in names:
            meant = next(word for word in others[other] if word in names)
            assert did_you_mean(other, names, others) == f" (did you mean {meant!r}?)"


def test_nothing_is_suggested_where_nothing_is_close() -> None:
    assert did_you_mean("frobnicate", FIELDS, CALLED_OTHERWISE) == ""
    assert did_you_mean("separator", ["fold", "when"], message._OPTIONS_CALLED_OTHERWISE) == ""
