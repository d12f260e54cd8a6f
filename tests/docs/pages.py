"""The pages of the documentation, taken apart into their blocks of code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# The pages of the APIs, and that of error sentences, are written when the documentation is built.
_WRITTEN = {path for path in (DOCS / "apis").glob("*.md") if path.name != "index.md"}
_WRITTEN.add(DOCS / "reference" / "sentences.md")
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(set(DOCS.rglob("*.md")) - _WRITTEN)]

_NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*")
_DIRECTIVE = re.compile(r"\{([\w-]+)\}\s*(.*)")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code as a page shows it.

    `language` is what stands behind the fence, empty where the block is indented; of a directive it is `{name}`, and
    `argument` is the directive's. `reason` says why it is not run, empty where it is.
    """

    page: str
    line: int
    language: str
    text: str
    argument: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """The page's path from the docs folder, or from the root for the files there."""
    return str(page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT))


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order. A comment `<!-- not run: why -->` right before one belongs to it."""
    found = []
    reason = ""
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            line = (token.map or [0])[0] + 1
            directive = _DIRECTIVE.fullmatch(token.info.strip())
            language = f"{{{directive[1]}}}" if directive else token.info.strip()
            argument = directive[2] if directive else ""
            found.append(Block(name_of(page), line, language, token.content, argument, reason))
        mark = _NOT_RUN.fullmatch(token.content) if token.type == "html_block" else None
        reason = mark[1] if mark else ""
    return found


def links(page: Path) -> list[str]:
    """The targets of all links and images of a page."""
    tokens = [child for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")) for child in token.children or ()]
    found = [token.attrGet("href") or token.attrGet("src") for token in tokens if token.type in ("link_open", "image")]
    return [str(target) for target in found if target]


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    titles = [tokens[at + 1].children or [] for at, token in enumerate(tokens) if token.type == "heading_open"]
    texts = ["".join(part.content for part in title if part.type in ("text", "code_inline")) for title in titles]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}
