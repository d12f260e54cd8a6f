"""A client written from a scheme's description alone, with a hook at every step where people go wrong.

Nothing of the library signs here: what a mistake does to a signature has to be told by somebody else's code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from undersign import Request, Scheme

NOW = 1730974875  # 2024-11-07T10:21:15Z
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Message:
    """A request without its signature: as a client signs it, or as it goes out."""

    method: str = "GET"
    target: str = "/"
    host: str = "api.example.com"
    content_type: str = ""
    body: bytes = b""
    key_id: str = ""
    time: str = ""
    nonce: str = ""
    scheme: str = "https"
    headers: Headers = ()

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.target}"

    def value(self, name: str) -> str:
        return next((value for other, value in self.headers if other.lower() == name.lower()), "")

    def with_query(self, *pairs: str) -> Message:
        return replace(self, target=self.target + ("&" if "?" in self.target else "?") + "&".join(pairs))


Steps = Mapping[str, Any]
"""Hooks by name: `signed.FIELD` and `sent.FIELD` of a Message, and the steps of `signature_of` and `make`."""


@dataclass(frozen=True)
class Plain:
    """A scheme as its page tells it. `pieces` gives the string in pieces, `carry` puts the signature where it goes."""

    name: str
    verifier: Callable[[], Scheme]
    pieces: Callable[[Message, bytes], list[bytes]]
    carry: Callable[[Message, str], Request]
    bases: tuple[Message, ...]
    mac: str = "hmac-sha256"
    encoding: str = "hex"
    joiner: bytes = b""
    time: Callable[[float], str] = lambda at: ""
    sends_time: bool = True
    prepare: Callable[[Message], Message] = lambda message: message
    key: Callable[[str], bytes] = str.encode
    secrets: tuple[str, ...] = ()
    key_id: str = ""
    window: int = 300
    traits: frozenset[str] = frozenset()

    @cached_property
    def scheme(self) -> Scheme:
        return self.verifier()


def digest(name: str, key: bytes, string: bytes) -> bytes:
    """`hmac-ALG` with the key, or `hash-ALG` of a string that has the key in it."""
    kind, _, algorithm = name.partition("-")
    if kind == "hmac":
        return hmac.new(key, string, algorithm).digest()
    return hashlib.new(algorithm, string, usedforsecurity=False).digest()


def encode(name: str, raw: bytes) -> str:
    if name == "hex":
        return raw.hex()
    if name == "base64url":
        return base64.urlsafe_b64encode(raw).decode()
    return base64.b64encode(raw).decode()


def unbase64(text: str) -> bytes:
    """As PHP, Node and others decode: what does not belong there is skipped, and padding may be absent."""
    kept = re.sub("[^A-Za-z0-9+/]", "", text.replace("-", "+").replace("_", "/"))
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(kept + "=" * (-len(kept) % 4))


def changed(message: Message, side: str, steps: Steps) -> Message:
    """The message after the hooks of one side, `signed` or `sent`."""
    if side in steps:
        message = steps[side](message)
    named = [(name.partition(".")[2], step) for name, step in steps.items() if name.startswith(f"{side}.")]
    return replace(message, **{name: step(getattr(message, name)) for name, step in named}) if named else message


def signature_of(plain: Plain, message: Message, secret: str, steps: Steps) -> str:
    """What a client takes for the signature, with its mistakes."""
    held = steps.get("secret", str)(secret)
    key = held if isinstance(held, bytes) else steps.get("key", plain.key)(held)
    pieces = steps.get("pieces", list)(plain.pieces(message, key))
    if "rework" in steps:
        pieces = steps["rework"](pieces, message)
    string = steps.get("join", plain.joiner).join(pieces)
    string = steps.get("string", bytes)(string)
    mac = steps.get("mac")
    raw = mac(key, string, plain.mac) if mac else digest(plain.mac, key, string)
    encoder = steps.get("encode")
    text = encoder(raw) if encoder else encode(plain.encoding, raw)
    written: str = steps.get("signature", str)(text)
    return written


@dataclass(frozen=True)
class Case:
    """A request as received, and the names that are right for what went wrong."""

    scheme: str
    kind: str
    what: str
    request: Request
    codes: tuple[frozenset[str], ...]
    verifier: Scheme
    keys: Mapping[str, Any]
    hidden: tuple[str, ...]
    now: float = NOW

    def __str__(self) -> str:
        return f"{self.scheme}: {self.what}"


def make(plain: Plain, base: Message, secret: str, steps: Steps) -> tuple[Request, bool, str]:
    """The request that goes out, whether it is right all the same, and its valid signature."""
    at = steps.get("at", float)(NOW)
    key_id = plain.key_id
    if "exchange" in steps:
        key_id, secret = secret, key_id
    message = plain.prepare(replace(base, key_id=key_id, time=plain.time(at)))
    signature = signature_of(plain, changed(message, "signed", steps), secret, steps)
    sent = changed(message, "sent", steps)
    valid = signature_of(plain, sent, secret, {})
    if "at" in steps and not plain.sends_time:
        valid = signature_of(plain, replace(sent, time=plain.time(NOW)), secret, {})
    request = plain.carry(sent, signature)
    right = request
    if "carried" in steps:
        request = steps["carried"](request)
    is_right = signature == valid and request == right and not {"at", "broken", "exchange"} & set(steps)
    return request, is_right, valid
