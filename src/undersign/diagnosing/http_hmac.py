"""Why a signature of HTTP HMAC does not match: the canonical form, line by line, with what clients put there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from ..core.dates import parse_date
from ..core.grammar import BACKSLASHED, HEX
from ..core.message import BodyDigest, Request, body_hex_digest, origin_form, problem_when_verifying
from ..errors import CannotSign
from ..scheme import Claim
from ..schemes import HttpHmac
from . import changes as common
from .bodies import bodies
from .cause import Cause, clock_cause, difference, string_difference, unexplained
from .changes import Change
from .dates import date_changes, problem_of_date
from .keyring import KeyRing
from .search import Budget, find
from .targets import targets

_SIZES = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
_CREDENTIALS = re.compile(r"(?:([^ \t:]+)[ \t]+)?(.+):([^:]+)", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class _Sent:
    """One reading of what was sent: the digest, the key id, and what had to be mended to read them."""

    digest: bytes
    key_id: str
    causes: tuple[Cause, ...]


def looks_like(scheme: HttpHmac, request: Request) -> bool:
    """Whether the request has an Authorization header that this scheme's credentials may be meant by."""
    return any(_readings(scheme, value) for value in request.values("authorization"))


def causes(scheme: HttpHmac, request: Request, keys: KeyRing, now: float, budget: Budget) -> tuple[Cause, ...]:
    """Why the request does not verify by this scheme."""
    form = tuple(_form(scheme, request))
    if any(cause.code == "header-repeated" for cause in form):
        return form
    dates, types = request.values(scheme.date_header.lower()), request.values("content-type")
    authorizations = request.values("authorization")
    if not authorizations or not dates or dates[0] in ("", "0"):
        return form
    at = parse_date(dates[0])
    if at is None:
        return form or unexplained(problem_of_date(scheme.date_header, dates[0]))
    mended, mending = _mended(request)
    bases = [mended]
    if not types:
        accept = request.values("accept")
        values = dict.fromkeys((scheme.content_type, "application/json", "", *accept))
        bases = [replace(mended, headers=(*mended.headers, ("Content-Type", value))) for value in values]
    if scheme.window.outside(at, now):
        mending += (clock_cause(at - now),)
    detail = ""
    for base in bases:
        claim = Claim("-", at)
        try:
            canonical = scheme.string_to_sign(base, claim)
        except CannotSign as error:
            detail = f"The request is not in form: {error}."
            continue
        if problem := problem_when_verifying(replace(base, target=origin_form(base.target))):
            detail = f"The request is not in form: {problem}."
            continue
        # A key that is known before the secrets of others.
        readings = sorted(
            _readings(scheme, authorizations[0]), key=lambda sent: not keys.secrets(sent.key_id, scheme.name)
        )
        for sent in readings:
            found = _search(scheme, base, canonical, sent, keys, budget, typed=bool(types))
            if found is not None and (found or form or mending or sent.causes):
                return form + mending + sent.causes + found
    if form:
        return form
    if not detail and scheme.window.outside(at, now):
        side = "ahead of" if at > now else "behind"
        detail = (
            "No known mistake gives the signature that was sent. "
            f"The {scheme.date_header} header is also {abs(at - now):.0f} seconds {side} the clock."
        )
    return unexplained(detail)


def _form(scheme: HttpHmac, request: Request) -> Iterator[Cause]:
    """Headers that are missing or repeated, which needs no signature to be sure of."""
    needed = ("Authorization", scheme.date_header, "Content-Type")
    for name in dict.fromkeys((*needed, *scheme.signed_headers)):
        values = request.values(name.lower())
        if len(values) > 1:
            yield Cause("header-repeated", f"The client sent the header {name} {len(values)} times: send it once.")
        elif name in needed and (not values or (name == scheme.date_header and values[0] in ("", "0"))):
            yield Cause("header-missing", f"The client sent no header {name}: send it, and sign it as it is sent.")


def _mended(request: Request) -> tuple[Request, tuple[Cause, ...]]:
    """The request with a method and a target as they should be, and what was wrong with them."""
    found: tuple[Cause, ...] = ()
    if request.method != request.method.upper():
        upper = request.method.upper().encode("latin-1", "replace")
        where = difference(request.method.encode("latin-1", "replace"), upper, "method", second="as it should be")
        detail = f"The client sent the method in another case than upper: send and sign it in upper case ({where})."
        found += (Cause("method-case", detail),)
    if "#" in request.target:
        place = request.target.index("#")
        detail = (
            f"The client sent a fragment, which begins at target byte {place}: leave it out, or write %23 for a # that "
            "belongs to the path or query."
        )
        found += (Cause("target-fragment", detail),)
    target = request.target.partition("#")[0]
    return replace(request, method=request.method.upper(), target=target), found


