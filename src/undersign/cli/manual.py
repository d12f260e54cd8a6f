"""The manual page `undersign.1`, made from the commands themselves when a distribution is built.

The macros are those of man(7), which man, mandoc and groff read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click

from .. import __version__

_CODES = (
    ("0", "Yes: it verifies, all holds, the answer is below 400, or what was asked for is printed."),
    ("1", "No: it is refused, one does not hold, or the answer is 400 or above."),
    ("2", "It could not be tried: a wrong option, a file or a secret that is not there, no whole answer."),
    ("130", "Ctrl-C ended it."),
)
_VARIABLES = (
    ("UNDERSIGN_SECRET", "The secret, where no option and no profile says where it is."),
    ("UNDERSIGN_CONFIG", "The file of profiles."),
    ("UNDERSIGN_EXTRA_NAME", "The value of --extra NAME."),
    ("NO_COLOR", "Where it is set and not empty, nothing is coloured."),
)
_FILES = (("~/.config/undersign/config.toml", "The profiles; in XDG_CONFIG_HOME, where that is set."),)


def manual(group: click.Group) -> str:
    """The page of that group, in roff."""
    context = click.Context(group, info_name="undersign", **group.context_settings)
    lines = [
        f'.TH UNDERSIGN 1 "" "undersign {__version__}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        "undersign \\- sign and verify HTTP requests in the schemes that real APIs still ask for",
        ".SH SYNOPSIS",
        ".B undersign",
        '.RI [ OPTIONS ] " COMMAND " [ ARGUMENTS ]',
        ".SH DESCRIPTION",
        *_paragraphs(group.help or ""),
        ".SH COMMANDS",
    ]
    for path, command, within in _commands(group, context):
        lines += _command(path, command, within)
    for title, rows in (("EXIT STATUS", _CODES), ("ENVIRONMENT", _VARIABLES), ("FILES", _FILES)):
        lines += [f".SH {title}", *_definitions(rows)]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None  # noqa: S101  # it is listed
        within = click.Context(command, parent=context, info_name=name)
        yield within.command_path, command, within
        if isinstance(command, click.Group):
            yield from _commands(command, within)


def _command(path: str, command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_escaped(f'{path} {usage}')}"
    yield from _paragraphs(command.help or "")
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    yield from _definitions([record for record in records if record is not None and record[1]])
    if command.epilog:
        yield from _paragraphs(command.epilog, behind=True)


def _definitions(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for term, text in rows:
        lines += [".TP", f"\\fB{_escaped(term)}\\fR", *_text(text)]
    return lines


def _paragraphs(text: str, *, behind: bool = False) -> list[str]:
    """Its paragraphs, `behind` others or right below a heading. One with click's mark keeps its lines."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines += [".PP", *_text(paragraph)]
    return lines if behind else lines[1:]  # a heading begins one


def _text(paragraph: str) -> list[str]:
    if paragraph.lstrip().startswith("\b"):
        kept = paragraph.strip("\b\n ").splitlines()
        return [".nf", *(_line(line) for line in kept), ".fi"]
    return [_line(" ".join(paragraph.split()))]


def _line(text: str) -> str:
    """A line of text; one that begins with a control character of roff is held to be text all the same."""
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _escaped(text: str) -> str:
    """The text with what roff would read otherwise: backslashes, hyphens that are typed as they are, and quotes."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text).replace("^", "\\(ha").replace("~", "\\(ti")
