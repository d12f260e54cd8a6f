"""Write the vectors of recipes, `vectors/recipes.json`: what each part, carrier and refusal of a recipe comes to.

Run it as `python vectors/make_recipes.py`. The cases are in `vectors/recipe_cases`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipe_cases import carriers, corners, parts, places, values
from recipe_cases.writer import LINKS, NOTES, Writer

from undersign.vectors import canonical_json

PAGE = Path(__file__).parent / "recipes.json"


def document() -> dict[str, Any]:
    """What the file holds."""
    writer = Writer()
    for write in (
        *(parts.parts, parts.params, parts.lines, carriers.carriers, values.lists, values.times, values.keys),
        *(places.digests, places.values, places.forms, corners.corners),
    ):
        write(writer)
    notes = {
        flag: {
            "bug_type": kind,
            "description": text,
            "source": "docs/porting.md",
            "links": LINKS,
            "counterpart": {"Tampered": "Part", "Refused": "Carrier"}.get(flag, "Tampered"),
        }
        for flag, (kind, text) in NOTES.items()
    }
    return {"scheme": "recipe", "version": "1.0.0", "notes": notes, "groups": writer.groups}


if __name__ == "__main__":
    PAGE.write_text(canonical_json(document()), encoding="ascii")
