"""Marks drawings in the pages: blocks whose lines must not be wrapped, since that tears them apart."""

from __future__ import annotations

import re

from docutils import nodes  # type: ignore[import-untyped]

_OF_A_DRAWING = re.compile("[\u2500-\u257f]")


def mark(document: nodes.document) -> None:
    """Give each literal block that is a drawing the class of that name, by which the style has it scroll."""
    for block in document.findall(nodes.literal_block):
        if _OF_A_DRAWING.search(block.astext()):
            block["classes"].append("drawing")
