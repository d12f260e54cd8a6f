"""What an example imports comes with the line above it that installs something, and with nothing else."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.docs.pages import DOCS, ROOT, Block
from tests.docs.reader import ALL
from tests.docs.test_project import PROJECT

SOURCE = ROOT / "src"
_EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
_OWN: list[str] = PROJECT["project"]["dependencies"]
_DISTRIBUTIONS = importlib.metadata.packages_distributions()


def named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def installed_by(command: str) -> frozenset[str]:
    """The distributions that `pip install …` brings, with all that those need."""
    found: set[str] = set()
    for word in shlex.split(command)[2:]:
        if word != "-e" and not word.startswith("./"):
            _bring(Requirement(word.replace(".[", "undersign[") if word.startswith(".") else word), found)
    return frozenset(found)


def _bring(requirement: Requirement, found: set[str]) -> None:
    name = named(requirement.name)
    wanted: list[str]
    if name == "undersign":
        wanted = [*_OWN, *(text for extra in requirement.extras for text in _EXTRAS[extra])]
    else:
        try:
            wanted = importlib.metadata.requires(requirement.name) or []
        except importlib.metadata.PackageNotFoundError:
            wanted = []
    found.add(name)
    for text in wanted:
        needed = Requirement(text)
        extras = requirement.extras or {""}
        if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        if named(needed.name) not in found or needed.extras:
            _bring(needed, found)


def imported(tree: ast.AST, package: str = "") -> Iterator[str]:
    """The modules that the code imports as soon as it runs; of a module in `package`, relative ones in full."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if base.startswith("undersign"))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and package:
            continue
        elif not (isinstance(node, ast.If) and re.search("TYPE_CHECKING|version_info", ast.unparse(node.test))):
            yield from imported(node, package)


@cache
def needs(module: str) -> frozenset[frozenset[str]]:
    """The distributions that importing the module needs: of undersign's own, those of what it imports."""
    return frozenset(_needed(module, set()))


def _needed(module: str, seen: set[str]) -> Iterator[frozenset[str]]:
    top = module.partition(".")[0]
    if module in seen or top in sys.stdlib_module_names:
        return
    seen.add(module)
    if top != "undersign":
        if found := _DISTRIBUTIONS.get(top):
            yield frozenset(map(named, found))  # several share a namespace
        return
    yield frozenset({"undersign"})
    path = SOURCE / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if file.is_file():
        package = module if path.is_dir() else module.rpartition(".")[0]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for name in imported(tree, package):
            yield from _needed(name, seen)


PROGRAMS = {"undersign": "click", "uvicorn": "uvicorn", "gunicorn": "gunicorn", "http": "httpie"}
"""What a command of a console block comes with."""


def lacking(block: Block, code: str, line: str) -> list[str]:
    brought = installed_by(line) if line else frozenset()
    return [
        f"{block}: {module} needs {' or '.join(sorted(need))}, and the line above it is {line or 'not there'}"
        for module in dict.fromkeys(imported(ast.parse(code)))
        for need in needs(module)
        if not need & brought
    ]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("page", [name for name, found in ALL.items() if found])
def test_each_example_runs_with_the_line_above_it(page: str) -> None:
    wrong: list[str] = []
    line = ""
    for block in ALL[page]:
        if block.language == "console":
            for text in re.findall(r"^\$ (pip install .+?)(?: +#.*)?$", block.text, re.MULTILINE):
                line = f"{line} {text.removeprefix('pip install ')}" if " ./" in text else text
            brought = installed_by(line) if line else frozenset()
            wrong += [
                f"{block}: {program} needs {PROGRAMS[program]}, and the line above it is {line}"
                for program in re.findall(r"^\$ (\w+)", block.text, re.MULTILINE)
                if PROGRAMS.get(program, "undersign") not in {*brought, "undersign"}
            ]
        elif block.language == "python":
            wrong += lacking(block, block.text, line)
        elif block.language == "{literalinclude}" and block.argument.endswith(".py"):
            path = (DOCS / Path(page).parent / block.argument).resolve()
            if path.parent.name == "servers":  # the examples of schemes are packages, which say what they need
                wrong += lacking(block, path.read_text(encoding="utf-8"), line)
    assert wrong == []
