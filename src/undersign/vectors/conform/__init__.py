"""Conformance: run the vectors through a port in any language, over JSON lines, and tell what it gets wrong.

A port is a command; `docs/porting.md` says what it reads and writes. `python -m
undersign.vectors.conform` is the library as one.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ...errors import ConfigError
from .. import Test, VectorFile
from . import judge
from .judge import Outcome, Status
from .process import PortEnded, PortProcess
from .protocol import VERSION, Case, cases, decode, encode, given_back, run_message

__all__ = ["DEFAULT_TIMEOUT", "DEFAULT_TOTAL", "SELF", "Outcome", "Report", "Status", "run"]

DEFAULT_TIMEOUT = 10.0
DEFAULT_TOTAL = 300.0
SELF = (sys.executable, "-m", "undersign.vectors.conform")

_NOT_PASSED = (Status.FAILED, Status.ERRORED)
_LAST_WORDS = 2.0
_MOST_HANGS_RUNNING = 3
_MOST_ENDS_RUNNING = 20


@dataclass(slots=True)
class Report:
    """What became of every test, in the order of the vectors.

    `name`, `version` and `language` are what the port says of itself. `noise` counts the lines that were no answer
    to anything, and `first_noise` is the first of them; `starts` how often the port was started, which is once unless
    it ended or hung.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    name: str = ""
    version: str = ""
    language: str = ""
    problem: str = ""
    """Why the port could not be asked anything; empty where it could."""
    noise: int = 0
    first_noise: str = ""
    starts: int = 0
    seconds: float = 0.0

    @property
    def counts(self) -> dict[Status, int]:
        counted = Counter(outcome.status for outcome in self.outcomes)
        return {status: counted[status] for status in Status}

    def passed(self, *, strict: bool = False) -> bool:
        """Whether nothing failed or errored and, where it is strict, nothing was skipped."""
        counts = self.counts
        return not (counts[Status.FAILED] or counts[Status.ERRORED] or (strict and counts[Status.SKIPPED]))


def run(
    command: Sequence[str],
    files: Iterable[VectorFile],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    total: float = DEFAULT_TOTAL,
    only: Collection[str] = (),
    rules: Collection[str] = (),
    first: bool = False,
) -> Report:
    """Run the tests of the files through the port that the command starts, those with the flag Core first.

    `timeout` bounds each wait for an answer, `total` the whole run, both in seconds. `only` are names of tests, perhaps
    with `*`, or their numbers; `rules` are flags; with `first` the run ends at the first test that is not passed.
    Raises ConfigError where the command cannot be started at all, or no test is asked for.
    """
    if not command:
        raise ConfigError("there is no port: name the command that starts it")
    if not (timeout > 0 and total > 0):
        raise ConfigError("timeout and total are seconds, more than 0")
    chosen = cases(files, lambda test: _is_wanted(test, only, rules))
    if not chosen:
        raise ConfigError(f"there is no test {' or '.join((*only, *rules))}: undersign vectors list shows the rules")
    return _Run(command, chosen, timeout, total, first=first).report()


def _is_wanted(test: Test, only: Collection[str], rules: Collection[str]) -> bool:
    named = not only or any(fnmatchcase(test.name, name) or str(test.id) == name for name in only)
    return named and (not rules or not {*rules}.isdisjoint(test.flags))


class _PortFailed(Exception):
    """The port gave no answer, for the reason that the message says. `hung`: it is still running."""

    def __init__(self, message: str, *, hung: bool) -> None:
        super().__init__(message)
        self.hung = hung


