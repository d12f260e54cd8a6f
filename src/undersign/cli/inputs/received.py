"""The request that `verify`, `diagnose` and `explain` are given: raw HTTP, a HAR, or a curl command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from ...core.credentials import parse_origin
from ...core.message import Request
from ...errors import ConfigError, Rejected
from ...scheme import Scheme
from ..options import Command
from ..output import say
from .content import read_content, text_of_utf_16
from .curl import request_of_curl
from .har import request_of_har
from .raw import refuse_unclean, request_of_http

_BOM = b"\xef\xbb\xbf"
_URL = re.compile(r"https?:/", re.IGNORECASE)  # a path has lost the second slash
_CURL = re.compile(
    rb"""(?:\s*\#[^\n]*\n)*\s*(?:[$%>]\s+|PS\ [^>\n]*>\s*|[A-Za-z]:\\[^>\n]*>\s*)?
    (?:[^\s"']*[/\\])?(?:[Cc][Uu][Rr][Ll](?:\.[Ee][Xx][Ee])?|printf|echo|cat)(?:[\s\\^`]|\xc2\xa0)""",
    re.VERBOSE,
)

CLOCK_IS_NOW = "the clock is that of this machine, now: if the request came in earlier, say when with --at"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class ReadingCommand(Command):
    """A command that reads a request."""

    instead = "the request comes from one file, or from standard input"


class Received(NamedTuple):
    """A request, the time at which it came in (None where nothing tells), and what to tell the user.

    `notes` are always told, `clock` where its time is used, `hint` where the request has no signature.
    """

    request: Request
    at: float | None = None
    notes: tuple[str, ...] = ()
    clock: str = ""
    hint: str = ""


def input_options(function: _Function) -> _Function:
    """`FILE`, `--input`, `--entry` and `--origin`."""
    for decorator in (
        click.option(
            "--origin", metavar="ORIGIN", help="Where it was sent to.  [default: the URL's, or https:// and Host]"
        ),
        click.option("--entry", metavar="N|URL", help="Which entry of a HAR: its number, or a part of its URL."),
        click.option(
            "--input",
            "kind",
            type=click.Choice(["http", "har", "curl"]),
            help="What the request is given as.  [default: told by its beginning]",
        ),
        click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True)),
    ):
        function = decorator(function)
    return function


def received(
    file: Path | None, kind: str | None, entry: str | None, origin: str | None, schemes: Sequence[Scheme]
) -> Received:
    """The request of a file, or of standard input; `origin` (parsed) takes the place of its own.

    Raises ConfigError for what is no request, or for one that can be read in more than one way, or lacks what a scheme
    of these needs of it; Rejected(malformed) for what is not clean HTTP; OSError for a file that cannot be read.
    """
    if file is not None and _URL.match(str(file)) and not file.exists():
        raise ConfigError(
            f"{file} is no file: save the request in one; for METHOD and URL there is undersign sign --explain"
        )
    content, name = read_content(file)
    content, notes = _as_bytes(content, name)
    kind = kind or _kind(content)
    if entry is not None and kind != "har":
        raise ConfigError(f"--entry chooses from a HAR, and {name} is none")
    if kind == "har":
        found = _of_har(content.removeprefix(_BOM), entry, schemes)
        refuse_unclean(found.request)
    elif kind == "curl":
        command = request_of_curl(content.removeprefix(_BOM).decode("utf-8", "surrogateescape"))
        found = Received(command.request, notes=command.notes)
        refuse_unclean(found.request)
    else:
        raw = request_of_http(content, name)
        found = Received(_sent_to(raw.request, _origin_of_host(raw.request)), notes=raw.notes)
    request = found.request if origin is None else _sent_to(found.request, origin)
    return found._replace(request=request, notes=notes + found.notes)


def tell(*lines: str) -> None:
    """Say them on standard error, where there is something to say, so that standard output stays as it is."""
    for line in filter(None, lines):
        say(f"undersign: {line}")


def _as_bytes(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The content, in UTF-8 where a shell or an editor has saved text as UTF-16."""
    try:
        text = text_of_utf_16(content)
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is neither a request nor text in UTF-16, as its first bytes say") from None
    if text is None:
        return content, ()
    note = f"{name} is UTF-16, as some editors and shells save text"
    if _kind(text.encode()) == "http" and not text.isascii():
        # Which bytes they were depends on who has taken them for text.
        note += ": what of it is not ASCII is read as UTF-8, so save the bytes as they came where they were not"
    return text.encode(), (note,)


def _kind(content: bytes) -> str:
    start = content[:4096].removeprefix(_BOM)
    if start.lstrip().startswith((b"{", b"[")):
        return "har"
    return "curl" if _CURL.match(start) else "http"


def _of_har(content: bytes, entry: str | None, schemes: Sequence[Scheme]) -> Received:
    found = request_of_har(content, entry, lambda head: any(claims(scheme, head) for scheme in schemes))
    head, body, clock = found.head, found.body, found.clock
    notes = (found.note, body.note)
    if body.lacking:
        if _needs_body(schemes, head):
            raise ConfigError(body.lacking)
        notes = (
            found.note,
            f"the signature does not depend on the body, which is not known: {body.lacking.rpartition(':')[0]}",
        )
    hint = ""
    if not head.values("authorization"):
        hint = (
            "the HAR holds no Authorization, which browsers leave out unless they are told to export sensitive data: "
            "whether the client sent it is not known"
        )
    request = head.with_body(body.content)
    if clock is None:
        return Received(request, notes=tuple(filter(None, notes)), hint=hint)
    return Received(request, clock.at, tuple(filter(None, notes)), clock.note, hint)


def _needs_body(schemes: Sequence[Scheme], head: Request) -> bool:
    """Whether the body matters: to a scheme that claims the head, or to one that may be in its form."""
    needs = [(scheme, scheme.body_need(head)) for scheme in schemes]
    return any(need.raw or (bool(need) and claims(scheme, head)) for scheme, need in needs)


def claims(scheme: Scheme, head: Request) -> bool:
    """Whether the request is of this scheme, in form or not."""
    try:
        return scheme.read(head) is not None
    except Rejected:
        return True


def _origin_of_host(request: Request) -> str:
    """`https://` and the Host header; nothing where that is none, and a scheme that cares refuses it then."""
    hosts = request.values("host")
    try:
        return parse_origin(f"https://{hosts[0]}") if len(hosts) == 1 else ""
    except ConfigError:
        return ""


def _sent_to(request: Request, origin: str) -> Request:
    return Request(request.method, request.target, request.headers, request.body, origin)
