"""The vectors against a port that makes one mistake at a time: `python -m tests.conform.mutants` prints the count."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from undersign import vectors
from undersign.vectors.conform.judge import Outcome, Status, judge
from undersign.vectors.conform.protocol import cases, run_message

from . import mistakes
from .reference import Port

CASES = [(case, run_message(case)) for case in cases(vectors.load(name) for name in vectors.names())]


def failing(mistake: str = "") -> Iterator[Outcome]:
    """The tests that a port with that mistake does not pass, of the schemes that it is made in."""
    port = Port(mistake)
    made_in = ("gotom",) * (mistake not in mistakes.KEYED_TIMESTAMP) + ("gogrid",) * (
        mistake not in mistakes.HEADER_HMAC
    )
    outcomes = (judge(case, port.answer(message)) for case, message in CASES if case.scheme in made_in)
    return (outcome for outcome in outcomes if outcome.status is not Status.PASSED)


def failed(mistake: str = "") -> list[Outcome]:
    """All of them."""
    return list(failing(mistake))


def is_killed(mistake: str) -> bool:
    """Whether it fails any."""
    return next(failing(mistake), None) is not None


def main() -> int:
    begun = time.monotonic()
    with ProcessPoolExecutor() as pool:
        killed = dict(zip(mistakes.ALL, pool.map(is_killed, mistakes.ALL, chunksize=8), strict=True))
    survivors = [mistake for mistake, dead in killed.items() if not dead]
    by_language = Counter(mistakes.language(mistake) for mistake, dead in killed.items() if dead)
    told = ", ".join(f"{language} {count}" for language, count in sorted(by_language.items()))
    seconds = time.monotonic() - begun
    sys.stdout.write(
        f"{len(killed) - len(survivors)} of {len(killed)} mutants fail the vectors in {seconds:.0f} s: {told}\n"
    )
    for survivor in survivors:
        sys.stdout.write(f"a vector is missing: {survivor} passes all\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
