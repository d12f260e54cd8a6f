"""What is signed of a request, part by part, in a form that may be pasted into a ticket."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.credentials import NO_SECRET, Credential
from ..core.dates import format_date, tells_time
from ..core.message import BodyDigest, Patch, Request, body_length, not_a_request, problem_when_verifying
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..scheme import Claim, Part, Scheme, scheme_problem
from ..signing import credential_problem, drafted_checked, sign_checked
from ..verifying.verdict import bare
from .showing import shown_part, visible

_SIGNATURE = "<signature>"
_NONCE = "<nonce>"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is signed of a request. `str()` is the text for a ticket, `as_json()` the same as values.

    `parts` joined are the string to sign, with what `str()` hides: its bytes are for the owner of the request. `at` is
    the time that is signed, in Unix seconds. `body_digests` are {algorithm: lower-case hex}, as the scheme hashes the
    body, or its SHA-256 where it is signed as it is; there are none where it is not signed. `patch` is what signing
    sets, with `<signature>` for the signature unless that was asked for; it is empty for a request that was received.
    """

    scheme: str
    key_id: str
    at: float
    received: bool
    parts: tuple[Part, ...]
    body_length: int
    body_digests: tuple[tuple[str, str], ...]
    patch: Patch

    @property
    def canonical(self) -> bytes:
        """The string to sign."""
        return b"".join(part.value for part in self.parts)

    def __repr__(self) -> str:
        return f"Explanation({self.scheme!r}, {self.key_id!r}, {', '.join(part.name for part in self.parts)})"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def as_json(self) -> dict[str, Any]:
        """What `str()` shows, as values for JSON: escapes and hidden values included."""
        return {
            "scheme": self.scheme,
            "key_id": visible(_utf8(self.key_id)),
            "at": self.at,
            "received": self.received,
            "parts": [{"name": part.name, "source": part.source, "value": shown_part(part)} for part in self.parts],
            "length": len(self.canonical),
            "body": {"length": self.body_length, "digests": dict(self.body_digests)},
            "patch": {place: [list(pair) for pair in pairs] for place, pairs in self._patched()},
        }

    def _lines(self) -> Iterator[str]:
        what = "received" if self.received else "to be signed"
        yield f"Request {what}: scheme {visible(_utf8(self.scheme))}, key id {visible(_utf8(self.key_id))}"
        yield f"Time: {_instant(self.at)}"
        yield f"Body: {self.body_length} bytes, " + (
            ", ".join(f"{name} {digest}" for name, digest in self.body_digests) or "not signed"
        )
        yield ""
        yield f"String to sign: {len(self.canonical)} bytes, the parts below without anything between them"
        for part in self.parts:
            yield f"  {visible(_utf8(part.name))}" + (f" ({visible(_utf8(part.source))})" if part.source else "")
            yield f"    {shown_part(part)}".rstrip()
        patched = [(place, pairs) for place, pairs in self._patched() if pairs]
        if patched:
            yield ""
            yield "Patch: what signing sets"
        for place, pairs in patched:
            for name, value in pairs:
                yield f"  {_PLACES[place]} {name}{': ' if place == 'headers' else '='}{value}"

    def _patched(self) -> list[tuple[str, list[tuple[str, str]]]]:
        headers = [(name, visible(value.encode("latin-1", "replace"))) for name, value in self.patch.headers]
        fields = [
            [(visible(_utf8(name)), visible(_utf8(value))) for name, value in pairs]
            for pairs in (self.patch.query, self.patch.form)
        ]
        return [("headers", headers), ("query", fields[0]), ("form", fields[1])]


_PLACES = {"headers": "header", "query": "query", "form": "form"}