class _Run:
    """One run: what is waiting for its answer, and what became of the rest.

    At first all tests are sent at once, so that a port may answer in any order. Should it end or hang, which test
    was to blame cannot be known then; from there on one is sent at a time, and a fresh port follows one that failed.
    """

    def __init__(
        self, command: Sequence[str], waiting: list[Case], timeout: float, total: float, *, first: bool = False
    ) -> None:
        self._command = command
        self._timeout = timeout
        self._total = total
        self._begun = time.monotonic()
        self._end = self._begun + total
        self._waiting = {case.seq: case for case in waiting}
        self._last = len(waiting)
        self._first = first
        self._verifies = False
        self._outcomes: dict[int, Outcome] = {}
        self._report = Report()

    def report(self) -> Report:
        one_by_one = False
        hangs = ends = 0
        while self._waiting:
            with PortProcess(self._command) as port:
                self._report.starts += 1
                before = len(self._waiting)
                try:
                    self._start(port)
                    self._exchange(port, one_by_one=one_by_one)
                    port.stop(encode({"cmd": "stop"}))
                    if self._is_over():
                        break
                    continue
                except _PortFailed as failed:
                    told, hung = str(failed), failed.hung
                    if hung and not one_by_one and self._report.name:
                        self._last_words(port)
                if not self._waiting:
                    break
                if not self._report.name:
                    self._report.problem = told
                if self._report.problem or time.monotonic() >= self._end:
                    self._give_up(told)
                    break
            answered = len(self._waiting) < before
            if not one_by_one:
                one_by_one = True
                hangs = int(hung and not answered)
                continue
            hangs = hung + hangs * (not answered)
            ends = (not hung) + ends * (not answered)
            self._settle(next(iter(self._waiting.values())), Status.ERRORED, told)
            if hangs >= _MOST_HANGS_RUNNING or ends >= _MOST_ENDS_RUNNING:
                self._give_up(f"not tried, since for {hangs + ends} tests running {told}")
        self._report.outcomes = [self._outcomes[seq] for seq in sorted(self._outcomes)]
        if self._first:
            self._report.outcomes = _up_to_the_first(self._report.outcomes)
        self._report.seconds = time.monotonic() - self._begun
        return self._report

    def _start(self, port: PortProcess) -> None:
        port.send(encode({"cmd": "start", "version": VERSION}))
        answer = self._next(port, lambda answer: "implementation" in answer or "error" in answer)
        told = answer.get("implementation")
        schemes, ops = (answer.get(part) for part in ("schemes", "ops"))
        if not isinstance(told, dict) or not isinstance(schemes, list) or not isinstance(ops, list):
            raise _PortFailed("the port did not answer start with its implementation, schemes and ops", hung=False)
        self._report.name, self._report.version, self._report.language = (
            str(told.get(part, "?")) or "?" for part in ("name", "version", "language")
        )
        self._verifies = "verify" in ops
        for case in list(self._waiting.values()):
            reads_it = answer.get("recipes") is True and "recipe" in run_message(case)
            if case.scheme not in schemes and not reads_it:
                self._settle(case, Status.SKIPPED, f"the port does not have the scheme {case.scheme}")
            elif case.group.op not in ops:
                self._settle(case, Status.SKIPPED, f"the port does not {case.group.op}")

    def _exchange(self, port: PortProcess, *, one_by_one: bool) -> None:
        batches = [[case] for case in self._waiting.values()] if one_by_one else [list(self._waiting.values())]
        for batch in batches:
            sent = {case.seq for case in batch}
            for case in batch:
                port.send(encode(run_message(case)))
            while sent and not self._is_over():
                sent ^= self._judge_next(port, sent)
            if self._is_over():
                return

    def _last_words(self, port: PortProcess) -> None:
        """Take the answers that a port has held back until it is told to stop; there is nothing to give back then."""
        self._verifies = False
        port.send(encode({"cmd": "stop"}))
        with contextlib.suppress(_PortFailed):
            while self._waiting:
                self._judge_next(port, self._waiting, timeout=min(self._timeout, _LAST_WORDS))

    def _judge_next(self, port: PortProcess, sent: Collection[int], timeout: float | None = None) -> set[int]:
        """Judge the next answer; the numbers that it settles, or sets out anew."""
        answer = self._next(port, lambda answer: _seq(answer) in sent, timeout)
        seq = _seq(answer)
        outcome = judge.judge(self._waiting.pop(seq), answer)
        case = outcome.case
        if self._verifies and outcome.status is Status.PASSED and case.group.op == "sign" and not case.test.reason:
            asked = given_back(case, self._last + seq)
            self._waiting[asked.seq] = asked
            port.send(encode(run_message(asked)))
            return {seq, asked.seq}
        self._keep(outcome)
        return {seq}

    def _keep(self, outcome: Outcome) -> None:
        """What became of a test. Of one that is signed and verified it is what became of both."""
        seq = outcome.case.seq - (self._last if outcome.case.given_back else 0)
        self._outcomes[seq] = outcome

    def _is_over(self) -> bool:
        return self._first and any(outcome.status in _NOT_PASSED for outcome in self._outcomes.values())

    def _next(
        self, port: PortProcess, wanted: Callable[[dict[str, Any]], bool], timeout: float | None = None
    ) -> dict[str, Any]:
        """The next line that is wanted; all others are noise. Raises _PortFailed where none comes in time."""
        until = min(time.monotonic() + (timeout or self._timeout), self._end)
        while True:
            try:
                line = port.receive(until) if time.monotonic() < until else None
            except PortEnded:
                raise _PortFailed(f"the port {port.ending()} without an answer", hung=False) from None
            if line is None:
                if time.monotonic() >= self._end:
                    raise _PortFailed(f"the {self._total:g} s for the whole run were over before an answer", hung=True)
                raise _PortFailed(f"no answer came within {self._timeout:g} s", hung=True)
            answer = decode(line)
            if answer is not None and wanted(answer):
                return answer
            self._report.noise += 1
            self._report.first_noise = self._report.first_noise or line.decode("utf-8", "replace").strip()

    def _settle(self, case: Case, status: Status, told: str) -> None:
        self._keep(Outcome(self._waiting.pop(case.seq), status, told))

    def _give_up(self, told: str) -> None:
        for case in list(self._waiting.values()):
            self._settle(case, Status.ERRORED, told)


def _up_to_the_first(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes up to the first that is not passed."""
    for place, outcome in enumerate(outcomes, 1):
        if outcome.status in _NOT_PASSED:
            return outcomes[:place]
    return outcomes


def _seq(answer: dict[str, Any]) -> int:
    seq = answer.get("seq")
    return seq if type(seq) is int else 0
