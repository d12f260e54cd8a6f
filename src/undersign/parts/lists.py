"""Headers that are lists: `t=1492774577,v1=5257a869…,v1=6ffbb59b…`, written and read item by item.

The template says the items that are of this scheme: `t={time},v1={signature}`. They may be in any order, others are
passed over, and the signature's may be there more than once: while a secret is replaced its sender signs with both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ConfigError
from .templates import Template


class _Item(NamedTuple):
    name: str
    start: str
    template: Template


class ListTemplate(Template):
    """A template whose text is a list, with the separator between its items.

    Each item has one placeholder, and begins with a text that no other begins with. What stands before the last space
    of the first, such as the name of an authentication scheme, is no item and comes first. Raises ConfigError.
    """

    def __init__(self, text: str, where: str, patterns: Mapping[str, str], separator: str) -> None:
        super().__init__(text, where, patterns)
        mark = separator.strip() or " "
        if len(mark) != 1 or separator.strip(" ") not in ("", mark):
            raise ConfigError("list_separator is one character, with spaces around it or none, such as ',' or ' '")
        start = self.literal.rpartition(" ")
        self._begins = start[0] + start[1] if mark != " " else ""
        self._separator, self.mark, self._items = separator, mark, list[_Item]()
        for piece in text[len(self._begins) :].split(separator):
            name, literal = self._name_of(piece, patterns)
            # A value ends with its item, and the spaces around an item are not its own.
            no_space, inner = f"[^{re.escape(mark)} \\t]", f"[^{re.escape(mark)}]*"
            known = {**dict.fromkeys(self.names, f"{no_space}(?:{inner}{no_space})?"), **patterns}
            self._items.append(_Item(name, literal, Template(piece, where, known)))
        for item in self._items:
            if any(item.start.startswith(other.start) for other in self._items if other is not item):
                raise ConfigError(f"{where} is ambiguous: {item.start!r} begins as another of its items does")

    def _name_of(self, item: str, patterns: Mapping[str, str]) -> tuple[str, str]:
        """The one placeholder of an item, and the text before it. Raises ConfigError."""
        template = Template(item, self.where, patterns)
        if len(template.names) != 1 or not template.literal:
            raise ConfigError(
                f"{self.where} is a list, and its item {item!r} has not one placeholder behind a text: write "
                f"'t={{time}}{self._separator}v1={{signature}}'"
            )
        return template.names[0], template.literal

    def write(self, values: Mapping[str, str]) -> str:
        """The list. `signature` may be several, with a space between them: an item for each."""
        items: list[str] = []
        for item in self._items:
            several = values[item.name].split(" ") if item.name == "signature" else [values[item.name]]
            items += [item.template.write({item.name: value}) for value in several]
        return self._begins + self._separator.join(items)

    def read(self, text: str, found: dict[str, str]) -> bool:
        """Put the values into `found`, of signatures all that are in form, with a space between them."""
        if not text.startswith(self._begins):
            return False
        signatures: list[str] = []
        seen: set[str] = set()
        for part in text[len(self._begins) :].split(self.mark):
            part = part.strip(" \t")
            for item in self._items:
                if not part.startswith(item.start):
                    continue
                value: dict[str, str] = {}
                in_form = item.template.read(part, value)
                if item.name == "signature":
                    signatures += value.values()  # one that is not in form is of another version
                elif not in_form or item.name in seen:
                    return False
                else:
                    found.update(value)
                seen.add(item.name)
        found["signature"] = " ".join(signatures)
        return bool(signatures) and len(seen) == len(self._items)
