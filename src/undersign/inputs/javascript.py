"""The values that a piece of JavaScript writes out, read without running it.

Literals, and the few calls that make a body or headers of literals: `JSON.stringify`, `new URLSearchParams`, `new
Headers`. What only a running script knows (variables from elsewhere, functions, templates with values) is refused by
name.

Source: ECMA-262, sections 12.9 (literals) and 25.5.2 (JSON.stringify); url.spec.whatwg.org (URLSearchParams).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from ..errors import ConfigError

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_DOTTED = re.compile(r"(?:new\s+)?[A-Za-z_$][\w$.]*")
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?)(?![\w.])")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r\n|.))", re.DOTALL)
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_WORDS = {"true": True, "false": False, "null": None}
_DEEPEST = 64
_LARGEST = 2**53

UNDEFINED: Any = object()


class Pairs(list[tuple[str, str]]):
    """Headers or parameters, which may have a name more than once."""


class Parameters(Pairs):
    """What `new URLSearchParams` holds."""

    def __str__(self) -> str:
        return "&".join(f"{_form(name)}={_form(value)}" for name, value in self)


class Script:
    """A place in the text of a script, and the variables that it has written out so far."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.known = text, 0, dict[str, Any]()
        self._depth = 0

    def skip(self) -> None:
        """Go past white space and comments."""
        match = _SPACE.match(self.text, self.place)
        assert match is not None  # noqa: S101  # it may be empty
        self.place = match.end()

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """Go past what the pattern matches here, behind white space, and return it."""
        self.skip()
        match = re.compile(pattern).match(self.text, self.place)
        if match is not None:
            self.place = match.end()
        return match

    def expect(self, mark: str) -> None:
        if self.take(re.escape(mark)) is None:
            raise ConfigError(f"the script lacks a {mark} {self.where()}: copy all of it")

    def where(self) -> str:
        """The place in words, for a message."""
        return f"in line {self.text.count(chr(10), 0, self.place) + 1}"

    def value(self) -> Any:
        """The value that stands here, texts that are added to each other included."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConfigError("the script is nested too deeply to be a request")
        found = self._single()
        while self.take(r"\+(?!\+)"):
            more = self._single()
            if not isinstance(found, str) and not isinstance(more, str):
                raise ConfigError(f"the script adds what is not text {self.where()}: write out what it comes to")
            found = as_text(found) + as_text(more)
        self._depth -= 1
        return found

    def arguments(self) -> list[Any]:
        """What stands in the parentheses that begin here."""
        self.expect("(")
        return self._items(")", self.value)

    def _single(self) -> Any:
        self.skip()
        first = self.text[self.place : self.place + 1]
        if first in ("'", '"', "`") and first:
            return self._text(first)
        if self.take(r"\{"):
            return self._object()
        if self.take(r"\["):
            return self._items("]", self.value)
        if self.take(r"\("):
            found = self.value()
            self.expect(")")
            return found
        if match := self.take(_NUMBER):
            return _number(match[0])
        if match := self.take(_DOTTED):
            return self._named(" ".join(match[0].split()))
        raise ConfigError(f"the script has no value that can be read {self.where()}: write it out")

    def _named(self, name: str) -> Any:
        if name in _WORDS:
            return _WORDS[name]
        if name == "undefined":
            return UNDEFINED
        if name in self.known:
            return self.known[name]
        self.skip()
        if self.text.startswith("(", self.place):
            if name not in _CALLS:
                raise ConfigError(f"the script calls {_shown(name)} {self.where()}: write out what it returns")
            return _CALLS[name](self.arguments())
        raise ConfigError(f"the script has a variable, {_shown(name)}, {self.where()}: write out what it stands for")

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def field() -> None:
            self.skip()
            first = self.text[self.place : self.place + 1]
            if self.text.startswith("...", self.place):
                raise ConfigError(f"the script spreads another object {self.where()}: write out its fields")
            if first in ("'", '"') and first:
                name = self._text(first)
            elif match := self.take(_NUMBER) or self.take(_NAME):
                name = match[0]
            else:
                raise ConfigError(f"the script has a field whose name cannot be read {self.where()}: write it out")
            if self.take(":"):
                found[name] = self.value()
            elif name in self.known:
                found[name] = self.known[name]
            else:
                raise ConfigError(
                    f"the script has a variable, {_shown(name)}, {self.where()}: write out what it stands for"
                )

        self._items("}", field)
        return found

    def _items(self, end: str, item: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while not self.take(re.escape(end)):
            found.append(item())
            if not self.take(","):
                self.expect(end)
                break
        return found

    def _text(self, quote: str) -> str:
        end = self.place + 1
        while self.text[end : end + 1] not in (quote, ""):
            if quote != "`" and self.text[end] == "\n":
                break
            if quote == "`" and self.text.startswith("${", end):
                raise ConfigError(f"the script puts a value into a template {self.where()}: write out what it is")
            end += 2 if self.text[end] == "\\" else 1
        if self.text[end : end + 1] != quote:
            raise ConfigError(f"the script has a {quote} that does not end {self.where()}: copy all of it")
        found = _ESCAPE.sub(_unescaped, self.text[self.place + 1 : end].replace("\r\n", "\n"))
        self.place = end + 1
        found = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), found)
        if _SURROGATE.search(found):
            raise ConfigError(
                f"the script holds half of a character (\\ud800 to \\udfff) {self.where()}: write it whole"
            )
        return found


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else match[0]
    return _ESCAPED.get(match[4], match[4])


def _number(text: str) -> int | float:
    if "x" in text.lower():
        found: int | float = int(text, 16)
    else:
        found = float(text) if "." in text else int(text)
    if abs(found) >= _LARGEST or "e" in repr(found):
        raise ConfigError(f"the number {_shown(text)} is not kept as it is written by JavaScript: write it as text")
    return int(found) if found == int(found) else found


def _stringify(arguments: list[Any]) -> Any:
    if not arguments or len(arguments) > 3 or (len(arguments) > 1 and arguments[1] is not None):
        raise ConfigError("the script gives JSON.stringify a filter: write out the JSON")
    indent = arguments[2] if len(arguments) == 3 else None
    if indent is not None and (not isinstance(indent, (int, str)) or indent not in ("\t", *range(11))):
        raise ConfigError("the script gives JSON.stringify an indent that is not known: write out the JSON")
    indent = indent or None  # 0 is none, which Python takes for line ends alone
    return json.dumps(_as_json(arguments[0]), ensure_ascii=False, indent=indent, separators=_separators(indent))


def _separators(indent: int | str | None) -> tuple[str, str]:
    return (",", ": ") if indent else (",", ":")


def _as_json(value: Any) -> Any:
    if isinstance(value, (Pairs, bytes)):
        return {}
    if isinstance(value, list):
        return [None if item is UNDEFINED else _as_json(item) for item in value]
    if isinstance(value, dict):
        # Names that are numbers come first, as JavaScript orders them.
        numbers = sorted((name for name in value if re.fullmatch("0|[1-9][0-9]{0,8}", name)), key=int)
        names = [*numbers, *(name for name in value if name not in numbers)]
        return {name: _as_json(value[name]) for name in names if value[name] is not UNDEFINED}
    if value is UNDEFINED:
        raise ConfigError("the script makes JSON of undefined, which is none")
    return value


def as_text(value: Any) -> str:
    """A value where JavaScript wants text."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (str, int, float, Parameters)):
        return str(value)
    raise ConfigError("the script has an object where text has to be: write out the text")


