"""What an answer is worth, and a sentence that says what is wrong with it without a secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from ...core.message import Patch
from ...core.text import shortened
from ..differences import difference_when_signed
from .protocol import Case, as_bytes, as_pairs

_MOST_SHOWN = 32


class Status(str, Enum):
    """What became of a test."""

    PASSED = "passed"
    FAILED = "failed"
    """The answer is another than the vectors have."""
    ERRORED = "errored"
    """There is no answer, or none that the protocol knows."""
    SKIPPED = "skipped"
    """The port says that it does not do this."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test with what became of it. `told` says what is wrong, or why it was skipped; empty where it passed."""

    case: Case
    status: Status
    told: str = ""

    @property
    def sentence(self) -> str:
        """The test, the input, what is wrong, and the rule."""
        test = self.case.test
        rules = "; ".join(f"{flag}: {self.case.file.notes[flag]['description']}" for flag in test.flags)
        given = f"{self.case.scheme} {test.id} {test.name}: {_input(self.case)}: {self.told}."
        return f"{given} {rules}" + (f" {test.comment}" if test.comment else "")


def judge(case: Case, answer: Mapping[str, Any]) -> Outcome:
    """Hold an answer against the test."""
    if "skipped" in answer:
        return Outcome(case, Status.SKIPPED, shortened(_masked(case, str(answer["skipped"]))) or "without a reason")
    error = answer.get("error")
    if error is not None and (case.group.op, error) != ("sign", "cannot_sign"):
        told = shortened(_masked(case, error if isinstance(error, str) else repr(error)))
        return Outcome(case, Status.ERRORED, f"the port answered with the error {told!r}")
    try:
        told = (_judge_sign if case.group.op == "sign" else _judge_verify)(case, answer)
    except (LookupError, ValueError, TypeError, AttributeError) as wrong:
        told = f"the answer is not in the protocol's form ({shortened(_masked(case, str(wrong)))})"
        return Outcome(case, Status.ERRORED, told)
    return Outcome(case, Status.FAILED if told else Status.PASSED, told)


def _judge_sign(case: Case, answer: Mapping[str, Any]) -> str:
    test = case.test
    if answer.get("error") is not None:
        return "" if test.result == "invalid" else "got cannot_sign, expected a signature"
    if test.result == "invalid" and isinstance(answer["patch"], dict):
        return f"got a signature, expected {test.reason}"
    string, patch = as_bytes(answer, "string_to_sign"), answer["patch"]
    if string is None:
        raise LookupError("there is no string_to_sign")
    parts = {part: as_pairs(patch.get(part) or ()) for part in ("headers", "query", "form")}
    # What is left out is as it was.
    target, body = answer.get("target", test.request.target), as_bytes(answer, "body")
    if not isinstance(target, str):
        raise TypeError("the target is not text")
    request_body = test.request.body if isinstance(test.request.body, bytes) else b""
    return difference_when_signed(
        test, string, Patch(**parts), target, request_body if body is None else body, partial(_masked_bytes, case)
    )


def _judge_verify(case: Case, answer: Mapping[str, Any]) -> str:
    test, result = case.test, answer["result"]
    if result not in ("valid", "invalid"):
        raise ValueError("result is valid or invalid")
    key_id, reason = answer.get("key_id"), answer.get("reason")
    got = "valid" if result == "valid" else f"invalid ({shortened(_masked(case, str(reason or 'no reason')))})"
    want = "valid" if test.result == "valid" else f"invalid ({test.reason})"
    if got != want:
        return f"got {got}, expected {want}"
    if result == "valid" and key_id != test.key_id:
        return f"got valid for the key {shortened(_masked(case, str(key_id)))!r}, expected the key {test.key_id!r}"
    return ""


def _input(case: Case) -> str:
    test, group = case.test, case.group
    request = test.request
    body = request.body if isinstance(request.body, bytes) else b""
    parts = [f"{group.op} {request.method} {request.target!r}" + (f" of {request.origin}" if request.origin else "")]
    parts += [f"header {name}: {shortened(value)!r}" for name, value in request.headers]
    if body:
        parts.append(f"body {body!r}" if len(body) <= _MOST_SHOWN else f"body of {len(body)} bytes")
    parts += [f"option {name}={value!r}" for name, value in group.options.items()]
    return ", ".join([*parts, f"at {group.now}"])


def _masked(case: Case, text: str) -> str:
    return _masked_bytes(case, text.encode("utf-8", "backslashreplace"), b"").decode()


def _masked_bytes(case: Case, got: bytes, want: bytes) -> bytes:
    """What a port said, without the secrets of the test; what the right answer holds as often is none."""
    for secret in sorted((secret for secrets in case.group.keys.values() for secret in secrets), key=len, reverse=True):
        for spelling in (secret, repr(secret)[2:-1].encode(), repr(secret.decode("latin-1"))[1:-1].encode()):
            if len(spelling) > 2 and got.count(spelling) > want.count(spelling):
                got = got.replace(spelling, b"<secret>")
    return got
