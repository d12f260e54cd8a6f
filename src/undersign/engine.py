"""Signing, and verifying in two phases with the key lookup between them.

`begin` parses, refuses ambiguity and stale clocks, and needs no body; `Pending.finish` compares. What is sync
and what is async differ in the lookup alone.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .clock import check_clock
from .credentials import Credential, Secret
from .errors import CannotSign, ConfigError, Reason, Rejected
from .http import BodyDigest, Component, Patch, Request, flaw_when_signing, flaw_when_verifying, origin_form
from .scheme import BodyNeed, Claim, Scheme, unusable_secret
from .windows import RollingWindows, search

# What an unknown key is compared with, so that it takes the work of a known one. It never fits: see Pending.finish.
NO_SECRET = Secret(hashlib.sha256(b"undersign: no such key").digest())
_UNKNOWN_KEY_ID = "unknown"
_NOT_KNOWN = (Reason.UNKNOWN_KEY, "no secret is known for the key id")
_NOT_FITTING = (Reason.MISMATCH, "no secret of the key fits")


def sign(scheme: Scheme, request: Request, credential: Credential, *, now: float) -> Patch:
    """What to set on the request so that it is signed. `now` is in Unix seconds; the request stays as it is.

    Raises CannotSign, with the part at fault and the remedy, where the request cannot be signed so that it would
    verify, or where the credential may not go to its origin; ConfigError for a credential that the scheme cannot use.
    """
    if flaw := credential_flaw(scheme, credential):
        del credential  # which may be a plain secret, where it is no Credential
        raise flaw
    return sign_checked(scheme, request, credential, now)


def credential_flaw(scheme: Scheme, credential: Credential) -> ConfigError | None:
    """What is wrong with the credential for this scheme, for a caller to raise: that it is none, that its secrets are
    not in the scheme's form, or that they are more than it sends signatures."""
    if not isinstance(credential, Credential):
        return ConfigError(f"the credential is a Credential(key_id, secret), not {type(credential).__name__}")
    if credential.older and not scheme.several_signatures:
        return ConfigError(f"{scheme.name} sends one signature: leave the credential's older secrets out")
    flaws = (unusable_secret(scheme, secret) for secret in (credential.secret, *credential.older))
    return next((flaw for flaw in flaws if flaw), None)


def sign_checked(scheme: Scheme, request: Request, credential: Credential, now: float) -> Patch:
    """Sign with a credential that is checked."""
    if not math.isfinite(now):
        raise CannotSign(f"the clock says {now!r}: give it in Unix seconds")
    if credential.origins and request.origin not in credential.origins:
        raise CannotSign(
            f"the credential is for {', '.join(credential.origins)} and the request goes to "
            f"{request.origin or 'an unknown origin'}: add that to its origins, or use another credential"
        )
    if flaw := flaw_when_signing(request.method, origin_form(request.target), request.headers):
        raise CannotSign(flaw)
    claim = Claim(credential.key_id, now)
    prepared = scheme.prepare(request, claim)
    request = prepared.apply(request)
    canonical = scheme.canonical(request, claim)
    # In a claim, which does not show it: a local of its own would be in the traceback of a `write` that refuses.
    signed = Claim(claim.key_id, now, (scheme.signature(credential.secret.reveal(), canonical),))
    if credential.older:
        signed = _signed_with_older(scheme, signed, credential, canonical)
    return prepared + scheme.write(signed, request)


def _signed_with_older(scheme: Scheme, claim: Claim, credential: Credential, canonical: bytes) -> Claim:
    """The signed claim, with the signatures of the older secrets behind."""
    older = tuple(scheme.signature(secret.reveal(), canonical) for secret in credential.older)
    return Claim(claim.key_id, claim.at, claim.signatures + older)


class Signer:
    """A scheme with a credential and a clock, which returns Unix seconds.

    Raises ConfigError for a credential that the scheme cannot use.
    """

    def __init__(self, scheme: Scheme, credential: Credential, *, clock: Callable[[], float] = time.time) -> None:
        if flaw := credential_flaw(scheme, credential):
            del credential
            raise flaw
        self.scheme = scheme
        self.credential = credential
        check_clock(clock)
        self.clock = clock

    def sign(self, request: Request) -> Patch:
        """See `undersign.sign`."""
        return sign_checked(self.scheme, request, self.credential, self.clock())


class _Verified(NamedTuple):
    scheme: str
    key_id: str
    at: float = 0.0
    covers: frozenset[Component] = frozenset()
    secret_index: int = 0
    expires: float = 0.0
    nonce: str = ""
    signed: bytes = b""
    tenant: str = ""
    apart: str = ""


