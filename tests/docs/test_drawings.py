"""Drawings in the pages: each is marked, so that the style has it scroll on a phone where it would be wrapped."""

from __future__ import annotations

import importlib.util
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from docutils.frontend import get_default_settings  # type: ignore[import-untyped]
from docutils.utils import new_document  # type: ignore[import-untyped]

from tests.docs.pages import DOCS


def test_a_block_that_is_a_drawing_is_marked_and_no_other_is() -> None:
    spec = importlib.util.spec_from_file_location("drawings", DOCS / "drawings.py")
    assert spec
    assert spec.loader
    drawings: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawings)
    document = new_document("a page", get_default_settings())
    texts = ("time ─┬─ joined\nbody ─┘", "a --> b", "$ undersign demo")
    document += [nodes.literal_block("", text) for text in texts]
    drawings.mark(document)
    assert [block["classes"] for block in document.findall(nodes.literal_block)] == [["drawing"], [], []]


def test_the_style_has_drawings_scroll() -> None:
    style = (DOCS / "_static" / "undersign.css").read_text(encoding="utf-8")
    (rule,) = [rule for rule in style.split("}") if ".drawing div.highlight pre" in rule]
    assert "white-space: pre;" in rule
    assert "overflow-x: auto;" in rule
