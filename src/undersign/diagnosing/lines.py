"""What clients do to the lines of a string to sign of which no recipe tells the parts.

What a line is shows by what it says: the key id of the request, its time, its host, its query, a digest of its body.
Each gets the changes of the list for that kind of part.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ..core.message import Request, body_digest
from ..errors import CannotSign, Rejected
from ..scheme import Claim, Scheme
from . import bodies, dates, heads, wholes
from .cause import Cause, difference
from .changes import Change
from .drafted import Sent, form_of_time
from .parameters import parameters

_MOST = 40  # lines; more are those of a body
_SHORTEST = 3  # letters of a value that is looked for inside of a line
_ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")


def changed(string: bytes, sets: Mapping[Any, Any]) -> bytes:
    """The string with the lines as the changes say."""
    lines = string.split(b"\n")
    for key, value in sets.items():
        if type(key) is tuple and key[1] < len(lines):
            lines[key[1]] = value
    order: Sequence[Any] = sets.get("lines", range(len(lines)))
    if max((place for place in order if type(place) is int), default=0) >= len(lines):
        return b"\n".join(lines)
    return b"\n".join(lines[place] if type(place) is int else place for place in order)


def changes(scheme: Scheme, request: Request, claim: Claim, string: bytes, sent: Sent) -> Iterator[Change]:
    """All that is done to single lines, and to their order. `sent` are times that were put in form, as they came."""
    lines = string.split(b"\n")
    if len(lines) > _MOST:
        return
    names = _names(scheme, request, claim, len(lines))
    for place, line in enumerate(lines):
        for change in _of_line(names[place], line, request, claim, sent):
            yield replace(change, value={("line", place): change.value})
    if len(lines) > 1:
        for change in wholes.orders(names, None):
            yield replace(change, part="lines", value={"lines": change.value})


def _names(scheme: Scheme, request: Request, claim: Claim, count: int) -> Sequence[str]:
    try:
        known = [name for name, _ in scheme.line_names(request, claim)]  # type: ignore[attr-defined]
    except (AttributeError, CannotSign, Rejected):
        known = []
    return known if len(known) == count else [f"line {place + 1}" for place in range(count)]


def _of_line(name: str, line: bytes, request: Request, claim: Claim, sent: Sent) -> Iterator[Change]:
    path, _, query = request.target.partition("?")
    if claim.at is not None:
        yield from _of_time(line, claim.at, sent)
    key = claim.key_id.encode("utf-8", "surrogatepass")
    if len(key) >= _SHORTEST and key in line:
        for change in heads.key_ids(key):
            for value in dict.fromkeys((change.value, quote(change.value, safe="").encode())):
                yield replace(change, part="line", value=line.replace(key, value))
        yield from _left_out(name, "key id", line, key)
    nonce = (claim.nonce or "").encode("utf-8", "surrogatepass")
    if len(nonce) >= _SHORTEST and nonce in line:
        yield from _left_out(name, "nonce", line, nonce)
    if line and line == heads.wire(query):
        for change in parameters(query, line, frozenset(), "=&"):
            yield replace(change, part="line")
        yield from _spans(name, line, "target-with-query", (b"?" + line, heads.wire(request.target)))
    if line and line == heads.wire(path):
        yield from _spans(name, line, "target-with-query", (heads.wire(request.target),))
        yield from _spans(name, line, "target-absolute", (heads.wire(request.origin) + line,))
    if line and line == heads.wire(request.origin.partition("://")[2]):
        for change in heads.hosts(request, line):
            yield replace(change, part="line")
    yield from _of_digest(line, request)
    header, colon, value = line.partition(b":")
    if colon and (values := request.values(header.decode("latin-1").lower())):
        for change in heads.header_lines([header.decode("latin-1")], request, line, ":\n"):
            yield replace(change, part="line")
        yield from _spans(name, line, "custom-headers-line", (value, header + b": " + heads.wire(values[0])))


def _of_time(line: bytes, at: float, sent: Sent) -> Iterator[Change]:
    text = line.decode("latin-1")
    header, colon, value = text.rpartition(":") if form_of_time(text, at) is None else ("", "", text)
    if (form := form_of_time(value, at)) is None:
        return
    before = f"{header}{colon}".encode("latin-1")
    if value in sent:
        raw, cause = sent[value]
        yield Change("line", before + heads.wire(raw), (cause,))
    for change in dates.date_changes(value, heads.wire(value), at, form.write):
        yield replace(change, part="line", value=before + change.value)


def _left_out(name: str, what: str, line: bytes, value: bytes) -> Iterator[Change]:
    detail = f"The client left the {what} out of the string to sign ({name}): sign it too."
    yield Change("line", line.replace(value, b""), (Cause("part-missing", detail),), lone=1)


def _spans(name: str, line: bytes, code: str, values: Sequence[bytes]) -> Iterator[Change]:
    for value in values:
        where = difference(line, value, name, "as it should be")
        yield Change("line", value, (Cause(code, f"The client signed the {name} in another form ({where})."),), lone=1)


def _of_digest(line: bytes, request: Request) -> Iterator[Change]:
    """The forms of a digest of the body, where the line is one."""
    body = request.body if isinstance(request.body, bytes) else None
    for algorithm in _ALGORITHMS if len(line) > 20 and body is not None else ():
        digest = body_digest(request.body, algorithm)
        if line in (digest.hex().encode(), base64.b64encode(digest)):
            for change in bodies.digest_forms(lambda name: body_digest(request.body, name), line, algorithm, body):
                yield replace(change, part="line")
            return
