"""The workflows ask for little and pin what they use, and the locks are whole and name no index."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_and_has_no_rights_but_those_of_its_jobs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} says no version"
    assert "\npermissions: {}\n" in text
    assert set(re.findall(r"(?m)^ {6}([\w-]+: (?:read|write))", text)) <= {"contents: read", "id-token: write"}
    assert text.count("timeout-minutes:") == text.count("runs-on:")
    assert "secrets." not in text
    assert not re.search(r"run: .*\$\{\{", text), "what others choose is no part of a script"


def test_ci_is_what_anyone_can_run() -> None:
    assert "- run: .ci/run\n" in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_the_locks_fit_the_project() -> None:
    done = subprocess.run([sys.executable, str(ROOT / ".ci" / "lock"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_requirement_of_a_lock_has_hashes_and_none_has_a_place(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^(--|-[a-z])", text), "an option, such as an index"
    requirements = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert len(requirements) > 10
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement
