"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

TESTS = """
import pytest
from undersign import Credential, GoTom, Rejected, Request, sign
from undersign.testing import assert_string_to_sign

REQUEST = Request("GET", "/orders", (("Content-Type", "application/json"),), b"", "https://api.example.com")

def test_the_clock_stands(undersign_clock, undersign_verifier):
    verifier = undersign_verifier(GoTom(), {"user": "a secret"}, replay=None)
    signed = sign(GoTom(), REQUEST, Credential("user", "a secret"), now=undersign_clock()).apply(REQUEST)
    assert verifier.verify(signed).at == undersign_clock.now == 1_730_974_875
    undersign_clock.advance(3600)
    with pytest.raises(Rejected, match="stale"):
        verifier.verify(signed)

def test_the_string():
    assert_string_to_sign("GET /orders", GoTom(), REQUEST, "user")
"""


def pytest_in(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "undersign.testing.plugin", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False).stdout


def test_its_fixtures_and_its_assertion(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    said = pytest_in(tmp_path, "-q")
    assert "1 failed, 1 passed" in said, said
    assert "the string to sign of gotom is another one" in said
    assert "strings.py" not in said.partition("short test summary")[0].replace("assert_string", "")


def test_it_brings_nothing_along_that_is_not_asked_for() -> None:
    code = """
import sys, pytest
import undersign.testing.plugin
heavy = {"httpx", "requests", "flask", "django", "starlette", "undersign.testing.laws", "undersign.diagnosing"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_pytest_finds_it_by_the_entry_point() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.pytest11]\n"undersign.testing.plugin" = "undersign.testing.plugin"\n' in project
