"""The patterns that messages and options are held to, each written once, and the help for words that are none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from ..errors import ConfigError

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What would end a line, or a part, of a string to sign."""

CONTROL_BUT_TAB = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""The same where a tab is text: inside a header, RFC 9110, section 5.5."""

LENGTH = re.compile(r"[0-9]{1,18}")
"""A Content-Length: RFC 9110, section 8.6, and no more digits than 64 bits hold."""

NUMBER = re.compile(r"[0-9]{1,20}")
"""A whole number of 64 bits."""

HEX = re.compile(r"[0-9A-Fa-f]+")

BACKSLASHED = re.compile(r"\\(.)", re.DOTALL)
"""A character behind the backslash that takes its meaning away."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As HTTP's dates write them, whatever the language: RFC 9110, section 5.6.7."""


def custom_headers(option: str, names: object) -> tuple[str, ...]:
    """The names of custom headers that are to be signed, of an option. Raises ConfigError."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ConfigError(f'{option} is a sequence of names: write {option}=("X-Name",)')
    found = tuple(names)
    if problem := custom_headers_problem(found):
        raise ConfigError(f"{option} {problem}")
    return found


def custom_headers_problem(names: Iterable[object]) -> str:
    """What is wrong with the names of custom headers, as the end of a sentence; empty = nothing."""
    for name in names:
        if not isinstance(name, str) or not TOKEN.fullmatch(name) or name.lower() == "authorization":
            return f"holds {name!r}, which cannot be signed: name custom headers alone"
    return ""


def did_you_mean(word: str, known: Iterable[str], others: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """` (did you mean '…'?)` where one of the known words is close, else nothing.

    `others` are words that people have for a known one: each counts as the first of its words that is known here.
    """
    import difflib  # for errors alone

    names = list(known)
    meant = {_alike(other): next((name for name in words if name in names), "") for other, words in others.items()}
    meant = {other: name for other, name in meant.items() if name} | {_alike(name): name for name in reversed(names)}
    close = difflib.get_close_matches(_alike(word), list(meant))
    return f" (did you mean {meant[close[0]]!r}?)" if close else ""


def _alike(word: str) -> str:
    """Without what differs between spellings of one name."""
    return word.lower().replace("_", "-")
