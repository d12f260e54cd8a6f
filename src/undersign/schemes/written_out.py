"""What the schemes share that no recipe can say: those that are written out as a class.

A recipe knows its parts beforehand. These do not: a client of theirs says in the request what it has signed, or what is
signed is looked up by a prefix or by the host's name.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.message import Patch, Request, body_digest, folded_name, signed_header
from ..errors import CannotSign, Reason, Rejected
from ..scheme import Body, Claim, Part, Scheme, missing_nonce


@dataclass(frozen=True, kw_only=True)
class WrittenOut(Scheme):
    """A scheme whose string to sign is a list of lines: what its classes need to say each thing once.

    `separator` stands between the lines, and `line_names` name them, for explanations.
    """

    separator = b"\n"

    @abstractmethod
    def line_names(self, request: Request, claim: Claim) -> Sequence[tuple[str, str]]:
        """Name and source of each line of the string to sign, as far as they are known."""

    def shown_parts(self, string: bytes, request: Request, claim: Claim, drafted: Patch) -> Sequence[Part]:
        lines = string.split(self.separator)
        try:
            names = self.line_names(request, claim)
        except (CannotSign, Rejected):
            names = ()
        if len(names) != len(lines):
            return super().shown_parts(string, request, claim, drafted)
        ends = [self.separator] * (len(lines) - 1) + [b""]
        return [Part(*name, line + end) for name, line, end in zip(names, lines, ends, strict=True)]

    def read(self, request: Request) -> Claim | None:
        claim = self.claim_of(request)
        if isinstance(claim, Rejected):
            raise claim
        return claim

    @abstractmethod
    def claim_of(self, request: Request) -> Claim | Rejected | None:
        """What `read` returns, or the refusal that it raises: so no frame which raises holds a signature that was sent
        and may be good."""

    def malformed(self, detail: str, key_id: str = "", reason: Reason = Reason.MALFORMED) -> Rejected:
        """The refusal, for `claim_of` to return."""
        return Rejected(reason, detail, scheme=self.name, key_id=key_id)

    def checked_time(self, claim: Claim) -> float:
        """The time of a signer's claim. Raises CannotSign where it has none."""
        if claim.at is None:
            raise CannotSign(f"the claim has no time: {self.name} signs it")
        return claim.at

    def checked_nonce(self, claim: Claim) -> str:
        """The nonce of a signer's claim. Raises CannotSign where it has none."""
        if not claim.nonce:
            raise CannotSign(missing_nonce(self.name))
        return claim.nonce


def authority(request: Request) -> str:
    """Host and port that the request goes to, in lower case and without a default port: of its origin, or else of its
    Host header. Raises CannotSign where neither is known."""
    if request.origin:
        return request.origin.partition("://")[2].lower()
    host = signed_header(request, "host")
    if not host:
        raise CannotSign("the host is signed and the request's origin is unknown: give the origin, or a Host header")
    return host.lower()


def header_values(request: Request, name: str) -> list[str]:
    """The values of every header of that name (lower case), each clean. Raises CannotSign as `signed_header` does, but
    for a header that is there more than once."""
    if name not in request.by_name():
        return []
    alone = (
        signed_header(Request("GET", "/", (pair,)), name) for pair in request.headers if folded_name(pair[0]) == name
    )
    return [value for value in alone if value is not None]


def base64_digest(body: Body, algorithm: str) -> str:
    """The digest of the body in base64. Raises CannotSign where a BodyDigest was made without the algorithm."""
    return base64.b64encode(body_digest(body, algorithm)).decode("ascii")


def ends_in_bare_mark(request: Request) -> bool:
    """Whether the target ends in a question mark without a query, which is signed as if it were not there."""
    return request.target.find("?") == len(request.target) - 1


def text_problem(name: str, value: str, *, without: str = "") -> str | None:
    """What is wrong with a text that goes between `without` characters in a header, as a sentence; None = nothing."""
    if not value:
        return f"{name} is empty: give it a text"
    if not value.isascii() or not value.isprintable() or " " in value or any(mark in value for mark in without):
        marks = f" and none of {' '.join(without)}" if without else ""
        return f"{name} is printable ASCII without spaces{marks}: it would not be read back"
    return None
