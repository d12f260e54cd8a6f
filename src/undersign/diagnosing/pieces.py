"""A recipe's string to sign of a request, part by part, and what clients do to each part.

Changes of the request, such as another target, are changes of each piece that is made of it. Changes of a piece itself,
such as another encoding of a digest, are those of the lists for its kind.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.fields import decode_field
from ..core.message import Component, Request, body_digest
from ..errors import CannotSign
from ..parts.carriers import form_of
from ..parts.digests import written_digest
from ..parts.message import SECRET as SECRET_TEXT
from ..parts.message import Part, Values, unix_second
from ..parts.scheme import SchemeOfParts
from . import bodies, dates, heads, wholes
from .cause import Cause, difference, string_difference
from .changes import Change
from .formula import SECRET, TIME, WHOLE, Seconds
from .parameters import parameters
from .reading import Reading
from .targets import targets

_MOST_LINES = 12
_MOST_ALTERED = 2_800  # requests of one kind that a recipe's parts are made of anew
NO_VALUES = Values("-", "-", 0.0, "-", {})
_NO_REQUEST = Request("GET", "/")


def text_of(part: Part, request: Request, values: Values) -> bytes | None:
    """What the part puts into the string to sign. Raises CannotSign."""
    if part.late is not None:
        text = part.late(request, values, request.body, math.floor(values.at))
    else:
        head = part.head_text()
        text = None if head is None else head(request, values)
    return None if text is None else text.encode("latin-1", "replace")


def _written_by(late: Callable[..., str | None]) -> Callable[[int], tuple[bytes, ...]]:
    return lambda second: ((late(_NO_REQUEST, NO_VALUES, b"", second) or "").encode("latin-1"),)


class Pieces:
    """The string to sign of a reading of a request, part by part, and what clients do to each part."""

    def __init__(self, scheme: SchemeOfParts, request: Request, reading: Reading, searches_time: bool) -> None:
        self.scheme, self.program, self.request = scheme, scheme.program, request
        self._digests = {name: written_digest(name, request.body) for name in self.program.carriers.digests}
        self._first: Change | None = None
        self._altered_first = request
        found = reading.found
        extra = {name.partition(".")[2]: text for name, text in found.items() if name.startswith("extra.")}
        key_id = reading.signed_key or reading.key_id.encode("utf-8", "surrogatepass").decode("latin-1")
        self.values = Values(key_id, found.get("time", ""), reading.at or 0.0, found.get("nonce", ""), extra)
        self.problems: tuple[Cause, ...] = ()
        self.problem = ""
        self.parts: list[Part] = []
        pieces: list[Any] = []
        for part in self.program.parts:
            if part.constant == SECRET_TEXT:
                piece: Any = SECRET
            elif searches_time and part.late is not None and Component.DATE in part.binds:
                piece = TIME
            else:
                try:
                    piece = text_of(part, request, self.values)
                except CannotSign as error:
                    if part.name == "leading query" and (moved := self._signature_last()) is not None:
                        self.request = request = moved
                        pieces.append(text_of(part, request, self.values))
                        self.parts.append(part)
                        continue
                    if part.name == "body digest" and part.source in _where_digests_go(scheme):
                        self.problems += self._digest_problem(part, str(error))
                        continue
                    if len(part.headers) != 1:
                        self.problem = str(error)
                    piece = b""
            self.parts.append(part)
            pieces.append(piece)
        # A part that is left out has its place too: with another body it may be there.
        self.right: dict[Any, Any] = dict(enumerate(pieces))
        self.right |= {
            "order": tuple(range(len(pieces))),
            "join": self.program.joiner.encode("latin-1"),
            "end": b"",
            "text": "",
            "mac": "hmac" if self.program.mac.is_keyed else "hash",
            "time": self._seconds(),
        }

    def _signature_last(self) -> Request | None:
        """The request with the parameter of the signature at the end of its query, where it belongs."""
        path, mark, query = self.request.target.partition("?")
        fields = query.split("&")
        name = self.program.carriers.signature_field
        last = [field for field in fields if decode_field(field.partition("=")[0]) == name]
        if not mark or len(last) != 1 or self.problems:
            return None
        detail = f"The client sent the parameter {name} in front of others: send it behind all that is signed."
        self.problems += (Cause("target-query-order", detail),)
        rest = [field for field in fields if field not in last]
        return replace(self.request, target=f"{path}?{'&'.join((*rest, *last))}")

    def _seconds(self) -> Seconds:
        """How a second is written that is not sent."""
        for place, part in enumerate(self.parts):
            late = part.late
            if self.right[place] is TIME and late is not None and late is not unix_second:
                return "own", _written_by(late)
        return WHOLE

    def _digest_problem(self, part: Part, problem: str) -> tuple[Cause, ...]:
        """What was done to a body whose digest a carrier says, found by that digest alone."""
        for change in bodies.bodies(self.request):
            try:
                text_of(part, self.request.with_body(change.value), self.values)
            except CannotSign:
                continue
            return change.causes
        detail = f"The body is not the one that the client made the digest of: {problem}."
        return (Cause("body-digest-form", detail),)

    # What clients do to it

    def changes(self) -> Iterator[Change]:
        """All changes but those of the secret."""
        yield from self._altered(heads.methods(self.request.method), _with_method)
        right = heads.wire(self.request.target)
        yield from self._altered(targets(self.request, right), _with_target)
        yield from self._altered(heads.origins(self.request), _with_origin)
        default = getattr(self.scheme, "content_type", None) or "application/json"
        yield from self._altered(heads.content_types(self.request, default), _with_content_type)
        yield from self._bodies()
        for place, part in enumerate(self.parts):
            text = self.right[place]
            if isinstance(text, bytes):
                for change in self._of_part(part, text):
                    value = change.value if change.part != "media type" else change.value.partition(b";")[0]
                    yield replace(change, value={place: value})
        yield from self._whole()

    def both(self, first: Change, second: Change) -> dict[Any, Any] | None:
        """What the pieces are of a request that is altered in two ways."""
        if first.alter is None or second.alter is None:
            return None
        try:
            if self._first is not first:
                self._first, self._altered_first = first, first.alter(self.request)
            request = second.alter(self._altered_first)
            return {
                place: text_of(self.parts[place], request, self.values)
                for place in (*first.sets, *(place for place in second.sets if place not in first.sets))
            }
        except (CannotSign, ValueError, IndexError):
            return None

    def _altered(self, changes: Iterable[Change], alter: Callable[[Request, bytes], Request]) -> Iterator[Change]:
        """What each change of the request does to the pieces that are made of it."""
        made_of: list[int] | None = None
        for count, change in enumerate(changes):
            if count > _MOST_ALTERED or made_of == []:
                return
            request = alter(self.request, change.value)
            if made_of is None:
                made_of = self._made_of(alter)
                if not made_of:
                    return
            sets: dict[Any, Any] = {}
            try:
                for place in made_of:
                    sets[place] = text_of(self.parts[place], request, self.values)
            except (CannotSign, ValueError, IndexError):
                continue
            changed = {place: text for place, text in sets.items() if text != self.right[place]}
            if changed:
                yield replace(change, value=changed, alter=partial(_by, alter, change.value))

    def _made_of(self, alter: Callable[[Request, bytes], Request]) -> list[int]:
        """The places of the pieces that change when the request does."""
        found: list[int] = []
        probes = [alter(self.request, probe) for probe in (*_PROBES, *_PROBED_TYPES)]
        for place, part in enumerate(self.parts):
            if self.right[place] is SECRET or self.right[place] is TIME:
                continue
            for probe in probes:
                try:
                    text = text_of(part, probe, self.values)
                except CannotSign:
                    text = b"\0"
                if text != self.right[place]:
                    found.append(place)
                    break
        return found

    def _with_body(self, request: Request, body: bytes) -> Request:
        """The request with another body, and with its digest where a carrier says that."""
        headers, target = request.headers, request.target
        for name, old in self._digests.items():
            new = written_digest(name, body)
            headers = tuple((held, value.replace(old, new)) for held, value in headers)
            target = target.replace(old, new)
        return Request(request.method, target, headers, body, request.origin)

    def _bodies(self) -> Iterator[Change]:
        made_of = self._made_of(self._with_body)
        if not made_of:
            return
        for change in self._altered(bodies.bodies(self.request), self._with_body):
            yield change
            digests = [place for place in made_of if self.parts[place].name == "body digest"]
            if len(change.causes) == 1 and not change.lone and len(digests) == 1:
                place = digests[0]
                value = change.value.get(place)
                if isinstance(value, bytes):
                    for form in _digest_forms_of(value):
                        where = difference(value, form, "body digest", "as it should be")
                        cause = Cause(
                            "body-digest-form", f"The client wrote the digest of the body otherwise ({where})."
                        )
                        yield Change("body", {place: form}, (*change.causes, cause))

    def _of_part(self, part: Part, text: bytes) -> Iterator[Change]:
        request, name = self.request, part.name
        if name in ("content type", "media type"):
            default = getattr(self.scheme, "content_type", None) or "application/json"
            yield from heads.content_types(request, default)
        elif name == "body digest" or part.headers in (("content-md5",), ("digest",), ("content-digest",)):
            body = request.body if isinstance(request.body, bytes) and len(request.body) < 1 << 20 else None
            yield from bodies.digest_forms(self._hash, text, part.digest or "md5", body)
        elif name == "body":
            yield from bodies.digest_forms(self._hash, text, "sha256", None)
        elif name == "custom headers" and text:
            yield from heads.header_lines(self._names_of(part), request, text, part.separators)
            yield from self._in_headers(part, self.parts.index(part))
        elif name in ("parameters", "query", "leading query"):
            encoded = request.target.partition("?")[2] if part.query_without is not None else ""
            if part.form_without is not None:
                encoded = "&".join(filter(None, (encoded, form_of(request))))
            without = part.query_without or part.form_without or frozenset()
            yield from parameters(encoded, text, without, part.separators)
        elif name in ("time", "date") or part.headers == ("date",) or Component.DATE in part.binds:
            if len(part.headers) < 2:
                yield from self._dates(part, text)
        elif name == "key id":
            yield from heads.key_ids(text)
        elif name == "digest":
            yield from bodies.digest_spellings(text)
            held = [text_of(one, request, self.values) for one in part.holds]
            yield from bodies.inner_digests([one for one in held if one is not None], text)
        elif name == "literal":
            yield from heads.labels(text)
        if name in ("path", "query", "target", "url", "leading query", "path segment"):
            yield from self._other_spans(name, text)
        elif part.headers == ("host",) or name == "host":
            yield from heads.hosts(request, text)
        elif len(part.headers) == 1 and name.startswith("header "):
            raw = heads.wire((request.values(part.headers[0]) or [""])[0])
            yield from heads.header_values(name[len("header ") :], text, raw)

    def _in_headers(self, part: Part, place: int) -> Iterator[Change]:
        """What is signed in place of the value of one of several headers."""
        for name in part.headers:
            sent = (self.request.values(name) or [""])[0]
            if not sent:
                continue
            if name in self.program.carriers.header_names and dates.instant(sent) is not None:
                changes = dates.date_changes(sent, heads.wire(sent), self.values.at, self.program.time.write)
            elif name == "content-type":
                changes = heads.content_types(self.request, "application/json")
            elif name == "host":
                changes = heads.hosts(self.request, heads.wire(sent))
            else:
                continue
            for change in changes:
                if heads.wire(sent) in (held := self.right[place] or b""):
                    yield replace(change, value=held.replace(heads.wire(sent), change.value))
                alter = partial(_with_header, name, change.value.decode("latin-1"))
                try:
                    text = text_of(part, alter(self.request), self.values)
                except CannotSign:
                    continue
                yield replace(change, value=text, alter=alter)

    def _names_of(self, part: Part) -> tuple[str, ...]:
        return part.headers or tuple(name for name in dict(self.request.headers) if name.lower().startswith("x-"))

    def _hash(self, algorithm: str) -> bytes:
        return body_digest(self.request.body, algorithm)

    def _dates(self, part: Part, text: bytes) -> Iterator[Change]:
        def write(at: float) -> str:
            if part.of_values or part.early is None or part.headers:
                return self.program.time.write(at)
            return part.early(self.request, self.values._replace(at=at)) or ""

        yield from dates.date_changes(text.decode("latin-1"), text, self.values.at, write)

    def _other_spans(self, name: str, text: bytes) -> Iterator[Change]:
        """More of the URL than is signed, or less."""
        target = heads.wire(self.request.target)
        path, mark, query = target.partition(b"?")
        host = heads.wire(self.request.origin.partition("://")[2])
        spans: dict[str, tuple[bytes, ...]] = {
            "target-with-query": (target, mark + query, path + query) if name != "target" else (path + query,),
            "target-no-query": (path,),
            "target-absolute": (heads.wire(self.request.origin) + target, heads.wire(self.request.origin) + path),
            "host-differs": (host + target, host + path),
        }
        own = self.program.carriers.field_names
        if name in ("query", "leading query"):
            spans.pop("target-no-query")
            spans["target-with-query"] += (path + b"?" + text, b"?" + text)
            spans["target-absolute"] += (heads.wire(self.request.origin) + path + b"?" + text,)
        elif own and mark:
            fields = [field for field in self.request.target.partition("?")[2].split("&") if field]
            for without in (own, {self.program.carriers.signature_field}):
                kept = "&".join(field for field in fields if decode_field(field.partition("=")[0]) not in without)
                spans["target-with-query"] += (path + (b"?" if kept else b"") + heads.wire(kept),)
        for code, values in spans.items():
            for value in values:
                where = difference(text, value, name, "as it should be")
                what = _SPANS[code]
                yield Change("target", value, (Cause(code, f"The client signed {what}: sign the {name} ({where})."),))

    def _whole(self) -> Iterator[Change]:
        right = self.right
        present = [place for place in right["order"] if right[place] is not None]
        names = [self.parts[place].name for place in present]
        secrets = [at for at, place in enumerate(present) if right[place] is SECRET]
        keyed = secrets[0] if right["mac"] == "hash" and secrets else None
        canonical = None
        if not secrets and TIME not in right.values():
            canonical = right["join"].join(right[place] for place in present)
        yield from wholes.joiners(right["join"], len(present), canonical)
        is_last = secrets[-1:] == [len(present) - 1]
        yield from wholes.ends(canonical, right["join"], secret_is_last=is_last)
        beside = b"\n".join(text for place in right["order"] if isinstance(text := right[place], bytes))
        yield from wholes.texts(beside if secrets else None)
        if right["join"] != wholes.LF:
            yield from self._of_lines(canonical)
        for change in (
            *wholes.orders(names, keyed),
            *wholes.between(len(present)),
            *wholes.macs(right["mac"], self.program.mac.algorithm, names, keyed),
        ):
            yield _of_present(change, present)
        whole_names = [part.name for part in self.parts]
        if canonical and "custom headers" in whole_names:
            yield from self._empty_line(whole_names.index("custom headers"), canonical)

    def _of_lines(self, canonical: bytes | None) -> Iterator[Change]:
        """What is done to the lines of a string whose parts are no lines: their ends are in literals or in lists."""
        literals = {
            place: text
            for place, part in enumerate(self.parts)
            if part.name in ("literal", "custom headers") and wholes.LF in (text := self.right[place] or b"")
        }
        for change in wholes.joiners(wholes.LF, 1 + len(literals), canonical) if literals else ():
            sets = {place: text.replace(wholes.LF, change.value) for place, text in literals.items()}
            yield replace(change, part="lines", value=sets)
        lines = canonical.split(wholes.LF) if canonical else []
        if literals and len(lines) <= _MOST_LINES:
            names = [f"line {place}" for place in range(1, len(lines) + 1)]
            for change in wholes.orders(names, None):
                other = wholes.LF.join(lines[place] if type(place) is int else place for place in change.value)
                yield replace(change, part="order", value={"order": (other,)})

    def _empty_line(self, place: int, canonical: bytes) -> Iterator[Change]:
        """The line that stands where headers would, which a client leaves out or puts there twice."""
        order: tuple[int, ...] = self.right["order"]
        for other, detail in (
            (order[:place] + order[place + 1 :], "left out the line or lines of custom headers, or the empty one"),
            ((*order[:place], place, *order[place:]), "put two empty lines where custom headers would stand"),
        ):
            where = string_difference(canonical, self._joined(other))
            cause = Cause("custom-headers-line", f"The client {detail}: one belongs there ({where}).")
            yield Change("order", {"order": other}, (cause,))

    def _joined(self, order: Iterable[int]) -> bytes:
        texts = [self.right[place] for place in order]
        joined: bytes = self.right["join"].join(text for text in texts if text is not None)
        return joined


_PROBED_TYPES = (b"application/json", b"application/x-www-form-urlencoded")
_PROBES = (b"", b"/probe/probed?a=1&probe=2", b"/")
_SPANS = {
    "target-with-query": "the query too, or its question mark",
    "target-no-query": "the path alone",
    "target-absolute": "the whole URL",
    "host-differs": "the host with it",
}


def _by(alter: Callable[[Request, bytes], Request], value: bytes, request: Request) -> Request:
    return alter(request, value)


def _with_method(request: Request, method: bytes) -> Request:
    return replace(request, method=method.decode("latin-1"))


def _with_target(request: Request, target: bytes) -> Request:
    return replace(request, target=target.decode("latin-1"))


def _with_content_type(request: Request, content_type: bytes) -> Request:
    kept = [(name, value) for name, value in request.headers if name.lower() != "content-type"]
    return replace(request, headers=(*kept, ("Content-Type", content_type.decode("latin-1"))))


def _with_origin(request: Request, origin: bytes) -> Request:
    return replace(request, origin=origin.decode("latin-1"))


def _with_header(name: str, value: str, request: Request) -> Request:
    headers = tuple((held, value if held.lower() == name else old) for held, old in request.headers)
    return replace(request, headers=headers)


def _of_present(change: Change, present: Sequence[int]) -> Change:
    """The change of order, or of the MAC, with the places of the parts that are there."""
    sets = dict(change.sets)
    if "order" in sets:
        sets["order"] = tuple(present[place] if type(place) is int else place for place in sets["order"])
    if isinstance(mac := sets.get("mac"), tuple):
        sets["mac"] = (mac[0], present[mac[1]])
    return replace(change, value=sets)


def _where_digests_go(scheme: SchemeOfParts) -> set[str]:
    carriers = scheme.program.carriers
    return {carriers.carrier_of(name) for name in carriers.digests}


def _digest_forms_of(digest: bytes) -> Iterator[bytes]:
    try:
        raw = bytes.fromhex(digest.decode("ascii"))
    except ValueError:
        return
    yield from (b64encode(raw), digest.upper(), raw, b64encode(digest))
