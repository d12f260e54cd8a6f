"""Wrong ports in Ruby, each with one slip of a porter's, fail the vectors."""

from __future__ import annotations

import shutil

import pytest

from . import wrong_ruby
from .wrong_ruby import families, recipes

pytestmark = pytest.mark.skipif(shutil.which("ruby") is None, reason="needs Ruby")


def test_there_are_many_of_both_kinds_and_each_changes_the_port() -> None:
    assert len(families.FAMILIES) >= 120
    assert len(recipes.RECIPES) >= 200
    for name, (file, old, new) in wrong_ruby.ALL.items():
        assert old != new
        assert old in (wrong_ruby.PORTS / file).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("of_recipes", [True, pytest.param(False, marks=pytest.mark.long)])
def test_the_right_port_passes(of_recipes: bool) -> None:
    assert wrong_ruby.failures(["ruby", str(wrong_ruby.PORTS / wrong_ruby.FILES[1])], of_recipes=of_recipes) == 0


# A sample here, the same each time; all of them by `python -m tests.conform.wrong_ruby`.
@pytest.mark.long
@pytest.mark.parametrize("name", list(wrong_ruby.ALL)[::9])
def test_a_wrong_port_fails(name: str) -> None:
    assert not wrong_ruby.survives(name)
