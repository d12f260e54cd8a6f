"""A port in Python, written from the vectors and the porting guide without the library, that can make mistakes.

`Port("name of a mistake")` is wrong in that one way; `mistakes.py` says what each of them is.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

Pairs = list[tuple[str, str]]

FORM = "application/x-www-form-urlencoded"
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
CONTROL_BUT_TAB = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Refused(Exception):
    """What cannot be signed or does not verify, by its reason."""


@dataclass(frozen=True)
class Request:
    """A request; strings have one character for each byte of the wire."""

    method: str
    target: str
    headers: Pairs
    body: bytes
    origin: str

    def setting(self, changed: Pairs) -> Request:
        names = {name.lower() for name, _ in changed}
        return replace(self, headers=[pair for pair in self.headers if pair[0].lower() not in names] + changed)


@dataclass
class Signed:
    """What signing comes to."""

    target: str
    body: bytes
    string: bytes
    headers: Pairs = field(default_factory=list)
    query: Pairs = field(default_factory=list)
    form: Pairs = field(default_factory=list)


class Scheme:
    """What both schemes share. `makes` says whether the port makes a mistake."""

    defaults: ClassVar[dict[str, Any]]

    def __init__(self, makes: Callable[[str], bool], options: dict[str, Any], follows: Any = None) -> None:
        self.makes = makes
        self.follows = follows
        self.options = self.defaults | options

    def sign(self, request: Request, key_id: str, secret: bytes, now: float) -> Signed:
        raise NotImplementedError

    def verify(self, request: Request, keys: dict[str, list[bytes]], now: float) -> str:
        raise NotImplementedError

    def habit(self, hook: str, value: Any) -> Any:
        """The value as a habit of the port makes it at that hook."""
        return self.follows.does(value) if self.has_habit(hook) else value

    def has_habit(self, hook: str) -> bool:
        return self.follows is not None and self.follows.hook == hook

    def trimmed(self, value: str) -> str:
        return value if self.makes("spaces-kept") else str(self.habit("header value", value.strip(" \t")))

    def values(self, request: Request, name: str) -> list[str]:
        if self.makes("header-names-in-one-case"):
            return [self.trimmed(value) for key, value in request.headers if key == name.title()]
        return [self.trimmed(value) for key, value in request.headers if key.lower() == name]

    def media_types(self, request: Request) -> list[str]:
        values = self.values(request, "content-type")
        if self.makes("media-type-with-parameters"):
            return [value.lower() for value in values]
        if self.makes("media-type-in-one-case"):
            return [value.partition(";")[0].strip(" \t") for value in values]
        return [value.partition(";")[0].strip(" \t").lower() for value in values]

    def origin_form(self, target: str) -> str:
        match = re.fullmatch(r"https?://[^/?#]*(.*)", target, re.IGNORECASE | re.DOTALL)
        if match is None or self.makes("absolute-form-kept"):
            return target
        if self.makes("no-path-is-nothing") or match[1].startswith("/"):
            return match[1]
        return "/" + match[1]

    def check(self, request: Request, target: str, reason: str) -> None:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", request.method) and not self.makes("method-unchecked"):
            raise Refused(reason)
        allowed = r'/[!"$-~]*'
        if self.makes("fragment-taken"):
            allowed = r"/[!-~]*"
        if self.makes("space-in-target-taken"):
            allowed = r'/[ !"$-~]*'
        if self.makes("bytes-in-target-taken"):
            allowed = r'/[!"$-~\x80-\xff]*'
        if self.makes("newline-in-target-taken"):
            allowed = r'/[\n!"$-~]*'
        if self.makes("relative-target-taken"):
            allowed = r'[!"$-~]+'
        if self.makes("empty-target-taken"):
            allowed = r'(?:/[!"$-~]*)?'
        if not re.fullmatch(allowed, target):
            raise Refused(reason)
        overrides = [name for name, _ in request.headers if self.is_override(name)]
        if overrides and (request.method.upper() == "POST" or self.makes("override-refused-everywhere")):
            raise Refused(reason)

    def is_override(self, name: str) -> bool:
        if self.makes("override-taken"):
            return False
        if self.makes("override-in-one-spelling"):
            return name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
        if self.makes("override-with-hyphens-alone"):
            return name.lower() in OVERRIDES
        if self.makes("override-of-one-name"):
            return name.lower().replace("_", "-") == "x-http-method-override"
        if self.makes("override-by-its-end"):
            return name.lower().replace("_", "-").endswith("method-override")
        return name.lower().replace("_", "-") in OVERRIDES

    def secrets(self, keys: dict[str, list[bytes]], key_id: str) -> list[bytes]:
        if self.makes("key-id-in-any-case"):
            keys = {name.lower(): secrets for name, secrets in keys.items()}
            key_id = key_id.lower()
        known = keys.get(key_id, [])
        if not self.makes("empty-secret-taken"):
            known = [secret for secret in known if secret]
        if not known:
            raise Refused("mismatch" if self.makes("unknown-key-is-a-mismatch") else "unknown_key")
        if self.makes("newest-secret-alone"):
            return known[:1]
        return known[-1:] if self.makes("oldest-secret-alone") else known

    def secret(self, secret: bytes) -> bytes:
        """The bytes that are hashed."""
        secret = self.habit("secret", secret.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        text = secret.decode("latin-1")
        if self.makes("secret-stripped"):
            return secret.strip()
        if self.makes("secret-as-utf-8-of-its-bytes"):
            return text.encode()
        if self.makes("secret-as-latin-1") or self.makes("secret-as-ascii"):
            encoding = "latin-1" if self.makes("secret-as-latin-1") else "ascii"
            return secret.decode("utf-8", "replace").encode(encoding, "replace")
        if self.makes("secret-ends-at-nul"):
            return secret.partition(b"\0")[0]
        if self.makes("secret-without-trailing-newline"):
            return secret.rstrip(b"\n")
        return secret

    def rounded(self, now: float) -> int:
        if self.makes("clock-rounded"):
            return round(now)
        if self.makes("clock-rounded-up"):
            return -int(-now // 1)
        return int(now // 1)


class Port:
    """The protocol, with one mistake or none."""

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        # Here, since habits build on this module.
        from .habits import HABITS

        self.follows = HABITS.get(mistake)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["cmd"] == "start":
            implementation = {"name": "reference", "version": "1.0.0", "language": "Python"}
            return {"implementation": implementation, "schemes": ["gotom", "gogrid"], "ops": ["sign", "verify"]}
        try:
            return {"seq": command["seq"], **self._run(command)}
        except Refused as refused:
            if command["op"] == "sign":
                return {"seq": command["seq"], "error": "cannot_sign"}
            return {"seq": command["seq"], "result": "invalid", "reason": str(refused)}

    def _run(self, command: dict[str, Any]) -> dict[str, Any]:
        # Here, since the schemes build on this module.
        from .reference_hmac import HeaderHmac
        from .reference_keyed import KeyedTimestamp

        schemes: dict[str, type[Scheme]] = {"gotom": HeaderHmac, "gogrid": KeyedTimestamp}
        scheme = schemes[command["scheme"]](self._makes, command["options"], self.follows)
        given = command["request"]
        headers = [(name, value) for name, value in given["headers"]]
        request = Request(given["method"], given["target"], headers, _bytes(given, "body"), given["origin"])
        if command["op"] == "verify":
            keys = {name: list(map(_secret, secrets)) for name, secrets in command["keys"].items()}
            reduced = replace(request, target=scheme.origin_form(request.target))
            return {"result": "valid", "key_id": scheme.verify(reduced, keys, command["now"])}
        key_id, secret = scheme.habit("signed key id", command["key_id"]), _bytes(command, "secret")
        if not key_id or not secret or CONTROL_BUT_TAB.search(key_id):
            raise Refused("cannot_sign")
        scheme.check(request, scheme.origin_form(request.target), "cannot_sign")
        signed = scheme.sign(request, key_id, secret, command["now"])
        patch = {"headers": signed.headers, "query": signed.query, "form": signed.form}
        body = {} if signed.body == request.body else _text("body", signed.body)
        return {"patch": patch, "target": signed.target, **body, **_text("string_to_sign", signed.string)}

    def _makes(self, mistake: str) -> bool:
        return self.mistake == mistake


def digest(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


def _bytes(holder: dict[str, Any], name: str) -> bytes:
    return holder[name].encode() if name in holder else b64decode(holder[f"{name}_b64"])


def _secret(entry: str | dict[str, str]) -> bytes:
    return entry.encode() if isinstance(entry, str) else b64decode(entry["secret_b64"])


def _text(name: str, value: bytes) -> dict[str, str]:
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_b64": b64encode(value).decode()}
