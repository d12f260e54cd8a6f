"""A query or a form as clients write it again: in another order, with other escapes, and lists and blanks otherwise.

A client that parses a query to sign it, and sends the text that it had, signs what its library makes of the fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from ..core.fields import decode_field

_MOST_FIELDS = 40
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_INDEX = re.compile(r"\[\d*\]$")


class Field(NamedTuple):
    """A name and its value; `mark` is the = between them, which may not be there."""

    name: str
    value: str
    mark: str = "="


Fields = Sequence[Field]
Write = Callable[[str], str]


def fields_of(encoded: str) -> list[Field]:
    """The fields of a query or form (Latin-1, as on the wire), as they stand there."""
    return [
        Field(name, value, mark) for name, mark, value in (item.partition("=") for item in encoded.split("&") if item)
    ]


class Written(NamedTuple):
    """Fields as they are written, and what is other in them: `others` than these, their `order` and `spelling`."""

    fields: Fields
    others: str
    order: str
    spelling: str

    @property
    def changed(self) -> int:
        return bool(self.others) + bool(self.order) + bool(self.spelling)


class Rewriting(NamedTuple):
    """A text that a client may have made of a query or form."""

    text: str
    written: Written
    is_rare: bool


def rewritten(encoded: str, most: int = 2) -> Iterator[Rewriting]:
    """The query or form in other spellings, each once, the usual ones first; with so many things other at most."""
    fields = fields_of(encoded)
    seen = {encoded}
    found_all = list(rewritings(fields, most))
    for changed in range(1, most + 1):
        for found in found_all:
            if found.changed == changed and (text := joined(found.fields)) not in seen:
                seen.add(text)
                yield Rewriting(text, found, is_rare=changed > 1 or found.spelling in _RARE)


def rewritings(fields: Fields, most: int = 2) -> Iterator[Written]:
    """The fields in other spellings, with so many things other at most."""
    if not fields or len(fields) > _MOST_FIELDS:
        return
    for others, chosen in selections(fields).items():
        in_words = [Field(decoded(field.name), decoded(field.value), field.mark) for field in chosen]
        for spelling, write in SPELLINGS.items():
            if bool(others) + bool(spelling) > most or (others in _SPELLED and spelling):
                continue
            texts = [Field(write(field.name), write(field.value), field.mark) for field in chosen]
            # Libraries sort what was decoded, and people what stands there.
            keys = in_words if spelling else chosen
            for order, sort in ORDERS.items():
                if bool(others) + bool(spelling) + bool(order) <= most:
                    yield Written([texts[place] for place in sort(keys)], others, order, spelling)


def joined(fields: Fields) -> str:
    return "&".join(field.name + field.mark + field.value for field in fields)


def _sorting(key: Callable[[Field], Any]) -> Callable[[Fields], Sequence[int]]:
    return lambda fields: sorted(range(len(fields)), key=lambda place: key(fields[place]))


ORDERS: dict[str, Callable[[Fields], Sequence[int]]] = {
    "": lambda fields: range(len(fields)),
    "sorted by name": _sorting(lambda field: field.name),
    "sorted": _sorting(lambda field: (field.name, field.value)),
    "sorted without regard to case": _sorting(lambda field: field.name.lower()),
    "backwards": lambda fields: range(len(fields))[::-1],
}
"""How clients sort fields: the places in their new order."""


def decoded(text: str) -> str:
    """A name or value in the bytes of its UTF-8, as Latin-1."""
    return decode_field(text).encode("utf-8", "replace").decode("latin-1")


def _escaping(bare: str, *, plus: bool, tilde: bool = True, lower: bool = False) -> Write:
    """What writes a name or a value with all but letters, digits and these characters escaped."""
    function = quote_plus if plus else quote

    def write(text: str) -> str:
        found = function(decoded(text), safe=bare, encoding="latin-1")
        found = found if tilde else found.replace("~", "%7E")
        return _ESCAPE.sub(lambda match: match[0].lower(), found) if lower else found

    return write


SPELLINGS: dict[str, Write] = {
    "": lambda text: text,
    "RFC 3986": _escaping("", plus=False),  # rawurlencode, qs, Guzzle, EscapeDataString
    "form": _escaping("", plus=True),  # urlencode of Python, url.Values of Go
    "browser": _escaping("*", plus=True, tilde=False),  # URLSearchParams, Java, Ruby
    "component": _escaping("!'()*", plus=False),  # encodeURIComponent
    "PHP": _escaping("", plus=True, tilde=False),  # http_build_query
    "decoded": decoded,
    "decoded, + kept": lambda text: decoded(text.replace("+", "%2B")),
    "jQuery": _escaping("!'()*", plus=True),
    "axios": _escaping("!'()*:$,", plus=True),
    "axios of old": _escaping("!'()*:$,[]", plus=True),
    "lower escapes": lambda text: _ESCAPE.sub(lambda match: match[0].lower(), text),
    "upper escapes": lambda text: _ESCAPE.sub(lambda match: match[0].upper(), text),
    "RFC 3986 in lower escapes": _escaping("", plus=False, lower=True),
    "ASP.NET": _escaping("!()*", plus=True, tilde=False, lower=True),
    "tilde escaped": _escaping("", plus=False, tilde=False),
    "address bar": _escaping("/:@!$'()*,;[]?", plus=False),
    "brackets bare": _escaping("[]", plus=False),
    "slashes bare": _escaping("/", plus=False),
    "slashes bare, +": _escaping("/", plus=True),
    "decoded twice": lambda text: decoded(decoded(text)),
    "escaped twice": lambda text: quote(text, safe=""),
    "spaces": lambda text: text.replace("+", "%20"),
    "pluses": lambda text: text.replace("%20", "+"),
}
"""How the libraries of languages write a name or a value."""
_SPELLED = {"with lists as a[]", "with lists as a[0]", "with lists in escaped commas"}
_RARE = {"decoded twice", "escaped twice", "axios of old", "ASP.NET", "RFC 3986 in lower escapes"}


def selections(fields: Fields) -> dict[str, Fields]:
    """Other fields than are sent: without blanks, and with lists as languages write them. "" = as they are sent."""
    found: dict[str, Fields] = {"": fields}
    found["without blank ones"] = [field for field in fields if field.value]
    found["with an = behind each name"] = [field._replace(mark="=") for field in fields]
    found["without the = of blank ones"] = [field if field.value else field._replace(mark="") for field in fields]
    bare = [_INDEX.sub("", decode_field(field.name)) for field in fields]
    if len(set(bare)) == len(fields) and bare == [decode_field(field.name) for field in fields]:
        return {what: chosen for what, chosen in found.items() if what == "" or list(chosen) != list(fields)}
    groups: dict[str, list[Field]] = {}
    for name, field in zip(bare, fields, strict=True):
        groups.setdefault(name, []).append(field._replace(name=name))
    lists = {
        name: group for name, group in groups.items() if bare.count(name) > 1 or name not in {f.name for f in fields}
    }
    for what, index in (("[]", False), ("[0]", True)):
        found[f"with lists as a{what}"] = [
            field._replace(name=f"{name}%5B{at if index else ''}%5D") if name in lists else field
            for name, group in groups.items()
            for at, field in enumerate(group)
        ]
    found["with lists as a, a"] = [field for group in groups.values() for field in group]
    for what, place in {"last": -1, "first": 0}.items():
        found[f"with the {what} value of each name"] = [group[place] for group in groups.values()]
    for what, mark in {"commas": ",", "escaped commas": "%2C"}.items():
        found[f"with lists in {what}"] = [
            group[0]._replace(value=mark.join(field.value for field in group)) for group in groups.values()
        ]
    return {what: chosen for what, chosen in found.items() if what == "" or list(chosen) != list(fields)}
