"""Every preset: what its file says, the answers that its API has published, and the laws of schemes."""

from __future__ import annotations

import ast
import inspect
import re
import traceback
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

import undersign
from tests.presets.published import NAMES, published
from undersign import vectors
from undersign.registry import build_scheme, scheme_names, schemes_described
from undersign.schemes import presets
from undersign.testing import check_scheme

ROOT = Path(__file__).parents[2]
FOLDER = Path(inspect.getfile(presets)).parent
# What no recipe can say is a class, which takes more lines.
_CLASSES = {"acquia", "mashery", "tyk"}


@pytest.mark.parametrize("name", NAMES)
def test_its_file_says_what_people_ask(name: str) -> None:
    described = presets.described(name)
    assert all(described), described
    assert described.sentence.endswith(".")
    assert ". " not in described.sentence
    assert (name, described.sentence) in schemes_described()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_by_its_name_everywhere(name: str) -> None:
    assert name in scheme_names()
    factory = getattr(undersign.presets, name.replace("-", "_"))
    parameters = inspect.signature(factory).parameters.values()
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    scheme = published(name).scheme
    assert scheme.name == name
    if not any(parameter.default is parameter.empty for parameter in parameters):
        assert build_scheme(name) == factory()


@pytest.mark.parametrize("name", sorted(set(NAMES) - _CLASSES))
def test_a_recipe_takes_no_more_than_twenty_lines(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if any(isinstance(node, ast.ClassDef) for node in tree.body):
        return  # a scheme that no recipe can say
    (function,) = functions
    assert (function.end_lineno or 0) - function.lineno < 20


@pytest.mark.parametrize("name", NAMES)
def test_its_vectors_are_in_order_and_pass(name: str) -> None:
    text = vectors.read(f"presets/{name}")
    assert vectors.lint(text) == []
    assert vectors.check_schema(text) == []
    file = vectors.parse(text)
    assert file.scheme == name
    assert [(result.test.name, result.difference) for result in vectors.run_file(file) if not result.passed] == []


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_laws(name: str) -> None:
    case = published(name)
    secret = case.credential.secret.reveal()
    check_scheme(
        case.scheme,
        key_id=case.credential.key_id,
        secret=b"no word of a message" if secret == b"secret" else secret,  # which is one of errors' own words
        now=case.now,
        headers=case.request.headers,
        requests=[case.request],
        extra=case.credential.extra,
    )


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", NAMES)
def test_the_laws_are_tried_with_no_more_than_the_preset(name: str) -> None:
    """Key id, secret and extras are made up in the scheme's form. Headers that its API names cannot be."""
    named = {"kong-hmac": (("Content-MD5", "md5"),), "tuya": (("X-Area", "7"),)}
    options: dict[str, dict[str, Any]] = {
        "kong-hmac": {"signed_headers": ("date", "content-md5", "request-line")},
        "tuya": {"signed_headers": ("X-Area",)},
    }
    factory = getattr(undersign.presets, name.replace("-", "_"))
    check_scheme(factory(**options.get(name, {})), headers=named.get(name, ()))


def test_there_are_no_vectors_of_presets_that_are_not_there() -> None:
    assert vectors.preset_names() == [f"presets/{name}" for name in NAMES]


def test_a_name_that_is_none_says_what_may_have_been_meant() -> None:
    with pytest.raises(AttributeError, match="did you mean 'bokun'"):
        _ = undersign.presets.bokum


def test_the_table_of_counterparts_names_schemes_and_packages_that_are_there() -> None:
    page = (ROOT / "docs" / "apis" / "index.md").read_text(encoding="utf-8").partition("## Held against")[2]
    rows = [row.split("|")[1:3] for row in page.splitlines() if row.startswith("| `")]
    installed = {(found.metadata["Name"] or "").lower().replace("_", "-") for found in distributions()}
    for schemes, package in rows:
        assert set(re.findall("`([^`]+)`", schemes)) <= set(scheme_names())
        assert package.strip().lower() in installed
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_counterparts_*.py"))
    named = {name for schemes, _ in rows for name in re.findall("`([^`]+)`", schemes)} - {"gogrid"}
    assert [name for name in named if name.replace("-", "_") not in tests and name not in tests] == []
    assert len(rows) >= 25


def test_a_scheme_that_is_a_class_is_no_preset_and_says_whence_it_comes() -> None:
    with pytest.raises(AttributeError, match="from undersign import GoTom") as raised:
        undersign.presets.gotom  # noqa: B018
    # Nor does the interpreter add a guess of its own, such as `zoom`.
    assert "Did you mean" not in "".join(traceback.format_exception(raised.value))
    with pytest.raises(AttributeError, match=r"did you mean 'stripe'\?"):
        undersign.presets.strip  # noqa: B018
