"""The credentials of a request as a client meant them, read by a recipe's carriers and more leniently than a verifier
reads: another spelling of a header's name, of its template, of the key id, or of the signature.

    places    where a value stands, under its name or a close one     lenient     a template that was written otherwise
    key_ids   spellings of a key id, and one letter off               signatures  a digest in any form, or what is left

What had to be mended is a cause. That a carrier is missing or repeated needs no signature to be sure of.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..core.message import Request
from ..parts.scheme import SchemeOfParts
from ..parts.templates import Template
from . import lenient, places
from .cause import Cause
from .dates import problem_of_date, time_cause
from .key_ids import key_ids
from .keyring import KeyRing
from .places import Value
from .remains import SIZES, Rest
from .signatures import Digest, causes_of, digest_in, digests_in, is_no_digest

_FAR = 5 * 365 * 86400  # no clock is that wrong: another unit was sent


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """One reading of what was sent, and what had to be mended to come by it."""

    digest: bytes
    key_id: str
    sent_key: str
    found: Mapping[str, str]
    at: float | None
    causes: tuple[Cause, ...]
    signed_key: str = ""
    """The key id that may have been signed, where it is not the one that was meant."""
    rest: Rest | None = None
    """What is left of a digest that was not sent whole."""
    ahead: int = 0
    """How many bytes stand in front of the digest."""
    is_doubtful: bool = False
    """Whether it is a second way to read what was sent, which the right string alone may bear out."""

    @property
    def algorithm(self) -> str:
        """The hash whose length the digest has."""
        return SIZES[len(self.digest)]


@dataclass(slots=True, repr=False)
class Received:
    """All that a request says of its signer: what is missing or repeated, and the readings of the rest."""

    facts: tuple[Cause, ...] = ()
    readings: list[Reading] = field(default_factory=list[Reading])
    is_claimed: bool = False
    problem: str = ""
    is_repeated: bool = False


def received(scheme: SchemeOfParts, request: Request, keys: KeyRing, now: float) -> Received:
    """What the request says of its signer, by this scheme. `is_claimed` says whether it says anything."""
    carriers = scheme.program.carriers
    facts: list[Cause] = []
    mended: list[Cause] = []
    found: dict[str, str] = {}
    result = Received()
    signature_sent = False
    for name, folded, template, in_header in _templates(scheme):
        what = f"header {name}" if in_header else f"parameter {name}"
        values = places.in_header(request, folded) if in_header else places.in_fields(scheme, request, name)
        if len(values) > 1:
            result.is_repeated = True
            facts.append(_repeated(what, len(values), in_header=in_header))
            continue
        is_signature = template is None or "signature" in template.names
        near = places.near(scheme, request, folded, in_header=in_header) if not values or not values[0].text else None
        if near is not None and (not is_signature or template is None or lenient.looks_signed(template, near.text)):
            detail = f"The client sent the {what} as {near.name}: send it as {name}."
            facts.append(Cause("header-name", detail))
            values = [near]
        may_be_absent = template is not None and (template.may_be_absent or template.may_be_empty)
        is_absent = not values or not values[0].text
        if is_absent and template is not None and template.names and not may_be_absent:
            facts.append(_missing(scheme, what, in_header=in_header))
            continue
        if is_absent:
            if (template is None or not template.names) and not values:
                facts.append(_missing(scheme, what, in_header=in_header))
            found.update(dict.fromkeys(template.names if template else (), ""))
            continue
        if values[0].where:
            mended.append(Cause("carrier", f"The client sent the {what} in the {values[0].where}: send it elsewhere."))
        is_foreign = lenient.is_foreign(template, values[0].text)
        result.is_claimed |= bool(template and template.names) and not is_foreign
        if template is None:
            found[f"field:{name}"] = values[0].text.encode("latin-1").decode("utf-8", "replace")
        else:
            signature_sent |= is_signature
            fact = _read(scheme, template, values[0], what, found, mended)
            if fact is not None and not is_foreign:
                facts.append(fact)
        if name == carriers.signature_field or folded == carriers.signature_header:
            signature_sent = True
    result.facts = tuple(facts)
    if "signature" not in found or not signature_sent:
        return result
    result.readings = list(_readings(scheme, found, tuple(mended), keys, now, result))
    if not result.readings and not result.facts and is_no_digest(found["signature"]):
        result.facts = causes_of(None, scheme.program.mac.encoding, scheme.program.mac.algorithm)
    result.is_claimed = result.is_claimed or bool(result.readings)
    return result


def _read(
    scheme: SchemeOfParts, template: Template, value: Value, what: str, found: dict[str, str], mended: list[Cause]
) -> Cause | None:
    """Put the values in a text into `found`, and what had to be mended into `mended`; what it lacks, if anything."""
    before = dict(found)
    cause = lenient.read(template, value.text, what, getattr(scheme, "provider", None), found)
    lacking = [name for name in template.names if name not in found]
    if "signature" in template.names and lacking:
        found.clear()
        found.update(before)
        words = " and ".join(name.replace("_", " ") for name in lacking if name != "headers")
        lack = f"without {words}" if words and len(lacking) < len(template.names) else "in a form that cannot be read"
        return Cause("carrier", f"The client wrote the {what} {lack}: write it as {template.text}.")
    if cause is not None:
        mended.append(cause)
    return None


def _templates(scheme: SchemeOfParts) -> Iterator[tuple[str, str, Template | None, bool]]:
    carriers = scheme.program.carriers
    for header in carriers.headers:
        yield header.name, header.folded, header.template, True
    for name, template in carriers.fields:
        yield name, name, template, False
    for name in sorted(carriers.field_names - {name for name, _ in carriers.fields}):
        yield name, name, None, False


def _repeated(what: str, count: int, *, in_header: bool) -> Cause:
    once = "send it once" if in_header else "send it once, in the query or in the form"
    return Cause("header-repeated", f"The client sent the {what} {count} times: {once}.")


def _missing(scheme: SchemeOfParts, what: str, *, in_header: bool) -> Cause:
    if not in_header:
        return Cause("header-missing", f"The client sent no {what}: send it with a value.")
    is_signed = what.removeprefix("header ").lower() in scheme.program.headers or "Authorization" in what
    how = "send it, and sign it as it is sent" if is_signed or what == "header Date" else "send it"
    return Cause("header-missing", f"The client sent no {what}: {how}.")


def _readings(
    scheme: SchemeOfParts,
    found: dict[str, str],
    mended: tuple[Cause, ...],
    keys: KeyRing,
    now: float,
    result: Received,
) -> Iterator[Reading]:
    program = scheme.program
    digests = _digests(scheme, found["signature"])
    if (not digests or digests[0].rest is not None) and digest_in(found.get("key_id", ""), program.mac.encoding):
        found["key_id"], found["signature"] = found["signature"], found["key_id"]
        digests = _digests(scheme, found["signature"])
        mended += (Cause("carrier", "The client exchanged key id and signature: send each in the other's place."),)
    if not digests:
        return
    at: float | None = None
    if program.time_is_sent:
        at = program.time.read(text := found.get("time", ""))
        if at is None or abs(at - now) > _FAR:
            where = program.carriers.carrier_of("time").partition(",")[0]
            other = time_cause(where, text, program.time)
            if other is not None and (at is None or abs(other[0] - now) < _FAR):
                at = now if other[0] <= now < other[0] + 86400 and len(text) == 10 and "-" in text else other[0]
                problem = (
                    problem_of_date(where.partition(" ")[2], text) if program.time_name == "date" else other[1].detail
                )
                mended += (Cause(other[1].code, problem),)
            elif at is None:
                result.problem = problem_of_date(where.partition(" ")[2], text)
                return
    times = [found]
    if at is not None and program.time_is_sent and program.time.read(found["time"]) != at:
        times.append({**found, "time": program.time.write(at)})  # which may have been signed
    readings = []
    for place, digest in enumerate(digests):
        written = causes_of(digest, program.mac.encoding, program.mac.algorithm)
        for (key_id, causes), said in itertools.product(list(key_ids(scheme, found, keys)), times):
            reading = Reading(
                digest.value,
                key_id,
                found.get("key_id", ""),
                said,
                at,
                (*mended, *written, *causes),
                rest=digest.rest,
                ahead=digest.ahead,
                is_doubtful=place > 0,
            )
            readings.append(reading)
            if any(cause.code == "key-unknown" for cause in causes):
                readings.append(replace(reading, signed_key=reading.sent_key))
    # A key that is known before the secrets of others.
    yield from sorted(
        readings, key=lambda reading: (reading.is_doubtful, not keys.secrets(reading.key_id, scheme.name))
    )


def _digests(scheme: SchemeOfParts, text: str) -> list[Digest]:
    """What the signature may be read as; of several, that is the first which can be read."""
    program = scheme.program
    several = [*text.split(" "), text] if program.carriers.sends_several else [text]
    found: list[Digest] = []
    for signature in several:
        any_case = program.folded_signature is not None
        digests = digests_in(signature, program.mac.encoding, program.mac.algorithm, any_case=any_case)
        if digests and digests[0].rest is None:
            return digests
        found = found or digests
    return found
