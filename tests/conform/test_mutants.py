"""Every realistic mistake fails the vectors, and fails few of them: it is a near miss and not a wreck."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from . import mistakes
from .mutants import CASES, failed


def test_without_a_mistake_all_vectors_pass() -> None:
    assert [outcome.sentence for outcome in failed()] == []


@pytest.mark.long
@pytest.mark.parametrize("mistake", mistakes.ALL)
def test_mutant_is_killed(mistake: str) -> None:
    failures = failed(mistake)
    assert failures, "a vector is missing"
    assert all(outcome.sentence for outcome in failures)
    assert len(CASES) - len(failures) >= 0.7 * len(CASES)


def test_there_are_many_and_the_official_samples_are_among_them() -> None:
    assert len(set(mistakes.ALL)) == len(mistakes.ALL) >= 80
    assert set(chain(*mistakes.OF_THE_SAMPLES.values())) <= set(mistakes.ALL)


def test_the_catalogue_names_what_the_port_can_do_wrong() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("reference*.py"))
    made = {
        name
        for match in re.finditer(r'makes\(\s*"([a-z0-9-]+)"|^ +"([a-z0-9-]+-[a-z0-9-]+)": ', code, re.MULTILINE)
        for name in match.groups()
        if name
    }
    assert made == set(mistakes.ALL)