def as_pairs(value: Any) -> Pairs:
    """Names and values of an object, a list of pairs, Headers or URLSearchParams."""
    if isinstance(value, Pairs):
        return Pairs(value)
    if isinstance(value, dict):
        return Pairs((name, as_text(item)) for name, item in value.items())
    if isinstance(value, list) and all(isinstance(item, list) and len(item) == 2 for item in value):
        return Pairs((as_text(name), as_text(item)) for name, item in value)
    raise ConfigError("the script gives headers or parameters in a form that cannot be read: write them as an object")


def _headers(arguments: list[Any]) -> Pairs:
    return as_pairs(arguments[0]) if arguments and arguments[0] is not UNDEFINED else Pairs()


def _parameters(arguments: list[Any]) -> Parameters:
    if arguments and isinstance(arguments[0], str):
        return Parameters(parse_qsl(arguments[0].removeprefix("?"), keep_blank_values=True, errors="replace"))
    return Parameters(_headers(arguments))


def _form(text: str) -> str:
    # What a urlencoded form of browsers leaves as it is: letters, digits and *-._
    return quote_plus(text, safe="*").replace("~", "%7E")


def _shown(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


_CALLS: dict[str, Callable[[list[Any]], Any]] = {
    "JSON.stringify": _stringify,
    "new Headers": _headers,
    "new URLSearchParams": _parameters,
}
