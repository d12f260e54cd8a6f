"""What an answer is worth, and a sentence that says what is wrong with it without a secret in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from ...core.message import Pairs, Patch
from ...core.text import shortened
from ..differences import difference_when_signed, quoted
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
        rules = "; ".join(
            f"{flag}: {self.case.file.notes[flag]['description']}" for flag in test.flags if flag != "Core"
        )
        given = f"{self.case.scheme} {test.id} {test.name}: {_input(self.case)}: {self.told}."
        return f"{given} {rules}" + (f" {test.comment}" if test.comment else "")


class NotInForm(Exception):
    """An answer is none that the protocol knows, for the reason that the message says."""


def judge(case: Case, answer: Mapping[str, Any]) -> Outcome:
    """Hold an answer against the test."""
    if "skipped" in answer:
        return Outcome(case, Status.SKIPPED, shortened(_masked(case, str(answer["skipped"]))) or "without a reason")
    error = answer.get("error")
    if error is not None and (case.group.op, error) != ("sign", "cannot_sign"):
        told = shortened(_masked(case, error if isinstance(error, str) else json.dumps(error)))
        return Outcome(case, Status.ERRORED, f"the port answered with the error {quoted(told)}")
    try:
        told = (_judge_sign if case.group.op == "sign" else _judge_verify)(case, answer)
    except NotInForm as wrong:
        return Outcome(case, Status.ERRORED, f"the answer is not in the protocol's form: {wrong}")
    if told and case.given_back:
        told = f"it is signed rightly, and when the signed request is given back to be verified: {told}"
    return Outcome(case, Status.FAILED if told else Status.PASSED, told)


def _judge_sign(case: Case, answer: Mapping[str, Any]) -> str:
    test = case.test
    if answer.get("error") is not None:
        return (
            ""
            if test.result == "invalid"
            else f"got cannot_sign, expected the patch {patch_shown(test.patch or Patch())}"
        )
    patch = answer.get("patch")
    if not isinstance(patch, Mapping):
        raise NotInForm("patch is an object with headers, query and form")
    if test.result == "invalid":
        return f"got a signature, expected {test.reason}"
    string = _bytes(answer, "string_to_sign")
    if string is None:
        raise NotInForm("there is no string_to_sign")
    parts = {part: _pairs(patch, part) for part in ("headers", "query", "form")}
    # What is left out is as it was.
    target, body = answer.get("target", test.request.target), _bytes(answer, "body")
    if not isinstance(target, str):
        raise NotInForm("the target is not text")
    request_body = test.request.body if isinstance(test.request.body, bytes) else b""
    return difference_when_signed(
        test, string, Patch(**parts), target, request_body if body is None else body, partial(_masked_bytes, case)
    )


def _judge_verify(case: Case, answer: Mapping[str, Any]) -> str:
    test, result = case.test, answer.get("result")
    if result not in ("valid", "invalid"):
        raise NotInForm("result is valid or invalid")
    key_id, reason = answer.get("key_id"), answer.get("reason")
    reason = reason if isinstance(reason, str) and reason else "no reason"
    got = "valid" if result == "valid" else f"invalid ({shortened(_masked(case, reason))})"
    want = "valid" if test.result == "valid" else f"invalid ({test.reason})"
    if got != want:
        return f"got {got}, expected {want}"
    if result == "valid" and key_id != test.key_id:
        shown = quoted(shortened(_masked(case, key_id))) if isinstance(key_id, str) else json.dumps(key_id)
        return f"got valid for the key {shown}, expected the key {quoted(test.key_id)}"
    return ""


def patch_shown(patch: Patch) -> str:
    """A patch as the protocol has it, without what is empty."""
    parts = {"headers": patch.headers, "query": patch.query, "form": patch.form}
    return json.dumps({part: [list(pair) for pair in pairs] for part, pairs in parts.items() if pairs})


def _pairs(patch: Mapping[str, Any], part: str) -> Pairs:
    try:
        return as_pairs(patch.get(part) or ())
    except (ValueError, TypeError):
        raise NotInForm(f"{part} of the patch is a list of pairs of texts") from None


def _bytes(answer: Mapping[str, Any], name: str) -> bytes | None:
    try:
        return as_bytes(answer, name)
    except (ValueError, TypeError):
        raise NotInForm(f"{name} is text, or {name}_b64 is base64") from None


def _input(case: Case) -> str:
    test, group = case.test, case.group
    request = test.request
    body = request.body if isinstance(request.body, bytes) else b""
    target = quoted(shortened(request.target))
    parts = [f"{group.op} {request.method} {target}" + (f" of {request.origin}" if request.origin else "")]
    parts += [f"header {name}: {quoted(shortened(value))}" for name, value in request.headers]
    if body:
        parts.append(f"body {quoted(body)}" if len(body) <= _MOST_SHOWN else f"body of {len(body)} bytes")
    parts += [f"option {name}={json.dumps(value)}" for name, value in group.options.items()]
    return ", ".join([*parts, f"at {group.now}"])


def _masked(case: Case, text: str) -> str:
    return _masked_bytes(case, text.encode("utf-8", "backslashreplace"), b"").decode()


def _masked_bytes(case: Case, got: bytes, want: bytes) -> bytes:
    """What a port said, without the secrets of the test; what the right answer holds as often is none."""
    for secret in sorted((secret for secrets in case.group.keys.values() for secret in secrets), key=len, reverse=True):
        for spelling in (secret, *_escaped(secret)):
            if len(spelling) > 2 and got.count(spelling) > want.count(spelling):
                got = got.replace(spelling, b"<secret>")
    return got


def _escaped(secret: bytes) -> list[bytes]:
    """How a secret may be spelled in what a port says of it."""
    latin = secret.decode("latin-1")
    spelled = (repr(secret)[2:-1], repr(latin)[1:-1], quoted(secret)[1:-1], quoted(latin)[1:-1])
    return [text.encode() for text in spelled]
