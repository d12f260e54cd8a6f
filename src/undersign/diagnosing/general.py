"""Why a signature of any scheme does not match, by what every scheme has: a canonical form and a secret."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.dates import format_date, format_http_date, parse_date
from ..core.message import BodyDigest, BodyHasher, Pairs, Request, body_digest
from ..errors import CannotSign, Reason, Rejected
from ..parts.carriers import form_of
from ..parts.macs import SECRET_FORMS, SecretForm
from ..scheme import Claim, Scheme, window_of
from . import drafted, heads, lines, spoilt
from .bodies import bodies
from .cause import Cause, clock_cause, unexplained
from .changes import Change, without_repeats
from .dates import date_changes
from .formula import Formula
from .keyring import KeyRing
from .parameters import at_the_end, parameters
from .remains import SIZES
from .search import Budget, Fits, Try, find_one, find_two
from .signatures import Digest, causes_of, digest_in, digests_in, encoding_of
from .targets import targets
from .wholes import ends, joiners, macs, recoded, texts

_FURTHEST = 26 * 3600
# Under a second on a slow core: a canonical form with its signature takes some tens of microseconds.
_COMPUTATIONS = 20_000
_NO_PARAMETERS = "The client signed none of the parameters of the form: sign them too."
_SECONDS = 220_000  # of a scheme that does not send the time, and whose canonical form is short


def causes(
    scheme: Scheme, request: Request, claim: Claim | None, keys: KeyRing, now: float, rejected: Rejected
) -> tuple[Cause, ...]:
    """Why a request with this claim does not verify by this scheme."""
    request, clock = heads.mended(request)
    sent: drafted.Sent = {}
    digests: list[Digest] = []
    if claim is None:
        request, lacking, mended, sent = drafted.in_form(scheme, request, now)
        clock += mended
        claim = _read(scheme, request)
        if claim is None and (mending := with_signature_in_form(scheme, request)) is not None:
            request, digests = mending
            claim = _read(scheme, request)
        if claim is None or any(cause.code != "header-name" for cause in lacking):
            return lacking or unexplained(f"The request is not in form: {rejected.detail}.")
        clock += lacking
    right = scheme.signature(drafted.SAMPLE, b"string")
    made = digest_in(right, "base64")
    algorithm = SIZES[len(made.value)] if made else ""
    if not digests and algorithm and claim.signatures:
        # The scheme takes the form for one of its own, so only what is left of a digest tells anything.
        read = digests_in(claim.signatures[0], encoding_of(right), algorithm)
        digests = read[:1] if read and read[0].rest is not None else []
    window = window_of(scheme)
    if claim.at is not None and window is not None and window.outside(claim.at, now):
        clock += (clock_cause(claim.at - now),)
    own = keys.secrets(claim.key_id, scheme.name)
    if not own and (near := keys.nearest(claim.key_id, scheme.name)):
        clock += (Cause("key-unknown", f"The key id {claim.key_id!r} is nobody's: did you mean {near!r}?"),)
        own = keys.secrets(near, scheme.name)
    others = keys.others(claim.key_id, scheme.name)
    budget = Budget(_SECONDS if claim.at is None and window is not None else _COMPUTATIONS)
    if claim.at is None and window is not None:
        found = _by_time(scheme, claim, own, others, now, budget)
    else:
        for digest in digests[1:]:  # which the right string alone may bear out
            message = _Message(scheme, request, claim, digest, sent)
            if any(message.fits({**message.right, "secret": message.keyed(secret)}) for secret in own):
                return clock + causes_of(digest, encoding_of(right), algorithm)
        message = _Message(scheme, request, claim, digests[0] if digests else None, sent)
        clock += causes_of(digests[0], encoding_of(right), algorithm) if digests else ()
        found = _by_parts(message, own, others, budget)
    if found is None or not (found or clock):
        if rejected.reason is Reason.MALFORMED:
            return unexplained(f"The request is refused whatever its signature: {rejected.detail}.")
        return unexplained()
    return clock + found


def _by_parts(
    message: _Message, own: tuple[bytes, ...], others: list[tuple[str, bytes]], budget: Budget
) -> tuple[Cause, ...] | None:
    key_id = message.claim.key_id.encode("utf-8", "surrogatepass")
    changes = list(message.changes())
    tries: list[Try] = []
    # An unknown key has no secret that could be spoilt, but its signature may be by that of another.
    for place, secret in enumerate(own or (b"",)):
        base = {**message.right, "secret": message.keyed(secret)}

        def fits(changed: Mapping[Any, Any], base: Mapping[Any, Any] = base) -> bool:
            return message.fits({**base, **changed})

        changed = spoilt.secrets(secret, others if place == 0 else (), key_id=key_id, key=message.key)
        spoilings = [change for change in changed if own or change.causes[0].code == "secret-other"]

        def which(changed: Mapping[Any, Any], several: Sequence[Mapping[Any, Any]], fits: Fits = fits) -> int | None:
            return next((number for number, further in enumerate(several) if fits({**changed, **further})), None)

        tries.append(Try(without_repeats([*changes, *spoilings], base), fits, which, length=len(message.string)))
    found = find_one(tries, budget)
    return find_two(tries, budget) if found is None else found


def _read(scheme: Scheme, request: Request) -> Claim | None:
    try:
        return scheme.read(request)
    except Rejected:
        return None


def with_signature_in_form(scheme: Scheme, request: Request) -> tuple[Request, list[Digest]] | None:
    """The request with a signature in a form that the scheme reads, and the digests that it may be; None where no
    header holds a digest in another form."""
    sample = scheme.signature(drafted.SAMPLE, b"string")
    made = digest_in(sample, "base64")
    algorithm = SIZES[len(made.value)] if made else "sha256"
    for place, (name, value) in enumerate(request.headers):
        for token in _tokens(value):
            digests = digests_in(token, encoding_of(sample), algorithm)
            if not digests:
                continue
            changed = (name, value.replace(token, sample))
            altered = replace(request, headers=(*request.headers[:place], changed, *request.headers[place + 1 :]))
            claim = _read(scheme, altered)
            if claim is not None and sample in claim.signatures:
                return altered, digests
    return None


def _tokens(value: str) -> list[str]:
    """The pieces of a header's value that may be a signature, whole ones before what is inside of them."""
    found = [token for expression in _WORDS for token in re.findall(expression, value)[::-1]]
    return list(dict.fromkeys([token for token in found if len(token) >= _SHORTEST]))


