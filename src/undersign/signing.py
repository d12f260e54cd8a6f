"""Signing: what to set on a request so that it is signed.

    request, credential, now ──> claim ──scheme.draft──> what has to be on the request, and the string to sign
                                 └─ signature of the string ──scheme.write──> Patch

A scheme drafts without the secret, and the request stays as it is: what went wrong half way has changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .core.credentials import Credential
from .core.dates import check_clock, tells_time
from .core.message import (
    Patch,
    Request,
    method_field_problem,
    not_a_request,
    origin_form,
    problem_when_signing,
)
from .errors import CannotSign, ConfigError
from .scheme import Claim, Scheme, scheme_problem, unusable_secret

_NOTHING: Mapping[str, str] = MappingProxyType({})
_new = tuple.__new__  # all that making a NamedTuple does, without a call of its own


def sign(scheme: Scheme, request: Request, credential: Credential, *, now: float, nonce: str | None = None) -> Patch:
    """What to set on the request so that it is signed. `now` is in Unix seconds; the request stays as it is.

    `nonce` is a text that no other request has, for a scheme that sends one.

    Raises CannotSign, with the part at fault and the remedy, where the request cannot be signed so that it would
    verify. It also does where the credential may not go to the request's origin. Raises ConfigError for a credential
    that the scheme cannot use.

    Example::

        patch = sign(GoTom(), request, Credential("user", "secret"), now=1730974875)
        signed = patch.apply(request)
    """
    if problem := scheme_problem(scheme) or credential_problem(scheme, credential):
        del credential  # which may be a plain secret, where it is no Credential
        raise problem
    if nonce is not None and not isinstance(nonce, str):
        raise ConfigError(f"nonce is the text itself, not {type(nonce).__name__}: a Signer takes what makes it")
    return sign_checked(scheme, request, credential, now, nonce or "")


def credential_problem(scheme: Scheme, credential: Credential) -> ConfigError | None:
    """What is wrong with the credential for this scheme, for a caller to raise: that it is none, that its secrets are
    not in the scheme's form, or that they are more than it sends signatures."""
    if not isinstance(credential, Credential):
        return ConfigError(f"the credential is a Credential(key_id, secret), not {type(credential).__name__}")
    if credential.older and not scheme.several_signatures:
        return ConfigError(f"{scheme.name} sends one signature: leave the credential's older secrets out")
    problems = (unusable_secret(scheme, secret) for secret in (credential.secret, *credential.older))
    return next((problem for problem in problems if problem), None)


def sign_checked(scheme: Scheme, request: Request, credential: Credential, now: float, nonce: str = "") -> Patch:
    """Sign with a credential that is checked."""
    claim, drafted, string = drafted_checked(scheme, request, credential, now, nonce)
    # In a claim, which does not show them: a local of their own would be in the traceback of a `write` that refuses.
    signed = _new(
        Claim,
        (
            claim.key_id,
            now,
            _signatures(scheme, credential, string),
            nonce,
            None,
            scheme.extra_as_sent(credential.secret.reveal(), claim.extra) if claim.extra else _NOTHING,
            (),
        ),
    )
    written = scheme.write(signed, request)
    if not drafted.headers:
        return written
    return _new(Patch, (drafted.headers + written.headers, written.query, written.form))


def _signatures(scheme: Scheme, credential: Credential, string: bytes) -> tuple[str, ...]:
    newest = scheme.signature(credential.secret.reveal(), string)
    if not credential.older:
        return (newest,)
    return (newest, *[scheme.signature(secret.reveal(), string) for secret in credential.older])


def drafted_checked(
    scheme: Scheme, request: Request, credential: Credential, now: float, nonce: str = ""
) -> tuple[Claim, Patch, bytes]:
    """The first half of signing, which needs no secret: the claim, what is drafted, and the string to sign."""
    if not isinstance(request, Request):
        raise not_a_request(request)
    if not tells_time(now):
        raise CannotSign(f"the clock says {now!r}: give it in Unix seconds")
    if credential.origins and request.origin not in credential.origins:
        # An unknown one is that of a request which does not say it, or of an adapter's own URL, such as http+unix://.
        way_out = (
            "add that to its origins, or use another credential"
            if request.origin
            else "origins are those of http and https; say the request's, or leave the credential's out"
        )
        raise CannotSign(
            f"the credential is for {', '.join(credential.origins)} and the request goes to "
            f"{request.origin or 'an unknown origin'}: {way_out}"
        )
    target = request.target
    if problem := problem_when_signing(request, target if target.startswith("/") else origin_form(target)):
        raise CannotSign(problem)
    if scheme.method_field and (problem := method_field_problem(request, scheme.method_field)):
        raise CannotSign(problem)
    claim = _new(Claim, (credential.key_id, now, (), nonce, None, credential.extra or _NOTHING, ()))
    return claim, *scheme.draft(request, claim)


class Signer:
    """A scheme with a credential and a clock, which returns Unix seconds.

    `nonce` returns a text that no request had before, for a scheme that sends one: `lambda: str(uuid.uuid4())`.

    Raises ConfigError for a credential that the scheme cannot use.

    Example::

        signer = Signer(GoTom(), Credential("user", "secret"))
        signed = signer.sign(request).apply(request)
    """

    def __init__(
        self,
        scheme: Scheme,
        credential: Credential,
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] | None = None,
    ) -> None:
        if problem := scheme_problem(scheme) or credential_problem(scheme, credential):
            del credential
            raise problem
        self.scheme = scheme
        self.credential = credential
        check_clock(clock)
        self.clock = clock
        if nonce is not None and not callable(nonce):
            raise ConfigError("nonce is a function that returns a new text each time, not the text itself")
        self.nonce = nonce

    def sign(self, request: Request) -> Patch:
        """See `undersign.sign`."""
        nonce = "" if self.nonce is None else self.nonce()
        return sign_checked(self.scheme, request, self.credential, self.clock(), nonce)
