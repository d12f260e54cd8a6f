"""Draws the badges of README: what each says is read from the project, so that it is true.

    python docs/badges.py

`tests/docs/test_project.py` holds the files to it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "_static" / "badges"
_WIDTH = 6.6  # of a character, in pixels


def badges() -> dict[str, str]:
    """The badges' files by name."""
    document: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    gates = (ROOT / "Makefile").read_text(encoding="utf-8")
    covered = gates.split("--fail-under=")[1].split()[0]
    said = {
        "python": ("Python", document["project"]["requires-python"].removeprefix(">=") + " or later"),
        "typed": ("typed", "strict" if document["tool"]["mypy"]["strict"] else "no"),
        "coverage": ("core coverage", f"{covered} %"),
        "licence": ("licence", document["project"]["license"]),
    }
    return {f"{name}.svg": drawn(*texts) for name, texts in said.items()}


def drawn(name: str, value: str) -> str:
    """A badge with two fields."""
    left, right = (round(len(text) * _WIDTH + 14) for text in (name, value))
    size = f'width="{left + right}" height="20"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{name}: {value}">
<title>{name}: {value}</title>
<rect {size} rx="3" fill="#475569"/>
<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" fill="#0f766e"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2}" y="14">{name}</text>
<text x="{left + right / 2}" y="14">{value}</text>
</g>
</svg>
"""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in badges().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
