"""Mistakes of people's clients, over thirty schemes: what they did is named, and what nobody can know is not."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.diagnose.clients import report
from tests.diagnose.mistakes.client import NOW, Case, Message, signature_of
from tests.diagnose.mistakes.known import KNOWN
from tests.diagnose.mistakes.more_schemes import plains
from tests.diagnose.mistakes.scorer import Score, scored
from tests.diagnose.mistakes.seeded import pairs, rights, sample, singles, unknown
from undersign import Request, diagnose

PLAINS = {plain.name: plain for plain in plains()}


@pytest.mark.parametrize(("name", "message", "secret", "signature"), KNOWN, ids=[known[0] for known in KNOWN])
def test_the_plain_signers_give_the_published_answers(name: str, message: Message, secret: str, signature: str) -> None:
    assert signature_of(PLAINS[name], message, secret, {}) == signature


# Of a few, one that is missed counts more: LUCK is what a small sample may lack.
SINGLES, PAIRS, WRONG, LUCK = 0.97, 0.85, 0.01, 0.08


def judged(cases: Sequence[Case], kind: str) -> Score:
    score = scored(cases)
    for line in (*score.misses, *score.wrongs):
        report(line)
    report(f"{kind}: {score.named} of {score.total}, {score.wrong} wrong, the slowest in {score.slowest:.3f} s")
    assert not score.leaks
    return score


def test_right_requests_have_no_mistake() -> None:
    assert judged(rights(), "right").share == 1


@pytest.mark.long
def test_the_corpus_is_large() -> None:
    assert len(singles()) >= 400
    assert len({case.scheme for case in singles()}) >= 20
    assert len(pairs()) >= 80
    assert len(unknown()) >= 30


def test_single_mistakes() -> None:
    score = judged(sample(singles(), 1)[::30], "singles")
    assert score.share >= SINGLES - LUCK
    assert score.wrong_share < WRONG


@pytest.mark.long
def test_pairs_of_mistakes() -> None:
    score = judged(pairs(24), "pairs")
    assert score.share >= PAIRS - LUCK
    assert score.wrong <= 1


@pytest.mark.long
def test_what_nobody_can_know_is_not_named() -> None:
    assert judged(unknown()[::18], "unknown").wrong == 0


@pytest.mark.long
@pytest.mark.parametrize("part", range(3))  # as a whole it would keep one core for minutes after all others are done
def test_single_mistakes_with_many_schemes(part: int) -> None:
    score = judged(sample(singles(), 1)[part::3], f"singles of many schemes, part {part + 1}")
    assert score.share >= SINGLES
    assert score.wrong_share < WRONG


@pytest.mark.long
def test_many_pairs_of_mistakes() -> None:
    score = judged(pairs(160), "many pairs")
    assert score.share >= PAIRS
    assert score.wrong_share < WRONG


PEOPLE = Path(__file__).parent / "mistakes" / "people"
PROGRAMS = {".sh": "bash", ".php": "php", ".js": "node", ".rb": "ruby", ".go": "go", ".python": sys.executable}
HEADLINE = re.compile(r"(?:# |// |<\?php // |\W{3})(?P<scheme>\S+) (?P<codes>[a-z|-]+): ")


SCRIPTS = sorted(path for path in PEOPLE.iterdir() if path.suffix in PROGRAMS and path.stem != "send")


@pytest.mark.sampled(6)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_clients_that_people_write(script: Path) -> None:
    """Each script has one mistake, which its first line names, and prints the request that it would send."""
    program = PROGRAMS[script.suffix]
    if shutil.which(program) is None or (program == "bash" and shutil.which("openssl") is None):
        pytest.skip(f"needs {program}, and openssl for bash")
    told = HEADLINE.match(script.read_text())
    assert told is not None
    plain = PLAINS[told["scheme"]]
    key_id, secret = plain.key_id, plain.secrets[0]
    given = {"KEY": key_id, "KEY_ESCAPED": quote(key_id, safe=""), "SECRET": secret, "NOW": str(NOW)}
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | given
    command = [program, "run", str(script)] if program == "go" else [program, str(script)]
    done = subprocess.run(command, env=env, capture_output=True, check=True, timeout=300)
    made = json.loads(done.stdout)
    origin, _, target = made["url"].partition(".com/")
    headers = tuple((name, value) for name, value in made["headers"])
    request = Request(made["method"], "/" + target, headers, base64.b64decode(made["body"]), f"{origin}.com")
    codes = {cause.code for cause in diagnose(request, plain.scheme, {key_id: secret}, NOW)}
    report(f"{script.name}: {'|'.join(codes)}, not {told['codes']}" if codes - set(told["codes"].split("|")) else "")
    assert codes
    assert codes <= set(told["codes"].split("|"))
