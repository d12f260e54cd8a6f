"""A raw request from a file, which editors and copying may have spoilt.

`Request.from_http` takes one clean message and nothing else, as a server has to. A file for `verify` and `diagnose` is
taken where it can be read in one way only, and what was mended is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.grammar import LENGTH
from ..core.message import Request
from ..errors import ConfigError, Reason, Rejected
from .found import Found

HEAD_IN_LF = "the lines of the head end in LF alone, as editors save them, and are read as ended by CR LF"

_BOM = b"\xef\xbb\xbf"
_FIRST_LINE = re.compile(rb"[^\r\n]*[ \t]HTTP/[0-9]")
_NEWER = re.compile(rb"([!-~]+ (?:https?://([^/?# ]+))?[!-~]* HTTP/)[23](?:\.0)?(\r?\n)")
_HOST = re.compile(rb"^host:", re.IGNORECASE | re.MULTILINE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_FRAMED = re.compile(rb"^(?:content-length:[ \t]*[^0 \t\r\n]|transfer-encoding:)", re.IGNORECASE | re.MULTILINE)
_LAST_LINE = re.compile(rb"\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*\r?\n?\Z")
_NEWLINES = re.compile(rb"[\r\n]+")
_LENGTH = re.compile(rb"content-length:[ \t]*(%b)[ \t]*" % LENGTH.pattern.encode(), re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})\n")
_SECOND_REQUEST = re.compile(rb"\s*[A-Z]+ \S+ HTTP/[0-9]")
_OTHER_FORMS = (
    (re.compile(rb"%PDF-"), "it is a PDF: give the request itself, as text"),
    (re.compile(rb"PK\x03\x04"), "it is a ZIP archive: take the request out of it"),
    (re.compile(rb"\x1f\x8b"), "it is compressed by gzip: decompress it first"),
    (
        re.compile(rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x0a\x0d\x0d\x0a"),
        "it is a capture of packets: let Wireshark follow the HTTP stream, and save that as raw",
    ),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8"), "it is a picture: give the request itself, as text"),
    (re.compile(rb"\s*<"), "it is HTML or XML: give the request itself, with its first line and headers"),
    (
        re.compile(rb"\s*(?:[$%>]\s+)?(?:wget|https?|xh)\s", re.IGNORECASE),
        "it is a command of another client: give the request that it sends, or a curl command",
    ),
    (
        re.compile(rb"\s*(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+[ \t]*\r?\n", re.IGNORECASE),
        "its first line has no version: end that in HTTP/1.1",
    ),
    (
        re.compile(
            rb"\s*(?:Host|Date|Authorization|Content-Type|Accept|User-Agent|Cookie|X-[A-Za-z-]+):[ \t]", re.IGNORECASE
        ),
        "its first line is missing, which is such as GET /path HTTP/1.1: put it in front of the headers",
    ),
    (re.compile(rb"\s*HTTP/[0-9]"), "it is an answer: give the request that came before it"),
    (
        re.compile(rb":(?:authority|method|path|scheme):", re.IGNORECASE),
        "it begins with the pseudo headers of HTTP/2, as browsers show them: save a HAR instead",
    ),
    (
        re.compile(rb"\s*[><*] "),
        "its lines begin with marks, as curl -v shows them: take those off, and what is no request",
    ),
)


class UnknownLength(ConfigError):
    """A body that may have had several lengths, since no Content-Length tells: `lengths`, the likeliest first."""

    def __init__(self, message: str, lengths: list[int]) -> None:
        super().__init__(message)
        self.lengths = lengths


def request_of_http(content: bytes, name: str = "this") -> Found:
    """The request of a raw message; `name` is what the file is called in a sentence.

    Raises ConfigError for what is no request of HTTP/1.1, or could be read in more than one way; Rejected(malformed)
    for one that is not clean, or not all there.
    """
    try:
        return Found(Request.from_http(content), ())
    except Rejected as rejected:
        unclean = rejected
    notes: list[str] = []
    content = _without_marks(content, notes)
    for form, problem in _OTHER_FORMS:
        if form.match(content):
            raise ConfigError(f"{name} is no raw request: {problem}")
    if not _FIRST_LINE.match(content):
        raise ConfigError(
            f"{name} is no request: raw HTTP begins with a line such as GET /path HTTP/1.1, a HAR with {{, a command "
            "with curl or Invoke-WebRequest, a script with fetch, and a URL with https://"
        )
    content = _as_http_1(content, notes)
    content = _with_empty_line(content, notes)
    end = _END_OF_HEAD.search(content)
    if end is None:
        raise _problem(content) or unclean
    head, body = content[: end.start()], content[end.end() :]
    saved_with_lf = b"\r\n" not in content[: end.end()]
    head = _with_line_ends(head, content[: end.end()], notes)
    if re.search(rb"(?im)^transfer-encoding:", head):
        return Found(_chunked(head, _with_chunk_ends(body) if saved_with_lf else body, notes), tuple(notes))
    lengths = [match[1] for line in head.split(b"\r\n") if (match := _LENGTH.fullmatch(line))]
    if len(lengths) == 1:
        body = _of_length(body, int(lengths[0]), saved_with_lf, notes)
        return Found(Request.from_http(head + body), tuple(notes))
    # Several, or one that is no number, is refused here.
    request = Request.from_http(head)
    return Found(request.with_body(_of_no_length(body, saved_with_lf, notes)), tuple(notes))


def refuse_unclean(request: Request) -> None:
    """Raise Rejected(malformed) where the head, written out, is not clean HTTP/1.1: a HAR and a curl command can say
    such, and are to be refused as their bytes are."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    for name, value in request.headers:
        if name.lower() == "content-length" and LENGTH.fullmatch(value):
            value = "0"  # the body is judged by what it was read from
        lines.append(f"{name}: {value}")
    if any("\r" in line or "\n" in line for line in lines):
        raise Rejected(Reason.MALFORMED, "not clean HTTP: a header holds a line end")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    chunked = any(name.lower() == "transfer-encoding" for name, _ in request.headers)
    Request.from_http(head + b"0\r\n\r\n" if chunked else head)


