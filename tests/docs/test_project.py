"""What strangers look for: the files are there, and say the same of version, links and names."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import undersign
from tests.docs.pages import DOCS, PAGES, ROOT, links

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
URLS: dict[str, str] = PROJECT["project"]["urls"]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_place_names_one_version() -> None:
    version = undersign.__version__
    dated = re.search(rf"^## \[{re.escape(version)}\] - (\d{{4}}-\d{{2}}-\d{{2}})$", text("CHANGELOG.md"), re.MULTILINE)
    assert dated, f"CHANGELOG.md has no dated section for {version}"
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["version"] == version
    assert str(citation["date-released"]) == dated[1]
    assert citation["repository-code"] == URLS["Repository"]


@pytest.mark.parametrize(
    "name",
    [
        ".github/pull_request_template.md",
        ".github/workflows/ci.yml",
        ".pre-commit-config.yaml",
        ".readthedocs.yaml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CODE_OF_CONDUCT.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "SECURITY.md",
        "docs/versions.md",
    ],
)
def test_what_people_look_for_is_there(name: str) -> None:
    assert text(name)
    if name.endswith((".yaml", ".yml", ".cff")):
        assert yaml.safe_load(text(name))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_asks_for_no_secret_and_has_its_ids_once(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert all({"name", "url", "about"} == {*link} for link in form["contact_links"])
        return
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len({*ids}) == len(ids) > 0
    assert not [name for name in ids if "secret" in name]


def test_absolute_links_into_the_project_lead_somewhere() -> None:
    """README is read on the index too, so its links name the forge or the documentation; those pages are here."""
    tree, pages = f"{URLS['Repository']}/blob/main/", URLS["Documentation"]
    raw = f"{URLS['Repository']}/raw/main/"
    for page in [*PAGES, ROOT / "CODE_OF_CONDUCT.md"]:
        for link in links(page):
            target = link.partition("#")[0]
            for prefix, folder in ((tree, ROOT), (raw, ROOT)):
                if target.startswith(prefix):
                    assert (folder / target.removeprefix(prefix)).exists(), f"{page.name}: {link}"
            if target.startswith(pages) and target != pages:
                name = target.removeprefix(pages)
                is_written = name.startswith(("apis/", "playground/"))
                assert is_written or (DOCS / name.replace(".html", ".md")).exists(), f"{page.name}: {link}"


def test_readme_has_no_relative_link() -> None:
    assert [link for link in links(ROOT / "README.md") if "://" not in link and not link.startswith("#")] == []


LINUX = re.compile(r"\bpty\.|os\.fork\(|import resource|/proc/|/dev/full|2>&-")
"""What other systems lack, as tests use it."""


def test_tests_that_need_linux_are_marked_and_can_be_read_anywhere() -> None:
    """By file: a marker is on the tests, and what is not there elsewhere is imported in them alone."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if LINUX.search(source) and path.name not in (Path(__file__).name, "test_load.py"):
            assert "pytest.mark.linux" in source, path
        assert not re.search(r"^import (pty|resource|fcntl|termios|pwd)$", source, re.MULTILINE), path


def test_the_package_itself_asks_before_it_uses_what_other_systems_lack() -> None:
    """A guard stands in each file that uses such a thing, and no text is read or written in a codepage."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if re.search(r"os\.(killpg|fork|getuid|O_NOCTTY)|signal\.(SIGKILL|SIGHUP|pthread_kill)", source):
            assert re.search(r"os\.name|hasattr\((os|signal)", source), path
        assert not re.search(r"^import (pty|resource|fcntl|termios|pwd)$", source, re.MULTILINE), path
        assert not re.search(r"\.(read_text|write_text)\((?![^)]*encoding)", source), path


def test_the_badges_say_what_is_so() -> None:
    found = runpy.run_path(str(DOCS / "badges.py"))["badges"]()
    assert found == {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "_static" / "badges").iterdir()}


def test_the_page_of_error_sentences_has_what_people_search_for() -> None:
    found = runpy.run_path(str(DOCS / "sentences.py"))["sentences"]()
    assert "the key id holds a control character: remove it" in found["ConfigError"]
    assert any(text.startswith("the credential is for … and the request goes to …") for text in found["CannotSign"])
    assert "no scheme claims the request" in found["Rejected"]
    assert sum(map(len, found.values())) > 200
