"""Write the page of the flags, `docs/vectors.md`: what each means, and how many tests it has.

Run it as `python vectors/flags.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from undersign import vectors

PAGE = Path(__file__).parents[1] / "docs" / "vectors.md"
_HEAD = """# The vectors, by flag

{total} tests in two files, {core} of them the core, which comes first. Behind it the tests stand by their first flag:
bug types in the order of `vectors/README.md`, and flags by name. `undersign conform --rule FLAG` runs those of one
flag, and `undersign vectors list` prints these tables. Written by `vectors/flags.py`.
"""


def page() -> str:
    """The text of the page."""
    files = [vectors.load(name) for name in reversed(vectors.names())]
    total = sum(1 for file in files for _ in file)
    core = sum("Core" in test.flags for file in files for _, test in file)
    return _HEAD.format(total=f"{total:,}", core=core) + "".join(map(_table, files))


def order() -> list[str]:
    """The bug types, in the order in which tests stand."""
    schema = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
    found: list[str] = schema["$defs"]["note"]["properties"]["bug_type"]["enum"]
    return found


def _table(file: vectors.VectorFile) -> str:
    counted = Counter((flag, test.result) for _, test in file for flag in test.flags)
    flags = sorted(file.notes, key=lambda flag: (flag != "Core", order().index(file.notes[flag]["bug_type"]), flag))
    rows = [
        f"| `{flag}` | {_cell(file.notes[flag]['description'])} | {file.notes[flag]['bug_type']} "
        f"| {counted[flag, 'valid']} | {counted[flag, 'invalid']} |\n"
        for flag in flags
    ]
    head = f"\n## {file.scheme} {file.version}\n\n| flag | meaning | a failure is | valid | invalid |\n"
    head += "|---|---|---|---|---|\n"
    return head + "".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
