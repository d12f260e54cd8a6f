"""What the diagnosis makes of the corpus: named, unexplained, a wrong name; and how long it takes of one processor."""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from undersign.diagnosing import Cause, diagnose

from .client import NOW, Case

HARMLESS = {"unexplained"}


@dataclass
class Score:
    """How a set of cases was named. `misses` and `wrongs` are lines to read."""

    total: int = 0
    named: int = 0
    wrong: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.named / self.total if self.total else 1.0

    @property
    def wrong_share(self) -> float:
        return self.wrong / self.total if self.total else 0.0


def judge(case: Case, score: Score) -> None:
    began = time.process_time()
    causes = diagnose(case.request, case.verifier, case.keys, NOW)
    took = time.process_time() - began
    codes = frozenset(cause.code for cause in causes)
    wanted = frozenset().union(*case.codes)
    score.total += 1
    score.seconds += took
    score.slowest = max(score.slowest, took)
    score.leaks += [f"{case} shows {text!r}" for text in shown(case, causes)]
    if codes == wanted == frozenset() or (codes <= wanted and all(codes & group for group in case.codes)):
        score.named += 1
    elif codes <= wanted | HARMLESS:
        score.misses.append(f"{case}: {said(codes)}, not {said(wanted)}")
    else:
        score.wrong += 1
        score.wrongs.append(f"{case}: {said(codes)}, not {said(wanted)}")


def said(codes: Iterable[str]) -> str:
    return "|".join(sorted(codes)) or "nothing"


def shown(case: Case, causes: tuple[Cause, ...]) -> list[str]:
    """What is hidden and stands in the answer: the secret, its encodings, or a signature that is valid."""
    text = repr(causes) + " ".join(cause.detail for cause in causes)
    hidden = set(case.hidden) | set(case.keys.values())
    for secret in list(hidden):
        raw = secret.encode()
        hidden |= {raw.hex(), base64.b64encode(raw).decode(), quote(secret, safe=""), repr(secret)[1:-1]}
    return [word for word in hidden if len(word) > 5 and word in text]


def scored(cases: Iterable[Case]) -> Score:
    score = Score()
    for case in cases:
        judge(case, score)
    return score


def by(cases: Iterable[Case], of: str) -> dict[str, Score]:
    scores: dict[str, Score] = defaultdict(Score)
    for case in cases:
        judge(case, scores[getattr(case, of)])
    return scores


def summed(scores: Iterable[Score]) -> Score:
    total = Score()
    for one in scores:
        total.total += one.total
        total.named += one.named
        total.wrong += one.wrong
        total.seconds += one.seconds
        total.slowest = max(total.slowest, one.slowest)
        total.misses += one.misses
        total.wrongs += one.wrongs
        total.leaks += one.leaks
    return total
