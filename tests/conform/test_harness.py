"""The harness ends in time and tells skipped, failed and errored apart, whatever a port does."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from undersign import ConfigError, vectors
from undersign.vectors import conform
from undersign.vectors.conform import Report, Status
from undersign.vectors.conform.judge import judge
from undersign.vectors.conform.port import answer
from undersign.vectors.conform.protocol import cases, given_back, run_message

from . import misbehaving
from .reference import Port

ROOT = Path(__file__).parents[2]


def some(name: str, *, count: int = 12) -> vectors.VectorFile:
    """The first sign tests and the first verify tests of a file."""
    file = vectors.load(name)
    found = [
        next(group for group in file.groups if group.op == op and len(group.tests) > 8) for op in ("sign", "verify")
    ]
    return replace(file, groups=tuple(replace(group, tests=group.tests[:count]) for group in found))


FILES = [some("gotom"), some("gogrid")]
ALL = sum(1 for file in FILES for _ in file)


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(how: str, *, files: Sequence[vectors.VectorFile] = FILES, timeout: float = 20, total: float = 60) -> Report:
    command = (sys.executable, "-m", "tests.conform.misbehaving", how)
    return conform.run(command, files, timeout=timeout, total=total)


def counts(report: Report) -> tuple[int, int, int, int]:
    passed, failed, errored, skipped = report.counts.values()
    assert passed + failed + errored + skipped == len(report.outcomes) == ALL
    return passed, failed, errored, skipped


def sentence(report: Report, status: Status) -> str:
    return next(outcome.sentence for outcome in report.outcomes if outcome.status is status)


def test_the_reference_passes() -> None:
    report = run("well")
    assert counts(report) == (ALL, 0, 0, 0)
    assert (report.name, report.version, report.language) == ("reference", "1.0.0", "Python")
    assert (report.starts, report.noise) == (1, 0)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("how", ["answers in any order", "answers twice", "is noisy", "does not stop"])
def test_what_does_no_harm(how: str) -> None:
    report = run(how, timeout=4)  # the last answers may be held until stop
    assert counts(report) == (ALL, 0, 0, 0)
    assert report.starts == 1
    assert (report.noise > 0) is (how in ("answers twice", "is noisy"))


def test_answers_that_are_held_until_stop_are_taken() -> None:
    assert counts(run("answers at the end", timeout=4)) == (ALL, 0, 0, 0)


def test_a_port_that_crashes_is_started_anew_and_only_the_test_at_fault_errored() -> None:
    report = run("crashes")
    assert counts(report) == (ALL - 2, 0, 2, 0)
    errored = [outcome.case.seq for outcome in report.outcomes if outcome.status is Status.ERRORED]
    assert errored == [misbehaving.FIRST, misbehaving.SECOND]
    assert "the port ended with exit status 3 without an answer" in sentence(report, Status.ERRORED)


@pytest.mark.long
def test_a_port_that_hangs_is_started_anew_and_only_the_test_at_fault_errored() -> None:
    report = run("hangs", timeout=2)
    assert counts(report) == (ALL - 2, 0, 2, 0)
    assert "no answer came within 2 s" in sentence(report, Status.ERRORED)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("how", "seconds"),
    [("hangs at start", 1.0), ("hangs at all", 1.0), ("floods", 1.0), ("a line without an end", 1.0)],
)
def test_a_port_that_never_answers_ends_within_its_bounds(how: str, seconds: float) -> None:
    begun = time.monotonic()
    report = run(how, timeout=seconds, total=8)
    assert counts(report)[:2] == (0, 0)
    assert time.monotonic() - begun < 20


def test_the_whole_run_is_bounded() -> None:
    begun = time.monotonic()
    report = run("hangs at all", timeout=30, total=1)
    assert time.monotonic() - begun < 30
    assert counts(report) == (0, 0, ALL, 0)
    assert "the 1 s for the whole run were over" in sentence(report, Status.ERRORED)


@pytest.mark.linux
@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_what_a_port_started_is_ended_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    report = conform.run(("bash", "-c", f"sleep 60 & echo $! >{note}; wait"), FILES, timeout=1)
    assert counts(report) == (0, 0, ALL, 0)
    for _ in range(100):
        state = Path(f"/proc/{note.read_text().strip()}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        pytest.fail("the port's child runs on")


@pytest.mark.long
def test_a_port_that_always_crashes_is_given_up() -> None:
    report = run("crashes always")
    assert counts(report) == (0, 0, ALL, 0)
    assert report.starts < ALL
    assert "not tried, since" in report.outcomes[-1].told


def test_a_port_that_ends_at_once() -> None:
    report = run("ends before start")
    assert counts(report) == (0, 0, ALL, 0)
    assert "ended with exit status 4" in report.outcomes[0].told


def test_a_port_that_does_not_say_what_it_is() -> None:
    assert counts(run("speaks of nothing", timeout=1)) == (0, 0, ALL, 0)


@pytest.mark.parametrize(
    ("how", "skipped"), [("skips", 1), ("knows one scheme", ALL // 2), ("does not verify", ALL // 2)]
)
def test_skipped_is_not_failed_unless_it_is_strict(how: str, skipped: int) -> None:
    report = run(how)
    assert report.counts[Status.SKIPPED] == pytest.approx(skipped, abs=4)
    assert report.counts[Status.PASSED] == ALL - report.counts[Status.SKIPPED]
    assert report.passed()
    assert not report.passed(strict=True)


@pytest.mark.parametrize(
    ("how", "told"), [("errs", 'the error "out of memory"'), ("answers in another shape", "not in the protocol's form")]
)
def test_an_answer_that_is_none_is_an_error(how: str, told: str) -> None:
    report = run(how)
    assert counts(report) == (ALL - 1, 0, 1, 0)
    assert told in sentence(report, Status.ERRORED)
    assert not report.passed()


@pytest.mark.parametrize("how", ["errs with the secret", "puts the secret into the string"])
def test_no_sentence_holds_a_secret(how: str) -> None:
    report = run(how)
    told = [outcome for outcome in report.outcomes if outcome.told]
    assert told
    for outcome in told:
        for secret in (secret.decode() for secrets in outcome.case.group.keys.values() for secret in secrets):
            assert len(secret) < 9 or secret not in outcome.sentence


@pytest.mark.parametrize("command", [("/nowhere/to/be/found",), (str(ROOT),), ("nul\0",)])
def test_a_command_that_cannot_be_started(command: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="cannot be started"):
        conform.run(command, FILES)


def test_what_run_refuses() -> None:
    with pytest.raises(ConfigError, match="name the command"):
        conform.run((), FILES)
    with pytest.raises(ConfigError, match="more than 0"):
        conform.run(("true",), FILES, timeout=0)


# What is told of an answer that is wrong

CASES = {(case.scheme, case.test.name): case for case in cases(vectors.load(name) for name in vectors.names())}


def told(scheme: str, name: str, **changed: Any) -> str:
    case = CASES[scheme, name]
    outcome = judge(case, {**Port().answer(run_message(case)), **changed})
    assert outcome.status is (Status.FAILED if outcome.told else Status.PASSED)
    return outcome.told


def test_the_first_byte_that_differs_and_the_part_it_is_in() -> None:
    string = Port().answer(run_message(CASES["gotom", "get"]))["string_to_sign"]
    assert told("gotom", "get", string_to_sign=string.replace("json", "Json")) == (
        'the string to sign differs at byte 49: got "27e\\napplication/Json\\n2024-11-07T", '
        'expected "27e\\napplication/json\\n2024-11-07T", in the content type'
    )
    assert told("gotom", "get", string_to_sign=string + "\n").endswith(", in the target")
    assert 'at byte 0: got ""' in told("gotom", "get", string_to_sign="")


@pytest.mark.parametrize(
    ("scheme", "name", "changed", "sentence"),
    [
        (
            "gotom",
            "get",
            {"patch": {}},
            'the header "authorization" of the patch differs: got none, expected "gotom_app',
        ),
        ("gogrid", "get", {"patch": {}}, 'the query of the patch differs at pair 0: got none, expected "api_key='),
        ("gotom", "get", {"target": "/"}, 'the target of the signed request differs at byte 1: got "/", expected'),
        ("gogrid", "form", {"body": ""}, 'the body of the signed request differs at byte 0: got "", expected'),
        ("gotom", "verify-window-too-old", {"result": "valid"}, "got valid, expected invalid (stale)"),
        ("gotom", "verify-window-too-old", {"reason": "future"}, "got invalid (future), expected invalid (stale)"),
        ("gotom", "verify-window-too-old", {"reason": None}, "got invalid (no reason), expected invalid (stale)"),
        ("gotom", "verify-window-oldest", {"result": "invalid"}, "got invalid (no reason), expected valid"),
        ("gotom", "verify-window-oldest", {"key_id": "x"}, 'got valid for the key "x", expected the key "theusername'),
        (
            "gotom",
            "get",
            {"error": "cannot_sign"},
            'got cannot_sign, expected the patch {"headers": [["Date", "2024-11-07T10:21:15Z"], ["Auth',
        ),
        ("gotom", "cannot-sign-fragment", {"error": None, "patch": {}}, "got a signature, expected cannot_sign"),
    ],
)
def test_what_is_told(scheme: str, name: str, changed: dict[str, Any], sentence: str) -> None:
    assert told(scheme, name, **changed).startswith(sentence)


def test_what_is_left_open() -> None:
    """Letter case and order of the patch's headers, base64 where text would do, empty parts left out."""
    patch = Port().answer(run_message(CASES["gotom", "get"]))["patch"]
    headers = [[name.upper(), value] for name, value in reversed(patch["headers"])]
    assert told("gotom", "get", patch={"headers": headers}) == ""
    assert told("gotom", "get", body_b64="") == ""


