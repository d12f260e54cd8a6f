"""The reference ports, and the library as one, pass all vectors; those that read recipes, those of recipes too."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.wire import WireServer
from undersign import GoTom, Verifier, vectors
from undersign.vectors import conform
from undersign.vectors.conform.judge import Status, judge
from undersign.vectors.conform.port import answer, serve
from undersign.vectors.conform.protocol import cases, run_message

PORTS = Path(__file__).parents[2] / "vectors" / "ports"
FILES = [vectors.load(name) for name in vectors.names()]
PRESETS = [vectors.load(name) for name in (vectors.RECIPES, *vectors.preset_names())]
WITHOUT_RECIPE = {case.scheme for case in cases(PRESETS) if "recipe" not in run_message(case)}
COMMANDS = {
    "JavaScript": ("node", str(PORTS / "port.js")),
    "PHP": ("php", str(PORTS / "port.php")),
    "Bash": ("bash", str(PORTS / "bash" / "port.sh")),
    "Java": ("javac", *map(str, sorted((PORTS / "java").glob("*.java")))),
    "Go": ("go", "run", *map(str, sorted((PORTS / "go").glob("*.go")))),
    "Ruby": ("ruby", str(PORTS / "recipe.rb")),
    "Python": conform.SELF,
}
SLOW = ("Bash", "Java", "JavaScript", "Python", "Ruby")
READ_RECIPES = ("Go", "Ruby", "Python")


EACH = pytest.mark.parametrize(
    "language", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in COMMANDS]
)


def runnable(language: str, folder: Path) -> tuple[str, ...]:
    """The command that is the port; what is compiled first is in the folder then."""
    command = COMMANDS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    if command[0] != "javac":
        return command
    subprocess.run([*command, "-d", str(folder)], check=True, timeout=120)
    return ("java", "-cp", str(folder), "Conform")


# Bash takes minutes, for which one core would be kept after all others are done: so it is asked file by file.
PARTS = [
    pytest.param(language, files, marks=pytest.mark.long if language in SLOW else (), id=f"{language}-{name}")
    for language in COMMANDS
    for name, files in (
        zip(vectors.names(), ([file] for file in FILES), strict=True)
        if language == "Bash"
        else [("all", [*FILES, *PRESETS] if language in READ_RECIPES else FILES)]
    )
]


@pytest.mark.parametrize(("language", "files"), PARTS)
def test_port(language: str, files: list[vectors.VectorFile], tmp_path: Path) -> None:
    command = runnable(language, tmp_path)
    report = conform.run(command, files, timeout=60, total=1800)  # Bash takes its time
    skipped = {outcome.case.scheme for outcome in report.outcomes if outcome.status is Status.SKIPPED}
    assert skipped <= WITHOUT_RECIPE
    asked = [outcome for outcome in report.outcomes if outcome.case.scheme not in skipped]
    assert [outcome.sentence for outcome in asked if outcome.status is not Status.PASSED] == []
    assert (report.language, report.starts, report.noise) == (language, 1, 0)
    assert len(report.outcomes) == sum(1 for file in files for _ in file)


@EACH
def test_port_reads_a_long_key_id(language: str, tmp_path: Path) -> None:
    case = next(case for case in cases(FILES) if case.scheme == "gotom" and case.group.op == "verify")
    command = runnable(language, tmp_path)
    lines = ""
    for key_id in ("a" * 20_000, r"\:" * 5_000):
        message = run_message(case)
        headers = [pair for pair in message["request"]["headers"] if pair[0] != "Authorization"]
        headers.append(["Authorization", f"gotom_app_api {key_id}:{'A' * 27}="])
        lines += json.dumps({**message, "request": {**message["request"], "headers": headers}}) + "\n"
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=120)
    assert [json.loads(line)["reason"] for line in done.stdout.splitlines()] == ["unknown_key"] * 2


def test_the_port_in_ruby_needs_no_recipes() -> None:
    if shutil.which("ruby") is None:
        pytest.skip("needs ruby")
    report = conform.run(("ruby", str(PORTS / "port.rb")), [*FILES, *PRESETS[1:2]], rules=("Core", "Published"))
    assert {outcome.status for outcome in report.outcomes} == {Status.PASSED, Status.SKIPPED}


SOURCES = sorted(path for path in PORTS.rglob("*") if path.is_file() and path.name != "go.mod")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_port_can_be_copied(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "SPDX-License-Identifier: MIT" in text[:2000]
    assert text.count("\n") < 500


def test_ports_say_how_they_are_run() -> None:
    for folder in (PORTS, PORTS / "bash", PORTS / "go", PORTS / "java"):
        heads = [path.read_text(encoding="utf-8")[:2000] for path in folder.iterdir() if path in SOURCES]
        assert any("conformance protocol" in head for head in heads)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_javascript_needs_nothing_that_a_page_does_not_have() -> None:
    script = """
        const { createContext, runInContext } = require("vm");
        const context = createContext({ TextEncoder, TextDecoder, btoa, atob });
        for (const path of process.argv.slice(1)) runInContext(require("fs").readFileSync(path, "utf8"), context);
        runInContext("answer = (line) => JSON.stringify(Undersign.answer(JSON.parse(line)))", context);
        const lines = require("readline").createInterface({ input: process.stdin });
        lines.on("line", (line) => console.log(context.answer(line)));
    """
    all_cases = cases(FILES)
    done = subprocess.run(
        ["node", "-e", script, str(PORTS / "hashes.js"), str(PORTS / "port.js")],
        input="".join(json.dumps(run_message(case)) + "\n" for case in all_cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    outcomes = [judge(case, answer) for case, answer in zip(all_cases, answers, strict=True)]
    assert [outcome.sentence for outcome in outcomes if outcome.status is not Status.PASSED] == []


# The command that sends, which the port in Bash has besides


CALL = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs Bash and curl")


def called(*arguments: str, body: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(PORTS / "bash" / "port.sh"), "call", *arguments],
        env={**os.environ, "UNDERSIGN_SECRET": "secret"},
        input=body,
        capture_output=True,
        text=True,
        timeout=60,
    )


@CALL
@pytest.mark.parametrize(
    ("method", "target", "file"),
    [("GET", "/a/../b?x=[1]&y={2}", ()), ("HEAD", "/", ()), ("POST", "/a%20b", ("-",)), ("POST", "/", ())],
)
def test_the_port_in_bash_sends_what_it_signed(method: str, target: str, file: tuple[str, ...]) -> None:
    with WireServer() as server:
        done = called("key:id", method, server.url + target, *file, body='{"a": 1}\n\n')
        assert (done.returncode, done.stderr) == (0, "")
        received = server.received()
        assert (received.method, received.target) == (method, target)
        assert received.body == (b'{"a": 1}\n\n' if file else b"")
        assert server.verified(Verifier(GoTom(), {"key:id": "secret"})).key_id == "key:id"


@CALL
@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("", "GET", "http://127.0.0.1:1/"), 1, "this request cannot be signed"),
        (("key\nid", "GET", "http://127.0.0.1:1/"), 1, "this request cannot be signed"),
        (("key", "G ET", "http://127.0.0.1:1/"), 1, "this request cannot be signed"),
        (("key", "GET", "ftp://127.0.0.1:1/"), 2, "write METHOD https://host/path"),
    ],
)
def test_the_port_in_bash_sends_nothing_that_it_cannot_sign(
    arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    done = called(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"{sentence}\n")


# The library as a port: what it makes of commands that no harness of ours sends


SIGN = run_message(next(case for case in cases(FILES) if case.test.name == "get" and case.scheme == "gotom"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"key_id": ""}, {"error": "cannot_sign"}),
        ({"secret": ""}, {"error": "cannot_sign"}),
        ({"key_id": "a\0b"}, {"error": "cannot_sign"}),
        ({"key_id": "\ud800"}, {"error": "cannot_sign"}),
        ({"scheme": "gotham"}, {"skipped": "there is no scheme 'gotham'"}),
        ({"options": {"colour": 1}}, {"skipped": "gotom has no option 'colour'"}),
        ({"op": "guess"}, {"skipped": "there is no such op"}),
        ({"request": {}}, {"error": "the command is not in form: KeyError"}),
        ({"cmd": "walk"}, {"error": "a command is start, run or stop"}),
    ],
)
def test_self_answers_whatever_comes(changed: dict[str, object], expected: dict[str, str]) -> None:
    found = answer({**SIGN, **changed})
    assert found.pop("seq") == SIGN["seq"]
    assert list(found) == list(expected)
    assert all(found[key].startswith(text) for key, text in expected.items())


def test_self_takes_secrets_in_base64() -> None:
    plain = answer(SIGN)
    encoded = {name: value for name, value in SIGN.items() if name != "secret"}
    assert answer({**encoded, "secret_b64": "dGhlcGFzc3dvcmR5b3VyZWNlaXZlZA=="}) == plain
    assert answer({**encoded, "secret": {"secret_b64": "dGhlcGFzc3dvcmR5b3VyZWNlaXZlZA=="}}) == plain


def test_self_survives_noise_and_stops() -> None:
    starts = b'{"cmd": "start", "version": 2}\n{"cmd": "start", "version": 1}\n'
    commands = b"\nnoise\n[]\n" + starts + b'{"cmd": "stop"}\n{"cmd": "start"}\n'
    answers = io.BytesIO()
    serve(io.BytesIO(commands), answers)
    first, second, third, fourth = map(json.loads, answers.getvalue().splitlines())
    assert list(first) == list(second) == ["error"]
    assert third == {"error": "this port speaks version 1 of the protocol"}
    assert list(fourth) == ["implementation", "schemes", "ops", "recipes"]
    assert list(fourth["implementation"]) == ["name", "version", "language"]


def test_self_as_a_module() -> None:
    lines = b'{"cmd": "start", "version": 1}\n{"cmd": "stop"}\n'
    done = subprocess.run(
        [sys.executable, "-m", "undersign.vectors.conform"], input=lines, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["ops"] == ["sign", "verify"]
