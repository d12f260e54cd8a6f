"""Every realistic mistake fails the vectors, and fails few of them: it is a near miss and not a wreck."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from . import mistakes
from .habits import HABITS
from .mutants import CASES, failed, failing


def test_without_a_mistake_all_vectors_pass() -> None:
    assert [outcome.sentence for outcome in failed()] == []


@pytest.mark.long
@pytest.mark.parametrize("mistake", mistakes.ALL)
def test_mutant_is_killed(mistake: str) -> None:
    failure = next(failing(mistake), None)
    assert failure is not None, "a vector is missing"
    assert failure.sentence


@pytest.mark.long
@pytest.mark.parametrize("mistake", mistakes.ALL[::10])
def test_a_mistake_is_one_that_most_vectors_do_not_see(mistake: str) -> None:
    failures = failed(mistake)
    assert all(outcome.sentence for outcome in failures)
    assert len(CASES) - len(failures) >= 0.6 * len(CASES)


def test_there_are_many_and_the_official_samples_are_among_them() -> None:
    assert len(set(mistakes.ALL)) == len(mistakes.ALL) >= 600
    assert set(chain(*mistakes.OF_THE_SAMPLES.values())) <= set(mistakes.ALL)


def test_the_catalogue_names_what_the_port_can_do_wrong() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("reference*.py"))
    made = {
        name
        for match in re.finditer(r'makes\(\s*"([a-z0-9-]+)"|^ +"([a-z0-9-]+-[a-z0-9-]+)": ', code, re.MULTILINE)
        for name in match.groups()
        if name
    }
    assert made | set(HABITS) == set(mistakes.ALL)
    assert made.isdisjoint(HABITS)


def test_the_habits_are_those_of_several_languages() -> None:
    counted = Counter(map(mistakes.language, HABITS))
    assert all(counted[language] >= 30 for language in ("C#", "Go", "Java", "JavaScript", "PHP", "Python", "Ruby"))


@pytest.mark.sampled(10)
@pytest.mark.parametrize("name", HABITS)
def test_a_habit_is_at_a_hook_of_the_port(name: str) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("reference*.py"))
    assert f'habit("{HABITS[name].hook}"' in code