_SHORTEST = 14
_WORDS = (
    r"b?'[^']*'",
    r'"([^"]*)"',
    r'"[^"]+"',
    r"[^\s,:;=\"']+={0,2}",
    r":(.+)$",
    r"[^=,:]+=([^,]+)",
    r"[^ ]+ (.+)$",
    r"^.+$",
)


class _Message:
    """A request whose string to sign is drafted anew for each change of it."""

    _PARTS = ("method", "target", "origin", "content-type", "date", "body")

    def __init__(
        self, scheme: Scheme, request: Request, claim: Claim, digest: Digest | None, sent: drafted.Sent
    ) -> None:
        self.scheme, self.request, self.claim, self.sent = scheme, request, claim, sent
        self._date = next((name for name, value in request.headers if _says(value, claim.at)), "")
        self._strings: dict[tuple[Any, ...], bytes | None] = {}
        self.right: dict[Any, Any] = {
            "method": heads.wire(request.method),
            "target": heads.wire(request.target),
            "origin": heads.wire(request.origin),
            "content-type": heads.wire((request.values("content-type") or [""])[0]),
            "date": heads.wire((request.values(self._date.lower()) or [""])[0]) if self._date else b"",
            "body": None,
            "parameters": None,
            "order": (0,),
            "join": b"\n",
            "end": b"",
            "text": "",
        }
        self.string = self._canonical(self.right) or b""
        self._parameters = at_the_end(self.string, form_of(request))
        self._formula, self.right["mac"], self.key = formula_of(scheme, claim, digest)

    def keyed(self, secret: bytes) -> bytes:
        return self.key(secret) if self.key else secret

    def fits(self, parts: Mapping[Any, Any]) -> bool:
        string = self._canonical(parts) if parts["secret"] else None
        if string is None:
            return False
        if parts["parameters"] is not None and self._parameters is not None:
            if not string.endswith(self._parameters[0]):
                return False
            string = string[: len(string) - len(self._parameters[0])] + parts["parameters"]
        if any(type(key) is tuple for key in parts) or "lines" in parts:
            string = lines.changed(string, parts)
        if parts["join"] != b"\n":
            string = string.replace(b"\n", parts["join"])
        if self._formula is not None:
            return self._formula.fits({**parts, 0: string})
        if parts["text"]:
            string = recoded(parts["text"], string)
        return self.scheme.signature(parts["secret"], string + parts["end"]) in self.claim.signatures

    def changes(self) -> Iterator[Change]:
        if self._depends_on("method", b"PROBE"):
            yield from heads.methods(self.request.method)
        if self._depends_on("target", b"/probe?a=1"):
            yield from targets(self.request, self.right["target"])
        if self._depends_on("origin", b"https://probe.example"):
            yield from heads.origins(self.request)
        if self._depends_on("content-type", b"text/probe"):
            yield from heads.content_types(self.request, "application/json")
        if self._date and self._depends_on("date", b"Thu, 01 Jan 1970 00:00:00 GMT"):
            text = self.right["date"]
            yield from date_changes(text.decode("latin-1"), text, self.claim.at or 0.0, _http_or_iso(text))
        need = self.scheme.body_need(self.request)
        if need and self._depends_on("body", b"probe" if need.raw else _hashed(b"probe", need.digests)):
            for change in bodies(self.request):
                # Hashed once here, and not in each canonical form that it comes into.
                yield change if need.raw else replace(change, value=_hashed(change.value, need.digests))
        if self._parameters is not None:
            yield from parameters(form_of(self.request), self._parameters[0], frozenset(), self._parameters[1])
            without = {"parameters": b""}
            yield Change("parameters", without, (Cause("body-empty", _NO_PARAMETERS),))
        is_keyed = self.right["mac"] == "hmac"
        for change in lines.changes(self.scheme, self.request, self.claim, self.string, self.sent):
            order = change.sets.get("lines", (0,))
            if is_keyed or b"" not in (order[0], order[-1]):  # else the line end belongs to the secret
                yield change
        count = self.string.count(b"\n") + 1
        yield from joiners(b"\n", count, self.string) if count > 1 else ()
        yield from ends(self.string)
        for change in texts():
            if change.value != "led" or self.right["mac"] == "hmac":  # else it belongs to the secret
                yield change
        if self._formula is not None:
            yield from macs(self.right["mac"], self._formula.algorithm, ["string"], None)

    def _depends_on(self, part: str, probe: Any) -> bool:
        return self._canonical({**self.right, part: probe}) != self.string

    def _canonical(self, parts: Mapping[Any, Any]) -> bytes | None:
        altered = tuple(parts[part] for part in self._PARTS)
        if altered not in self._strings:
            self._strings[altered] = self._drafted(parts)
        return self._strings[altered]

    def _drafted(self, parts: Mapping[Any, Any]) -> bytes | None:
        headers = self.request.headers
        for part, name in (("content-type", "content-type"), ("date", self._date.lower())):
            if parts[part] != self.right[part]:
                value = parts[part].decode("latin-1")
                headers = tuple((held, value if held.lower() == name else text) for held, text in headers)
        body = self.request.body
        if parts["body"] is not None:
            headers, body = self._with_digest_of(headers, parts["body"]), parts["body"]
        method, target, origin = (parts[part].decode("latin-1") for part in ("method", "target", "origin"))
        altered = Request(method, target, headers, body, origin)
        try:
            read = self.scheme.read(altered)
            return read.string(body, 0) if read and read.string else None
        except (CannotSign, Rejected):
            return None

    def _with_digest_of(self, headers: Pairs, body: bytes | BodyDigest) -> Pairs:
        """The headers with the digest of another body, where they have that of the body."""
        for name in self.scheme.body_need(self.request).digests:
            old, new = body_digest(self.request.body, name), body_digest(body, name)
            for write in (bytes.hex, _base64):
                headers = tuple((held, value.replace(write(old), write(new))) for held, value in headers)
        return headers


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode("ascii")