def test_a_sentence_names_the_test_the_input_and_the_rule() -> None:
    case = CASES["gotom", "verify-window-too-old"]
    sentence = judge(case, {"result": "valid", "key_id": "x"}).sentence
    assert sentence.startswith('gotom 137 verify-window-too-old: verify GET "/app-api/campaign/26106" of https://demo')
    assert "at 1730976676: got valid, expected invalid (stale). WindowEdge: Both ends of the window" in sentence


# Each request that a port signs is given back to it


def test_a_port_that_signs_and_does_not_verify_what_it_signed_fails() -> None:
    report = run("verifies nothing")
    signed = [outcome for outcome in report.outcomes if outcome.case.group.op == "sign" or outcome.case.given_back]
    assert signed
    for outcome in signed:
        if not outcome.case.test.reason:
            assert outcome.told.startswith("it is signed rightly, and when the signed request is given back to be")
            assert "got invalid (mismatch), expected valid" in outcome.told


@pytest.mark.parametrize("name", ["method-case-get", "origin-unknown"])
def test_a_request_is_given_back_as_a_server_has_it(name: str) -> None:
    case = CASES["gotom", name]
    asked = given_back(case, 10_000)
    assert asked.test.request.method == case.test.request.method.upper()
    assert asked.test.request.origin.startswith("https://")
    assert run_message(asked)["keys"] == {case.test.key_id: ["thepasswordyoureceived"]}
    assert Port().answer(run_message(asked))["result"] == "valid"