def _readings(scheme: HttpHmac, authorization: str) -> list[_Sent]:
    """What the header may mean: first as it should be read, then as clients write it."""
    match = _CREDENTIALS.fullmatch(authorization)
    if match is None:
        return []
    provider, user, signature = match.groups()
    digest = _digest(scheme, signature)
    if digest is None:
        return []
    raw, mending = digest
    if provider != scheme.provider:
        if provider is not None and provider.lower() in ("basic", "bearer", "digest"):
            return []
        where = difference(_bytes(provider or ""), _bytes(scheme.provider), "provider", second="as it should be")
        detail = (
            f"The client sent another provider in the Authorization header: send {scheme.provider!r}, which it is here "
            f"({where})."
        )
        mending += (Cause("provider", detail),)
    try:
        text = user.encode("latin-1").decode()
        mangled = False
    except UnicodeError:
        text, mangled = user, True
    found: dict[str, _Sent] = {}
    bare = BACKSLASHED.sub(r"\1", text)
    for key_id in (bare, text, BACKSLASHED.sub(r"\1", bare), unquote(text)):
        cause: tuple[Cause, ...] = ()
        right = _written(scheme, key_id)
        if mangled or right != user:
            where = difference(_bytes(user), _bytes(right or ""), "user", second="as it should be")
            detail = (
                "The client wrote the user in the Authorization header otherwise than it is read: write it in UTF-8, "
                f"a backslash as two and a colon behind one, and nothing else escaped{f' ({where})' if right else ''}."
            )
            cause = (Cause("user-escaping", detail),)
        found.setdefault(key_id, _Sent(raw, key_id, mending + cause))
    return list(found.values())


def _written(scheme: HttpHmac, key_id: str) -> str | None:
    """The key id as it stands in the header, None where it cannot."""
    try:
        patch = scheme.write(Claim(key_id, None, ("",)), Request("GET", "/"))
    except CannotSign:
        return None
    return patch.headers[0][1].removeprefix(f"{scheme.provider} ").removesuffix(":")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _digest(scheme: HttpHmac, signature: str) -> tuple[bytes, tuple[Cause, ...]] | None:
    """The bytes of a signature in whatever encoding it is in, and what is wrong with that."""

    def judged(raw: bytes, encoding: str) -> tuple[bytes, tuple[Cause, ...]]:
        wrong: tuple[Cause, ...] = ()
        if encoding:
            detail = f"The client sent the signature as {encoding}: send the digest in base64 with its padding."
            wrong += (Cause("signature-encoding", detail),)
        if _SIZES[len(raw)] != scheme.algorithm:
            wrong += (_algorithm_cause(scheme, f"a digest of {len(raw)} bytes, as of {_SIZES[len(raw)]},"),)
        return raw, wrong

    if HEX.fullmatch(signature) and len(signature) % 2 == 0 and len(signature) // 2 in _SIZES:
        return judged(bytes.fromhex(signature), "hex")
    text = unquote(signature)
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    inner = raw.decode("latin-1").strip()
    if HEX.fullmatch(inner) and len(inner) % 2 == 0 and len(inner) // 2 in _SIZES:  # as long as a longer digest
        return judged(bytes.fromhex(inner), "base64 of hex")
    if len(raw) in _SIZES:
        right = base64.b64encode(raw).decode()
        if signature == right:
            return judged(raw, "")
        if text == right:
            return judged(raw, "percent-encoded base64")
        return judged(raw, "url-safe base64" if "-" in text or "_" in text else "base64 with other padding")
    return None


def _algorithm_cause(scheme: HttpHmac, what: str) -> Cause:
    return Cause("algorithm", f"The client used {what} for the signature: it is HMAC-{scheme.algorithm.upper()} here.")


def _search(
    scheme: HttpHmac, request: Request, canonical: bytes, sent: _Sent, keys: KeyRing, budget: Budget, *, typed: bool
) -> tuple[Cause, ...] | None:
    wanted = base64.b64encode(sent.digest).decode("ascii")
    lines = canonical.split(b"\n")
    right: dict[str, Any] = {
        "method": lines[0],
        "digest": lines[1],
        "content-type": lines[2],
        "date": lines[3],
        "custom": tuple(lines[4:-1]),
        "target": lines[-1],
        "join": b"\n",
        "end": b"",
        "mac": ("hmac",),
    }
    sized = replace(scheme, algorithm=_SIZES[len(sent.digest)])
    own = keys.secrets(sent.key_id, scheme.name)
    others = keys.others(sent.key_id, scheme.name)
    if not own:
        # An unknown key has no secret that could be spoilt, but it may be that of another.
        own, others = tuple(secret for _, secret in others[:1]), others
    message = list(_message_changes(scheme, request, right))
    if not typed:  # the content type is a guess already
        message = [change for change in message if change.part != "content-type"]
    for place, secret in enumerate(own):
        known = bool(keys.secrets(sent.key_id, scheme.name))
        base = {**right, "secret": secret if known else None}

        def fits(changed: Mapping[str, Any], base: Mapping[str, Any] = base) -> bool:
            parts = {**base, **changed}
            if parts["secret"] is None:
                return False
            return _MACS[parts["mac"]](sized, parts["secret"], _string(parts)) == wanted

        spoilt = common.secrets(secret, others if place == 0 or not known else ())
        if not known:
            spoilt = (change for change in spoilt if change.causes[0].code == "secret-other")
        every = common.without_repeats([*message, *spoilt], base)
        found = find(every, fits, budget, len(canonical))
        if found is not None:
            return found
    return None


