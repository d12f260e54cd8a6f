"""What the cases of recipes are written with.

Strings to sign are written out below as the pages on recipes and porting say;
signatures and digests are hashlib's and hmac's. Nothing here is of the library but the format of the file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

SOURCE = "written by hand from docs/porting.md; signatures by Python's hmac and hashlib"
LINKS = ["https://www.rfc-editor.org/rfc/rfc2104"]
NOW, KEY, SECRET = 1730974875.044, "key-1", "a secret of many letters"
ORIGIN = "https://api.example.com:8443"
TYPE, NAME = ["Content-Type", "Application/JSON; Charset=UTF-8"], ["X-Name", " Val  ue\t"]
FORM = "application/x-www-form-urlencoded"
BODY = '{"a": "\u00fc"}\r\n'
TARGET = "/a%2fb//?x=1&y=%20&x=0&"
CARRIER = {"X-Signature": "{key_id} {time} {signature}"}
NOTES = {
    "Part": ("FUNCTIONALITY", "A part of the string to sign is those bytes of the request, and no others."),
    "Joined": (
        "FUNCTIONALITY",
        "The joiner stands between parts that are there: one that is left out takes it with it.",
    ),
    "Params": ("EDGE_CASE", "Parameters are decoded, left out, sorted by bytes and encoded again as the recipe says."),
    "Lines": ("EDGE_CASE", "Headers are lines: names in lower case, values as they came, sorted whole or not at all."),
    "Carrier": ("FUNCTIONALITY", "A template is written and read: a value ends where the text behind it begins."),
    "List": ("EDGE_CASE", "Items of a list stand in any order, and any signature that fits will do."),
    "Time": ("EDGE_CASE", "A time is written in its form, and read from its one spelling."),
    "Window": ("EDGE_CASE", "Both ends of the window are inside; where no time is sent each second is tried."),
    "Secret": ("EDGE_CASE", "The secret is the key in bytes: behind its prefix, and decoded."),
    "Encoding": ("EDGE_CASE", "A signature has one spelling."),
    "Digest": ("MISSING_STEP", "A digest in a carrier is that of the body which comes."),
    "Values": ("EDGE_CASE", "Nonces and extras are there, or are left out where the recipe says so."),
    "Form": ("EDGE_CASE", "Credentials in a form or a query: one place, once, decoded names."),
    "Refused": ("AUTH_BYPASS", "What is not in its one form is refused, and in this order of reasons."),
    "Tampered": ("AUTH_BYPASS", "One character of the signature is another one, so no secret has made it."),
}
HASHES: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "HEX": lambda d: d.hex().upper(),
    "base64": lambda d: base64.b64encode(d).decode(),
}
HASHES["base64url"] = lambda d: base64.urlsafe_b64encode(d).decode()
HASHES["base64url-nopad"] = lambda d: base64.urlsafe_b64encode(d).decode().rstrip("=")


class Writer:
    """The groups that are written so far."""

    def __init__(self) -> None:
        self.groups: list[dict[str, Any]] = []
        self.number = 0

    def add(self, op: str, recipe: dict[str, Any], test: dict[str, Any], **shared: Any) -> None:
        self.number += 1
        group = {"op": op, "source": SOURCE, "options": {}, "now": NOW, "keys": {KEY: [SECRET]}, **shared}
        self.groups.append({**group, "recipe": recipe, "tests": [{"id": self.number, **test}]})

    def good(
        self,
        name: str,
        flag: str,
        parts: list[Any],
        string: str,
        /,
        *,
        request: dict[str, Any] | None = None,
        sent: dict[str, Any] | None = None,
        key: bytes | None = None,
        signed: dict[str, Any] | None = None,
        nonce: str = "",
        extra: dict[str, str] | None = None,
        key_id: str = KEY,
        given: Any = SECRET,
        verifies: bool = True,
        now: float = NOW,
        **fields: Any,
    ) -> str:
        """A request that is signed, verifies, and does not with another signature. `sent` is the patch, with the signature
        as {signature}; `signed` what of the request is another one then."""
        recipe = {"name": "r", "parts": parts, "mac": "hmac-sha256", "headers": CARRIER, "allow_http": False, **fields}
        signature = signature_of(recipe, string, key if key is not None else given.encode())
        request = {**plain_request(), **(request or {})}
        where = sent or {"headers": [["X-Signature", f"{key_id} {int(now)} {{signature}}"]]}
        patch = {place: [[n, v.replace("{signature}", signature)] for n, v in pairs] for place, pairs in where.items()}
        test = {"name": f"{name}-signs", "flags": [flag], "key_id": key_id, "request": request, "patch": patch}
        test |= {"string_to_sign": string, "result": "valid"}
        test |= {"nonce": nonce} if nonce else {}
        test |= {"extra": extra} if extra else {}
        changes = {n: v.replace("{signature}", signature) for n, v in (signed or {}).items()}
        shared = {"keys": {key_id: [given]}, "now": now}
        self.add("sign", recipe, {**test, **changes}, **shared)
        if not verifies:
            return signature
        done = {**request, **changes, "headers": _with(request["headers"], patch.get("headers", []))}
        good = {"name": f"{name}-verifies", "flags": [flag], "key_id": key_id, "request": done, "result": "valid"}
        self.add("verify", recipe, good, **shared)
        other = ("0" if signature[0] != "0" else "1") + signature[1:]
        bad = {place: _replaced(done[place], signature, other) for place in ("target", "body", "headers")}
        tampered = {"name": f"{name}-tampered", "flags": ["Tampered"], "request": {**done, **bad}, "result": "invalid"}
        self.add("verify", recipe, {**tampered, "reason": "mismatch"}, **shared)
        return signature

    def refused(
        self,
        name: str,
        reason: str,
        sent: list[list[str]],
        /,
        *,
        flag: str = "Refused",
        request: dict[str, Any] | None = None,
        shared: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """A request that does not verify."""
        recipe: dict[str, Any] = {"name": "r", "parts": ["time", "target"], "mac": "hmac-sha256", "headers": CARRIER}
        recipe |= {"joiner": "\n"}
        recipe |= {"allow_http": False, **fields}
        asked = {**plain_request(), "headers": sent, **(request or {})}
        result = {"result": "invalid", "reason": reason} if reason else {"result": "valid", "key_id": KEY}
        self.add("verify", recipe, {"name": name, "flags": [flag], "request": asked, **result}, **(shared or {}))

    def unsigned(self, name: str, request: dict[str, Any] | None = None, /, **options: Any) -> None:
        """A request that cannot be signed."""
        more: dict[str, Any] = {each: options.pop(each) for each in ("nonce", "extra") if each in options}
        request = {**(request or {}), **options.pop("request", {})}
        shared = {"keys": {options.get("key_id", KEY): [options.pop("given", SECRET)]}}
        test: dict[str, Any] = {"name": name, "flags": ["Refused"], "key_id": options.pop("key_id", KEY), **more}
        test |= {"result": "invalid"}
        recipe: dict[str, Any] = {
            "name": "r",
            "parts": ["time", "target"],
            "mac": "hmac-sha256",
            "headers": CARRIER,
            "allow_http": False,
        }
        test |= {"request": {**plain_request(), **request}, "reason": "cannot_sign"}
        self.add("sign", {**recipe, **options}, test, **shared)


def plain_request() -> dict[str, Any]:
    return {"method": "POST", "origin": ORIGIN, "target": TARGET, "headers": [TYPE, NAME], "body": BODY}


def _with(headers: list[list[str]], changed: list[list[str]]) -> list[list[str]]:
    names = {name.lower() for name, _ in changed}
    return [pair for pair in headers if pair[0].lower() not in names] + changed


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    return [[name, text.replace(old, new)] for name, text in value]


def signature_of(recipe: dict[str, Any], string: str, key: bytes) -> str:
    kind, _, algorithm = recipe["mac"].partition("-")
    data = string.encode()
    if kind == "hash":
        digest = hashlib.new(algorithm, data.replace(b"\0", key)).digest()
    else:
        digest = hmac.new(key, data, algorithm).digest()
    made: str = HASHES[recipe.get("encoding", "hex")](digest)
    return made


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