def _without_marks(content: bytes, notes: list[str]) -> bytes:
    """The content from its first line on."""
    if content.startswith(_BOM):
        notes.append("the byte order mark before the request, which an editor has put there, is left out")
        content = content.removeprefix(_BOM)
    if match := _NEWLINES.match(content):
        notes.append("the empty line before the request is left out")
        content = content[match.end() :]
    return content


def _as_http_1(content: bytes, notes: list[str]) -> bytes:
    """The same with HTTP/1.1 on a first line that says HTTP/2 or HTTP/3, as browsers and proxies show such requests."""
    match = _NEWER.match(content)
    if match is None:
        return content
    notes.append("the first line is read as that of HTTP/1.1; schemes do not sign the version")
    # Where they have no Host, they have it in the target.
    _, authority, line_end = match.groups()
    has_host = not authority or _HOST.search(_END_OF_HEAD.split(content, 1)[0])
    host = b"" if has_host else b"Host: " + authority + line_end
    return match[1] + b"1.1" + line_end + host + content[match.end() :]


def _with_empty_line(content: bytes, notes: list[str]) -> bytes:
    """The content with the empty line behind its head, where there is nothing but a head: that is easily lost."""
    if _END_OF_HEAD.search(content) or _FRAMED.search(content) or not _LAST_LINE.search(content):
        return content
    notes.append("the empty line behind the headers, which is not there, is added")
    line_end = b"\r\n" if b"\r\n" in content else b"\n"
    return content.rstrip(b"\r\n") + 2 * line_end


def _problem(content: bytes) -> Rejected | None:
    try:
        Request.from_http(content)
    except Rejected as rejected:
        return rejected
    return None


def _with_line_ends(head: bytes, ended: bytes, notes: list[str]) -> bytes:
    """The head with its empty line, its lines ended by CR LF."""
    if b"\r\n" not in ended:
        notes.append(HEAD_IN_LF)
        return head.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    # Some CR LF and some LF: two servers may read that as two requests, so it is refused as it is.
    return ended


