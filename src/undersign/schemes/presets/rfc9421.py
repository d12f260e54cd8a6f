"""HTTP message signatures with a shared secret: hmac-sha256 over the components that both sides have agreed on.

Source: RFC 9421, with the example in its appendix B.2.5, and RFC 9530 for Content-Digest
Window: five minutes either side, a guess; the standard leaves it to each API.
Refusal: per API; here 401 with a JSON string.
Mistakes: parameters in another order than they are sent in; an authority with its default port, or in upper case; a
    query without its question mark; a body that no Content-Digest binds; a component that the receiver never asked for.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from hmac import digest
from typing import Any, Literal

from ...core.dates import Window
from ...core.message import Component, Patch, Request, body_digest, body_length
from ...errors import CannotSign, ConfigError, Rejected
from ...parts.macs import SECRET_FORMS, SecretForm
from ...parts.structured_fields import (
    KEY,
    InnerList,
    Item,
    Member,
    is_string,
    read_dictionary,
    written,
    written_dictionary,
)
from ...parts.times import time_form
from ...scheme import Body, BodyNeed, Claim
from ..message_signatures import DIGESTS, check_content_digest, component_line, component_problem, covered, parsed
from ..written_out import WrittenOut, header_values

_CONTENT_DIGEST = Item("content-digest")
_UNIX = time_form("unix")
_TEXTS, _NUMBERS = ("keyid", "alg", "nonce", "tag"), ("created", "expires")


@dataclass(frozen=True, kw_only=True)
class Rfc9421(WrittenOut):
    """One profile of RFC 9421, which a signer keeps and a verifier asks for.

    `components` are signed in every request, and `when_present` where the field is there; a request that covers less is
    refused. `digest` (sha-256, sha-512, None) writes Content-Digest for a body, signs it, and compares it. `tag` is the
    application's, and finds the signature among several; without one it is the only one there is, or `label`.
    `expires_after` are seconds after which it says it ends. `nonce` asks for one with each request, and `alg` names the
    algorithm. `secret` is how the secret is written: base64, text or hex.
    """

    components: tuple[str, ...] = ("@method", "@authority", "@path", "@query")
    when_present: tuple[str, ...] = ("content-type",)
    digest: Literal["sha-256", "sha-512"] | None = "sha-256"
    label: str = "sig1"
    tag: str = ""
    nonce: bool = False
    alg: bool = False
    expires_after: int | None = None
    secret: Literal["base64", "text", "hex"] = "base64"  # noqa: S105 - the form of secrets
    name: str = "rfc9421"
    window: Window = Window(past=300, future=300)
    says_when_it_ends = True
    _always: tuple[Item, ...] = field(init=False, repr=False, compare=False)
    _sometimes: tuple[Item, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        always, sometimes = parsed("components", self.components), parsed("when_present", self.when_present)
        if any(str(item.value).startswith("@") or item.parameters for item in sometimes):
            raise ConfigError("when_present holds fields alone, without parameters: all else goes into components")
        if any(item in always for item in sometimes):
            raise ConfigError("a field is in components and in when_present: leave it in one")
        if self.digest is not None and self.digest not in DIGESTS:
            raise ConfigError(f"digest {self.digest!r} is unknown: use {' or '.join(DIGESTS)}, or None")
        if not isinstance(self.label, str) or not KEY.fullmatch(self.label):
            raise ConfigError(f"label {self.label!r} is none: write small letters, digits, - and _")
        if not is_string(self.tag):
            raise ConfigError("tag is a text of printable ASCII")
        if self.expires_after is not None and (type(self.expires_after) is not int or self.expires_after < 1):
            raise ConfigError("expires_after is a number of seconds, or None")
        if self.secret not in SECRET_FORMS:
            raise ConfigError(f"secret {self.secret!r} is unknown: use one of {', '.join(SECRET_FORMS)}")
        sometimes = tuple(item for item in sometimes if item != _CONTENT_DIGEST)
        if self.digest and _CONTENT_DIGEST not in always:
            sometimes += (_CONTENT_DIGEST,)
        for name, value in (("components", tuple(self.components)), ("when_present", tuple(self.when_present))):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_always", always)
        object.__setattr__(self, "_sometimes", sometimes)

    @property
    def needs_nonce(self) -> bool:  # type: ignore[override]
        return self.nonce

    @property
    def takes_nonce(self) -> bool:
        return True

    def covers(self, request: Request) -> frozenset[Component]:
        return frozenset(covered((*self._always, *self._sometimes), request) | {Component.DATE})

    def body_need(self, head: Request) -> BodyNeed:
        stated = ",".join(head.values("content-digest"))
        wanted = [algorithm for name, algorithm in DIGESTS.items() if name in stated or name == self.digest]
        return BodyNeed(digests=tuple(wanted))

    def secret_problem(self, secret: bytes) -> str | None:
        return SecretForm(self.secret).problem(secret)

    def signature(self, secret: bytes, string: bytes) -> str:
        return b64encode(digest(SecretForm(self.secret).key(secret), string, "sha256")).decode("ascii")

    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        drafted = Patch()
        if self.digest and body_length(request.body):
            hashed = Item(body_digest(request.body, DIGESTS[self.digest]))
            drafted = Patch((("Content-Digest", written_dictionary({self.digest: hashed})),))
        signed = drafted.apply(request)
        listed = self._input(signed, claim)
        if _CONTENT_DIGEST in listed.items:
            check_content_digest(signed, signed.body)
        return drafted, self._string(signed, listed)

    def write(self, claim: Claim, request: Request) -> Patch:
        others: list[dict[str, Member]] = []
        for name in ("signature-input", "signature"):
            members = read_dictionary(", ".join(header_values(request, name)))
            if members is None:
                raise CannotSign(f"the request has a {name} that is no dictionary: remove it")
            members.pop(self.label, None)
            others.append(members)
        inputs, signatures = others
        if set(inputs) != set(signatures):
            raise CannotSign("the request has a signature without its input, or an input alone: remove it")
        has_body = bool(self.digest and body_length(request.body))
        signed = Patch((("Content-Digest", ""),)).apply(request) if has_body else request
        inputs[self.label] = self._input(signed, claim)
        value = f"{self.label}=:{claim.signatures[0]}:"
        before = written_dictionary(signatures)
        return Patch(
            (
                ("Signature-Input", written_dictionary(inputs)),
                ("Signature", f"{before}, {value}" if before else value),
            )
        )

    def private_headers(self) -> frozenset[str]:
        names = {str(item.value) for item in (*self._always, *self._sometimes)}
        public = {"content-type", "content-digest", "host", "content-length"}
        return frozenset({"signature", "signature-input", *(name for name in names if name[0] != "@")}) - public

    def claim_of(self, request: Request) -> Claim | Rejected | None:
        if not request.values("signature-input"):
            return None
        try:
            inputs = read_dictionary(", ".join(header_values(request, "signature-input")))
            signatures = read_dictionary(", ".join(header_values(request, "signature")))
            if inputs is None or signatures is None:
                return self.malformed("Signature-Input or Signature is no dictionary of structured fields")
            label = self._label_of(inputs)
            if not label:
                return self.malformed("there are several signatures, and none has the label") if label is None else None
            listed = inputs[label]
            problem = self._problem(listed, request)
            if problem or not isinstance(listed, InnerList):
                return self.malformed(problem or "the signature's input is no list of components")
            key_id = str(listed.parameters["keyid"])
            signature = signatures.get(label)
            if not isinstance(signature, Item) or not isinstance(signature.value, bytes) or signature.parameters:
                return self.malformed("Signature has no bytes under the label of its input", key_id)
            string = partial(self._received, request, listed.items, self._string(request, listed))
        except CannotSign as error:
            return self.malformed(str(error))
        said = listed.parameters
        text = b64encode(signature.value).decode("ascii")
        end = {"expires": str(said["expires"])} if "expires" in said else {}
        return Claim(key_id, said["created"], (text,), said.get("nonce", ""), string, end)

    def end_of(self, claim: Claim) -> float | None:
        return float(claim.extra["expires"]) if "expires" in claim.extra else None

    def _label_of(self, inputs: dict[str, Member]) -> str | None:
        """The label of the one signature that is ours; "" where there is none, None where it cannot be told."""
        if self.tag:
            ours = [label for label, member in inputs.items() if member.parameters.get("tag") == self.tag]
            return ours[0] if len(ours) == 1 else None if ours else ""
        return next(iter(inputs), "") if len(inputs) < 2 else self.label if self.label in inputs else None

    def _problem(self, listed: Member, request: Request) -> str | None:
        """What is wrong with what a request says that it has signed, as a sentence without a signature in it."""
        if not isinstance(listed, InnerList):
            return "the signature's input is no list of components"
        said: dict[str, Any] = dict(listed.parameters)
        for name, value in said.items():
            if name not in _TEXTS + _NUMBERS:
                return f"the parameter {name} is unknown"
            if type(value) is not (str if name in _TEXTS else int):
                return f"the parameter {name} is not in its form"
        if not said.get("keyid") or "created" not in said or not 0 <= said["created"] < 10**12:
            return "keyid or created is not there"
        if said.get("alg", "hmac-sha256") != "hmac-sha256":
            return "alg is another than hmac-sha256"
        if self.nonce and not said.get("nonce"):
            return "the nonce is not there"
        if problem := next(filter(None, map(component_problem, listed.items)), None):
            return problem
        names = list(map(written, listed.items))
        if len(set(names)) < len(names):
            return "a component is there twice"
        present = [item for item in self._sometimes if header_values(request, str(item.value))]
        absent = [written(item) for item in (*self._always, *present) if written(item) not in names]
        return f"the signature does not cover {', '.join(absent)}" if absent else None

    def _received(self, request: Request, items: Sequence[Item], string: bytes, body: Body, _: int) -> bytes:
        if _CONTENT_DIGEST in items:
            check_content_digest(request, body)
        elif self.digest and body_length(body):
            raise CannotSign("there is a body, and the signature does not cover Content-Digest")
        return string

    def _input(self, request: Request, claim: Claim) -> InnerList:
        """What a signer says of the signature: its components and parameters."""
        if self.nonce:
            self.checked_nonce(claim)
        for name, value in (("key id", claim.key_id), ("nonce", claim.nonce)):
            if not is_string(value):
                raise CannotSign(f"the {name} is not printable ASCII, which structured fields ask for")
        created = int(_UNIX.write(self.checked_time(claim)))
        said: dict[str, Any] = {"created": created}
        if self.expires_after is not None:
            said["expires"] = created + self.expires_after
        said["keyid"] = claim.key_id
        said |= {"alg": "hmac-sha256"} if self.alg else {}
        said |= {"nonce": claim.nonce} if claim.nonce else {}
        said |= {"tag": self.tag} if self.tag else {}
        present = [item for item in self._sometimes if header_values(request, str(item.value))]
        return InnerList((*self._always, *present), said)

    def _string(self, request: Request, listed: InnerList) -> bytes:
        lines = [component_line(request, item) for item in listed.items]
        return "\n".join([*lines, f'"@signature-params": {written(listed)}']).encode("latin-1", "replace")

    def line_names(self, request: Request, claim: Claim) -> Sequence[tuple[str, str]]:
        inputs = read_dictionary(", ".join(header_values(request, "signature-input"))) or {}
        received = inputs.get(self._label_of(inputs) or "") if claim.string else None
        listed = received if isinstance(received, InnerList) else self._input(request, claim)
        names = [(written(item).replace('"', ""), "a component of the request") for item in listed.items]
        return [*names, ("@signature-params", "Signature-Input, what follows the label")]


rfc9421 = Rfc9421
