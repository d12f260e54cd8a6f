"""Verifying in two phases, with the key lookup between them.

    head ──begin──> Pending ──with_body──> Pending ──finish(secrets)──> Verified
            read, one claim,   a form's claim         `verdict`
            clock, form of the
            head

`begin` parses, refuses ambiguity and stale clocks, and needs no body; `Pending.finish` compares. Sync and async differ
in the lookup alone, which is why it stands outside. Where the body is at hand a verifier goes from `claim_of` to
`verdict` at once, which are what the two phases are made of.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from hmac import compare_digest
from typing import Any, NamedTuple, NoReturn

from ..core.credentials import NO_SECRET, Secret
from ..core.dates import tells_time
from ..core.message import (
    BodyDigest,
    Component,
    Request,
    method_field_problem,
    not_a_request,
    origin_form,
    problem_when_verifying,
)
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..scheme import Body, BodyNeed, Claim, ResponseSigner, Scheme, scheme_problem, window_of
from .windows import RollingWindows, search

_UNKNOWN_KEY_ID = "unknown"
_FURTHEST = 1e15  # seconds: no clock is there, and whole seconds are still told apart
_FEWEST = 2
"""How many secrets a refusal is computed for: as many as a key has whose secret is being changed."""
_NOT_KNOWN = (Reason.UNKNOWN_KEY, "no secret is known for the key id")
_NOT_FITTING = (Reason.MISMATCH, "no secret of the key fits")
_new = tuple.__new__  # all that making a NamedTuple does, without a call of its own


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

    - `covers`: what of the request the signature binds.
    - `secret_index`: the place of the secret that fitted, 0 being the newest.
    - `signed`: the string to sign. `replay_id` names it, for a replay guard.
    - `expires`: until when `replay_id` is good, in Unix seconds, still included. It has no end where no time is signed.
    - `tenant`: whose key it is, where the lookup has named one.
    - `apart`: a digest of the signature, where the lookup was given the head and has named no tenant. It keeps the
      replay ids of keys with one id apart.

    All but the first two have defaults, for the tests of apps that make one by hand.

    Example::

        verified = verifier.verify(signed)
        assert (verified.scheme, verified.key_id, verified.secret_index) == ("gotom", "user", 0)
    """

    __slots__ = ()

    @property
    def response_signer(self) -> ResponseSigner | None:
        """What signs the answer to the request, of a scheme that does, as the middlewares do; else None."""
        return self.signer if isinstance(self, Answerable) else None

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


class Answerable(Verified):
    """The same of a scheme that signs answers too."""

    signer: ResponseSigner

    def _replace(self, **changes: Any) -> Answerable:  # pyright: ignore[reportIncompatibleMethodOverride]
        changed = super()._replace(**changes)
        changed.signer = self.signer
        return changed

    def __reduce__(self) -> tuple[Any, ...]:
        return Verified, tuple(self)  # what is pickled holds no secret, and signs no answer


class Claimed(NamedTuple):
    """A request that is in order so far, with what is needed of its body, and the one scheme that claims it."""

    scheme: Scheme
    claim: Claim
    request: Request
    now: float

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Claimed holds signatures and is not pickled: pickle the request, and begin anew where it is read"
        )

    def compare(
        self,
        secrets: Sequence[Secret],
        windows: RollingWindows | None,
        tenant: str = "",
        told: str = "",
        *,
        apart: bool = False,
    ) -> Verified:
        """See Pending.finish."""
        found = verdict(self.scheme, self.claim, self.request, secrets, self.now, windows)
        del secrets
        if isinstance(found, Rejected):
            if told and found.reason is Reason.UNKNOWN_KEY:
                raise _refused(self.scheme, self.claim, Reason.UNKNOWN_KEY, f"{found.detail}: {told}")
            try:
                raise found
            finally:
                del found  # it would hold itself, by its traceback and this frame
        if tenant or apart:
            return found._replace(tenant=tenant, apart=_mark(self.scheme, self.claim) if apart else "")
        return found