def formula_of(
    scheme: Scheme, claim: Claim, digest: Digest | None
) -> tuple[Formula | None, str, Callable[[bytes], bytes] | None]:
    """How a digest comes of the string, where the scheme's function is one that is known: what that is, and what makes
    a key of a secret."""
    read = digest and [digest]
    sent = read or [found for text in claim.signatures if (found := digest_in(text, "base64"))]
    made = digest_in(scheme.signature(drafted.SAMPLE, b"string"), "base64")
    if not sent or made is None:
        return None, "", None
    for form in SECRET_FORMS:
        key = SecretForm(form).key
        for mac in ("hmac", "secret first", "secret last"):
            formula = Formula(made.value, SIZES[len(made.value)])
            parts = {0: b"string", "order": (0,), "join": b"", "end": b"", "text": "", "mac": mac}
            if formula.fits({**parts, "secret": key(drafted.SAMPLE)}):
                rest = sent[0].rest
                is_it = None if rest is None else rest.fits
                formula = Formula(sent[0].value, SIZES[len(sent[0].value)], None, is_it)
                return formula, mac, None if form == "text" else key
    return None, "", None


def _says(value: str, at: float | None) -> bool:
    return at is not None and parse_date(value.strip(" \t")) == at


def _http_or_iso(text: bytes) -> Callable[[float], str]:
    return format_http_date if text[:1].isalpha() else format_date


