"""The vectors against a port that makes one mistake at a time: `python -m tests.conform.mutants` prints the count."""

from __future__ import annotations

import sys

from undersign import vectors
from undersign.vectors.conform.judge import Outcome, Status, judge
from undersign.vectors.conform.protocol import cases, run_message

from . import mistakes
from .reference import Port

CASES = [(case, run_message(case)) for case in cases(vectors.load(name) for name in vectors.names())]


def failed(mistake: str = "") -> list[Outcome]:
    """The tests that a port with that mistake does not pass, of the schemes that it is made in."""
    port = Port(mistake)
    made_in = ("gotom",) * (mistake not in mistakes.KEYED_TIMESTAMP) + ("gogrid",) * (
        mistake not in mistakes.HEADER_HMAC
    )
    outcomes = (judge(case, port.answer(message)) for case, message in CASES if case.scheme in made_in)
    return [outcome for outcome in outcomes if outcome.status is not Status.PASSED]


def main() -> int:
    survivors = [mistake for mistake in mistakes.ALL if not failed(mistake)]
    killed = len(mistakes.ALL) - len(survivors)
    sys.stdout.write(f"{killed} of {len(mistakes.ALL)} mutants fail the vectors\n")
    for survivor in survivors:
        sys.stdout.write(f"a vector is missing: {survivor} passes all\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