# Which tests are tried


def test_some_tests_alone() -> None:
    files = [vectors.load("gotom"), vectors.load("gogrid")]
    chosen = conform.run(conform.SELF, files, only=["verify-date-*", "137"], rules=["WindowEdge"])
    names = [outcome.case.test.name for outcome in chosen.outcomes]
    assert "verify-window-too-old" in names
    assert all(name.startswith("verify-date-") or name == "verify-window-too-old" for name in names)
    assert chosen.passed(strict=True)


def test_the_core_of_all_files_comes_first() -> None:
    found = cases([vectors.load("gotom"), vectors.load("gogrid")])
    core = ["Core" in case.test.flags for case in found]
    assert core == sorted(core, reverse=True)
    assert {case.scheme for case in found[:40]} == {"gotom", "gogrid"}


def test_no_test_of_that_name() -> None:
    with pytest.raises(ConfigError, match="there is no test nothing or Nowhere: undersign vectors list"):
        conform.run(conform.SELF, FILES, only=["nothing"], rules=["Nowhere"])


def test_the_run_ends_at_the_first_failure() -> None:
    command = (sys.executable, "-m", "tests.conform.misbehaving", "verifies nothing")
    report = conform.run(command, FILES, first=True)
    assert [outcome.status for outcome in report.outcomes][-1] is Status.FAILED
    assert report.counts[Status.FAILED] == 1


# Sentences are for those who know no Python


def test_no_sentence_is_written_in_python() -> None:
    for name, case in CASES.items():
        for wrong in (
            {},
            {"patch": 1},
            {"patch": {"query": [[1]]}},
            {"result": None},
            {"error": {"a": None}},
            {"error": True},
        ):
            outcome = judge(case, wrong)
            given = outcome.sentence.partition(f"{case.test.name}: ")[2].partition(": ")[2] if outcome.told else ""
            assert not re.search(
                r"\bNone\b|\bTrue\b|\bFalse\b|b'|\\'|Error\b|object is|'patch'|\bdict\b", outcome.told
            ), name
            assert not re.search(r"=(?:None|True|False|\['|\{')", given), name


def test_options_and_bytes_are_shown_as_json_has_them() -> None:
    sentence = judge(CASES["gotom", "signed-headers-c1-bytes"], {"error": "cannot_sign"}).sentence
    assert 'option signed_headers=["X-A"]' in sentence
    assert 'header X-A: "\\u0085a\\u009f"' in sentence


# Recipes are in the protocol


def test_a_port_that_reads_recipes_has_all_the_presets() -> None:
    files = [vectors.load(name) for name in vectors.preset_names()]
    messages = [run_message(case) for case in cases(files)]
    with_recipe = [message for message in messages if "recipe" in message]
    assert len(with_recipe) > 200
    for message in with_recipe:
        assert answer({**message, "scheme": "never heard of", "options": {}}) == answer(
            {name: value for name, value in message.items() if name != "recipe"}
        )


def test_the_vectors_of_the_presets_pass_by_their_recipes() -> None:
    report = conform.run(conform.SELF, [vectors.load(name) for name in vectors.preset_names()])
    assert [outcome.sentence for outcome in report.outcomes if outcome.status is not Status.PASSED] == []


def test_a_port_without_recipes_skips_what_it_has_not_heard_of() -> None:
    report = conform.run((sys.executable, "-m", "tests.conform.misbehaving", "well"), [vectors.load("presets/slack")])
    assert {outcome.status for outcome in report.outcomes} == {Status.SKIPPED}
