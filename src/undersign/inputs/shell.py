"""A command line as a POSIX shell or bash takes it apart, as far as it does so without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import ConfigError

_OPERATOR = re.compile(r"&&|\|\||[;&|]|\r?\n")
_GOES_ON = re.compile(r"\\\r?\n")
# What stands for a space where text was copied from a page or a word processor, and is none to a shell.
_SPACES = frozenset(
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u3000\ufeff"
)
_BEHIND_A_SPACE = re.compile(r"[\s'\"\\;&|<>#-]|\$'|https?:|\Z", re.IGNORECASE)
_TYPOGRAPHIC = frozenset("\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2212")
_BARE_END = frozenset(" \t\n;&|<>()'\"\\$`") | _SPACES
OTHER_SPACES = "a no-break space, or another that is none to a shell, is read as a space"
_REDIRECTION = re.compile(r"&>>?|[0-9]*(?:<<<|<<-?|>>|>&|<&|>\||<>|[<>])")
_EXPANSION = re.compile(r"\$[A-Za-z_{(0-9@*#?!$-]|`")
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
_ANSI = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL)
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_NAMED = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NAMED.update({character: character for character in "\\'\"?"})


@dataclass(repr=False)
class Command:
    """The words of one command, the file on its standard input, and the operator behind it ("" at the end).

    Words are text in which a byte that is not UTF-8 is a surrogate, as Python has them in arguments.
    """

    words: list[str] = field(default_factory=list)
    stdin: str = ""
    operator: str = ""


def commands(text: str, notes: list[str] | None = None) -> list[Command]:
    """The commands of a line, or of several; `notes` gets a sentence where they are no shell's as they are written.

    Raises ConfigError for what only a running shell knows (variables, substitutions), for here-documents, and for a
    quote that does not end. Globs and braces stay as they are.
    """
    found = [Command()]
    for kind, value in _tokens(text, notes if notes is not None else []):
        command = found[-1]
        if kind == "word":
            command.words.append(value)
        elif kind == "stdin":
            command.stdin = value
        elif command.words:
            command.operator = value
            found.append(Command())
    return [command for command in found if command.words]


def as_bytes(word: str) -> bytes:
    """The bytes of a word. Raises ConfigError for half of a character, which no program can be given."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ConfigError("the command holds half of a character (\\ud800 to \\udfff): write it whole") from None


def _tokens(text: str, notes: list[str]) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        if match := _GOES_ON.match(text, place):
            place = match.end()
        elif text[place] in _SPACES:
            if OTHER_SPACES not in notes:
                notes.append(OTHER_SPACES)
            place += 1
        elif text[place] in " \t":
            place += 1
        elif text[place] == "#":
            place = _end_of_line(text, place)
        elif match := _REDIRECTION.match(text, place):
            place = match.end()
            if match[0].lstrip("0123456789").startswith("<<"):
                raise ConfigError("the command has a here-document: put the body into a file, and its name after @")
            while text[place : place + 1] in (" ", "\t"):
                place += 1
            word, place = _word(text, place)
            if match[0] == "<":
                yield "stdin", word
        elif match := _OPERATOR.match(text, place):
            yield "operator", match[0]
            place = match.end()
        elif text[place] in "()":
            raise ConfigError("the command has a bare parenthesis: quote what holds it")
        else:
            word, place = _word(text, place)
            yield "word", word


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end


def _word(text: str, place: int) -> tuple[str, int]:
    """The word that begins at this place, and the place behind it."""
    pieces: list[str] = []
    if text[place : place + 1] in _TYPOGRAPHIC:
        raise ConfigError(
            f"the command holds {text[place]}, as word processors write quotes and dashes: write the plain ones"
        )
    while place < len(text) and text[place] not in " \t\n;&|<>()" and not text.startswith("\r\n", place):
        if text[place] in _SPACES:
            if "".join(pieces) in ("curl", "curl.exe") or _BEHIND_A_SPACE.match(text, place + 1):
                break
            if text[place + 1] in _SPACES:
                break
            raise ConfigError("the command holds a no-break space within a word: write a space there, or quote it")
        if text[place] == "'":
            end = _closing(text, place + 1, "'")
            pieces.append(text[place + 1 : end])
            place = end + 1
        elif text.startswith("$'", place):
            piece, place = _ansi(text, place + 2)
            pieces.append(piece)
        elif text[place] == '"' or text.startswith('$"', place):
            piece, place = _double(text, text.index('"', place) + 1)
            pieces.append(piece)
        elif text[place] == "\\":
            if match := _GOES_ON.match(text, place):
                place = match.end()
            else:
                pieces.append(text[place + 1 : place + 2])
                place += 2
        else:
            _refuse_expansion(text, place)
            start = place
            place += 1
            while place < len(text) and text[place] not in _BARE_END and not text.startswith("\r\n", place):
                place += 1
            pieces.append(text[start:place])
    word = "".join(pieces)
    if "\0" in word:
        raise ConfigError(
            "the command holds a NUL, which no argument can: put the body into a file, and its name after @"
        )
    return word, place


def _closing(text: str, place: int, quote: str) -> int:
    end = text.find(quote, place)
    if end < 0:
        raise ConfigError(f"the command has a {quote} that does not end: copy all of it")
    return end


def _double(text: str, place: int) -> tuple[str, int]:
    pieces: list[str] = []
    while True:
        if place >= len(text):
            _closing(text, place, '"')
        character = text[place]
        if character == '"':
            return "".join(pieces), place + 1
        following = text[place + 1 : place + 2]
        if character == "\\" and following and following in '$`"\\\n':
            pieces.append(following.replace("\n", ""))
            place += 2
            continue
        _refuse_expansion(text, place)
        pieces.append(character)
        place += 1


def _refuse_expansion(text: str, place: int) -> None:
    if _EXPANSION.match(text, place):
        raise ConfigError(
            "the command holds a shell variable or substitution ($… or `…`): write out what it stands for"
        )


def _ansi(text: str, place: int) -> tuple[str, int]:
    r"""What is quoted as $'…', with bash's escapes: \n, \xhh, \uhhhh, …"""
    match = _ANSI.match(text, place)
    end = match.end() if match else len(text)
    _closing(text, end, "'")
    found = _ESCAPE.sub(_unescaped, text[place:end])
    # Browsers write a character beyond U+FFFF as the two halves that JavaScript has of it.
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), found), end + 1


def _unescaped(match: re.Match[str]) -> str:
    octal, two, four, eight, control, other = match.groups()
    if octal or two:
        byte = int(octal, 8) & 0xFF if octal else int(two, 16)
        return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)
    if four or eight:
        code = int(four or eight, 16)
        return chr(code) if code < 0x110000 else match[0]
    if control:
        return chr(ord(control.upper()) & 0x1F)
    return _NAMED.get(other, match[0])
