"""The library as a port: it reads commands and writes answers, as a port in any other language does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any

from ...core.credentials import Credential
from ...core.message import Patch, Request
from ...errors import CannotSign, ConfigError, Rejected
from ...recipe import Recipe
from ...registry import build_scheme, scheme_names
from ...scheme import Claim, Scheme
from ...signing import sign
from ...verifying.verifier import Verifier
from .protocol import VERSION, as_bytes, as_pairs, as_text, decode, encode


def serve(commands: IO[bytes], answers: IO[bytes]) -> None:
    """Answer commands, one on each line, until `stop` or the end."""
    for line in commands:
        command = decode(line)
        if command is None:
            if not line.strip():
                continue
            command = {}
        if command.get("cmd") == "stop":
            break
        answers.write(encode(answer(command)))
        answers.flush()


def answer(command: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one command. Raises nothing, whatever the command holds."""
    if command.get("cmd") == "start":
        return _started(command)
    numbered = {"seq": command["seq"]} if "seq" in command else {}
    if command.get("cmd") != "run":
        return {**numbered, "error": "a command is start, run or stop, as a JSON object on one line"}
    try:
        return {**numbered, **_run(command)}
    except Exception as error:  # a message of its own may quote a secret, so the class has to do
        return {**numbered, "error": f"the command is not in form: {type(error).__name__}"}


def _started(command: Mapping[str, Any]) -> dict[str, Any]:
    if command.get("version") != VERSION:
        return {"error": f"this port speaks version {VERSION} of the protocol"}
    from ... import __version__

    implementation = {"name": "undersign", "version": __version__, "language": "Python"}
    return {
        "implementation": implementation,
        "schemes": scheme_names(),
        "ops": ["sign", "verify"],
        "recipes": True,
    }


def _run(command: Mapping[str, Any]) -> dict[str, Any]:
    operations = {"sign": _sign, "verify": _verify}
    operation = operations.get(command["op"])
    if operation is None:
        return {"skipped": "there is no such op: sign and verify are there"}
    try:
        scheme: Scheme
        if command.get("recipe") is not None:
            scheme = Recipe.from_mapping(command["recipe"])
        else:
            scheme = build_scheme(command["scheme"], command.get("options"))
    except ConfigError as error:
        return {"skipped": str(error)}
    given = command["request"]
    request = Request(
        given["method"],
        given["target"],
        as_pairs(given.get("headers", ())),
        as_bytes(given, "body") or b"",
        given.get("origin") or "",
    )
    return operation(scheme, request, command)


def _sign(scheme: Scheme, request: Request, command: Mapping[str, Any]) -> dict[str, Any]:
    now, key_id = command["now"], command["key_id"]
    nonce = command.get("nonce") or ""
    try:
        credential = Credential(key_id, _secret(command), extra=command.get("extra") or {})
        patch = sign(scheme, request, credential, now=now, nonce=nonce)
        signed = patch.apply(request)
        _, string = scheme.draft(request, Claim(key_id, now, nonce=nonce, extra=credential.extra))
    except (CannotSign, ConfigError):  # ConfigError: a key id or a secret that is empty
        return {"error": "cannot_sign"}
    answered: dict[str, Any] = {"patch": _patch(patch), "target": signed.target}
    if signed.body != request.body and isinstance(signed.body, bytes):
        answered |= as_text("body", signed.body)
    return answered | as_text("string_to_sign", string)


def _verify(scheme: Scheme, request: Request, command: Mapping[str, Any]) -> dict[str, Any]:
    keys = {
        key_id: [_secret({"secret": secret}) for secret in (secrets if isinstance(secrets, list) else [secrets])]
        for key_id, secrets in command["keys"].items()
    }
    # A lookup and not the mapping itself: there an empty secret is no secret, and here it is a ConfigError.
    verifier = Verifier(scheme, lambda key_id, _: keys.get(key_id), clock=lambda: command["now"])
    try:
        return {"result": "valid", "key_id": verifier.verify(request).key_id}
    except Rejected as rejected:
        return {"result": "invalid", "reason": rejected.reason.value}


def _secret(holder: Mapping[str, Any]) -> bytes:
    """`secret`, or `secret_b64` beside or inside it."""
    secret = holder.get("secret")
    return as_bytes(secret if isinstance(secret, dict) else holder, "secret") or b""


def _patch(patch: Patch) -> dict[str, list[list[str]]]:
    parts = {"headers": patch.headers, "query": patch.query, "form": patch.form}
    return {part: [list(pair) for pair in pairs] for part, pairs in parts.items()}


def main() -> None:
    """Speak the protocol on standard input and output."""
    serve(sys.stdin.buffer, sys.stdout.buffer)
