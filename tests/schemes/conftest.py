"""The example packages, for every test here: importable and announced, or really installed where CI has done that."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "schemes"
ARE_INSTALLED = os.environ.get("UNDERSIGN_EXAMPLES_INSTALLED") == "1"


def announce(folder: Path, name: str, version: str, lines: Sequence[str]) -> None:
    """Write what pip leaves of a distribution that announces schemes: `name = module:object`, a line each."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("\n".join(["[undersign.schemes]", *lines, ""]), encoding="utf-8")


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What has to be on the path for both packages: nothing where they are installed."""
    if ARE_INSTALLED:
        return []
    announced = tmp_path_factory.mktemp("announced")
    folders = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
    for folder in folders:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines = [f"{name} = {value}" for name, value in project["entry-points"]["undersign.schemes"].items()]
        announce(announced, project["name"], project["version"], lines)
    return [announced, *folders]


@pytest.fixture
def examples(packages: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both packages in this process."""
    for path in packages:
        monkeypatch.syspath_prepend(path)


@pytest.fixture
def python_path(packages: list[Path]) -> dict[str, str | None]:
    """The change of environment that gives a process both packages."""
    kept = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return {"PYTHONPATH": os.pathsep.join([*map(str, packages), *kept]) or None}
