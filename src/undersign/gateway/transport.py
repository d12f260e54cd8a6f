"""How a request goes out: what is handed over, what comes back, and what both engines have in common.

There are two of them: aiohttp for HTTP/1.1, and h2 for HTTP/2. The forwarder above them does not know which one it has.
"""

from __future__ import annotations

import os
import re
import ssl
from abc import ABC, abstractmethod
from typing import NamedTuple, TypeAlias

from ..bodies import OnDisk
from ..core.grammar import TOKEN
from ..core.message import Pairs, is_plain_target
from .exchange import Failure, Pieces
from .heads import OF_ONE_CONNECTION, Fields
from .trailers import Trailers, announced, passing

HEAD_LIMIT = 64 * 1024
PIECE = 256 * 1024
_WITHOUT_LENGTH = OF_ONE_CONNECTION | {b"content-length"}
_WITHOUT_BODY = frozenset({204, 304})
BODY_IS_UNUSUAL = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})
"""Methods whose requests have no Content-Length where they have no body: RFC 9110, section 8.6."""
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110, section 5.5; no server writes these

Body: TypeAlias = bytes | OnDisk | Pieces


class Outgoing(NamedTuple):
    """A request as it is to go out: `origin` is `http(s)://host[:port]`, `target` `/path?query` byte for byte.

    `headers` are sent in their order, their values the wire's bytes as Latin-1, and are to be end-to-end ones;
    Content-Length and Transfer-Encoding follow from the body and `length`, the one that the client has declared, for a
    body that streams. Host goes as it stands here, or is the origin's where it does not.

    `trailers` are those of a body that came in chunks. Over HTTP/1.1 they go out behind one that streams without a
    length, and end here behind any other. With `takes_trailers` the upstream is told that its answer may have some.
    """

    method: str
    origin: str
    target: str
    headers: Pairs
    body: Body = b""
    length: int | None = None
    trailers: Trailers | None = None
    takes_trailers: bool = False

    @property
    def content_length(self) -> int | None:
        """The Content-Length that is sent, or None."""
        return content_length(self.method, self.body, self.length)


def content_length(method: str, body: Body, length: int | None) -> int | None:
    """The Content-Length of a request with this body, or None; `length` is the one that the client has declared."""
    if isinstance(body, OnDisk):
        return body.length
    if isinstance(body, bytes):
        return len(body) if body or length is not None or method not in BODY_IS_UNUSUAL else None
    return length


class Lost(Failure):
    """The connection was lost before an answer came. The upstream may have acted on the request, or not."""


class Unprocessed(Lost):
    """The upstream has not acted on the request, and said so, or it was never sent."""


class Answer(ABC):
    """An upstream's answer whose body is still to come. It has to be closed, unless the body was read to its end."""

    def __init__(self, status: int, fields: Fields) -> None:
        self.status = status
        self.problem = _framing_problem(status, fields)
        """Why it cannot be passed on, as a sentence."""
        self.headers = _answer_headers(status, fields)
        self._fields = fields

    @property
    def trailers(self) -> list[tuple[bytes, bytes]] | None:
        """The list that holds the answer's trailers when its body has been read; None where none are asked for."""
        return None

    def may_have_trailers(self, *, over_http1: bool) -> bool:
        """Whether any may come, and be passed on: in HTTP/1.1 a body with a length has no place for them."""
        if self.trailers is None or self.status in _WITHOUT_BODY:
            return False
        return not over_http1 or not any(name == b"content-length" for name, _ in self.headers)

    def announced_trailers(self) -> list[tuple[bytes, bytes]]:
        """The Trailer field that goes on, or nothing."""
        return announced(self._fields.values(b"trailer"), self._not_in_trailers())

    def passing_trailers(self) -> list[tuple[bytes, bytes]]:
        """Those that go on, once the body has been read."""
        return passing(self.trailers or (), self._not_in_trailers())

    def _not_in_trailers(self) -> list[bytes]:
        return [*(name for name, _ in self.headers), *self._fields.named_by_connection()]

    @property
    @abstractmethod
    def is_at_end(self) -> bool:
        """Whether all of the body has been read."""

    @abstractmethod
    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises Failure(502) where it is not whole."""

    @abstractmethod
    def close(self) -> None:
        """Give the answer up; its connection is used again where that can be."""


class Transport(ABC):
    """An engine with its connections."""

    @abstractmethod
    async def ask(self, outgoing: Outgoing) -> Answer:
        """See Forwarder.ask."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections."""


def why(error: OSError) -> str:
    """What the system says of it, or TLS. asyncio's own text names the address, where the system has a number for the
    error; that of an error of TLS is none of the system's, which would read "Operation not permitted"."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS failed"
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def check(outgoing: Outgoing) -> None:
    """Raises Failure(400) for a request line that would not be one."""
    if not is_plain_target(outgoing.target) or not TOKEN.fullmatch(outgoing.method):
        raise Failure(400, "The target is not /path?query in printable ASCII without '#'")


def from_disk(body: OnDisk) -> Pieces:
    """A body that was written to disk, from its beginning."""

    async def read() -> bytes:
        return body.read(PIECE)

    body.seek(0)
    return Pieces(read)


def _answer_headers(status: int, fields: Fields) -> list[tuple[bytes, bytes]]:
    # RFC 9112, section 6.3: chunks decide where the body ends. What has no body may leave its length out.
    if fields.values(b"transfer-encoding") or status in _WITHOUT_BODY:
        return fields.end_to_end(_WITHOUT_LENGTH)
    return fields.end_to_end()


def _framing_problem(status: int, fields: Fields) -> str | None:
    """Why nobody can tell where the answer ends, or what it is, or write it, as a sentence."""
    if status < 200:
        return "The upstream has switched to another protocol, which nobody asked for"
    if status > 599:  # RFC 9110, section 15: it is invalid
        return f"The upstream's status, {status}, is none of HTTP: they end with 599"
    if _CONTROL.search(b"".join([value for _, value in fields.pairs])):
        return "The upstream's answer has a control character in a header"
    coded = fields.values(b"transfer-encoding")
    if coded and [value.lower() for value in coded] != [b"chunked"]:
        return "The upstream's answer has a Transfer-Encoding that is not chunked alone"
    return None
