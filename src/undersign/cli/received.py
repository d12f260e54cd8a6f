"""The request on standard input of `verify` and `diagnose`: raw HTTP, a HAR, or a curl command."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from ..clock import format_date
from ..errors import ConfigError, Reason, Rejected
from ..http import Request
from .from_curl import request_of_curl
from .from_har import request_of_har
from .options import Command
from .origin import origin_of_host
from .output import say

_LIMIT = 128 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_CURL = re.compile(rb"\s*(?:[$%]\s+)?(?:(?:\S*/)?curl|printf|echo|cat)[ \t\\]")
_OTHER_FORMS = (
    (re.compile(rb"\s*\Z"), "standard input is empty: give the request in a file, as in < request.http"),
    (
        re.compile(rb"\xff\xfe|\xfe\xff"),
        "it is UTF-16, as some editors and shells save text: save the bytes as they came",
    ),
    (re.compile(_BOM), "it begins with a byte order mark, which an editor has put there: save it without one"),
    (
        re.compile(rb"\s*[A-Z]+ \S+ HTTP/[23]"),
        "its first line is of HTTP/2, as browsers show it: save a HAR instead, or write HTTP/1.1 there",
    ),
    (re.compile(rb"\s*HTTP/"), "it is an answer: give the request that came before it"),
    (
        re.compile(rb"\s*[><*] "),
        "its lines begin with marks, as curl -v shows them: take those off, and what is no request",
    ),
    (
        re.compile(rb"\s*(?:\$session\b|Invoke-WebRequest\b|(?:await )?fetch\()", re.IGNORECASE),
        'it is a script: let the browser copy it "as cURL (bash)", or save a HAR',
    ),
)

CLOCK_IS_NOW = "the clock is that of this machine, now: if the request came in earlier, say when with --at"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class ReadingCommand(Command):
    """A command that reads a request."""

    instead = "the request comes from standard input, as in < request.http"


class Received(NamedTuple):
    """A request, the time at which it came in (None where nothing tells), and what to tell the user.

    `note` is always told, `hint` where the request has no signature.
    """

    request: Request
    at: float | None = None
    note: str = ""
    hint: str = ""


def input_options(function: _Function) -> _Function:
    """`--input`, `--entry` and `--origin`."""
    for decorator in (
        click.option(
            "--origin", metavar="ORIGIN", help="Where it was sent to.  [default: the URL's, or https:// and Host]"
        ),
        click.option("--entry", metavar="N|URL", help="Which entry of a HAR: its number, or a part of its URL."),
        click.option(
            "--input",
            "kind",
            type=click.Choice(["http", "har", "curl"]),
            help="What is on standard input.  [default: told by its beginning]",
        ),
    ):
        function = decorator(function)
    return function


def standard_input() -> bytes:
    """All of standard input. Raises ConfigError where it is too large to be one request."""
    if sys.stdin and sys.stdin.isatty():
        tell("paste the request, and end it with Ctrl-D; or give a file, as in < request.http")
    content = sys.stdin.buffer.read(_LIMIT + 1) if sys.stdin else b""
    if len(content) > _LIMIT:
        raise ConfigError(f"standard input is over {_LIMIT} bytes, which is too large to look into")
    return content


def received(content: bytes, kind: str | None, entry: str | None, origin: str | None) -> Received:
    """The request that the bytes hold; `origin` (parsed) takes the place of its own.

    Raises Rejected(malformed) for raw HTTP that is not clean, and ConfigError for other input that holds no request.
    """
    kind = kind or _kind(content)
    if entry is not None and kind != "har":
        raise ConfigError("--entry chooses from a HAR, and standard input is none")
    if kind == "har":
        found = _of_har(content, entry)
    elif kind == "curl":
        found = Received(request_of_curl(content.removeprefix(_BOM).decode("utf-8", "surrogateescape")))
    else:
        request = _of_http(content)
        found = Received(_sent_to(request, origin_of_host(request)))
    return found if origin is None else found._replace(request=_sent_to(found.request, origin))


def tell(line: str) -> None:
    """Say it on standard error, where there is something to say, so that standard output stays as it is."""
    if line:
        say(f"undersign: {line}")


def _kind(content: bytes) -> str:
    start = content[:4096].removeprefix(_BOM).lstrip()
    if start.startswith((b"{", b"[")):
        return "har"
    return "curl" if _CURL.match(start) else "http"


def _of_http(content: bytes) -> Request:
    try:
        return Request.from_http(content)
    except Rejected:
        for form, flaw in _OTHER_FORMS:
            if form.match(content):
                raise Rejected(Reason.MALFORMED, flaw) from None
        raise


def _of_har(content: bytes, entry: str | None) -> Received:
    request, answered, started = request_of_har(content.removeprefix(_BOM), entry)
    note = hint = ""
    if answered is not None:
        note = f"the clock is the Date of the answer in the HAR, {format_date(answered)}: --at sets another"
    elif started is not None:
        note = (
            f"the clock is the client's own when it sent the request, {format_date(started)}, so that one which is off "
            "does not show: give the server's with --at"
        )
    if not request.values("authorization"):
        hint = (
            "the HAR holds no Authorization, which browsers leave out unless they are told to export sensitive data: "
            "whether the client sent it is not known"
        )
    return Received(request, answered if answered is not None else started, note, hint)


def _sent_to(request: Request, origin: str) -> Request:
    return Request(request.method, request.target, request.headers, request.body, origin)