class Verified(_Verified):
    """A request that verified: by which scheme (its name) and key, and when it was signed (Unix seconds).

    `covers` says what of the request the signature binds. `secret_index` is the place of the secret that fitted,
    0 being the newest. `signed` is what was signed: the string to sign, or the second where the time is not sent.
    `replay_id` names it, and is good for a replay guard until `expires` (Unix seconds, still included). `tenant` is
    whose key it is, where the lookup has named one. `apart` keeps the replay ids of keys with one id apart where it was
    given the head and has not: a digest of the signature.

    All but the first two have defaults, for the tests of apps that make one by hand.
    """

    __slots__ = ()

    @property
    def replay_id(self) -> str:
        """A name for what was signed, whichever of several signatures and secrets fitted.

        Not for a signature: of several, one may be left out or made up, and the request would have another name. Nor
        for the Host or anything else that is not signed. Tenants' keys of one id have different names.
        """
        named = f"{self.scheme}\0{self.key_id}\0{self.nonce}\0".encode("utf-8", "surrogatepass")
        own = hashlib.sha256(named + self.signed).hexdigest()
        owner = self.tenant or self.apart
        return hashlib.sha256(f"{own}\0{owner}".encode("utf-8", "surrogatepass")).hexdigest() if owner else own

    def __repr__(self) -> str:
        return (
            f"Verified(scheme={self.scheme!r}, key_id={self.key_id!r}, at={self.at!r}, covers={set(self.covers)!r}, "
            f"secret_index={self.secret_index!r}, expires={self.expires!r}, signed=<{len(self.signed)} bytes>"
            + (f", tenant={self.tenant!r})" if self.tenant else ")")
        )


class Pending(NamedTuple):
    """A request whose head is in order: what it claims, and what of its body is needed to compare.

    `claim` is None while it may still stand in a form; it is final after `with_body`, which brings `request`, the head
    with its body.
    """

    schemes: tuple[Scheme, ...]
    head: Request
    now: float
    scheme: Scheme | None
    claim: Claim | None
    body: BodyNeed
    request: Request | None = None

    def with_body(self, body: bytes | BodyDigest) -> Pending:
        """The same with the body: its bytes where `body.raw` asks for them, else its digests will do.

        Raises Rejected as `begin` does, and Rejected(body_too_large) where raw bytes are needed and are too many,
        or were hashed away.
        """
        head = self.head
        request = head if body == b"" else head.with_body(body)
        del body  # a form may hold a signature, which no frame that raises shows
        if not self.body.raw:
            return Pending(self.schemes, head, self.now, self.scheme, self.claim, self.body, request)
        if isinstance(request.body, BodyDigest) or len(request.body) > self.body.limit:
            raise Rejected(
                Reason.BODY_TOO_LARGE,
                f"the scheme needs the body whole, and it is over {self.body.limit} bytes or was hashed away",
                scheme=self.scheme.name if self.scheme else "",
                key_id=self.claim.key_id if self.claim else "",
            )
        scheme, claim = _claimed(self.schemes, request, self.now)
        if scheme is None:
            raise Rejected(Reason.MISSING, "no scheme claims the request, neither its head nor its form")
        return Pending(self.schemes, head, self.now, scheme, claim, self.body, request)

    def finish(
        self,
        secrets: Sequence[Secret],
        *,
        windows: RollingWindows | None = None,
        tenant: str = "",
        apart: bool = False,
        told: str = "",
    ) -> Verified:
        """Compare with each of the key's secrets, newest first; none = the key is unknown.

        `windows` is a cache for schemes that do not send the time. `tenant` names whose key it is; `apart` says that
        it may be one of several keys of that id, of tenants that are not named. `told` is put behind the reason of an
        unknown key. Raises Rejected (unknown_key, mismatch), with the same work for both, and ConfigError where a body
        is needed and `with_body` has not brought it.
        """
        scheme, claim = self.scheme, self.claim
        if scheme is None or claim is None or (self.request is None and self.body):
            raise ConfigError("the body is needed first: call with_body, and finish what it returns")
        known = bool(secrets)
        found = _compare(scheme, self.request or self.head, claim, secrets or (NO_SECRET,), self.now, windows, known)
        del secrets
        if isinstance(found, str):
            raise Rejected(Reason.MALFORMED, found, scheme=scheme.name, key_id=claim.key_id)
        if found is None or not known:
            # One way for both, as the time would tell them apart.
            reason, detail = _NOT_FITTING if known else _NOT_KNOWN
            raise Rejected(reason, f"{detail}: {told}" if told else detail, scheme=scheme.name, key_id=claim.key_id)
        at, secret_index, signed = found
        covers = scheme.covers(self.request or self.head)
        expires = math.floor(at) + scheme.window.past
        mark = _mark(scheme, claim) if apart else ""
        return Verified(scheme.name, claim.key_id, at, covers, secret_index, expires, claim.nonce, signed, tenant, mark)


