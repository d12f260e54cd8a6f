"""The vectors of recipes are as their script writes them, in form, and the library passes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from undersign import vectors
from undersign.vectors.conform.protocol import cases, run_message

ROOT = Path(__file__).parents[2]
TEXT = vectors.read(vectors.RECIPES)
FILE = vectors.parse(TEXT)
PROGRAM = """
import sys
sys.path.insert(0, "vectors")
from make_recipes import document
from undersign.vectors import canonical_json
sys.stdout.write(canonical_json(document()))
"""


def test_they_are_what_the_script_writes() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == TEXT


def test_they_are_in_form() -> None:
    assert vectors.lint(TEXT) == []
    assert not vectors.check_schema(TEXT)
    assert all(group.recipe for group in FILE.groups)


def test_the_library_passes_them() -> None:
    results = list(vectors.run_file(FILE))
    assert [(result.test.name, result.difference) for result in results if not result.passed] == []
    assert len(results) >= 560


def test_a_port_gets_the_whole_recipe() -> None:
    messages = [run_message(case) for case in cases([FILE])]
    assert [message["recipe"] for message in messages] == [dict(case.group.recipe or {}) for case in cases([FILE])]
    assert all("allow_http" in message["recipe"] for message in messages)


def test_they_are_not_among_those_of_the_two_families() -> None:
    assert vectors.names() == ["gogrid", "gotom"]
