"""All that the page shows of one request: what it is, what is signed of it, the verdict, and what signs it anew."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from ..core.credentials import Credential, Secret
from ..core.dates import format_date
from ..core.message import Patch, Request, body_length
from ..errors import CannotSign, ConfigError, Reason, Rejected, UndersignError
from ..explaining import Explanation, explain
from ..inputs.curl_command import curl_command
from ..inputs.har import SeveralEntries
from ..inputs.raw import HEAD_IN_LF, UnknownLength
from ..inputs.recognised import Received, claims, request_of
from ..parts.scheme import SchemeOfParts
from ..recipe import Recipe
from ..registry import build_scheme, options_described, scheme_names
from ..scheme import Claim, Scheme
from ..schemes import presets
from ..signing import sign
from ..verifying.lookup import Keys
from ..verifying.verdict import Verified
from ..verifying.verifier import Verifier
from .comparing import difference
from .examples import has_example
from .question import Flaw, Question, sentence
from .showing import as_http, copied, pieces

_KINDS = {
    "http": "raw HTTP",
    "har": "a HAR",
    "curl": "a curl command",
    "fetch": "a call of fetch",
    "powershell": "a PowerShell command",
    "url": "a URL",
}
_MOST_NAMED = 6
_STAND_IN = "KEY_ID"
_FAR = 90  # seconds between a request's own time and the clock that are worth a word


class Looked(NamedTuple):
    """A question and the request in it: how far they have come."""

    question: Question
    received: Received
    claim: Claim | None
    refused: Rejected | None
    at: float
    clock: str

    @property
    def is_signed(self) -> bool:
        return self.claim is not None or self.refused is not None

    @property
    def keys(self) -> Keys:
        """The one key: for the key id that is typed, else for whichever the request names."""
        secret = Secret(self.question.secret or b"\0")
        if self.question.key_id and self.question.scheme.sends_key_id:
            return {self.question.key_id: secret}
        return lambda key_id, scheme_name: secret


def looked(question: Question) -> Looked:
    """The request of the question. Raises Flaw where it cannot be read."""
    if not question.content.strip():
        raise Flaw("pasted", "")
    try:
        return _read(question, question.content)
    except UnknownLength as unknown:
        return _of_likely_length(question, unknown)


def _of_likely_length(question: Question, unknown: UnknownLength) -> Looked:
    """Nobody counts the bytes of what they paste: that length is taken which the signature fits, else the likeliest."""
    likely: list[Looked] = []
    for length in unknown.lengths:
        with suppress(Flaw, UnknownLength):
            header = b"\nContent-Length: %d\n" % length
            likely.append(_read(question, question.content.replace(b"\n", header, 1)))
    if not likely:
        raise Flaw("pasted", sentence(str(unknown)))
    found = next((each for each in likely if _fits(each)), likely[0])
    why, bytes_taken = str(unknown).partition(": add")[0], body_length(found.received.request.body)
    notes = [note for note in found.received.notes if not note.startswith("the line ends of the body")]
    taken = f"{why}: it is taken to have {bytes_taken} bytes"
    return found._replace(received=found.received._replace(notes=(taken, *notes)))


def _fits(found: Looked) -> bool:
    if found.question.secret is None or found.question.scheme.secret_problem(found.question.secret) is not None:
        return False
    return found.is_signed and _verdict(found, None)[1] is not None


def _read(question: Question, content: bytes) -> Looked:
    """The request of the content. Raises UnknownLength, and Flaw where it cannot be read."""
    scheme = question.scheme
    try:
        received = request_of(
            content,
            "what is pasted",
            [scheme],
            kind=question.kind,
            entry=question.entry,
            origin=question.origin,
            files=_no_files,
        )
    except UnknownLength:
        raise
    except Rejected as rejected:
        raise Flaw("pasted", sentence(f"the request cannot be read: {rejected.detail}")) from None
    except SeveralEntries as several:
        raise Flaw("entry", "Choose one of the requests of the HAR.", several.entries) from None
    except (ConfigError, CannotSign) as error:
        raise Flaw("pasted", sentence(str(error))) from None
    claim, refused = None, None
    try:
        claim = scheme.read(received.request)
    except Rejected as rejected:
        refused = rejected
    at, clock = _clock(question, received, claim)
    return Looked(question, received, claim, refused, at, clock)


def look(found: Looked) -> dict[str, Any]:
    """What the page shows of it, as JSON."""
    question, request = found.question, found.received.request
    flaw = None if question.secret is None else question.scheme.secret_problem(question.secret)
    verdict, verified = _verdict(found, flaw)
    explanation, why_not = _explanation(found, verified)
    key_id, key_id_from = _key_id(found)
    answer: dict[str, Any] = {
        "request": {
            "kind": found.received.kind,
            "kind_in_words": _KINDS[found.received.kind],
            "method": request.method,
            "url": (request.origin or "") + request.target,
            "body": body_length(request.body),
            "notes": [sentence(note) for note in found.received.notes if note != HEAD_IN_LF],  # as text areas have it
        },
        "key_id": key_id,
        "key_id_from": key_id_from,
        "clock": {"at": found.at, "text": _instant(found.at), "from": found.clock, "note": _clock_note(found)},
        "verdict": verdict,
        "string": _string(explanation, why_not, received=found.claim is not None),
        "signature": _signature(found, explanation, flaw),
        "send": _send(found, flaw),
        "claimed_by": [] if found.is_signed else _claimed_by(found),
        "problems": {} if flaw is None else {"secret": sentence(flaw)},
    }
    if question.own and explanation is not None:
        keys = None if question.secret is None or flaw is not None else found.keys
        key = None if found.claim is not None else _signer(found)
        now = found.at if verified is None else verified.at
        answer["difference"] = difference(question.scheme, request, question.own, now=now, keys=keys, key=key)
    return answer


def scheme_shown(scheme: Scheme, name: str, *, is_recipe: bool) -> dict[str, Any]:
    """What the page shows of the scheme that is chosen, and which fields it needs."""
    known = not is_recipe and name in scheme_names()
    about = presets.described(name) if known and name in presets.names() else None
    return {
        "name": scheme.name,
        "sends_key_id": scheme.sends_key_id,
        "extras": [*scheme.extras, *scheme.optional_extras],
        "mistakes": about.mistakes if about else "",
        "source": about.source if about else "",
        "options": [option._asdict() for option in options_described(name)] if known else [],
        "example": known and has_example(name),
        "recipe": scheme.as_mapping() if isinstance(scheme, Recipe) else None,
    }


def _no_files(name: str) -> bytes:
    raise ConfigError(
        "the command reads a file, which a page cannot: write its content in its place, or run undersign diagnose"
    )


def _clock(question: Question, received: Received, claim: Claim | None) -> tuple[float, str]:
    if question.at is not None:
        return question.at, "typed"
    if question.clock == "now":
        return question.now, "now"
    if claim is not None and claim.at is not None and math.isfinite(claim.at):
        return claim.at, "request"
    if received.at is not None:
        return received.at, "har"
    return question.now, "now"


def _clock_note(found: Looked) -> str:
    apart = found.question.now - found.at
    if found.clock == "request" and abs(apart) > _FAR:
        way = "behind" if apart > 0 else "ahead of"
        return f"{_span(abs(apart))} {way} this machine's clock: choose Now, if it has just been sent."
    return sentence(found.received.clock) if found.clock == "har" and found.received.clock else ""


def _span(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _instant(at: float) -> str:
    try:
        return format_date(at)
    except CannotSign:
        return f"{at:.0f}"


def _key_id(found: Looked) -> tuple[str, str]:
    """Whose key it is, and where that is from."""
    if not found.question.scheme.sends_key_id:
        return found.question.scheme.name, "scheme"
    if found.question.key_id:
        return found.question.key_id, "typed"
    if found.claim is not None:
        return found.claim.key_id, "request"
    return "", ""


def _verdict(found: Looked, flaw: str | None) -> tuple[dict[str, str], Verified | None]:
    scheme, question = found.question.scheme, found.question
    if not found.is_signed:
        detail = f"It carries no signature of {scheme.name}, so there is none to check."
        if _has_other_authorization(found):
            detail = f"It has a header Authorization, which is not in the form of {scheme.name}."
        if found.received.hint:
            detail = f"{detail} {sentence(found.received.hint)}"
        return {"state": "unsigned", "title": "Not signed", "reason": "", "detail": detail}, None
    if question.secret is None or flaw is not None:
        who = f"by {found.claim.key_id} " if found.claim else ""
        detail = f"It is signed {who}in the form of {scheme.name}. With the secret, the signature is checked."
        return {"state": "open", "title": "Type the secret", "reason": "", "detail": detail}, None
    try:
        verified = Verifier(scheme, found.keys, clock=lambda: found.at).verify(found.received.request)
    except Rejected as rejected:
        title = f"Invalid: {rejected.reason.value}"
        return {
            "state": "invalid",
            "title": title,
            "reason": rejected.reason.value,
            "detail": _in_words(found, rejected),
        }, None
    return {
        "state": "valid",
        "title": "Valid",
        "reason": "",
        "detail": f"Signed by {verified.key_id} with this secret, at {_instant(verified.at)}.",
    }, verified


def _has_other_authorization(found: Looked) -> bool:
    scheme = found.question.scheme
    wanted = isinstance(scheme, SchemeOfParts) and "authorization" in scheme.program.carriers.header_names
    return wanted and bool(found.received.request.values("authorization"))


def _in_words(found: Looked, rejected: Rejected) -> str:
    if rejected.reason is Reason.UNKNOWN_KEY and _key_id(found)[1] == "typed":
        return "The request names another key id than the one that is typed."
    if rejected.reason is Reason.MISMATCH:
        return "This request and this secret give another signature."
    return sentence(rejected.detail or rejected.reason.value)


def _explanation(found: Looked, verified: Verified | None) -> tuple[Explanation | None, str]:
    """What is signed: as received where it is signed in form, else as it would be."""
    question, request = found.question, found.received.request
    now = found.at if verified is None else verified.at
    try:
        if found.claim is not None:
            return explain(question.scheme, request, now=now), ""
        return explain(question.scheme, request, _signer(found), now=now, nonce=_nonce(found) or None), ""
    except UndersignError as error:
        return None, sentence(error.detail if isinstance(error, Rejected) else str(error))


def _signer(found: Looked) -> str | Credential:
    """Whoever is to sign a request that is not signed, or not in form; somebody stands in where nobody is named."""
    key_id = _key_id(found)[0] or _STAND_IN
    scheme, given = found.question.scheme, found.question.extra
    if given and (scheme.extras or scheme.optional_extras):
        return Credential(key_id, "-", extra=given)
    return key_id


def _nonce(found: Looked) -> str:
    """The nonce to sign with; empty where the scheme takes none."""
    scheme = found.question.scheme
    if not scheme.takes_nonce:
        return ""
    # In microseconds, as clients and command line have it, so that it is larger than the last of theirs.
    return str(int(found.question.now * 1_000_000)) if scheme.nonce_is_number else found.question.nonce


def _string(explanation: Explanation | None, why_not: str, *, received: bool) -> dict[str, Any]:
    if explanation is None:
        return {"parts": [], "length": 0, "text": "", "ticket": "", "received": received, "problem": why_not}
    return {
        "parts": [
            {
                "name": part.name,
                "source": part.source,
                "value": pieces(part.value) if part.value != b"\0" else [("mark", "secret")],
            }
            for part in explanation.parts
        ],
        "length": len(explanation.canonical),
        "text": copied(explanation.canonical),
        "ticket": str(explanation),
        "received": received,
        "problem": "",
    }


def _signature(found: Looked, explanation: Explanation | None, flaw: str | None) -> str:
    """The signature of the string that is shown, as the scheme sends it."""
    secret = found.question.secret
    if explanation is None or secret is None or flaw is not None or not _key_id(found)[0]:
        return ""
    return found.question.scheme.signature(secret, explanation.canonical)


def _send(found: Looked, flaw: str | None) -> dict[str, Any]:
    """What signs the request, or what it lacks."""
    question, request = found.question, found.received.request
    key_id = _key_id(found)[0]
    # A request that is signed is judged at its own time, and signed anew by the clock.
    at = question.now if found.clock in ("request", "har") else found.at
    if flaw is not None or question.secret is None or not key_id:
        lacking = ["a secret"] if question.secret is None else []
        lacking = [*lacking, *([] if key_id else ["a key id"])]
        return {"problem": f"Type {' and '.join(lacking)}." if lacking else ""}
    scheme = question.scheme
    missing = [name for name in scheme.extras if name not in question.extra]
    if missing:
        return {"problem": f"Type {' and '.join(missing)}, which {scheme.name} sends as well."}
    try:
        sent = {*scheme.extras, *scheme.optional_extras} & question.extra.keys()
        credential = Credential(key_id, question.secret, extra={name: question.extra[name] for name in sent})
        patch = sign(scheme, request, credential, now=at, nonce=_nonce(found))
    except UndersignError as error:
        return {"problem": sentence(f"it cannot be signed: {error}")}
    signed = patch.apply(request)
    return {"problem": "", "at": _instant(at), "key_id": key_id, **_written(patch, signed, scheme)}


def _written(patch: Patch, signed: Request, scheme: Scheme) -> Mapping[str, str]:
    headers = [f"{name}: {value.encode('latin-1').decode('utf-8', 'replace')}" for name, value in patch.headers]
    try:
        curl = curl_command(signed, scheme, None).text
    except UndersignError as error:
        curl = f"# {error}"
    return {
        "headers": "\n".join(headers),
        "url": signed.origin + signed.target if patch.query else "",
        "form": copied(signed.body) if patch.form and isinstance(signed.body, bytes) else "",
        "http": as_http(signed),
        "curl": curl,
    }


def _claimed_by(found: Looked) -> list[str]:
    """The schemes in whose form the request is signed, where the chosen one finds nothing."""
    request = found.received.request
    names = [name for name, scheme in _all_schemes() if name != found.question.scheme.name and _is_of(scheme, request)]
    return names[:_MOST_NAMED]


def _is_of(scheme: Scheme, request: Request) -> bool:
    try:
        return claims(scheme, request)
    except Exception:  # a scheme of another distribution
        return False


@lru_cache(maxsize=1)
def _all_schemes() -> tuple[tuple[str, Scheme], ...]:
    found: list[tuple[str, Scheme]] = []
    for name in scheme_names():
        try:
            found.append((name, build_scheme(name)))
        except Exception:  # noqa: S112  # one that needs options, or that another distribution has broken
            continue
    return tuple(found)