def _hashed(body: bytes, algorithms: tuple[str, ...]) -> BodyDigest:
    hasher = BodyHasher(algorithms)
    hasher.update(body)
    return hasher.result()


def _by_time(
    scheme: Scheme,
    claim: Claim,
    own: tuple[bytes, ...],
    others: list[tuple[str, bytes]],
    now: float,
    budget: Budget,
) -> tuple[Cause, ...] | None:
    """For schemes that do not send the time: other secrets within the window, and the right one far around it."""
    window = scheme.window.seconds(now)

    def second_of(secret: bytes, seconds: range) -> int | None:
        if not seconds or not budget.take(len(seconds)):
            return None
        for second, signature in zip(seconds, scheme.candidates(secret, claim, b"", seconds), strict=True):
            if signature in claim.signatures:
                return second
        return None

    for secret in own:
        for change in without_repeats(spoilt.secrets(secret, others), {"secret": secret}):
            if len(change.causes) == 1 and second_of(change.value, window) is not None:
                return change.causes
    if not own:
        for key_id, secret in others:
            for change in spoilt.secrets(b"", [(key_id, secret)]):
                if change.causes[0].code == "secret-other" and second_of(secret, window) is not None:
                    return change.causes
    for secret in own:
        for far in range(3600, _FURTHEST + 1, 3600):
            for seconds in (
                range(max(window.stop, int(now) + far - 3600), int(now) + far),
                range(int(now) - far, min(window.start, int(now) - far + 3600)),
            ):
                second = second_of(secret, seconds)
                if second is not None:
                    return (clock_cause(second - now),)
    return None
