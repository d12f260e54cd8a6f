"""A command as cmd of Windows and then the C runtime take it apart, which is how browsers copy "as cURL (cmd)".

Source: how cmd parses a line (variables first, then ^ and quotes), and the C runtime's rules for arguments
(learn.microsoft.com: "Parsing C command-line arguments"). Chrome and Firefox have written such copies in two forms: all
in ^"…^" with a ^ before what is special, and formerly in "…" with quotes doubled.
"""

from __future__ import annotations

import re

from ..errors import ConfigError

_CARETS = re.compile(r'[ \t]\^[ \t]*\r?\n|\bcurl(?:\.exe)?"?[ \t]+(?:-[\w-]+[ \t]+)*\^"', re.IGNORECASE)
# Quotes doubled inside of quotes: bash would leave both out, and nobody writes that.
_DOUBLED = re.compile(r'[^"\s\\]""[^"\s]')
_BASH = re.compile(r"(?:^|\s)\$?'|\\\r?\n|\\\"")
# A ^ and a space: browsers put that in place of what is not ASCII, and a line end that was lost leaves it.
_ESCAPED_SPACE = "\0"
_VARIABLE = re.compile(r"%[A-Za-z_][A-Za-z0-9_()]*%")


def is_for_cmd(text: str) -> bool:
    """Whether the command is written for cmd of Windows, and not for a shell of Unix."""
    if _CARETS.search(text):
        return True
    return bool(_DOUBLED.search(text)) and not _BASH.search(text)


def cmd_words(text: str, notes: list[str]) -> list[str]:
    """The arguments of the one command in the text, its name included. `notes` gets what there is to know.

    Raises ConfigError for variables, for a second command, a pipe or a redirection, and for a quote that does not end.
    """
    if _VARIABLE.search(text):
        raise ConfigError("the command holds a variable of cmd (%…%): write out what it stands for")
    if "\0" in text:
        raise ConfigError("the command holds a NUL, which no argument can")
    words = _arguments(_line(text.replace("\r\n", "\n").strip()))
    notes.append("the command is read as cmd of Windows does")
    if not text.isascii():
        notes.append("what is outside ASCII is taken for UTF-8, and curl on Windows may send another code page")
    if any("\\\\" in word for word in words):
        notes.append(
            "curl on Windows sends the backslashes as they are, and a browser has written each of its own twice"
        )
    if any("\n" in word for word in words):
        notes.append("line ends within it are LF, and browsers write those that they send as CR LF so, too")
    return words


def _line(text: str) -> str:
    """What cmd hands to the program: ^ escapes the next character, and a line end behind it goes away."""
    pieces: list[str] = []
    quoted = False
    place = 0
    while place < len(text):
        character = text[place]
        if character == "\n":
            if text[place:].strip():
                raise ConfigError("there is another command behind curl, or a ^ is missing at the end of a line")
            break
        if character == '"':
            quoted = not quoted
        elif character == "^" and not quoted:
            place += 1
            if text.startswith("\n", place):
                place += 1  # and what follows is taken as it is, another line end too
            pieces.append(_ESCAPED_SPACE if text[place : place + 1] == " " else text[place : place + 1])
            place += 1
            continue
        elif character == "^" and text[place + 1 : place + 2] in tuple('&|<>^%"\\{}[]!@#$'):
            raise ConfigError(
                'the command has a ^ inside of "…", where cmd keeps it: let the browser copy it "as cURL (bash)"'
            )
        elif character in "&|<>" and not quoted:
            raise ConfigError(f"the command holds a bare {character}, where cmd ends it: copy it anew from the browser")
        pieces.append(character)
        place += 1
    return "".join(pieces)


def _arguments(line: str) -> list[str]:
    found: list[str] = []
    word: list[str] | None = None
    quoted = False
    for match in re.finditer(r'(\\*)"|\\+|[ \t\0]+|[^\\" \t\0]+', line):
        piece, backslashes = match[0], match[1]
        if quoted and _ESCAPED_SPACE in piece:
            raise ConfigError(
                "the copy has ^ and a space where the browser has taken out a character that is not ASCII, or a line "
                'end: let it copy "as cURL (bash)"'
            )
        if backslashes is not None:
            word = [] if word is None else word
            word.append("\\" * (len(backslashes) // 2))
            if len(backslashes) % 2:
                word.append('"')
            elif quoted and line.startswith('"', match.end()):
                word.append('"')  # the second one is seen as the opening of a quote that goes on
                quoted = False
            else:
                quoted = not quoted
        elif piece[0] in " \t\0" and not quoted:
            if word is not None:
                found.append("".join(word))
            word = None
        else:
            word = [piece] if word is None else [*word, piece]
    if quoted:
        raise ConfigError('the command has a " that does not end: copy all of it')
    if word is not None:
        found.append("".join(word))
    return found