def _mark(scheme: Scheme, claim: Claim) -> str:
    """A digest of the signature that has fitted, which keys of one id with different secrets do not have in common.

    Empty where a request may have several signatures: whoever leaves one out must not get another replay id.
    """
    if scheme.several_signatures or len(claim.signatures) != 1:
        return ""
    return hashlib.sha256(claim.signatures[0].encode("utf-8", "surrogatepass")).hexdigest()


def begin(schemes: Scheme | Sequence[Scheme], head: Request, *, now: float) -> Pending:
    """Read a request's head, whose own body is not looked at. `now` is in Unix seconds.

    Raises Rejected, in this order: missing, ambiguous, insecure, malformed, unsupported_version, stale or future.
    """
    if type(schemes) is not tuple:
        schemes = (schemes,) if isinstance(schemes, Scheme) else tuple(schemes)
    head = _bare(head)
    claimant, claim = _claimed(schemes, head, now)
    need = BodyNeed.NOTHING if claimant is None else claimant.body_need(head)
    for scheme in schemes:
        # A form is read for every scheme that may be in it, whoever has claimed the head: there might be two.
        if scheme is not claimant and (other := scheme.body_need(head)).raw:
            need |= other
    if claimant is None and not need.raw:
        raise Rejected(Reason.MISSING, "no scheme claims the request")
    return Pending(schemes, head, now, claimant, claim, need)


def _bare(request: Request) -> Request:
    """The head, its target in origin-form and without a body."""
    target = origin_form(request.target)
    if target is request.target and request.body == b"":
        return request
    return Request(request.method, target, request.headers, b"", request.origin)


def _claimed(schemes: tuple[Scheme, ...], request: Request, now: float) -> tuple[Scheme, Claim] | tuple[None, None]:
    """The one scheme that claims the request, and its claim; or none. Raises Rejected as `begin` does."""
    claims: list[tuple[Scheme, Claim | Rejected]] = []
    for scheme in schemes:
        try:
            claim = scheme.read(request)
        except Rejected as rejected:
            if rejected.reason is Reason.BODY_TOO_LARGE:  # so whether it claims the request is unknown
                raise
            claims.append((scheme, rejected))
        else:
            if claim is not None:
                claims.append((scheme, claim))
    if not claims:
        return None, None
    if len(claims) > 1:
        names = " and ".join(scheme.name for scheme, _ in claims)
        raise Rejected(Reason.AMBIGUOUS, f"{names} claim the request")
    scheme, outcome = claims[0]
    if isinstance(outcome, Rejected) and outcome.reason is Reason.INSECURE:
        raise outcome
    key_id = outcome.key_id
    if flaw := flaw_when_verifying(request.method, request.target, request.headers):
        raise Rejected(Reason.MALFORMED, flaw, scheme=scheme.name, key_id=key_id)
    if isinstance(outcome, Rejected):
        raise outcome
    if outcome.at is not None and (reason := scheme.window.outside(outcome.at, now)):
        detail = f"signed at {outcome.at:.0f}, and the clock says {now:.0f}"
        raise Rejected(reason, detail, scheme=scheme.name, key_id=key_id)
    return scheme, outcome


def _compare(
    scheme: Scheme,
    request: Request,
    claim: Claim,
    secrets: Sequence[Secret],
    now: float,
    windows: RollingWindows | None,
    known: bool,
) -> tuple[float, int, bytes] | str | None:
    """Time of the signature that fits, index of its secret and what it signs; None; or a sentence on a canonical form
    that does not exist. Raises nothing, since a secret and a valid signature are at hand here."""
    if claim.at is None:
        # One window for all unknown keys: they build none of their own. A new claim for known ones too, since the time
        # that it takes would tell.
        claim = Claim(claim.key_id if known else _UNKNOWN_KEY_ID, None, claim.signatures, claim.nonce)
        for index, secret in enumerate(secrets):
            second = windows.find(scheme, secret, claim, now) if windows else search(scheme, secret, claim, now)
            if second is not None:
                return second, index, b"%d" % second
        return None
    try:
        canonical = scheme.canonical(request, claim)
    except CannotSign as error:
        return str(error)
    sent = [signature.encode("utf-8", "surrogatepass") for signature in claim.signatures]
    place = first_fit(scheme, secrets, canonical, sent)
    return None if place is None else (claim.at, place, canonical)


def first_fit(scheme: Scheme, secrets: Sequence[Secret], canonical: bytes, signatures: Sequence[bytes]) -> int | None:
    """The place of the first secret that fits one of the signatures, else None. Raises nothing."""
    for index, secret in enumerate(secrets):
        expected = scheme.signature(secret.reveal(), canonical).encode()
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return index
    return None