class Pending(NamedTuple):
    """A request whose head is in order: what it claims, and what of its body is needed to compare.

    `claim` is None while it may still stand in a form. It is final after `with_body`, which brings `request`, the head
    with its body.

    Example::

        pending = verifier.begin(signed)
        verified = verifier.finish(pending.with_body(signed.body))
    """

    schemes: tuple[Scheme, ...]
    head: Request
    now: float
    scheme: Scheme | None
    claim: Claim | None
    body: BodyNeed
    request: Request | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Pending holds signatures and is not pickled: pickle the request, and begin anew where it is read"
        )

    def with_body(self, body: Body) -> Pending:
        """The same with the body: its bytes where `body.raw` asks for them, else its digests will do.

        Raises Rejected as `begin` does, and Rejected(body_too_large) where raw bytes are needed and are too many,
        or were hashed away.
        """
        head = self.head
        request = head if body == b"" else head.with_body(body)
        del body  # a form may hold a signature, which no frame that raises shows
        if not self.body.raw:
            return self._replace(request=request)
        if isinstance(request.body, BodyDigest) or len(request.body) > self.body.limit:
            raise Rejected(
                Reason.BODY_TOO_LARGE,
                f"the scheme needs the body whole, and it is over {self.body.limit} bytes or was hashed away",
                scheme=self.scheme.name if self.scheme else "",
                key_id=self.claim.key_id if self.claim else "",
            )
        scheme, claim = claim_of(self.schemes, request, self.now)
        if scheme is None:
            raise Rejected(Reason.MISSING, "no scheme claims the request, neither its head nor its form")
        return self._replace(scheme=scheme, claim=claim, request=request)

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

        - `windows`: a cache for schemes that do not send the time.
        - `tenant`: names whose key it is.
        - `apart`: says that it may be one of several keys of that id, of tenants that are not named.
        - `told`: is put behind the reason of an unknown key.

        Raises Rejected (unknown_key, mismatch), with the same work for both. Raises ConfigError where a body is needed
        and `with_body` has not brought it.
        """
        return self.claimed().compare(secrets, windows, tenant, told, apart=apart)

    def claimed(self) -> Claimed:
        """What is to be compared. Raises ConfigError where a body is needed and `with_body` has not brought it."""
        if self.scheme is None or self.claim is None or (self.request is None and self.body):
            raise ConfigError("the body is needed first: call with_body, and finish what it returns")
        return _new(Claimed, (self.scheme, self.claim, self.request or self.head, self.now))


def _mark(scheme: Scheme, claim: Claim) -> str:
    """A digest of the signature that has fitted, which keys of one id with different secrets do not have in common.

    Empty where a request may have several signatures: whoever leaves one out must not get another replay id.
    """
    if scheme.several_signatures or len(claim.signatures) != 1:
        return ""
    return hashlib.sha256(claim.signatures[0].encode()).hexdigest()


def begin(schemes: Scheme | Sequence[Scheme], head: Request, *, now: float) -> Pending:
    """Read a request's head, whose own body is not looked at. `now` is in Unix seconds.

    Raises Rejected, in this order: missing, ambiguous, insecure, malformed, unsupported_version, stale or future; and
    ConfigError for what is no scheme, no request or no time.

    Example::

        pending = begin(GoTom(), signed, now=now)
        verified = pending.with_body(signed.body).finish([Secret("secret")])
    """
    if not tells_time(now):
        raise ConfigError(f"now is {now!r}: give it in Unix seconds")
    return begun(schemes_of(schemes), head, now)


def schemes_of(given: Scheme | Sequence[Scheme]) -> tuple[Scheme, ...]:
    """One scheme or several, as a tuple. Raises ConfigError for what is no scheme."""
    # A text is iterable as well, and a class may be.
    several = isinstance(given, Iterable) and not isinstance(given, (str, type))
    schemes: tuple[Scheme, ...] = tuple(given) if several else (given,)  # type: ignore[arg-type,assignment]
    for scheme in schemes:
        if problem := scheme_problem(scheme):
            raise problem
    return schemes


def begun(schemes: tuple[Scheme, ...], head: Request, now: float) -> Pending:
    """The same for schemes and a time that are checked."""
    if not isinstance(head, Request):
        raise not_a_request(head)
    head = bare(head)
    scheme, claim = claim_of(schemes, head, now)
    need = body_need(schemes, head, scheme)
    if scheme is None and not need.raw:
        raise Rejected(Reason.MISSING, "no scheme claims the request")
    return Pending(schemes, head, now, scheme, claim, need)


def bare(request: Request) -> Request:
    """The head, its target in origin-form and without a body."""
    target = origin_form(request.target)
    if target is request.target and request.body == b"":
        return request
    return Request(request.method, target, request.headers, b"", request.origin)


def body_need(schemes: tuple[Scheme, ...], head: Request, claimant: Scheme | None) -> BodyNeed:
    """What the claimant needs of the body, and the other schemes that may be in it: there might be two."""
    need = BodyNeed.NOTHING if claimant is None else need_of(claimant, head)
    for scheme in schemes:
        if scheme is not claimant and (other := need_of(scheme, head)).raw:
            need |= other
    return need


def need_of(scheme: Scheme, head: Request) -> BodyNeed:
    """What one scheme needs of the body. Raises Rejected(unavailable) where it does not say."""
    failed = TypeError.__name__
    try:
        need = scheme.body_need(head)
        if isinstance(need, BodyNeed):
            return need
    except Exception as error:  # of a third party's scheme; what it says may hold anything
        failed = type(error).__name__
    raise Rejected(Reason.UNAVAILABLE, f"{scheme.name} failed: {failed}", scheme=scheme.name)


def claim_of(schemes: tuple[Scheme, ...], request: Request, now: float) -> tuple[Scheme, Claim] | tuple[None, None]:
    """The one scheme that claims the request, and its claim; or none. Raises Rejected as `begin` does."""
    scheme: Scheme | None = None
    found: Claim | Rejected | None = None
    for reader in schemes:
        try:
            claim: Claim | Rejected | None = reader.read(request)
        except Rejected as rejected:
            if rejected.reason is Reason.BODY_TOO_LARGE:  # so whether it claims the request is unknown
                raise
            claim = rejected
        except Exception as error:  # of a third party's scheme; what it says may hold anything
            claim = _failed(reader, error)
        if claim is None:
            continue
        if scheme is not None:
            raise Rejected(Reason.AMBIGUOUS, f"{scheme.name} and {reader.name} claim the request")
        scheme, found = reader, claim
    if scheme is None or found is None:
        return None, None
    if isinstance(found, Rejected):
        if found.reason is Reason.INSECURE:
            raise found
    elif not (
        isinstance(found, Claim)
        and isinstance(found.key_id, str)
        and callable(found.string)
        and ((at := found.at) is None or (isinstance(at, (int, float)) and -_FURTHEST < at < _FURTHEST))
    ):
        # A third party's scheme may return anything.
        raise Rejected(Reason.UNAVAILABLE, f"{scheme.name} made no sound claim of the request", scheme=scheme.name)
    if problem := problem_when_verifying(request):
        raise Rejected(Reason.MALFORMED, problem, scheme=scheme.name, key_id=found.key_id)
    if scheme.method_field and (problem := method_field_problem(request, scheme.method_field)):
        raise Rejected(Reason.MALFORMED, problem, scheme=scheme.name, key_id=found.key_id)
    if isinstance(found, Rejected):
        raise found
    window = window_of(scheme)
    if found.at is not None and window is not None and (reason := window.outside(found.at, now)):
        detail = f"signed at {found.at:.0f}, and the clock says {now:.0f}"
        raise Rejected(reason, detail, scheme=scheme.name, key_id=found.key_id)
    if scheme.says_when_it_ends and (ended := _ended(scheme, found, now)):
        raise ended
    return scheme, found


def _ended(scheme: Scheme, claim: Claim, now: float) -> Rejected | None:
    """The refusal of a request whose signer wants it taken no longer."""
    try:
        end = scheme.end_of(claim)
        if end is None or math.floor(now) <= end:
            return None
        return _refused(scheme, claim, Reason.STALE, f"signed until {end:.0f}, and the clock says {now:.0f}")
    except Exception as error:
        return _failed(scheme, error)


def verdict(
    scheme: Scheme,
    claim: Claim,
    request: Request,
    secrets: Sequence[Secret],
    now: float,
    windows: RollingWindows | None,
) -> Verified | Rejected:
    """Whether one of the secrets has made the signature; none = the key is unknown, for which as much is computed.

    `request` has its body. Raises nothing, since secrets and valid signatures are at hand here.
    """
    known, string = bool(secrets), claim.string
    window = window_of(scheme)
    if string is None:
        return _refused(scheme, claim, Reason.MALFORMED, "the scheme's claim has no string to sign")
    try:
        if claim.at is None and window is not None:
            found = _search(scheme, claim, request.body, secrets or (NO_SECRET,), now, windows, known)
        else:
            strings: tuple[bytes, ...] = (string(request.body, 0),)
            if claim.others:
                strings += tuple([other(request.body, 0) for other in claim.others])
            found = None
            tried = secrets if len(secrets) >= _FEWEST else (*secrets, NO_SECRET, NO_SECRET)[:_FEWEST]
            for index, secret in enumerate(tried):
                for string_to_sign in strings:
                    expected = scheme.signature(secret.reveal(), string_to_sign).encode()
                    for signature in claim.signatures:
                        if found is None and compare_digest(expected, signature.encode("utf-8", "surrogatepass")):
                            found = now if claim.at is None else claim.at, index, string_to_sign
                if found is not None:
                    break
        covered = scheme.covers(request)
        if not isinstance(covered, frozenset):
            return _failed(scheme, TypeError())
        end = scheme.end_of(claim) if scheme.says_when_it_ends else None
    except CannotSign as error:
        return _refused(scheme, claim, Reason.MALFORMED, str(error))
    except Exception as error:
        return _failed(scheme, error)
    if found is None or found[1] >= len(secrets):  # anybody can sign with what stands in for a secret
        # One way for both, as the time would tell them apart.
        has_own_name = claim.key_id == scheme.name
        reason, detail = _NOT_FITTING if known else _NOT_KNOWN
        if has_own_name and not known and not scheme.sends_key_id:
            # No caller could ask for another, so this tells none of them anything.
            detail += f"; {scheme.name} sends none, so the keys have its secret under {scheme.name!r}"
        return _refused(scheme, claim, reason, detail)
    at, secret_index, signed = found
    expires = math.inf if window is None else math.floor(at) + window.past
    if end is not None:
        expires = min(expires, end)
    if scheme.signs_responses:
        answerable = Answerable(scheme.name, claim.key_id, at, covered, secret_index, expires, claim.nonce, signed)
        answerable.signer = ResponseSigner(scheme, secrets[secret_index], request.with_body(b""))
        return answerable
    return _new(Verified, (scheme.name, claim.key_id, at, covered, secret_index, expires, claim.nonce, signed, "", ""))


def _failed(scheme: Scheme, error: Exception) -> Rejected:
    return Rejected(Reason.UNAVAILABLE, f"{scheme.name} failed: {type(error).__name__}", scheme=scheme.name)


def _refused(scheme: Scheme, claim: Claim, reason: Reason, detail: str) -> Rejected:
    return Rejected(reason, detail, scheme=scheme.name, key_id=claim.key_id)


def _search(
    scheme: Scheme,
    claim: Claim,
    body: Body,
    secrets: Sequence[Secret],
    now: float,
    windows: RollingWindows | None,
    known: bool,
) -> tuple[float, int, bytes] | None:
    """The same where the time is not sent: each second of the window may be that of the signature."""
    # A window serves many requests only where nothing of a request is signed.
    keeps = windows is not None and scheme.signs_time_alone
    if not known and not (windows and windows.alike):
        claim = claim._replace(key_id=_UNKNOWN_KEY_ID)
    for index, secret in enumerate(secrets):
        if keeps and windows is not None:
            second = windows.find(scheme, secret, claim, now, known=known)
        else:
            second = search(scheme, secret, claim, body, now)
        if second is None or claim.string is None:
            continue
        string = claim.string(body, second)
        expected = scheme.signature(secret.reveal(), string).encode()
        for signature in claim.signatures:
            if compare_digest(expected, signature.encode("utf-8", "surrogatepass")):
                return second, index, string
    return None
