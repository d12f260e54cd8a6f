"""Where a request has what a recipe's carriers say: under its name, in another place, or under a name that is close."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..core.fields import FORM, decode_field
from ..core.message import Request, origin_form
from ..parts.scheme import SchemeOfParts
from .bodies import unpacked

_LONGEST = 4096
_MOST_LOOKED_AT = 200
_NOT_SIGNED = ("basic", "bearer", "digest", "negotiate", "aws4-hmac-sha256")
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


def may_carry(scheme: SchemeOfParts, request: Request) -> bool:
    """Whether a header or a parameter of the request may be the one that carries the signature, by its name alone and
    at next to no cost."""
    carriers = scheme.program.carriers
    if name := carriers.signature_header:
        if any(_word(value) not in _NOT_SIGNED or ":" in value for value in request.values(name)):
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


def in_header(request: Request, folded: str) -> list[Value]:
    return [Value(value, folded, "") for value in request.values(folded)]


def in_fields(scheme: SchemeOfParts, request: Request, name: str) -> list[Value]:
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


def near(scheme: SchemeOfParts, request: Request, name: str, *, in_header: bool) -> Value | None:
    """What was sent under a name that is close to the right one."""
    carriers = scheme.program.carriers
    own = {header.folded for header in carriers.headers} | carriers.field_names | {"date", "host", "content-type"}
    if in_header:
        if name in ("authorization", "date", "content-type"):
            return None
        others = [Value(value.strip(" \t"), key, "") for key, value in request.headers if key.lower() not in own]
    else:
        others = [Value(value, key, "") for _, key, value in _fields(request) if key not in own]
    for is_near in (_is_same, is_close, _is_alike):
        found = [other for other in others if other.text and is_near(name, other.name)]
        if len(found) == 1:
            return found[0]
    return None


def _bare(name: str) -> str:
    return re.sub(r"[-_. \[\]]", "", name.lower()).removeprefix("x")


def _is_same(name: str, other: str) -> bool:
    return _bare(name) == _bare(other)


def is_close(name: str, other: str) -> bool:
    from difflib import SequenceMatcher  # for what was refused alone

    one, two = _bare(name), _bare(other)
    return min(len(one), len(two)) > 3 and SequenceMatcher(None, one, two).ratio() >= 0.85


def _is_alike(name: str, other: str) -> bool:
    return any(_bare(name) in words and _bare(other) in words for words in _ALIKE)
