"""`undersign conform` and `undersign vectors`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.command import Result, undersign
from undersign import __version__, vectors

ROOT = Path(__file__).parents[2]
ALL = sum(1 for name in vectors.names() for _ in vectors.load(name))


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def conform(how: str, *options: str) -> Result:
    command = (sys.executable, "-m", "tests.conform.misbehaving", how)
    return undersign("conform", "--scheme", "gogrid", *options, "--", *command)


@pytest.mark.long
def test_self_passes() -> None:
    result = undersign("conform", "--self", "--strict")
    assert result.code == 0
    lines = result.text.splitlines()
    assert lines[0].split() == ["rule", "passed", "failed", "errored", "skipped"]
    assert any(line.split() == ["gotom", "NeedlessEscape", "2", ".", ".", "."] for line in lines)
    assert lines[-1].startswith(f"undersign {__version__}: {ALL} passed, 0 failed, 0 errored, 0 skipped of {ALL} in ")


def test_a_failure_is_a_sentence_and_exit_1() -> None:
    result = conform("puts the secret into the string")
    assert result.code == 1
    first = result.text.splitlines()[0]
    assert first.startswith(
        'failed: gogrid 1 get: sign GET "/api/grid/server/list" of https://api.gogrid.com, at 1200000000: '
    )
    assert 'the string to sign differs at byte 31: got "' in first
    assert "<secret>" in first
    assert "This is my secret" not in result.text


def test_skipped_fails_if_it_is_strict() -> None:
    assert conform("skips").code == 0
    result = conform("skips", "--strict")
    assert result.code == 1
    assert "skipped: 1 tests, since not today" in result.text


def test_json() -> None:
    result = conform("errs", "--json")
    assert result.code == 1
    report = json.loads(result.text)
    assert report["implementation"] == {"name": "reference", "version": "1.0.0", "language": "Python"}
    assert (report["result"], report["counts"]["errored"], report["starts"]) == ("failed", 1, 1)
    [errored] = [test for test in report["tests"] if test["status"] == "errored"]
    assert "out of memory" in errored["message"]
    assert report["rules"]["gogrid KeyId"]["errored"] == 1


def test_junit(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    assert conform("skips", "--junit", str(file)).code == 0
    root = ET.parse(file).getroot()
    assert root.attrib["skipped"] == "1"
    [suite] = root
    assert suite.attrib["tests"] == str(len(suite)) == str(sum(1 for _ in vectors.load("gogrid")))
    [skipped] = suite.findall("testcase/skipped")
    assert skipped.attrib["message"] == "not today"


def test_a_bound_is_an_option() -> None:
    result = conform("hangs at start", "--timeout", "0.5", "--total", "5")
    assert result.code == 1
    assert "no answer came within 0.5 s" in result.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either --self, or -- and the command"),
        (("--self", "--", "true"), "give either --self, or -- and the command"),
        (("--", "/nowhere/port"), "the port '/nowhere/port' cannot be started"),
        (
            ("--", "node port.js"),
            "cannot be started: No such file or directory; write its words apart: -- node port.js",
        ),
        (("--self", "--scheme", "nothing"), "there are no vectors 'nothing'"),
        (("--self", "--scheme", "gotm"), "there are no vectors 'gotm' (did you mean 'gotom'?); there are "),
        (("--self", "--timeout", "0"), "--timeout"),
    ],
)
def test_what_conform_refuses(arguments: tuple[str, ...], told: str) -> None:
    result = undersign("conform", *arguments)
    assert result.code == 2
    assert told in result.error


def test_vectors_list() -> None:
    text = undersign("vectors", "list").text
    assert f"gotom {vectors.load('gotom').version}: " in text
    [gogrid] = json.loads(undersign("vectors", "list", "--json", "gogrid").text)
    assert gogrid["rules"]["Version"]["valid"] > 5
    assert gogrid["tests"] == sum(1 for _ in vectors.load("gogrid"))
    assert undersign("vectors", "list", "nothing").code == 2


@pytest.mark.long
def test_vectors_lint(tmp_path: Path) -> None:
    assert undersign("vectors", "lint").text == "gogrid, gotom: in order\n"
    document: dict[str, Any] = json.loads(vectors.read("gotom"))
    document["groups"][0]["tests"][0]["surprise"] = 1
    document["notes"]["Ordinary"]["counterpart"] = "Nothing"
    file = tmp_path / "gotom.json"
    file.write_text(vectors.canonical_json(document), encoding="utf-8")
    result = undersign("vectors", "lint", file)
    assert result.code == 1
    assert "$.groups[0].tests[0] does not keep to the schema: unevaluatedProperties" in result.text
    assert "the counterpart of Ordinary, Nothing, has no note" in result.text
    assert "no test of Ordinary or its counterpart is invalid" in result.text


def test_vectors_lint_says_what_it_does_not_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    result = undersign("vectors", "lint")
    assert result.code == 0
    assert "the schema is not checked, which needs jsonschema" in result.err


@pytest.mark.long
def test_vectors_run(tmp_path: Path) -> None:
    assert undersign("vectors", "run").code == 0
    document: dict[str, Any] = json.loads(vectors.read("gotom"))
    document["groups"][0]["tests"][0]["target"] = "/"
    file = tmp_path / "gotom.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    result = undersign("vectors", "run", file)
    assert result.code == 1
    assert result.text.startswith("gotom get: the target of the signed request differs at byte 1\n")


def test_vectors_export(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "vectors"
    assert undersign("vectors", "export", folder).code == 0
    assert (folder / "gotom.json").read_text(encoding="utf-8") == vectors.read("gotom")
    assert {"gogrid.json", "gotom.json", "schema.json"} <= {path.name for path in folder.iterdir()}
    assert undersign("vectors", "export", folder).code == 0
    (folder / "gotom.json").write_text("{}", encoding="utf-8")
    result = undersign("vectors", "export", folder)
    assert result.code == 2
    assert "gotom.json is there and differs" in result.error
    shutil.rmtree(folder)
