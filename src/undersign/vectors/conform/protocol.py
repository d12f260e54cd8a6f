"""The messages of the conformance protocol: one JSON object on each line, and never an expectation.

> {"cmd":"start","version":1}                  < {"implementation":{…},"schemes":[…],"ops":["sign","verify"]}
> {"cmd":"run","seq":1,"op":"sign",…}          < {"seq":1,"patch":{…},"target":…,"body":…,"string_to_sign":…}
> {"cmd":"run","seq":2,"op":"verify",…}        < {"seq":2,"result":"valid","key_id":…}
> {"cmd":"stop"}
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.message import Pairs, Request
from .. import Group, Test, VectorFile

VERSION = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One test on its way to a port: `seq` is the number that the answer carries, `file` says what its flags mean."""

    seq: int
    file: VectorFile
    group: Group
    test: Test

    @property
    def scheme(self) -> str:
        return self.file.scheme


def cases(files: Iterable[VectorFile]) -> list[Case]:
    """All tests of the files in order, numbered from 1."""
    found = ((file, group, test) for file in files for group, test in file)
    return [Case(seq, file, group, test) for seq, (file, group, test) in enumerate(found, 1)]


def run_message(case: Case) -> dict[str, Any]:
    """What a port is told of a test."""
    group, test = case.group, case.test
    message: dict[str, Any] = {
        "cmd": "run",
        "seq": case.seq,
        "op": group.op,
        "scheme": case.scheme,
        "options": dict(group.options),
        "now": group.now,
    }
    if group.op == "sign":
        message |= {"key_id": test.key_id, **as_text("secret", group.keys[test.key_id][0])}
        message |= {"nonce": test.nonce} if test.nonce else {}
        message |= {"extra": dict(test.extra)} if test.extra else {}
    else:
        message["keys"] = {key_id: list(map(_secret, secrets)) for key_id, secrets in group.keys.items()}
    return {**message, "request": request_message(test.request)}


def request_message(request: Request) -> dict[str, Any]:
    """A request as the protocol has it."""
    message = {
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "origin": request.origin,
    }
    return message | as_text("body", request.body if isinstance(request.body, bytes) else b"")


def as_text(name: str, value: bytes) -> dict[str, str]:
    """Bytes under their name: as text where they are UTF-8, else in base64 under the name with `_b64`."""
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_b64": b64encode(value).decode("ascii")}


def as_bytes(holder: Mapping[str, Any], name: str) -> bytes | None:
    """What `as_text` wrote; None where it is not there. Raises ValueError or TypeError where it is neither form."""
    if holder.get(name) is not None:
        return str.encode(holder[name])
    encoded = holder.get(f"{name}_b64")
    return None if encoded is None else b64decode(encoded, validate=True)


def as_pairs(value: Any) -> Pairs:
    """Pairs of texts from JSON. Raises ValueError or TypeError where they are none."""
    pairs = tuple((name, text) for name, text in value)
    if not all(isinstance(part, str) for pair in pairs for part in pair):
        raise TypeError("a name or a value is not text")
    return pairs


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as a line. ASCII alone, so that no port trips over an encoding."""
    return json.dumps(message).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any] | None:
    """The object on a line, or None where there is none: noise."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _secret(secret: bytes) -> str | dict[str, str]:
    written = as_text("secret", secret)
    return written.get("secret", written)
