"""What a request is given as, told by how it begins, and read.

For the command line and the page, which take the same texts. Where a text is of no known form it is read as raw HTTP,
whose reader says what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..core.credentials import parse_origin
from ..core.message import Request
from ..diagnosing.drafted import sample
from ..errors import CannotSign, ConfigError, Rejected
from ..parts.scheme import SchemeOfParts
from ..scheme import Scheme
from .curl import request_of_curl
from .curl_options import read_file
from .fetch import request_of_fetch
from .found import Found
from .har import request_of_har
from .powershell import request_of_powershell
from .raw import refuse_unclean, request_of_http

KINDS = ("http", "har", "curl", "fetch", "powershell", "url")

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CURL = re.compile(
    rb"""(?:\s*\#[^\n]*\n)*\s*(?:[$%>]\s+|PS\ [^>\n]*>\s*|[A-Za-z]:\\[^>\n]*>\s*)?
    (?:[^\s"']*[/\\])?(?:[Cc][Uu][Rr][Ll](?:\.[Ee][Xx][Ee])?|printf|echo|cat)(?:[\s\\^`]|\xc2\xa0)""",
    re.VERBOSE,
)
_POWERSHELL = re.compile(
    rb"(?im)\A(?:\s*#[^\n]*\n)*\s*(?:PS [^>\n]*>\s*)?"
    rb"(?:\$[\w{]|\[(?:System\.)?Net\.|(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b"
    rb"|(?:curl|wget)(?:\.exe)?\s+(?:\S+\s+)?-(?:Uri|Method|Headers|Body|UseBasicParsing|WebSession)\b)"
)
_POWERSHELL_PROMPT = re.compile(r"(?:\s*#[^\n]*\n)*\s*PS [^>\n]*>\s*")
_FETCH = re.compile(rb"\bfetch\s*\(")
_SCRIPT = re.compile(
    rb"""\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*
    (?:(?:(?:await|return|void)\s+)*(?:(?:window|self|globalThis)\s*\.\s*)?fetch\s*\(
    |(?:const|let|var|import|export)\b|['"]use\ strict)""",
    re.VERBOSE | re.DOTALL,
)
_URL = re.compile(rb"\s*(?:([A-Z]{3,10})\s+)?((?i:https?://)[^\s]+)\s*")

NO_AUTHORIZATION = (
    "the HAR holds no Authorization, which browsers leave out unless they are told to export sensitive data: "
    "whether the client sent it is not known"
)


class Received(NamedTuple):
    """A request, the time at which it came in (None where nothing tells), and what to tell the user.

    `kind` is what it was given as, one of KINDS. `notes` are always told, `clock` where its time is used, `hint` where
    the request has no signature.
    """

    request: Request
    kind: str
    at: float | None = None
    notes: tuple[str, ...] = ()
    clock: str = ""
    hint: str = ""


def request_of(
    content: bytes,
    name: str,
    schemes: Sequence[Scheme],
    *,
    kind: str | None = None,
    entry: str | None = None,
    origin: str | None = None,
    files: Callable[[str], bytes] = read_file,
) -> Received:
    """The request that the content is. `name` is how to call it in a sentence.

    `kind` is told by how it begins, unless it is given. `entry` chooses from a HAR, `origin` (parsed) takes the place
    of the request's own, and `files` reads what a curl command names with @.

    Raises ConfigError for what is no request, or for one that can be read in more than one way, or lacks what a scheme
    of these needs of it; Rejected(malformed) for what is not clean HTTP; OSError for a file that cannot be read.
    """
    content, notes = _as_bytes(content, name)
    kind = kind or kind_of(content)
    if entry is not None and kind != "har":
        raise ConfigError(f"--entry chooses from a HAR, and {name} is none")
    if kind == "har":
        found = _of_har(content.removeprefix(_BOM), entry, schemes)
    elif kind == "http":
        raw = request_of_http(content, name)
        found = Received(_sent_to(raw.request, _origin_of_host(raw.request)), kind, notes=raw.notes)
    else:
        text = content.removeprefix(_BOM).decode("utf-8", "surrogateescape")
        if kind == "curl":
            read = request_of_curl(text, files)
        elif kind == "fetch":
            read = request_of_fetch(_whole(text))
        elif kind == "powershell":
            read = request_of_powershell(_POWERSHELL_PROMPT.sub("", _whole(text), count=1))
        else:
            read = _of_url(content.removeprefix(_BOM))
        found = Received(read.request, kind, notes=read.notes)
    if kind != "http":
        refuse_unclean(found.request)
    request = found.request if origin is None else _sent_to(found.request, origin)
    return found._replace(request=request, notes=notes + found.notes)


def kind_of(content: bytes) -> str:
    """Which of KINDS the content is, as far as its beginning tells."""
    start = content[:65536].removeprefix(_BOM)
    if _POWERSHELL.match(start):
        return "powershell"
    if _SCRIPT.match(start) and _FETCH.search(start):
        return "fetch"
    if start.lstrip().startswith((b"{", b"[")):
        return "har"
    if _URL.fullmatch(start):
        return "url"
    return "curl" if _CURL.match(start) else "http"


def claims(scheme: Scheme, head: Request) -> bool:
    """Whether the request is of this scheme, in form or not."""
    try:
        return scheme.read(head) is not None
    except Rejected:
        return True


def _of_url(content: bytes) -> Found:
    match = _URL.fullmatch(content)
    if match is None:
        raise ConfigError("this is no URL alone: write https://host/path, with the method in front if it is not GET")
    method = (match[1] or b"GET").decode("ascii").upper()
    try:
        request = Request.from_url(method, _whole(match[2].decode("utf-8", "surrogateescape")))
    except CannotSign as error:
        raise ConfigError(str(error)) from None
    host = ("Host", request.origin.partition("://")[2])
    notes = () if match[1] else ("a URL alone is read as a GET",)
    return Found(Request(method, request.target, (host,), b"", request.origin), notes)


def _whole(text: str) -> str:
    """Text that is UTF-8. Raises ConfigError where it is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("the text is not UTF-8: save it so") from None
    return text


def _as_bytes(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The content, in UTF-8 where a shell or an editor has saved text as UTF-16."""
    try:
        text = text_of_utf_16(content)
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is neither a request nor text in UTF-16, as its first bytes say") from None
    if text is None:
        return content, ()
    note = f"{name} is UTF-16, as some editors and shells save text"
    if kind_of(text.encode()) == "http" and not text.isascii():
        # Which bytes they were depends on who has taken them for text.
        note += ": what of it is not ASCII is read as UTF-8, so save the bytes as they came where they were not"
    return text.encode(), (note,)


def text_of_utf_16(content: bytes) -> str | None:
    """The text, where it is UTF-16, with its mark or without; None where it is not. Raises UnicodeDecodeError."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16")
    # Without its mark: every other byte of what begins such a text is zero.
    start = content[:40]
    if len(start) < 4 or len(content) % 2:
        return None
    for encoding, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if not any(zeros) and all(others):
            return content.decode(encoding)
    return None


def _of_har(content: bytes, entry: str | None, schemes: Sequence[Scheme]) -> Received:
    names = " or ".join(scheme.name for scheme in schemes)
    found = request_of_har(content, entry, lambda one: any(claims(scheme, one) for scheme in schemes), names)
    head, body, clock = found.head, found.body, found.clock
    notes: tuple[str, ...] = (found.note, body.note)
    if body.lacking:
        if _needs_body(schemes, head):
            raise ConfigError(body.lacking)
        notes = (
            found.note,
            f"the signature does not depend on the body, which is not known: {body.lacking.rpartition(':')[0]}",
        )
    is_left_out = not head.values("authorization") and any(_sends_authorization(scheme, head) for scheme in schemes)
    hint = NO_AUTHORIZATION if is_left_out else ""
    request = head.with_body(body.content)
    notes = tuple(filter(None, notes))
    if clock is None:
        return Received(request, "har", notes=notes, hint=hint)
    return Received(request, "har", clock.at, notes, clock.note, hint)


def _sends_authorization(scheme: Scheme, head: Request) -> bool:
    if isinstance(scheme, SchemeOfParts):
        return any(header.folded == "authorization" for header in scheme.program.carriers.headers)
    patch = sample(scheme, head, 0.0)
    return patch is None or any(name.lower() == "authorization" for name, _ in patch.headers)


def _needs_body(schemes: Sequence[Scheme], head: Request) -> bool:
    """Whether the body matters: to a scheme that claims the head, or to one that may be in its form."""
    needs = [(scheme, scheme.body_need(head)) for scheme in schemes]
    return any(need.raw or (bool(need) and claims(scheme, head)) for scheme, need in needs)


def _origin_of_host(request: Request) -> str:
    """`https://` and the Host header; nothing where that is none, and a scheme that cares refuses it then."""
    hosts = request.values("host")
    try:
        return parse_origin(f"https://{hosts[0]}") if len(hosts) == 1 else ""
    except ConfigError:
        return ""


def _sent_to(request: Request, origin: str) -> Request:
    return Request(request.method, request.target, request.headers, request.body, origin)
