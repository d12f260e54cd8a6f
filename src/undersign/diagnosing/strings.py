"""A client's own string to sign beside the right one, with what the keys say of it.

Most clients can print what they have signed. Where the secret is known as well, the signature tells two mistakes apart:
a string that gives the signature that was sent is the one that was signed, and where it differs is the cause. One that
gives it with a spoilt secret or another MAC alone was signed too, and that is named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from ..core.credentials import Credential
from ..core.dates import parse_date
from ..core.message import Request
from ..core.text import agreement
from ..explaining import Comparison, Explanation, compare, explain
from ..explaining.explanation import explanations_of_received
from ..explaining.readings import readings
from ..scheme import Claim, Scheme, window_of
from ..verifying.lookup import Keys
from . import spoilt
from .cause import Cause, in_order
from .changes import without_repeats
from .drafted import SAMPLE
from .formula import Formula
from .general import formula_of
from .keyring import KeyRing
from .remains import SIZES
from .search import Budget, Try, find_one, find_two
from .signatures import causes_of, digest_in, digests_in, encoding_of
from .wholes import ends, macs

_NUMBER = re.compile(rb"(?=([0-9]{10}))")
_DATE = re.compile(rb"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ]?[0-9:.]{4,}[^\n]{0,6}")
_MOST_TIMES = 64
_FURTHEST = 400 * 86400  # seconds: no clock is that far off
_SHORTEST_HIDDEN = 4
_MOST_READINGS = 4
_COMPUTATIONS = 60_000
_SECRET = b"\0"  # what stands for it in a string to sign


class Beside(NamedTuple):
    """What is signed of a request, and the client's own string beside it."""

    explanation: Explanation
    comparison: Comparison


def beside(
    scheme: Scheme,
    request: Request,
    signed: bytes,
    *,
    now: float,
    keys: Keys | None = None,
    key: str | Credential | None = None,
    nonce: str | None = None,
) -> Beside:
    """`explain` and `compare` in one: `signed` are the bytes of a file that holds the client's string.

    `keys` are those of a Verifier; with them the signature is tried, and the secrets are hidden in the client's string.
    With `key` the request is one that is to be signed, with `nonce`, see `explain`. Where the time is not sent it is
    the one in the client's string, and `now` where that has none. Of several strings that the scheme takes it is the
    one that is the same, else the first. Raises what `explain` raises.
    """
    claim = scheme.read(request) if key is None else None
    if claim is not None and claim.at is None and window_of(scheme) is not None:
        now = _time_in(signed, scheme, claim, request, now)
    explained = (
        explanations_of_received(scheme, request, now)
        if key is None
        else [explain(scheme, request, key, now=now, nonce=nonce)]
    )
    ring = KeyRing({} if keys is None else keys, request.with_body(b""))
    secrets = ring.secrets(explained[0].key_id, scheme.name)
    body = request.body if isinstance(request.body, bytes) else b""
    known = [form for secret in secrets for form in (secret, *_forms(secret))]
    hidden = [signature.encode("utf-8", "surrogatepass") for signature in claim.signatures] if claim else []
    hidden += [scheme.signature(secret, one.canonical).encode() for secret in secrets for one in explained]
    hidden += [body] if len(body) >= _SHORTEST_HIDDEN else []

    def gives_signature(string: bytes) -> bool:
        sent = claim.signatures if claim is not None else ()
        return any(_fits(scheme.signature(secret, string), sent) for secret in secrets)

    found: list[Beside] = []
    for explanation in explained:
        comparison = compare(
            explanation,
            signed,
            secrets=(*_standing(scheme, explanation.canonical, secrets, signed), *known),
            hidden=hidden,
            gives_signature=gives_signature if secrets and claim is not None else None,
        )
        found.append(Beside(explanation, comparison))
    both = next((both for both in found if both.comparison.same), found[0])
    if claim is None or both.comparison.gives_signature is not False:
        return both
    strings = [both.explanation.canonical] if both.comparison.same else [one.value for one in readings(signed)]
    others = ring.others(claim.key_id, scheme.name)
    causes = _mistakes(scheme, claim, strings[:_MOST_READINGS], secrets, others)
    mistakes = tuple(cause.detail for cause in in_order(causes))
    return Beside(both.explanation, replace(both.comparison, mistakes=mistakes))


