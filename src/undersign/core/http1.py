"""One HTTP/1.1 request, read from raw bytes more strictly than HTTP servers do. Does no I/O; needs h11."""

from __future__ import annotations

from typing import TypeAlias

from ..errors import ConfigError, Reason, Rejected
from .grammar import LENGTH

__all__ = ["RequestReader", "read_whole"]

Head: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""Method, target and header pairs, the values as Latin-1."""

_HEAD_LIMIT = 64 * 1024


class RequestReader:
    """Takes bytes with `feed` as they come; `head` is there once it is complete, `done` once the body is.

    h11 parses. What it lets through and what two servers could read in two ways is refused as well: bare LF,
    folded header lines, a repeated Content-Length or one beside Transfer-Encoding, trailers (nothing signs
    them), and what comes before or after the one message.

    `feed` and `finish` raise Rejected(malformed) for anything that is not clean HTTP, and ConfigError where h11
    is not installed.
    """

    def __init__(self) -> None:
        try:
            import h11
        except ImportError:
            raise ConfigError("reading raw HTTP needs h11: pip install 'undersign[cli]'") from None
        self._h11 = h11
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)
        self._pending = b""
        self._recent = b""
        self._chunked = False
        self._body_bytes = 0
        self.head: Head | None = None
        self.done = False

    @property
    def waits_for_continue(self) -> bool:
        """Whether the client holds its body back until it is told to go on (Expect: 100-continue)."""
        return bool(self._connection.they_are_waiting_for_100_continue)

    def feed(self, data: bytes) -> list[bytes]:
        """Take `data`; return the pieces of the body that it completes."""
        try:
            return self._fed(data)
        except Rejected as error:
            rejected = error.with_traceback(None)  # its frames hold the message, and with that a signature, perhaps
        del data
        try:
            raise rejected
        finally:
            del rejected  # it would hold itself, by its traceback and this frame

    def _fed(self, data: bytes) -> list[bytes]:
        if not data:  # h11 would take it for the end
            return []
        if self.head is None:
            data = self._pending + data
            # A line that ends without CR must not hide the end of the head from us and show it to h11.
            end = data.find(b"\r\n\r\n") + 4
            length = end if end > 3 else len(data)
            _refuse_unless(length <= _HEAD_LIMIT, f"the head is longer than {_HEAD_LIMIT} bytes")
            if end == 3:
                self._pending = data
                return []
            self._chunked = _check_head(data[:end])
        _refuse_unless(not self.done or not data, "there are bytes after the end of the request")
        self._recent = self._recent[-4:] + data
        pieces: list[bytes] = []
        problem = ""
        try:
            self._connection.receive_data(data)
            while not self.done and self._next_event(pieces):
                pass
        except self._h11.RemoteProtocolError as error:
            problem = f"not clean HTTP: {_without_values(error)}"
        _refuse_unless(not problem, problem)
        return pieces

    def finish(self) -> Head:
        """Say that no more bytes will come; return the head. Raises Rejected(malformed) unless all is complete."""
        if self.head is None or not self.done:
            raise _malformed(f"the request ends before {self._missing()}")
        return self.head

    def _missing(self) -> str:
        if self.head is None:
            if b"\n" in self._pending and b"\r\n" not in self._pending:
                return "its head does: the lines are to end in CR LF, and they end in LF alone, as editors save them"
            return "its head does: no empty line follows the headers"
        lengths = [value for name, value in self.head[2] if name.lower() == "content-length"]
        if not lengths:
            return "its body does: the last chunk is not there"
        return f"its body does: Content-Length says {lengths[0].strip()} bytes, and {self._body_bytes} are there"

    def _next_event(self, pieces: list[bytes]) -> bool:
        event = self._connection.next_event()
        if isinstance(event, self._h11.Request):
            self.head = (
                event.method.decode("ascii"),
                event.target.decode("ascii"),
                tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers.raw_items()),
            )
        elif isinstance(event, self._h11.Data):
            pieces.append(bytes(event.data))
            self._body_bytes += len(event.data)
        elif isinstance(event, self._h11.EndOfMessage):
            self.done = True
            after = len(self._connection.trailing_data[0])
            _refuse_unless(not after, "there are bytes after the end of the request")
            _refuse_unless(not event.headers, "there are trailers, which no signature covers")
            # h11 takes a bare LF for the empty line behind the last chunk.
            _refuse_unless(not self._chunked or self._recent.endswith(b"\r\n\r\n"), "a line ends in a bare LF")
        else:
            return False
        return True


def read_whole(raw: bytes) -> tuple[Head, bytes] | Rejected:
    """The head and the body of one message, or why it is none, for a caller to raise."""
    reader = RequestReader()
    try:
        body = b"".join(reader.feed(raw))
        return reader.finish(), body
    except Rejected as rejected:
        return rejected.with_traceback(None)


def _check_head(head: bytes) -> bool:
    """Refuse what h11 would let through; return whether the body is chunked."""
    _refuse_unless(head.count(b"\n") == head.count(b"\r\n"), "a line ends in a bare LF")
    request_line, *lines = head[:-4].split(b"\r\n")
    _refuse_unless(b"\r" not in head.replace(b"\r\n", b""), "there is a CR that ends no line")
    _refuse_unless(bool(request_line), "there is an empty line before the request")
    _refuse_unless(not any(line[:1] in (b" ", b"\t") for line in lines), "a header is folded over several lines")
    lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
    chunked = any(line.lower().startswith(b"transfer-encoding:") for line in lines)
    _refuse_unless(not (lengths and chunked), "there is a Content-Length beside Transfer-Encoding")
    _refuse_repeated(lengths, "Content-Length")
    for line in lengths:
        length = line[15:].strip(b" \t").decode("latin-1")
        _refuse_unless(bool(LENGTH.fullmatch(length)), "Content-Length is not one number")
    _refuse_unless(request_line.endswith((b" HTTP/1.1", b" HTTP/1.0")), "the request line is not that of HTTP/1.1")
    # RFC 9112, section 6.1: the framing of such a message is faulty.
    _refuse_unless(not chunked or request_line.endswith(b" HTTP/1.1"), "Transfer-Encoding needs HTTP/1.1")
    hosts = [line for line in lines if line.lower().startswith(b"host:")]
    _refuse_repeated(hosts, "Host")
    if not hosts and request_line.endswith(b" HTTP/1.1"):
        raise Rejected(Reason.MALFORMED, "not clean HTTP: Host is absent", part="Host", fault="absent")
    return chunked


def _without_values(error: Exception) -> str:
    """h11 quotes the offending line behind a colon; it may hold credentials."""
    return str(error).partition(":")[0]


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED, detail)


def _refuse_unless(fine: bool, detail: str) -> None:
    if not fine:
        raise _malformed(detail)


def _refuse_repeated(lines: list[bytes], name: str) -> None:
    if len(lines) > 1:
        raise Rejected(Reason.MALFORMED, f"not clean HTTP: {name} is repeated", part=name, fault="repeated")
