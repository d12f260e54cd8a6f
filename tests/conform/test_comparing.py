"""`conform --against`: a port and the library by random messages, which no vector was written for."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import undersign
from undersign import ConfigError
from undersign.vectors.conform import comparing, messages
from undersign.vectors.conform.port import answer

from .reference import Port

ROOT = Path(__file__).parents[2]
BASES = messages.bases(["gotom", "gogrid"])


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def compare(
    how: str, *, count: int = 400, seed: int = 0, timeout: float = 20, total: float = 60
) -> comparing.Comparison:
    command = (sys.executable, "-m", "tests.conform.misbehaving", how)
    return comparing.compare(command, ["gotom", "gogrid"], seed=seed, count=count, timeout=timeout, total=total)


@pytest.mark.long
def test_the_reference_port_and_the_library_are_of_one_mind() -> None:
    """Two implementations of the same rulings, which share no code."""
    for number in range(800):
        sent, _ = messages.message(BASES, 1, number)
        assert comparing.difference(sent, Port().answer(sent), answer(sent)) == "", sent


def test_the_same_seed_gives_the_same_messages_and_another_one_others() -> None:
    def made(seed: int) -> list[messages.Message]:
        return [messages.message(BASES, seed, number)[0] for number in range(50)]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_messages_are_of_every_kind() -> None:
    outcomes = [answer(messages.message(BASES, 0, number)[0]) for number in range(600)]
    reasons = {found.get("reason") or found.get("error") or found.get("result", "signed") for found in outcomes}
    assert reasons >= {
        "signed",
        "valid",
        "cannot_sign",
        "missing",
        "insecure",
        "malformed",
        "stale",
        "future",
        "mismatch",
    }


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "mistake",
    [
        "method-in-any-case",
        "hour-24-taken",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("spaces-kept", "names-in-any-case", "clock-rounded")),
    ],
)
def test_a_port_with_a_mistake_differs(mistake: str) -> None:
    found = compare(f"makes the mistake {mistake}", count=800)
    assert found.differing
    assert not found.passed
    for difference in found.differences:
        assert difference.sentence.startswith(f"message {difference.number} of seed 0, ")
        sent = json.loads(difference.line)
        assert comparing.difference(sent, Port(mistake).answer(sent), answer(sent))
    assert len(found.differences) <= 10


def test_it_is_bounded_by_time() -> None:
    begun = time.monotonic()
    found = compare("well", count=10**6, total=2)
    assert 0 < found.compared < 10**6
    assert time.monotonic() - begun < 30
    assert found.passed


@pytest.mark.parametrize(
    ("how", "timeout", "problem"),
    [
        ("crashes", 20, "ended with exit status 3 without an answer"),
        ("hangs", 1, "no answer came within 1 s"),
        ("ends before start", 20, "ended with exit status 4"),
    ],
)
def test_a_port_that_gives_no_answer(how: str, timeout: float, problem: str) -> None:
    found = compare(how, timeout=timeout)
    assert problem in found.problem
    assert not found.passed


def test_a_port_that_skips_is_not_compared_there() -> None:
    found = compare("skips", count=50)
    assert (found.compared, found.skipped) == (49, 1)


def test_there_has_to_be_a_port() -> None:
    with pytest.raises(ConfigError, match="there is no port"):
        comparing.compare((), ["gotom"], timeout=1, total=1)


def test_the_command() -> None:
    port = f"{sys.executable} -m tests.conform.misbehaving"
    result = undersign("conform", "--against", f"{port} well", "--count", "200", "--seed", "3")
    assert result.code == 0
    assert result.text.startswith("200 of 200 messages compared, seed 3, in ")
    result = undersign(
        "conform", "--against", f"{port} 'makes the mistake method-in-any-case'", "--count", "600", "--json"
    )
    assert result.code == 1
    report = json.loads(result.text)
    assert report["result"] == "failed"
    assert report["differences"][0]["sent"]["cmd"] == "run"
    assert undersign("conform", "--against", port, "--self").code == 2