def _mistakes(
    scheme: Scheme, claim: Claim, strings: Sequence[bytes], secrets: Sequence[bytes], others: list[tuple[str, bytes]]
) -> tuple[Cause, ...]:
    """What was done to secret, MAC or digest, where one of the strings gives the signature with that; else nothing."""
    sample = digest_in(right := scheme.signature(SAMPLE, b"string"), "base64")
    sent = digests_in(claim.signatures[0], encoding_of(right), SIZES[len(sample.value)]) if sample else []
    budget = Budget(_COMPUTATIONS)
    for digest, string in itertools.product(sent, strings):
        formula, mac, key = formula_of(scheme, claim, digest)
        if formula is None or _SECRET in string:
            continue
        tries = [_try(formula, string, mac, secret, key, others, claim.key_id) for secret in secrets]
        found = find_one(tries, budget)
        found = find_two(tries, budget) if found is None else found
        if found is not None:
            written = () if digest.rest is None else causes_of(digest, encoding_of(right), formula.algorithm)
            return written + found
    return ()


def _try(
    formula: Formula,
    string: bytes,
    mac: str,
    secret: bytes,
    key: Callable[[bytes], bytes] | None,
    others: list[tuple[str, bytes]],
    key_id: str,
) -> Try:
    right = {0: string, "order": (0,), "join": b"", "end": b"", "text": "", "mac": mac}
    right["secret"] = secret if key is None else key(secret)
    changed = spoilt.secrets(secret, others, key_id=key_id.encode("utf-8", "surrogatepass"), key=key)
    changes = [*changed, *macs(mac, formula.algorithm, ["string"], None), *ends(string)]

    def fits(sets: Mapping[Any, Any]) -> bool:
        return formula.fits({**right, **sets})

    def which(sets: Mapping[Any, Any], several: Sequence[Mapping[Any, Any]]) -> int | None:
        return formula.which({**right, **sets}, several)

    return Try(without_repeats(changes, right), fits, which, length=len(string))


def _fits(signature: str, sent: Sequence[str]) -> bool:
    return any(hmac.compare_digest(signature.encode(), other.encode("utf-8", "surrogatepass")) for other in sent)


def _standing(scheme: Scheme, canonical: bytes, secrets: Sequence[bytes], signed: bytes) -> Sequence[bytes]:
    """What stands where the secret goes, if anywhere: the form of a secret that hashes as the scheme does."""
    found: list[bytes] = []
    for secret in secrets if b"\0" in canonical else ():
        right = scheme.signature(secret, canonical)
        for form in (secret, *_forms(secret)):
            if scheme.signature(secret, canonical.replace(b"\0", form)) == right:
                found.append(form)
                break
    return [form for form in found if form in signed] or found


def _forms(secret: bytes) -> Iterator[bytes]:
    """Other writings of a secret, which give it away as well."""
    forms = [secret.strip(), base64.b64encode(secret), base64.urlsafe_b64encode(secret), secret.hex().encode()]
    forms += [forms[1].rstrip(b"="), forms[3].upper(), quote(secret, safe="").encode(), quote_plus(secret).encode()]
    forms += [hashlib.md5(secret, usedforsecurity=False).hexdigest().encode(), secret.rpartition(b"_")[2]]
    for decode in (base64.b64decode, binascii.unhexlify):
        try:
            forms.append(decode(secret))
        except ValueError:
            continue
    yield from (form for form in forms if len(form) >= _SHORTEST_HIDDEN and form != secret)


def _time_in(signed: bytes, scheme: Scheme, claim: Claim, request: Request, now: float) -> float:
    """The time with which the right string agrees most with the client's: one of those that stand in it, or now."""
    assert claim.string is not None  # noqa: S101 - `read` has made it
    best, most = now, -1
    for reading in readings(signed)[:4]:
        near = {at for at in _times(reading.value) if abs(at - now) < _FURTHEST}
        for at in (*sorted(near, key=lambda at: abs(at - now)), now):
            right = claim.string(request.body, math.floor(at))
            agreed = agreement(right, reading.value) + agreement(right[::-1], reading.value[::-1])
            if agreed > most:
                best, most = at, agreed
    return best


def _times(value: bytes) -> Iterator[float]:
    for place, match in enumerate(_NUMBER.finditer(value)):
        if place >= _MOST_TIMES:
            return
        yield int(match[1][:10])
    for match in _DATE.finditer(value):
        at = parse_date(match[0].decode("latin-1").strip())
        if at is not None:
            yield at
