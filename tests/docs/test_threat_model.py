"""The threat model names a test for each promise; each of them is there and runs."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import DOCS, ROOT

PAGE = (DOCS / "security" / "threat-model.md").read_text(encoding="utf-8")
PROMISES = re.findall(r"(?m)^\| ([A-Z]\d+) \| (.+) \| (.+) \|$", PAGE)


@cache
def _tests_of(file: str) -> dict[str, str]:
    """The tests of a file, `Class::name` where one stands in a class, with the source of their decorators."""
    path = ROOT / "tests" / file
    if not path.is_file():
        return {}
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for function in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and function.name.startswith("test_"):
                found[prefix + function.name] = " ".join(map(ast.unparse, function.decorator_list))
    return found


@pytest.mark.parametrize(("name", "tests"), [(name, tests) for name, _, tests in PROMISES])
def test_the_tests_of_a_promise_are_there(name: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`", tests)
    assert named, f"{name} names no test"
    for test in named:
        file, _, function = test.partition("::")
        decorators = _tests_of(file).get(function)
        assert decorators is not None, f"{name}: tests/{test} is not there"
        assert "mark.skip(" not in decorators, f"{name}: tests/{test} is never run"
        assert "xfail" not in decorators, f"{name}: tests/{test} is expected to fail"


def test_every_promise_has_a_name_of_its_own() -> None:
    names = [name for name, _, _ in PROMISES]
    assert len(names) == len(set(names)) >= 35
    kinds: dict[str, list[int]] = {}
    for name in names:
        kinds.setdefault(name[0], []).append(int(name[1:]))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in kinds.values()), kinds


def test_every_test_that_the_page_names_belongs_to_a_promise() -> None:
    """So that none is passed by for the form of its row."""
    assert PAGE.count("::test_") == sum(tests.count("::test_") for _, _, tests in PROMISES)
