"""Why a keyed timestamp does not match: what was put together, in which order, and at which second."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from ..core.fields import FORM, decode_field, fields
from ..core.grammar import HEX
from ..core.message import Request, origin_form
from ..errors import Rejected
from ..schemes import KeyedTimestamp
from . import changes as common
from .cause import Cause, clock_cause, difference, unexplained
from .changes import Change
from .keyed_formula import (
    FORMATS,
    MACS,
    RIGHT_TIME,
    SOME_SECOND,
    USUAL_FORMATS,
    Formula,
    formatted,
    fractions,
    whole_seconds,
)
from .keyring import KeyRing
from .search import Budget, pairs

_SIZES = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_SEPARATORS = (b":", b"-", b"|", b"\n", b" ", b"&", b",", b"_", b"+", b".", b"/", b";", b"\0")

# How far from the clock is searched, in seconds: the fewer mistakes the further, since every one multiplies the rest.
_FURTHEST = 26 * 3600 + 120
_MOST_WITH_ONE = 600
_CLOCK_WITH_ONE = 1800
_ZONE_WITH_ONE = 20
_WITH_TWO = 15
_MILLISECONDS = 30
_FRACTIONS = 5
_SLOWLY = 300  # how far for a formula that the scheme's own search does not take
_ZONES = (*range(-12, 15), -9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)


@dataclass(frozen=True, slots=True, repr=False)
class _Sent:
    """One reading of what was sent: the signature in lower-case hex, the key id, and what was mended to read them."""

    signature: str
    key_id: str
    causes: tuple[Cause, ...]


def looks_like(scheme: KeyedTimestamp, request: Request) -> bool:
    """Whether the request has a parameter of this scheme that tells it from others."""
    return any(name in (scheme.key_param, scheme.sig_param) for name, _ in _parameters(scheme, request))


def causes(scheme: KeyedTimestamp, request: Request, keys: KeyRing, now: float, budget: Budget) -> tuple[Cause, ...]:
    """Why the request does not verify by this scheme."""
    given = _parameters(scheme, request)
    form = tuple(_form(scheme, given))
    if form and any(cause.code == "header-repeated" for cause in form):
        return form
    found = dict(given)
    if scheme.sig_param not in found or scheme.key_param not in found:
        return form
    window = scheme.window.seconds(now)
    detail = ""
    if not form and (refused := _refused_otherwise(scheme, request)):
        return unexplained(refused)
    for sent in _readings(scheme, found):
        result = _search(scheme, sent, keys, now, window, budget)
        if result is not None and (result or form or sent.causes):
            return form + sent.causes + result
    return form or unexplained(detail)


def _parameters(scheme: KeyedTimestamp, request: Request) -> tuple[tuple[str, str], ...]:
    names = [name for name in (scheme.key_param, scheme.sig_param, scheme.version_param) if name]
    form = ""
    if isinstance(request.body, bytes) and FORM in request.media_types():
        form = request.body.decode("latin-1")
    return fields(origin_form(request.target).partition("?")[2], names) + fields(form, names)


def _form(scheme: KeyedTimestamp, given: tuple[tuple[str, str], ...]) -> Iterator[Cause]:
    """Parameters that are missing or repeated, which needs no signature to be sure of."""
    names = [name for name, value in given if value or name == scheme.version_param]
    for name in (scheme.key_param, scheme.sig_param, scheme.version_param):
        count = [given_name for given_name, _ in given].count(name) if name else 0
        if name and count > 1:
            detail = f"The client sent the parameter {name} {count} times: send it once, in the query or in the form."
            yield Cause("header-repeated", detail)
        elif name and name not in names:
            yield Cause("header-missing", f"The client sent no parameter {name}: send it with a value.")


def _refused_otherwise(scheme: KeyedTimestamp, request: Request) -> str:
    """What is wrong with the request whatever its signature is, as a sentence."""
    try:
        scheme.read(request)
    except Rejected as rejected:
        if rejected.part not in (scheme.sig_param, scheme.key_param):
            return f"The request is refused whatever its signature: {rejected.detail}."
    return ""


def _readings(scheme: KeyedTimestamp, found: dict[str, str]) -> list[_Sent]:
    signature = _signature(scheme, found[scheme.sig_param])
    if signature is None:
        return []
    text, mending = signature
    readings: list[_Sent] = []
    key_id = decode_field(found[scheme.key_param])
    readings.append(_Sent(text, key_id, mending))
    if unquote(key_id) != key_id:
        cause = Cause("key-encoded", "The client percent-encoded the key twice: encode it once, and hash it as it is.")
        readings.append(_Sent(text, unquote(key_id), (*mending, cause)))
    return readings


def _signature(scheme: KeyedTimestamp, written: str) -> tuple[str, tuple[Cause, ...]] | None:
    """The signature in lower-case hex, whatever it was sent in, and what is wrong with that."""
    wrong: tuple[Cause, ...] = ()
    text = decode_field(written)
    if HEX.fullmatch(text) and len(text) in _SIZES:
        if text != text.lower() and scheme.program.folded_signature is None:
            detail = "The client sent the signature with upper-case letters: send it in lower-case hex."
            wrong += (Cause("signature-case", detail),)
        found = text.lower()
    else:
        # A + of base64 that is not escaped arrives as a space.
        plain = text.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
        try:
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            return None
        inner = raw.decode("latin-1").strip()
        if HEX.fullmatch(inner) and len(inner) in _SIZES:  # which is as long as a longer digest
            found = inner.lower()
        elif len(raw) * 2 in _SIZES:
            found = raw.hex()
        else:
            return None
        detail = "The client sent the signature in base64: send it in lower-case hex."
        wrong += (Cause("signature-encoding", detail),)
    if _SIZES[len(found)] != scheme.algorithm:
        detail = f"The client sent a digest as long as {_SIZES[len(found)]}'s: hash with plain {scheme.algorithm}."
        wrong += (Cause("algorithm", detail),)
    return found, wrong


def _search(
    scheme: KeyedTimestamp, sent: _Sent, keys: KeyRing, now: float, window: range, budget: Budget
) -> tuple[Cause, ...] | None:
    sized = replace(scheme, algorithm=_SIZES[len(sent.signature)])
    key = sent.key_id.encode("utf-8", "surrogatepass")
    own = keys.secrets(sent.key_id, scheme.name)
    others = keys.others(sent.key_id, scheme.name)
    second = math.floor(now)
    if not own:
        return _by_another(Formula(sized, key, b"", RIGHT_TIME), sent, others, window, budget)
    # Whatever is forced already, such as another algorithm, is a mistake that counts.
    for secret in own:
        formula = Formula(sized, key, secret, RIGHT_TIME)
        if (at := formula.find(sent.signature, window, budget)) is not None:
            return ()
    tries = [
        (Formula(sized, key, secret, RIGHT_TIME), _all_changes(sized, key, secret, others if place == 0 else []))
        for place, secret in enumerate(own)
    ]
    near = range(max(window.start, second - _MOST_WITH_ONE), min(window.stop, second + _MOST_WITH_ONE + 1))
    close = range(max(window.start, second - _WITH_TWO), min(window.stop, second + _WITH_TWO + 1))
    for formula, changes in tries:
        for change in changes:
            seconds = near if len(change.causes) == 1 else close
            if _find(formula, (change,), sent.signature, seconds, second, budget) is not None:
                return change.causes
    for formula, _ in tries:
        for seconds in _around(second, window, _FURTHEST):
            if (at := formula.find(sent.signature, seconds, budget)) is not None:
                return (clock_cause(at - now),)
    for formula, changes in tries:
        for first, other in pairs(changes):
            if _find(formula, (first, other), sent.signature, close, second, budget) is not None:
                return first.causes + other.causes
    likely = [
        (replace(formula, **{change.part: change.value}), change)
        for formula, changes in tries
        for change in _likely(changes)
    ]
    for seconds in _clocks(second, window):
        for changed, change in likely:
            if (at := changed.find(sent.signature, seconds, budget)) is not None:
                return (*change.causes, clock_cause(at - now))
    return None


def _by_another(
    formula: Formula, sent: _Sent, others: list[tuple[str, bytes]], window: range, budget: Budget
) -> tuple[Cause, ...] | None:
    """An unknown key has no secret that could be spoilt, but its signature may be by that of another."""
    for change in common.secrets(b"", others):
        if change.causes[0].code != "secret-other":
            continue
        if replace(formula, secret=change.value).find(sent.signature, window, budget) is not None:
            return change.causes
    return None


def _find(
    formula: Formula, changes: tuple[Change, ...], signature: str, seconds: range, now: int, budget: Budget
) -> int | None:
    """The second whose signature this is, among those that are not too far for what is slow to compute."""
    changed = replace(formula, **{change.part: change.value for change in changes})
    if changed.time[0] == "milliseconds":
        reach = _MILLISECONDS if len(changes) == 1 else 0
        near = range(max(seconds.start, now - reach), min(seconds.stop, now + reach + 1))
        changed = replace(changed, time=RIGHT_TIME)
        if not changed.is_quick:
            changed = replace(changed, time=("whole milliseconds", formatted(b"%d000")))
        else:
            return changed.find_milliseconds(signature, near, budget)
    if not changed.is_quick:
        reach = _FRACTIONS if changed.time[0] == "fractions" else _SLOWLY
        seconds = range(max(seconds.start, now - reach), min(seconds.stop, now + reach + 1))
    return changed.find(signature, seconds, budget)


def _all_changes(scheme: KeyedTimestamp, key: bytes, secret: bytes, others: list[tuple[str, bytes]]) -> list[Change]:
    right: dict[str, Any] = {"key": key, "secret": secret}
    found = [*_times(), *_orders(), *_separators(), *_algorithms(scheme), *common.secrets(secret, others), *_keys(key)]
    return common.without_repeats(found, right)


def _times() -> Iterator[Change]:
    detail = (
        "The client hashed the time in milliseconds: hash whole seconds (time byte 10 is past the end as it should be "
        "and a digit as signed)."
    )
    cause = Cause("timestamp-milliseconds", detail)
    yield Change("time", ("whole milliseconds", formatted(b"%d000")), (cause,))
    yield Change("time", ("milliseconds", whole_seconds), (cause,), lone=True)
    for name, write in (*FORMATS, ("fractions", fractions(1)), ("fractions", fractions(3))):
        [right], written = whole_seconds(SOME_SECOND), write(SOME_SECOND)[0]
        detail = (
            f"The client hashed the time in another form ({name}): hash whole Unix seconds in decimal digits "
            f"({difference(right, written, 'time', 'as it should be')})."
        )
        cause = Cause("timestamp-format", detail)
        yield Change("time", (name, write), (cause,), lone=name not in USUAL_FORMATS)


def _orders() -> Iterator[Change]:
    for order in itertools.permutations(("key", "secret", "time")):
        if order != ("key", "secret", "time"):
            detail = f"The client hashed {', '.join(order)}: hash key, secret, time, in this order."
            yield Change("order", order, (Cause("concatenation-order", detail),))


def _separators() -> Iterator[Change]:
    detail = "The client hashed key, secret and time with something between them: put nothing between them."
    cause = Cause("separator", detail)
    for separator in _SEPARATORS:
        yield Change("separators", (separator, separator, b""), (cause,), lone=separator not in _SEPARATORS[:6])
    for separator in (b":", b"-", b"|", b"&"):  # white space on one side alone belongs to the secret
        yield Change("separators", (separator, b"", b""), (cause,), lone=True)
        yield Change("separators", (b"", separator, b""), (cause,), lone=True)
    for ending in (b"\n", b"\r\n"):
        end = Cause("string-trailing-newline", common.TRAILING_NEWLINE)
        yield Change("separators", (b"", b"", ending), (end,))
        for separator in _SEPARATORS[:6]:
            yield Change("separators", (separator, separator, ending), (end, cause))


def _algorithms(scheme: KeyedTimestamp) -> Iterator[Change]:
    for mac in MACS:
        if mac:
            detail = f"The client used HMAC-{scheme.algorithm.upper()} ({mac}): hash key, secret and time as they are."
            yield Change("mac", mac, (Cause("algorithm", detail),))


def _keys(key: bytes) -> Iterator[Change]:
    for written in (quote(key, safe=""), quote_plus(key), quote(key), quote(key, safe="@:")):
        for value in (written.encode("ascii"), re.sub(r"%..", lambda match: match[0].lower(), written).encode("ascii")):
            where = difference(key, value, "key", "as it should be")
            detail = (
                "The client hashed the percent-encoded key: hash the key itself, and encode it for the URL alone "
                f"({where})."
            )
            yield Change("key", value, (Cause("key-encoded", detail),))


def _likely(changes: list[Change]) -> Iterator[Change]:
    """The changes worth the search of other hours."""
    for change in changes:
        if change.lone or len(change.causes) > 1:
            continue
        if change.part == "time" and change.value[0] not in ("whole milliseconds", "ISO 8601"):
            continue
        if change.part == "mac" and change.value != "key and time":
            continue
        yield change


def _around(second: int, window: range, furthest: int) -> Iterator[range]:
    """The seconds outside the window, hour by hour, the near ones first."""
    for far in range(0, furthest, 3600):
        ahead = max(window.stop, second + far)
        behind = min(window.start, second - far)
        yield range(ahead, min(second + far + 3600, second + furthest) + 1)
        yield range(max(second - far - 3600, second - furthest), behind)


def _clocks(second: int, window: range) -> Iterator[range]:
    """The seconds outside the window where a clock with one more mistake is looked for."""
    yield from _around(second, window, _CLOCK_WITH_ONE)
    for hours in sorted(_ZONES, key=abs):
        around = second + int(hours * 3600)
        if abs(hours * 3600) >= _CLOCK_WITH_ONE:
            yield range(around - _ZONE_WITH_ONE, around + _ZONE_WITH_ONE + 1)
