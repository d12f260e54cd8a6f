"""Wrong ports in Ruby: each is the port in `vectors/ports` with one change, a slip that a porter makes.

`python -m tests.conform.wrong_ruby` says which of them pass all vectors.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from undersign import vectors
from undersign.vectors.conform.judge import Status, judge
from undersign.vectors.conform.protocol import Case, cases, decode, given_back, run_message

from .families import FAMILIES
from .recipes import RECIPES

PORTS = Path(__file__).parents[3] / "vectors" / "ports"
FILES = ("port.rb", "recipe.rb", "recipe_parts.rb")
ALL = {
    **{f"families-{name}": change for name, change in FAMILIES.items()},
    **{f"recipes-{name}": change for name, change in RECIPES.items()},
}


@cache
def _cases(of_recipes: bool) -> tuple[Sequence[Case], str]:
    names = [vectors.RECIPES, *vectors.preset_names()] if of_recipes else vectors.names()
    # GoGrid's come last: they take long, a hash for each second of a window.
    asked = [
        case
        for case in cases(map(vectors.load, sorted(names, reverse=True)))
        if not of_recipes or "recipe" in run_message(case)
    ]
    # What is signed is given back to be verified, as the harness does.
    last = max(case.seq for case in asked)
    back = [given_back(case, last + case.seq) for case in asked if case.group.op == "sign" and not case.test.reason]
    lines = "".join(json.dumps(run_message(case)) + "\n" for case in (*asked, *back))
    return (*asked, *back), lines


def survives(name: str) -> bool:
    """Whether the wrong port passes all vectors."""
    file, old, new = ALL[name]
    with tempfile.TemporaryDirectory() as folder:
        for each in FILES:
            text = (PORTS / each).read_text(encoding="utf-8")
            if each == file:
                assert text.count(old) >= 1, f"{name}: the port does not hold {old!r}"
                text = text.replace(old, new)
            (Path(folder) / each).write_text(text, encoding="utf-8")
        return not failures(["ruby", str(Path(folder) / FILES[1])], of_recipes=name.startswith("recipes-"), first=True)


def failures(command: list[str], *, of_recipes: bool, first: bool = False) -> int:
    """How many tests the port does not pass; with `first` no more than one is looked for."""
    asked, lines = _cases(of_recipes)
    by_seq = {case.seq: case for case in asked}
    failed = 0
    with tempfile.TemporaryFile() as commands:
        commands.write(lines.encode())
        commands.seek(0)
        with subprocess.Popen(command, stdin=commands, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as port:
            assert port.stdout is not None
            for line in port.stdout:
                answer = decode(line) or {}
                case = by_seq.pop(answer.get("seq", 0), None)
                failed += case is not None and judge(case, answer).status is not Status.PASSED
                if failed and first:
                    port.kill()
                    return failed
    return failed + len(by_seq)  # what it ended without


def survivors(names: Sequence[str]) -> list[str]:
    """Those of the wrong ports that pass."""
    with ThreadPoolExecutor(2) as pool:
        return [name for name, passes in zip(names, pool.map(survives, names), strict=True) if passes]


def main() -> int:
    names = [name for name in ALL if all(part in name for part in sys.argv[1:])]
    found = survivors(names)
    sys.stdout.write(f"{len(names) - len(found)} of {len(names)} wrong ports in Ruby fail the vectors\n")
    for name in found:
        sys.stdout.write(f"a vector is missing: {name} passes all\n")
    return 1 if found else 0
