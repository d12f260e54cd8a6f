"""The documentation as a whole: links, what it includes, and lists that have to be complete."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, blocks, headings, links, name_of
from tests.docs.reader import ALL
from undersign import Reason, vectors
from undersign.diagnosing import CODES
from undersign.schemes import presets

NOT_RUN_AT_MOST = 0
"""How many blocks may be marked `<!-- not run: why -->`."""


def test_few_blocks_are_not_run() -> None:
    marked = [str(block) for found in ALL.values() for block in found if block.reason]
    assert len(marked) <= NOT_RUN_AT_MOST, marked


def test_what_a_page_includes_is_run_by_tests() -> None:
    """By name: tests/servers starts the examples, tests/schemes imports them."""
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("{literalinclude}", "{include}", "{raw}"):
                target = block.argument if block.language != "{raw}" else block.text.split(":file:")[1].strip()
                path = (page.parent / target).resolve()
                assert path.is_file(), f"{block}: {target} is not there"
                if block.language == "{literalinclude}" and path.suffix == ".py":
                    assert path.stem in tests, f"{block}: no test runs {target}"


def test_every_link_within_the_project_leads_somewhere() -> None:
    pages = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "vectors" / "README.md", ROOT / "vectors" / "CHANGELOG.md"]
    for page in pages:
        for link in links(page):
            target, _, anchor = link.partition("#")
            if "://" in link:
                continue
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), f"{name_of(page)}: {link}"
            assert not anchor or anchor in headings(path), f"{name_of(page)}: {link}"


@pytest.mark.parametrize("scheme", ["gotom", "gogrid"])
def test_a_diagram_shows_the_values_of_its_vector(scheme: str) -> None:
    drawn = (DOCS / "_static" / f"{scheme}-string-to-sign.svg").read_text(encoding="utf-8")
    name = {"gotom": "get", "gogrid": "published-jclouds"}[scheme]
    group, test = next((group, test) for group, test in vectors.load(scheme) if test.name == name)
    assert f"`{name}`" in (DOCS / "schemes.md").read_text(encoding="utf-8")
    secret = group.keys[test.key_id][0].decode()
    parts = (test.string_to_sign or b"").replace(b"\0", b"\n").decode().split("\n")
    assert test.patch
    values = [*parts, secret, test.key_id, *dict(test.patch.query).values()]
    values += [value.rpartition(":")[2] for name, value in test.patch.headers if name == "Authorization"]
    text = re.sub(r"<desc.*?</desc>|<title.*?</title>", "", drawn, flags=re.DOTALL)
    assert [value for value in values if value not in text] == []
    assert "<title" in drawn
    assert "<desc" in drawn


def test_the_guide_to_diagnosis_has_every_code_and_every_reason() -> None:
    guide = (DOCS / "diagnosis.md").read_text(encoding="utf-8")
    words = [*CODES, *(reason.value for reason in Reason)]
    assert [word for word in words if f"| `{word}`" not in guide and f", `{word}`" not in guide] == []


def test_the_command_line_is_made_from_the_commands() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert ".. click:: undersign.cli.app:commands\n   :prog: undersign\n   :nested: full" in page


def test_the_readme_goes_from_what_it_is_to_the_two_commands_of_a_clone() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    order = ["pip install", "**Sign.**", "**Verify.**", "**Diagnose.**", "## APIs", "make demo", "make test"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)


def test_the_readme_names_every_api_that_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## APIs that are there")[1].split("None of")[0]
    assert {*re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text)} >= {*presets.names()}
