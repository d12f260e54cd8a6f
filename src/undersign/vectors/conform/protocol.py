"""The messages of the conformance protocol: one JSON object on each line, and never an expectation.

> {"cmd":"start","version":1}                  < {"implementation":{…},"schemes":[…],"ops":[…],"recipes":true}
> {"cmd":"run","seq":1,"op":"sign",…}          < {"seq":1,"patch":{…},"target":…,"body":…,"string_to_sign":…}
> {"cmd":"run","seq":2,"op":"verify",…}        < {"seq":2,"result":"valid","key_id":…}
> {"cmd":"stop"}

Where the scheme is a recipe, `run` carries it as `recipe`, with the options and `allow_http` in it: a port that says
`recipes` at the start is asked for schemes whose names it has never heard of. A request that it signs is given back to
it to verify.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ...core.message import Pairs, Patch, Request
from ...errors import ConfigError
from ...recipe import Recipe
from ...registry import build_scheme
from .. import Group, Test, VectorFile, as_received

VERSION = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One test on its way to a port: `seq` is the number that the answer carries, `file` says what its flags mean.

    `given_back` is True where the test is the port's own signed request, for it to verify.
    """

    seq: int
    file: VectorFile
    group: Group
    test: Test
    given_back: bool = False

    @property
    def scheme(self) -> str:
        return self.file.scheme


def cases(files: Iterable[VectorFile], wanted: Callable[[Test], bool] = lambda _: True) -> list[Case]:
    """The tests of the files that are wanted, numbered from 1: those with the flag Core of all files, and then the
    rest in order."""
    found = [(file, group, test) for file in files for group, test in file if wanted(test)]
    found.sort(key=lambda each: "Core" not in each[2].flags)
    return [Case(seq, file, group, test) for seq, (file, group, test) in enumerate(found, 1)]


def given_back(case: Case, seq: int) -> Case:
    """What a port that has signed rightly is asked next: to verify what it has signed, framing aside."""
    test = case.test
    patch = test.patch or Patch()
    changed = {name.lower() for name, _ in patch.headers}
    kept = tuple((name, value) for name, value in test.request.headers if name.lower() not in changed)
    signed = Request(test.request.method, test.target, kept + patch.headers, test.body, test.request.origin)
    keys = {test.key_id: case.group.keys[test.key_id][:1]}
    asked = replace(
        test, request=as_received(signed), string_to_sign=None, patch=None, target=signed.target, body=test.body
    )
    return replace(case, seq=seq, group=replace(case.group, op="verify", keys=keys), test=asked, given_back=True)


def run_message(case: Case) -> dict[str, Any]:
    """What a port is told of a test."""
    group, test = case.group, case.test
    message: dict[str, Any] = {
        "cmd": "run",
        "seq": case.seq,
        "op": group.op,
        "scheme": case.scheme,
        "options": dict(group.options),
        **({"recipe": recipe} if (recipe := _recipe_of(case)) else {}),
        "now": group.now,
    }
    if group.op == "sign":
        message |= {"key_id": test.key_id, **as_text("secret", group.keys[test.key_id][0])}
        message |= {"nonce": test.nonce} if test.nonce else {}
        message |= {"extra": dict(test.extra)} if test.extra else {}
    else:
        message["keys"] = {key_id: list(map(_secret, secrets)) for key_id, secrets in group.keys.items()}
    return {**message, "request": request_message(test.request)}


def _recipe_of(case: Case) -> Mapping[str, Any] | None:
    given = case.group.recipe
    return recipe_of(case.scheme, json.dumps(dict(case.group.options))) if given is None else dict(given)


@lru_cache(maxsize=256)
def recipe_of(scheme: str, options: str) -> Mapping[str, Any] | None:
    """The scheme as a recipe, with the options (JSON) in it; None where it is none, or is not known here.

    It says `allow_http` in any case, so that a port need not work out what a recipe binds.
    """
    try:
        built = build_scheme(scheme, json.loads(options))
    except ConfigError:
        return None
    return {**built.as_mapping(), "allow_http": not built.program.needs_https} if type(built) is Recipe else None


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
