"""Mistakes of people's clients, over thirty schemes: what they did is named, and what nobody can know is not."""

from __future__ import annotations

import pytest

from tests.diagnose.clients import report
from tests.diagnose.mistakes.client import Case, Message, signature_of
from tests.diagnose.mistakes.known import KNOWN
from tests.diagnose.mistakes.more_schemes import plains
from tests.diagnose.mistakes.scorer import Score, scored
from tests.diagnose.mistakes.seeded import pairs, rights, sample, singles, unknown

PLAINS = {plain.name: plain for plain in plains()}


@pytest.mark.parametrize(("name", "message", "secret", "signature"), KNOWN, ids=[known[0] for known in KNOWN])
def test_the_plain_signers_give_the_published_answers(name: str, message: Message, secret: str, signature: str) -> None:
    assert signature_of(PLAINS[name], message, secret, {}) == signature


def judged(cases: list[Case], kind: str) -> Score:
    score = scored(cases)
    for line in (*score.misses, *score.wrongs):
        report(line)
    report(f"{kind}: {score.named} of {score.total}, {score.wrong} wrong, the slowest in {score.slowest:.3f} s")
    assert not score.leaks
    return score


def test_right_requests_have_no_mistake() -> None:
    assert judged(rights(), "right").share == 1


def test_single_mistakes() -> None:
    cases = sample(singles(), 2)
    assert len(cases) >= 400
    assert len({case.scheme for case in cases}) >= 20
    judged(cases, "singles")


def test_pairs_of_mistakes() -> None:
    cases = pairs(80)
    assert len(cases) >= 80
    judged(cases, "pairs")


def test_what_nobody_can_know_is_not_named() -> None:
    cases = unknown()
    assert len(cases) >= 30
    assert judged(cases[::4], "unknown").wrong == 0


@pytest.mark.long
def test_every_single_mistake_with_every_scheme() -> None:
    judged(singles(), "all singles")
