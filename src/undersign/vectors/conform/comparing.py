"""A port compared with the library, by messages that no test of the vectors was written for.

The vectors say what is right; this says where two implementations differ, which a reader then has to judge. The
library answers in this process, the port in its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.text import shortened
from ...errors import ConfigError
from ..differences import quoted
from .messages import Message, bases, message
from .port import answer
from .process import PortEnded, PortProcess
from .protocol import VERSION, as_bytes, decode, encode

__all__ = ["DEFAULT_COUNT", "Comparison", "Difference", "compare"]

DEFAULT_COUNT = 5000

_BATCH = 100
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """A message that the port answers in another way: a sentence, and the message as one line of JSON."""

    number: int
    sentence: str
    line: str


@dataclass(slots=True)
class Comparison:
    """What came of it. `problem` says why it ended before its time; empty where it did not."""

    seed: int
    compared: int = 0
    skipped: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)
    problem: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.differing and not self.problem

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for `json.dumps`."""
        shown = [
            {"number": each.number, "message": each.sentence, "sent": json.loads(each.line)}
            for each in self.differences
        ]
        counts = {"compared": self.compared, "skipped": self.skipped, "differing": self.differing}
        problem = {"problem": self.problem} if self.problem else {}
        return {
            "result": "passed" if self.passed else "failed",
            "seed": self.seed,
            **counts,
            **problem,
            "differences": shown,
        }


def compare(
    command: Sequence[str],
    schemes: Sequence[str],
    *,
    seed: int = 0,
    count: int = DEFAULT_COUNT,
    timeout: float,
    total: float,
) -> Comparison:
    """Send so many messages of these schemes to the port that the command starts, and to the library.

    The same seed gives the same messages. `timeout` bounds each wait for an answer and `total` the whole, both in
    seconds: where the time is over, what was compared until then is what counts. Raises ConfigError where the command
    cannot be started.
    """
    if not command:
        raise ConfigError("there is no port: name the command that starts it")
    return _Compared(command, schemes, seed, timeout, total).over(count)


class _Stopped(Exception):
    """The port gave no answer, for the reason that the message says."""


class _Compared:
    def __init__(self, command: Sequence[str], schemes: Sequence[str], seed: int, timeout: float, total: float) -> None:
        self._command = command
        self._bases = bases(schemes)
        self._timeout = timeout
        self._begun = time.monotonic()
        self._end = self._begun + total
        self._found = Comparison(seed)

    def over(self, count: int) -> Comparison:
        found = self._found
        with PortProcess(self._command) as port:
            try:
                self._start(port)
                for first in range(0, count, _BATCH):
                    if time.monotonic() >= self._end:
                        break
                    self._batch(port, range(first, min(first + _BATCH, count)))
                port.stop(encode({"cmd": "stop"}))
            except _Stopped as stopped:
                found.problem = str(stopped)
        found.seconds = time.monotonic() - self._begun
        return found

    def _start(self, port: PortProcess) -> None:
        port.send(encode({"cmd": "start", "version": VERSION}))
        while True:
            started = self._receive(port)
            if "implementation" in started:
                return
            if "error" in started:
                raise _Stopped("the port answered start with an error")

    def _batch(self, port: PortProcess, numbers: range) -> None:
        made = {number + 1: message(self._bases, self._found.seed, number) for number in numbers}
        theirs = self._asked(port, [sent for sent, _ in made.values()])
        for seq, (sent, changes) in made.items():
            given = theirs[seq]
            if "skipped" in given:
                self._found.skipped += 1
                continue
            self._found.compared += 1
            if not difference(sent, given, answer(sent)):
                continue
            self._found.differing += 1
            if len(self._found.differences) < _MOST_SHOWN:
                self._show(port, seq - 1, sent, changes)

    def _show(self, port: PortProcess, number: int, sent: Message, changes: int) -> None:
        """Keep the difference, with as few changes as still show one."""
        without: list[int] = []
        told = ""
        for place in range(changes):
            fewer, _ = message(self._bases, self._found.seed, number, (*without, place))
            if difference(fewer, self._asked(port, [fewer])[number + 1], answer(fewer)):
                without.append(place)
                sent = fewer
        told = difference(sent, self._asked(port, [sent])[number + 1], answer(sent))
        if told:
            request = sent["request"]
            where = f"{sent['op']} {sent['scheme']} {request['method']} {quoted(shortened(request['target']))}"
            sentence = f"message {number} of seed {self._found.seed}, {where}: {told}"
            self._found.differences.append(Difference(number, sentence, encode(sent).decode().strip()))

    def _asked(self, port: PortProcess, messages: Sequence[Message]) -> dict[int, Mapping[str, Any]]:
        for each in messages:
            port.send(encode(each))
        wanted = {each["seq"] for each in messages}
        answers: dict[int, Mapping[str, Any]] = {}
        while wanted:
            given = self._receive(port)
            seq = given.get("seq")
            if type(seq) is int and seq in wanted:
                wanted.discard(seq)
                answers[seq] = given
        return answers

    def _receive(self, port: PortProcess) -> Mapping[str, Any]:
        until = time.monotonic() + self._timeout
        while True:
            try:
                line = port.receive(until)
            except PortEnded:
                raise _Stopped(f"the port {port.ending()} without an answer") from None
            if line is None:
                raise _Stopped(f"no answer came within {self._timeout:g} s")
            given = decode(line)
            if given is not None:
                return given


def difference(sent: Message, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """How the port's answer differs from the library's, as a sentence without the secrets; empty where it does not."""
    got, expected = _plain(sent, theirs), _plain(sent, ours)
    if got == expected:
        return ""
    for name, right in expected.items():
        value = got.get(name)
        if value != right:
            return f"{name} is {_shown(value)}, and the library has {_shown(right)}"
    return f"the answer is {_shown(got)}, and the library has {_shown(expected)}"


def _plain(sent: Message, given: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of an answer, in one form."""
    if sent["op"] == "verify":
        result = given.get("result")
        kept = "key_id" if result == "valid" else "reason"
        return {"result": result, kept: given.get(kept)}
    if given.get("error") is not None:
        return {"result": given["error"]}
    try:
        patch = given["patch"]
        headers = sorted([name.lower(), value] for name, value in patch.get("headers") or ())
        body = as_bytes(given, "body")
        unchanged = as_bytes(sent["request"], "body")
        return {
            "result": "signed",
            "the string to sign": as_bytes(given, "string_to_sign"),
            "the headers of the patch": headers,
            "the query of the patch": [list(pair) for pair in patch.get("query") or ()],
            "the form of the patch": [list(pair) for pair in patch.get("form") or ()],
            "the target": given.get("target", sent["request"]["target"]),
            "the body": unchanged if body is None else body,
        }
    except (LookupError, TypeError, ValueError, AttributeError):
        return {"result": "no answer in the protocol's form"}


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, (bytes, str)) else shortened(json.dumps(value))
