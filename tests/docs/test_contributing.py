"""CONTRIBUTING.md: what it names is there, the map is complete, and its example of a preset is right."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks, links

PAGE = ROOT / "CONTRIBUTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
PACKAGE = ROOT / "src" / "undersign"
SPANS = [span for line in TEXT.splitlines() for span in re.findall(r"`([^`]+)`", line)]


def test_every_path_that_it_names_is_there() -> None:
    words = [word for span in SPANS for word in span.split()]
    named = {word for word in words if re.fullmatch(r"[\w.-]*/[\w./-]*|[\w-]+\.(py|md|toml)", word)}
    paths = {word for word in named if not word.startswith(".venv/")}
    assert {"src/undersign/schemes/presets/", "verifying/verdict.py", "parts/", ".ci/run"} <= paths
    assert [path for path in sorted(paths) if not ((ROOT / path).exists() or (PACKAGE / path).exists())] == []
    for link in links(PAGE):
        assert "://" in link or (ROOT / link).exists(), link


def test_the_map_has_every_room() -> None:
    rooms = {path.name + ("/" if path.is_dir() else "") for path in PACKAGE.iterdir()}
    missing = {room for room in rooms if not room.startswith("__") and room.endswith((".py", "/"))} - set(SPANS)
    assert missing == set()


def test_the_map_has_the_order_of_the_imports() -> None:
    """Each room stands below those that it may use, in the order of the contract in pyproject.toml."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contract = project.split('name = "Imports go one way"')[1].split("]")[0]
    layers = [re.findall(r"undersign\.(\w+)", line) for line in contract.splitlines() if "undersign." in line]
    rows = re.findall(r"^\| (`.*?) \|", TEXT.split("## How a request flows")[0], re.MULTILINE)
    place = {name: at for at, row in enumerate(rows) for name in re.findall(r"`(\w+)(?:\.py|/)`", row)}
    order = [[place[name] for name in layer] for layer in layers]
    assert all(max(below) <= min(above) for above, below in itertools.pairwise(order)), order


def test_it_names_every_target_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(makefile.split(".PHONY:")[1].splitlines()[0].split())
    assert {span.removeprefix("make ") for span in SPANS if span.startswith("make ")} == targets


def test_its_preset_is_right(tmp_path: Path) -> None:
    """The file that it shows is the one that is there, and its cases make the vectors that are there."""
    diff, cases = (block.text for block in blocks(PAGE) if block.language in ("diff", "json"))
    name, *lines = diff.splitlines()
    shown = "\n".join(line[1:] for line in lines) + "\n"
    assert (ROOT / name.removeprefix("+++ b/")).read_text(encoding="utf-8") == shown
    given = tmp_path / "cases.json"
    given.write_text(cases, encoding="utf-8")
    command = [sys.executable, str(ROOT / "vectors" / "make_preset.py"), str(given), str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made = (tmp_path / "bokun.json").read_text(encoding="utf-8")
    assert made == (ROOT / "vectors" / "presets" / "bokun.json").read_text(encoding="utf-8")
