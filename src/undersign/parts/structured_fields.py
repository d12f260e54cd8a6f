"""Dictionaries of structured fields, read strictly and written in their one form. RFC 9651.

Signature-Input: sig1=("@method" "@path");created=1618884473;keyid="key"
                 key  └ inner list        └ parameters
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

_NONE: Mapping[str, Any] = {}
KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_STRING = re.compile(r"[ -~]*")
_BARE = re.compile(
    r'"(?P<string>(?:[ !#-\[\]-~]|\\["\\])*)"'
    r"|:(?P<bytes>[A-Za-z0-9+/]*={0,2}):"
    r"|\?(?P<boolean>[01])"
    r"|@(?P<date>-?[0-9]{1,15})(?![0-9.])"
    r'|%"(?P<display>(?:[ !#$&-~]|%[0-9a-f]{2})*)"'
    r"|(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})(?![0-9.])"
    r"|(?P<integer>-?[0-9]{1,15})(?![0-9.])"
    r"|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*)"
)


class Raw(str):
    """A token, a decimal, a date or a display string, in its one text."""

    __slots__ = ()


class Item(NamedTuple):
    """A value with parameters: text, bytes, an integer, a boolean, or Raw."""

    value: Any
    parameters: Mapping[str, Any] = _NONE


class InnerList(NamedTuple):
    """A list of items with parameters."""

    items: tuple[Item, ...]
    parameters: Mapping[str, Any] = _NONE


Member: TypeAlias = "Item | InnerList"


def read_dictionary(text: str) -> dict[str, Member] | None:
    """The members of a dictionary; None where it is none, or has a key twice, which readers take differently."""
    found: dict[str, Member] = {}
    reader = _Reader(text.strip(" "))
    try:
        while not reader.is_at_end():
            if found:
                reader.take(r"[ \t]*,[ \t]*")
            key = reader.take(KEY)
            if key in found:
                return None
            found[key] = reader.member() if reader.has("=") else Item(True, reader.parameters())
    except ValueError:
        return None
    return found


def read_item(text: str) -> Item | None:
    """The item that the text is; None where it is none."""
    reader = _Reader(text)
    try:
        item = reader.item()
    except ValueError:
        return None
    return item if reader.is_at_end() else None


def written(member: Member) -> str:
    """The one text of a member."""
    if isinstance(member, InnerList):
        return f"({' '.join(map(written, member.items))})" + _parameters(member.parameters)
    return _bare(member.value) + _parameters(member.parameters)


def written_dictionary(members: Mapping[str, Member]) -> str:
    """The one text of a dictionary."""
    return ", ".join(
        key + (_parameters(member.parameters) if member[0] is True else f"={written(member)}")
        for key, member in members.items()
    )


def is_string(value: object) -> bool:
    """Whether a text may be a string of structured fields: printable ASCII."""
    return isinstance(value, str) and _STRING.fullmatch(value) is not None


class _Reader:
    """Reads a text from its beginning. Raises ValueError where it is not in form."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def is_at_end(self) -> bool:
        return self._place == len(self._text)

    def has(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._place):
            return False
        self._place += len(mark)
        return True

    def take(self, pattern: str | re.Pattern[str]) -> str:
        match = re.compile(pattern).match(self._text, self._place)
        if match is None:
            raise ValueError
        self._place = match.end()
        return match[0]

    def member(self) -> Member:
        if not self.has("("):
            return self.item()
        items: list[Item] = []
        while True:
            spaces = self.take(" *")
            if self.has(")"):
                return InnerList(tuple(items), self.parameters())
            if items and not spaces:
                raise ValueError
            items.append(self.item())

    def item(self) -> Item:
        return Item(self._bare(), self.parameters())

    def parameters(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        while self.has(";"):
            self.take(" *")
            key = self.take(KEY)
            if key in found:
                raise ValueError
            found[key] = self._bare() if self.has("=") else True
        return found

    def _bare(self) -> Any:
        match = _BARE.match(self._text, self._place)
        if match is None:
            raise ValueError
        self._place = match.end()
        kind, text = str(match.lastgroup), str(match[str(match.lastgroup)])
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text)
        if kind == "bytes":
            value = b64decode(text, validate=True)
            if b64encode(value).decode("ascii") != text:
                raise ValueError  # another spelling of the same bytes
            return value
        if kind == "boolean":
            return text == "1"
        if kind == "decimal":
            number = Decimal(text).normalize()  # 2.50 is written 2.5, and 2.0 keeps its zero
            return (
                Raw(f"{number:.1f}" if number == number.to_integral_value() else f"{number:f}")
                if number
                else Raw("0.0")
            )
        if kind == "date":
            return Raw(f"@{int(text)}")
        return int(text) if kind == "integer" else Raw(match[0])


def _parameters(parameters: Mapping[str, Any]) -> str:
    return "".join(f";{key}" + ("" if value is True else f"={_bare(value)}") for key, value in parameters.items())


def _bare(value: Any) -> str:
    if isinstance(value, bytes):
        return f":{b64encode(value).decode('ascii')}:"
    if isinstance(value, bool):
        return f"?{int(value)}"
    if isinstance(value, (int, Raw)):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