def _string(parts: Mapping[str, Any]) -> bytes:
    """The string to sign of these parts."""
    head = (parts["method"], parts["digest"], parts["content-type"], parts["date"])
    string: bytes = parts["join"].join((*head, *parts["custom"], parts["target"])) + parts["end"]
    return string


def _hash(sized: HttpHmac, data: bytes) -> str:
    digest = hashlib.new(sized.algorithm, data, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


_MACS: dict[tuple[str, ...], Callable[[HttpHmac, bytes, bytes], str]] = {
    ("hmac",): lambda scheme, secret, string: scheme.signature(secret, string),
    ("hmac", "swapped"): lambda scheme, secret, string: scheme.signature(string, secret),
    ("hash", "secret first"): lambda scheme, secret, string: _hash(scheme, secret + string),
    ("hash", "secret last"): lambda scheme, secret, string: _hash(scheme, string + secret),
    ("hash", "secret on its line"): lambda scheme, secret, string: _hash(scheme, secret + b"\n" + string),
    ("hash", "no secret"): lambda scheme, secret, string: _hash(scheme, string),
}


def _message_changes(scheme: HttpHmac, request: Request, right: Mapping[str, Any]) -> Iterator[Change]:
    yield from common.methods(right["method"].decode("latin-1"))
    yield from date_changes(request.values(scheme.date_header.lower())[0], right["date"])
    yield from common.content_types(request, scheme.content_type)
    yield from _digests(request, right["digest"])
    yield from targets(request, right["target"])
    yield from _custom_lines(scheme, request, right)
    yield from common.line_endings(_string(right))
    for mac in _MACS:
        if len(mac) > 1:
            what = (
                "HMAC with secret and message in each other's place" if mac[0] == "hmac" else f"a plain hash, {mac[1]},"
            )
            yield Change("mac", mac, (_algorithm_cause(scheme, what),))


def _digests(request: Request, right: bytes) -> Iterator[Change]:
    changes = list(bodies(request))
    for change in changes:
        yield replace(change, part="digest", value=body_hex_digest(change.value, "md5").encode())
    for value in _digest_forms(right):
        yield Change("digest", value, (_digest_form(right, value),))
    if isinstance(request.body, BodyDigest):
        return
    where = difference(right, request.body, "body digest", "as it should be")
    detail = f"The client put the body itself into the string to sign: put the MD5 of it there, in hex ({where})."
    yield Change("digest", request.body, (Cause("body-digest-form", detail),))
    for change in changes:
        if len(change.causes) == 1:
            digest = body_hex_digest(change.value, "md5").encode()
            for value in (change.value, *_digest_forms(digest)):
                yield Change("digest", value, (*change.causes, _digest_form(digest, value)))


def _digest_form(right: bytes, value: bytes) -> Cause:
    where = difference(right, value, "body digest", "as it should be")
    detail = (
        f"The client put the body's MD5 into the string in another form than lower-case hex: write it as hex ({where})."
    )
    return Cause("body-digest-form", detail)


def _digest_forms(digest: bytes) -> Iterable[bytes]:
    raw = bytes.fromhex(digest.decode("ascii"))
    return base64.b64encode(raw), digest.upper(), raw, base64.b64encode(digest)


def _custom_lines(scheme: HttpHmac, request: Request, parts: Mapping[str, Any]) -> Iterator[Change]:
    right: tuple[bytes, ...] = parts["custom"]
    if right == (b"",):
        for lines, detail in (
            ((), "The client left out the empty line that stands where custom headers would: leave it in"),
            ((b"", b""), "The client put two empty lines where custom headers would stand: put one"),
        ):
            where = string_difference(_string(parts), _string({**parts, "custom": lines}))
            yield Change("custom", lines, (Cause("custom-headers-line", f"{detail} ({where})."),))
        return
    pairs = [(name, request.values(name.lower())) for name in scheme.signed_headers]
    given = [(name, values[0].encode("latin-1")) for name, values in pairs if values]
    forms: list[tuple[bytes, ...]] = [
        (),
        (b"",),
        (*right, b""),
        tuple(name.lower().encode() + b": " + value for name, value in given),
        tuple(name.encode() + b": " + value for name, value in given),
        tuple(sorted(name.encode() + b": " + value for name, value in given)),
        tuple(line.replace(b": ", b":", 1) for line in right),
        tuple(b": ".join(pair) for pair in sorted(line.split(b": ", 1) for line in right)),
        tuple(line for line in right if line.split(b": ", 1)[1] not in (b"", b"0")),
    ]
    for form in forms:
        where = difference(b"\n".join(right), b"\n".join(form), "custom headers")
        detail = (
            "The client wrote the custom headers otherwise than `lower-case-name: value`, one a line, the lines "
            f"sorted: write them so ({where})."
        )
        yield Change("custom", form, (Cause("custom-headers-line", detail),))