def _of_length(body: bytes, length: int, saved_with_lf: bool, notes: list[str]) -> bytes:
    """The body that has the Content-Length; as it is where none has it, to be refused."""
    if len(body) == length:
        if saved_with_lf and b"\n" in body:
            notes.append("the line ends of the body are taken as they are, since it has its Content-Length so")
        return body
    found: dict[bytes, str] = {}
    for content, note in _mended(body, length, saved_with_lf):
        found.setdefault(content, note)
    if len(found) > 1:
        raise ConfigError(
            "the body can be read in more than one way, with and without the newlines around it: save it as it was sent"
        )
    for content, note in found.items():
        notes.append(f"{note}: so it has its Content-Length")
        return content
    return body


def _mended(body: bytes, length: int, saved_with_lf: bool) -> Iterator[tuple[bytes, str]]:
    """What of that length the body may have been before an editor had it."""
    excess = len(body) - length
    if excess > 0 and _is_line_ends(body, length):
        yield body[:length], "what is behind the body, line ends alone, is left out"
    if excess > 0 and not body[:excess].strip(b"\r\n"):
        yield body[excess:], "the empty line in front of the body is left out"
    if not saved_with_lf or b"\r" in body:
        return
    body = body.replace(b"\n", b"\r\n")
    if len(body) == length:
        yield body, "the lines of the body end in CR LF"
    elif len(body) > length and _is_line_ends(body, length):
        yield body[:length], "the lines of the body end in CR LF, and what is behind it is left out"


def _is_line_ends(body: bytes, place: int) -> bool:
    """Whether there are whole line ends alone from that place on."""
    return not body[place:].strip(b"\r\n") and body[max(place - 1, 0) : place + 1] != b"\r\n"


def _of_no_length(body: bytes, saved_with_lf: bool, notes: list[str]) -> bytes:
    """The body of a message without Content-Length, by which it would have none."""
    if not body:
        return b""
    if not body.strip(b"\r\n"):
        notes.append("what is behind the head, line ends alone, is left out, since there is no Content-Length")
        return b""
    if _SECOND_REQUEST.match(body):
        raise ConfigError("there is a second request behind the first, which has no Content-Length: give one request")
    whole, without = body, body.removesuffix(b"\n").removesuffix(b"\r")
    lengths = [len(without), len(whole)]
    if saved_with_lf:
        lengths += [len(text) + text.count(b"\n") for text in (without, whole)]
    lengths = list(dict.fromkeys(lengths))
    if without != whole:
        raise UnknownLength(
            "there is no Content-Length, so whether the line end behind the body was sent is not known: add "
            f"Content-Length: {len(whole)}, or {len(without)} without it",
            lengths,
        )
    if b"\n" in body and saved_with_lf:
        raise UnknownLength(
            "there is no Content-Length, so whether the lines of the body ended in LF or CR LF is not known: add "
            f"Content-Length: {lengths[0]} for LF, or {lengths[1]} for CR LF",
            lengths,
        )
    notes.append(f"there is no Content-Length, so all that is behind the head is the body, {len(body)} bytes")
    return body


def _with_chunk_ends(body: bytes) -> bytes:
    """A chunked body with CR LF where its lines end; as it is where the sizes of its chunks are not those."""
    pieces: list[bytes] = []
    place = 0
    while match := _CHUNK_SIZE.match(body, place):
        size = int(match[1], 16)
        data = body[match.end() : match.end() + size]
        place = match.end() + size + 1
        if body[place - 1 : place] != b"\n" or len(data) != size:
            break
        pieces += [match[1], b"\r\n", data, b"\r\n"]
        if not size:
            return b"".join(pieces) + body[place:]
    return body


def _chunked(head: bytes, body: bytes, notes: list[str]) -> Request:
    try:
        return Request.from_http(head + body)
    except Rejected:
        stripped = body.rstrip(b"\r\n")
        if not stripped.endswith(b"0") or not body.startswith(stripped + b"\r\n\r\n"):
            raise
        request = Request.from_http(head + stripped + b"\r\n\r\n")
    notes.append("what is behind the last chunk, line ends alone, is left out")
    return request
