"""The credentials of a request as a client meant them, read by a recipe's carriers and more leniently than a verifier
reads: another spelling of a header's name, of its template, of the key id, or of the signature.

What had to be mended is a cause. That a carrier is missing or repeated needs no signature to be sure of.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import unquote

from ..core.fields import FORM, decode_field
from ..core.grammar import BACKSLASHED
from ..core.message import Request, origin_form
from ..errors import CannotSign
from ..parts.lists import ListTemplate
from ..parts.scheme import SchemeOfParts
from ..parts.templates import Template
from .bodies import unpacked
from .cause import Cause, difference
from .dates import problem_of_date, time_cause
from .heads import wire
from .keyring import KeyRing
from .signatures import Digest, causes_of, digest_in

_LONGEST = 4096
_MOST_LOOKED_AT = 200
_FOREIGN = ("basic", "bearer", "digest", "negotiate", "aws4-hmac-sha256")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[^{}]+")
_FAR = 5 * 365 * 86400  # no clock is that wrong: another unit was sent
_ALIKE = (
    {"sig", "signature", "sign", "hash", "hmac", "digest", "apisig", "accesssign", "apisign", "xsignature"},
    {"key", "apikey", "keyid", "accesskey", "accesskeyid", "apikeyid", "appkey", "appid", "clientid", "accessid"},
    {"timestamp", "ts", "time", "date", "t", "requesttime"},
    {"nonce", "requestid"},
    {"v", "version", "ver", "apiversion"},
)


class Value(NamedTuple):
    """What a carrier holds, under which name, and where it stands."""

    text: str
    name: str
    where: str


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
        values = _in_header(request, folded) if in_header else _in_fields(scheme, request, name)
        if len(values) > 1:
            result.is_repeated = True
            facts.append(_repeated(what, len(values), in_header=in_header))
            continue
        is_signature = template is None or "signature" in template.names
        near = _near(scheme, request, folded, in_header=in_header) if not values or not values[0].text else None
        if near is not None and (not is_signature or template is None or _looks_signed(template, near.text)):
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
        result.is_claimed |= bool(template and template.names) and not _is_foreign(template, values[0].text)
        if template is None:
            found[f"field:{name}"] = values[0].text.encode("latin-1").decode("utf-8", "replace")
        else:
            signature_sent |= is_signature
            cause = _read(scheme, template, values[0].text, what, found)
            if cause is not None:
                mended.append(cause)
        if name == carriers.signature_field or folded == carriers.signature_header:
            signature_sent = True
    result.facts = tuple(facts)
    if "signature" not in found or not signature_sent:
        return result
    result.readings = list(_readings(scheme, found, tuple(mended), keys, now, result))
    result.is_claimed = result.is_claimed or bool(result.readings)
    return result


def may_carry(scheme: SchemeOfParts, request: Request) -> bool:
    """Whether a header or a parameter of the request may be the one that carries the signature, by its name alone and
    at next to no cost."""
    carriers = scheme.program.carriers
    if name := carriers.signature_header:
        if any(_word(value) not in _FOREIGN or ":" in value for value in request.values(name)):
            return True
        bare = _bare(name)
        return any(_bare(other) == bare and other.lower() != name for other, _ in request.headers[:_MOST_LOOKED_AT])
    field_name = carriers.signature_field
    names = {_bare(field_name)}.union(*(words for words in _ALIKE if _bare(field_name) in words))
    encoded = origin_form(request.target).partition("?")[2]
    if isinstance(request.body, bytes) and request.body and FORM in request.media_types():
        encoded += "&" + request.body[-_LONGEST:].decode("latin-1") + "&" + request.body[:_LONGEST].decode("latin-1")
    return any(_bare(piece.partition("=")[0]) in names for piece in encoded.split("&")[:_MOST_LOOKED_AT])


def _word(value: str) -> str:
    return value.partition(" ")[0].lower()


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


# Where a value stands


def _in_header(request: Request, folded: str) -> list[Value]:
    return [Value(value, folded, "") for value in request.values(folded)]


def _in_fields(scheme: SchemeOfParts, request: Request, name: str) -> list[Value]:
    place = scheme.program.carriers.place
    here: list[Value] = []
    elsewhere: list[Value] = []
    for where, field_name, value in _fields(request):
        if field_name == name:
            is_right = place == "query-or-form" or place == where
            (here if is_right else elsewhere).append(Value(value, name, "" if is_right else where))
    return here or elsewhere


def _fields(request: Request) -> Iterator[tuple[str, str, str]]:
    """The parameters of query and form: where, name, and the value decoded once."""
    form = ""
    if isinstance(request.body, bytes) and FORM in request.media_types():
        plain = unpacked(request) or [request.body]
        form = plain[0].removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    for where, encoded in (("query", origin_form(request.target).partition("?")[2]), ("form", form)):
        for piece in encoded.split("&")[:10_000]:
            name, _, value = piece.partition("=")
            if name:
                yield where, decode_field(name), decode_field(value).encode("utf-8", "replace").decode("latin-1")


def _near(scheme: SchemeOfParts, request: Request, name: str, *, in_header: bool) -> Value | None:
    """What was sent under a name that is close to the right one."""
    carriers = scheme.program.carriers
    own = {header.folded for header in carriers.headers} | carriers.field_names | {"date", "host", "content-type"}
    if in_header:
        if name in ("authorization", "date", "content-type"):
            return None
        others = [Value(value.strip(" \t"), key, "") for key, value in request.headers if key.lower() not in own]
    else:
        others = [Value(value, key, "") for _, key, value in _fields(request) if key not in own]
    for is_near in (_is_same, _is_close, _is_alike):
        near = [other for other in others if other.text and is_near(name, other.name)]
        if len(near) == 1:
            return near[0]
    return None


def _bare(name: str) -> str:
    return re.sub(r"[-_. \[\]]", "", name.lower()).removeprefix("x")


def _is_same(name: str, other: str) -> bool:
    return _bare(name) == _bare(other)


def _is_close(name: str, other: str) -> bool:
    from difflib import SequenceMatcher  # for what was refused alone

    one, two = _bare(name), _bare(other)
    return min(len(one), len(two)) > 3 and SequenceMatcher(None, one, two).ratio() >= 0.85


def _is_alike(name: str, other: str) -> bool:
    return any(_bare(name) in words and _bare(other) in words for words in _ALIKE)


def _looks_signed(template: Template, text: str) -> bool:
    found: dict[str, str] = {}
    return _loosely(template, text, found) is not None and digest_in(found.get("signature", ""), "hex") is not None


# How it is written


def _is_foreign(template: Template | None, text: str) -> bool:
    """Whether the text is one of another way to authenticate."""
    word = text.partition(" ")[0].lower()
    return template is not None and word in _FOREIGN and not template.literals.lower().startswith(word)


def _read(scheme: SchemeOfParts, template: Template, text: str, what: str, found: dict[str, str]) -> Cause | None:
    """Put the values in the text into `found`; what had to be mended."""
    if template.read(text, found):
        return None
    if _is_foreign(template, text) and not template.is_basic and not _looks_signed(template, text):
        return None
    literal = _loosely(template, text, found)
    if literal is None:
        if not template.names:
            detail = f"The client sent the {what} with another value: send {template.text!r}."
            return Cause("carrier", detail)
        return None
    if not literal:
        return None
    sent, right = literal
    if template.literal.partition(" ")[0] == getattr(scheme, "provider", None):
        where = difference(wire(sent), wire(right), "provider", second="as it should be")
        detail = (
            f"The client sent another provider in the {what.removeprefix('header ')} header: send "
            f"{right.rstrip()!r}, which it is here ({where})."
        )
        return Cause("provider", detail)
    return Cause("carrier", f"The client wrote the {what} in another form: write it as {template.text}.")


def _loosely(template: Template, text: str, found: dict[str, str]) -> tuple[str, str] | tuple[()] | None:
    """Read a text that may be of the template: the literals that were sent and those that are right where they differ,
    nothing where they are the same, None where it cannot be read."""
    if len(text) > _LONGEST or not template.names:
        return None
    if isinstance(template, ListTemplate):
        return _items(template, text, found)
    pieces = [
        (match[1], match[0][0] if match[0] in ("{{", "}}") else match[0]) for match in _PIECE.finditer(template.text)
    ]
    names = [name for name, _ in pieces if name is not None]
    for loose in (False, True):
        value = _loose_value if loose else _value
        expression = ""
        for place, (name, literal) in enumerate(pieces):
            if name is None:
                expression += _pattern(literal, first=place == 0, last=place == len(pieces) - 1, loose=loose)
            else:
                expression += f"(?P<v{names.index(name)}>{value(name)})"
        match = re.fullmatch(expression, text.strip(), re.DOTALL)
        if match is None:
            continue
        read = {name.rstrip("?").removeprefix("mac:"): match[f"v{place}"] for place, name in enumerate(names)}
        if "basic" in read:
            inside = _inside(read.pop("basic"))
            if inside is None:
                return None
            read["key_id"], read["signature"] = inside
        found.update(read)
        if not loose:
            return () if "basic" not in names else ("", template.literal)
        return text[: match.start("v0")], template.literal
    return None


def _items(template: ListTemplate, text: str, found: dict[str, str]) -> tuple[str, str] | tuple[()] | None:
    """The same of a list, whose items may have other labels."""
    if not found.get("signature"):
        found.pop("signature", None)
    starts = {name: start for start, name in re.findall(r"([^\s,;{}]*)\{(\w+)\}", template.text)}
    pieces = [piece.strip() for piece in re.split(r"[,;](?=\s*\w+=)|[,;\s]+(?=\w+[=,])", text) if piece.strip()]
    for name, start in starts.items():
        for piece in pieces:
            if piece.lower().startswith(start.lower()) and len(piece) > len(start):
                found.setdefault(name, piece[len(start) :])
    for piece in (*pieces, *text.split(" ")):
        value = re.sub(r"^[A-Za-z0-9_-]{1,12}[=:,]", "", piece)
        if "signature" not in found and digest_in(value, "hex") is not None:
            found["signature"] = value
    if "signature" not in found:
        return None
    labels = {start for start in starts.values() if any(piece.startswith(start) for piece in pieces)}
    return () if len(labels) == len(starts) else (text, template.literal)


def _value(name: str) -> str:
    return ".+?" if name == "signature" else _loose_value(name)


def _loose_value(name: str) -> str:
    if name == "signature":
        return r"[^,;]+?"
    if name == "headers":
        return r"[^\",]+"
    return ".+" if name == "key_id" else r"[^\s,;&\"]+"


def _pattern(literal: str, *, first: bool, last: bool, loose: bool) -> str:
    if not loose:
        return re.escape(literal)
    _, space, tail = literal.rpartition(" ") if first else ("", "", literal)
    expression = r"(?:[^\s:,=]+:?[ \t]+)?" if space or first else ""
    inner = "".join(
        r"[\"']?" if mark in "\"'" else r"[,;&]?\s*" if mark in ",;& " else re.escape(mark) for mark in tail
    )
    inner = f"(?i:{inner})"
    if first:
        return expression + (rf"(?:{inner}|[\w.$-]{{0,12}}[=:,$])?" if tail else "")
    return f"(?:{inner})?" if last else inner


def _inside(token: str) -> tuple[str, str] | None:
    """Key id and signature of Basic credentials, encoded in any way or not at all."""
    standard = token.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        text = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        text = unquote(token)
    key_id, mark, signature = text.rpartition(":")
    return (key_id, signature.strip()) if mark else None


# What it says


def _readings(
    scheme: SchemeOfParts,
    found: dict[str, str],
    mended: tuple[Cause, ...],
    keys: KeyRing,
    now: float,
    result: Received,
) -> Iterator[Reading]:
    program = scheme.program
    digest = _digest(scheme, found["signature"])
    if digest is None and found.get("key_id") and (exchanged := _digest(scheme, found["key_id"])) is not None:
        digest, found["key_id"] = exchanged, found["signature"]
        mended += (Cause("carrier", "The client exchanged key id and signature: send each in the other's place."),)
    if digest is None:
        return
    mended += causes_of(digest, program.mac.encoding, program.mac.algorithm)
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
    for (key_id, causes), said in itertools.product(list(_key_ids(scheme, found, keys)), times):
        sent = found.get("key_id", "")
        reading = Reading(digest.value, key_id, sent, said, at, (*mended, *causes))
        readings.append(reading)
        if any(cause.code == "key-unknown" for cause in causes):
            readings.append(replace(reading, signed_key=sent))
    # A key that is known before the secrets of others.
    yield from sorted(readings, key=lambda reading: not keys.secrets(reading.key_id, scheme.name))


def _digest(scheme: SchemeOfParts, text: str) -> Digest | None:
    program = scheme.program
    several = [*text.split(" "), text] if program.carriers.sends_several else [text]
    for signature in several:
        digest = digest_in(signature, program.mac.encoding, any_case=program.folded_signature is not None)
        if digest is not None:
            return digest
    return None


def _key_ids(scheme: SchemeOfParts, found: Mapping[str, str], keys: KeyRing) -> Iterator[tuple[str, tuple[Cause, ...]]]:
    """The key ids that may be meant, each with what is wrong with its writing."""
    claimed = scheme.named_key_id(found)
    if owner := keys.whose_secret(claimed, scheme.name):  # and no detail may quote it
        detail = (
            f"The client sent the secret of the key {owner!r} as the key id: send the key id, and change the secret."
        )
        yield owner, (Cause("secret-key-id", detail),)
        return
    if "key_id" not in scheme.program.carriers.sent:
        key_id = claimed or scheme.name
        yield key_id, ()
        if not keys.secrets(key_id, scheme.name) and (near := keys.nearest(key_id, scheme.name)):
            yield near, (_unknown(key_id, near),)
        return
    sent = found.get("key_id", "")
    spellings = list(_spellings(scheme, sent))
    seen: dict[str, tuple[Cause, ...]] = {}
    for key_id, cause in spellings:
        seen.setdefault(key_id, cause)
    yield from seen.items()
    first = spellings[0][0]
    if not any(keys.secrets(key_id, scheme.name) for key_id in seen) and (near := keys.nearest(first, scheme.name)):
        yield near, (_unknown(first, near),)


def _unknown(key_id: str, near: str) -> Cause:
    detail = f"The key id {key_id!r} is nobody's: did you mean {near!r}?"
    return Cause("key-unknown", detail)


def _spellings(scheme: SchemeOfParts, sent: str) -> Iterator[tuple[str, tuple[Cause, ...]]]:
    try:
        text, mangled = sent.encode("latin-1").decode(), False
    except UnicodeError:
        text, mangled = sent, True
    if not scheme.escapes_key_id:
        wrong = (_user(scheme, sent, text),) if mangled else ()
        yield text, wrong
        if unquote(text) != text:
            cause = Cause(
                "key-encoded", "The client percent-encoded the key twice: encode it once, and hash it as it is."
            )
            yield unquote(text), (cause,)
        return
    bare = BACKSLASHED.sub(r"\1", text)
    for key_id in (bare, text, BACKSLASHED.sub(r"\1", bare), unquote(text)):
        right = _written(scheme, key_id)
        yield key_id, (_user(scheme, sent, key_id),) if mangled or right != sent else ()


def _user(scheme: SchemeOfParts, sent: str, key_id: str) -> Cause:
    right = _written(scheme, key_id)
    where = difference(wire(sent), wire(right or ""), "user", second="as it should be")
    how = ", a backslash as two and a colon behind one, and nothing else escaped" if scheme.escapes_key_id else ""
    return Cause(
        "user-escaping",
        "The client wrote the user in the Authorization header otherwise than it is read: write it in UTF-8"
        f"{how}{f' ({where})' if right else ''}.",
    )


def _written(scheme: SchemeOfParts, key_id: str) -> str | None:
    """The key id as it stands in its carrier, None where it cannot."""
    try:
        return scheme.written_key_id(key_id)
    except CannotSign:
        return None