def explain(
    scheme: Scheme,
    request: Request,
    key: str | Credential | None = None,
    *,
    now: float,
    nonce: str | None = None,
    show_signature: bool = False,
) -> Explanation:
    """What is signed of the request, part by part. `now` is in Unix seconds.

    With a key id or a Credential the request is one that is to be signed at `now`, whatever it carries already. Without
    one it was received. Then key id and time are those that it claims, and `now` stands in for a time that is not sent.
    No secret is needed, since none is in a string to sign.

    - `show_signature`: puts the valid signature into the patch, which takes a Credential. Whoever has it can send the
      request.
    - `nonce`: a scheme's nonce; `<nonce>` where it is not given. What else a credential sends is `<NAME>`, unless
      `show_signature` shows it.

    The text hides the body, and the values of headers and parameters that are named like credentials (`Cookie`,
    `X-Auth-Token`, `api_key`, `sig`). It cannot know what else is private: paths, other parameters and key ids stay.

    Raises CannotSign as `sign` does, and where a request that was received has no canonical form. Raises Rejected as
    the scheme's `read` does, and Rejected(missing) for a received request without a signature. Raises ConfigError for
    `show_signature` without a Credential.

    Example::

        print(explain(GoTom(), request, "user", now=now))
    """
    if problem := scheme_problem(scheme):
        raise problem
    if show_signature and not isinstance(key, Credential):
        raise ConfigError("show_signature takes a Credential, whose secret signs")
    if not isinstance(request, Request):
        raise not_a_request(request)
    if not tells_time(now):
        raise CannotSign(f"the clock says {now!r}: give it in Unix seconds")
    if key is None:
        return explanations_of_received(scheme, request, now)[0]
    credential = key if isinstance(key, Credential) else Credential(key, NO_SECRET)
    if show_signature:
        if problem := credential_problem(scheme, credential):
            raise problem
    else:
        names = {*scheme.extras, *credential.extra}
        extra = {name: f"<{name}>" for name in names}  # as private as a secret, as like as not
        credential = Credential(credential.key_id, NO_SECRET, credential.origins, extra=extra)
    nonce = nonce or (_NONCE if scheme.needs_nonce else "")
    if nonce == _NONCE and scheme.nonce_is_number:
        nonce = str(int(now * 1000))
    patch = sign_checked(scheme, request, credential, now, nonce)
    claim, drafted, string = drafted_checked(scheme, request, credential, now, nonce)
    if not show_signature:
        patch = _without(patch, scheme.signature(NO_SECRET.reveal(), string))
    return _explanation(scheme, drafted.apply(request), claim, string, drafted, patch, received=False)


def explanations_of_received(scheme: Scheme, request: Request, now: float) -> list[Explanation]:
    """What is signed of a request that was received: one explanation for each string to sign that the scheme takes,
    as `Claim.others` has them. Raises as `explain` does."""
    claim = scheme.read(request)
    if claim is None or claim.string is None:
        raise Rejected(Reason.MISSING, f"{scheme.name} does not claim the request: it has no signature of this scheme")
    if problem := problem_when_verifying(bare(request)):
        raise CannotSign(problem)
    timed = claim if claim.at is not None else claim._replace(at=now)
    strings = [string(request.body, math.floor(now)) for string in (claim.string, *claim.others)]
    return [_explanation(scheme, request, timed, string, Patch(), Patch(), received=True) for string in strings]


def _explanation(
    scheme: Scheme, request: Request, claim: Claim, string: bytes, drafted: Patch, patch: Patch, *, received: bool
) -> Explanation:
    parts = tuple(scheme.shown_parts(string, request, claim, drafted))
    if b"".join(part.value for part in parts) != string:
        raise ConfigError(f"the parts of {scheme.name} do not join to its string to sign: see undersign.testing")
    at = 0.0 if claim.at is None else claim.at
    digests = _digests(scheme, request)
    return Explanation(scheme.name, claim.key_id, at, received, parts, body_length(request.body), digests, patch)


def _digests(scheme: Scheme, request: Request) -> tuple[tuple[str, str], ...]:
    need, body = scheme.body_need(request), request.body
    names = need.digests or (("sha256",) if need.raw else ())
    if isinstance(body, BodyDigest):
        return tuple((name, body.digests[name]) for name in names if name in body.digests)
    return tuple((name, hashlib.new(name, body, usedforsecurity=False).hexdigest()) for name in names)


def _without(patch: Patch, signature: str) -> Patch:
    """The patch with a word in place of the signature."""
    headers, query, form = (
        tuple((name, value.replace(signature, _SIGNATURE)) for name, value in pairs)
        for pairs in (patch.headers, patch.query, patch.form)
    )
    return Patch(headers, query, form)


def _instant(at: float) -> str:
    try:
        return f"{math.floor(at)} ({format_date(at)})"
    except CannotSign:  # a year of five digits, which a keyed timestamp does not mind
        return str(math.floor(at))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
