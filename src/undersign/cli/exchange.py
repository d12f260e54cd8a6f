"""One connection of the verifying server: a request in, an answer out, and what became of it for the log."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from ..engine import Pending, Verified
from ..errors import Reason, Rejected
from ..http import BodyDigest, BodyHasher, Request, Response
from ..http1 import RequestReader
from ..servers.refusal import shown_path
from ..verifier import Verifier
from .text import printable

_PIECE = 64 * 1024
_HEAD_SECONDS = 30.0
_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024
_LONGEST_SHOWN = 200
_HELD_BYTES = 1024 * 1024
_STATUSES = frozenset(HTTPStatus)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request, for the log: no query, no signature, no secret.

    `result` is `valid`, the reason of a refusal, or what kept the request from being one: `bad_request`, `timeout`,
    `error`.
    """

    method: str
    path: str
    status: int
    result: str
    scheme: str = ""
    key_id: str = ""
    detail: str = ""

    def __str__(self) -> str:
        parts = [self.method, self.path, str(self.status), self.result]
        if self.scheme:
            parts.append(f"scheme={self.scheme}")
        if self.key_id:
            parts.append(f"key_id={json.dumps(self.key_id, ensure_ascii=False)}")
        if self.detail:
            parts.append(f"({self.detail})")
        return " ".join(_shown(part) for part in parts)


class Exchange:
    """Reads one request from the connection, verifies it and answers it.

    `origin` is what the request is taken to have been sent to. The head is judged before the body is read, and the
    body is hashed while it comes in, `body_limit` bytes of it at most. `holds_bodies` keeps those up to 1 MiB, for
    `refused`: the request that was refused, with its body, as far as it was read whole.
    """

    def __init__(
        self, connection: socket.socket, verifier: Verifier, origin: str, body_limit: int, *, holds_bodies: bool = False
    ) -> None:
        self._connection = connection
        self._verifier = verifier
        self._origin = origin
        self._body_limit = body_limit
        self._held_at_most = _HELD_BYTES if holds_bodies else 0
        self._reader = RequestReader()
        self._head = Request("-", "-", origin=origin)  # until it has come
        self._body: bytes | None = None
        self.refused: Request | None = None

    def run(self, log: Callable[[Outcome], None]) -> None:
        """Answer, having called `log`. Raises OSError where the client has gone."""
        try:
            response, outcome = self._answer()
        except _NoRequest:
            return
        log(outcome)
        self._connection.sendall(_as_bytes(response, with_body=outcome.method != "HEAD"))
        if not self._reader.done:
            self._linger()

    def _answer(self) -> tuple[Response, Outcome]:
        try:
            return self._judge()
        except _BadRequest as error:
            status, result, detail = 400, "bad_request", str(error)
        except TimeoutError:
            status, result, detail = 408, "timeout", ""
        except (OSError, _NoRequest):
            raise
        except Exception as error:
            # A fault of ours or of another distribution's scheme: the server goes on, and the log names it.
            status, result, detail = 500, "error", type(error).__name__
        return _json(status, HTTPStatus(status).phrase), _outcome(self._head, status, result, detail=detail)

    def _judge(self) -> tuple[Response, Outcome]:
        pieces = self._read_head()
        if self._reader.head is not None:
            method, target, headers = self._reader.head
            self._head = Request(method, target, headers, b"", self._origin)
        head = self._head
        if self._reader.done:  # the body has come with the head
            self._body = b"".join(pieces)
        try:
            pending = self._verifier.begin(head)
            body, digest = self._read_body(pending, pieces)
            verified = self._verifier.finish(pending.with_body(body))
        except Rejected as rejected:
            if self._body is not None:
                self.refused = head.with_body(self._body)
            response = self._verifier.refusal(rejected, head)
            return response, _outcome(
                head, response.status, rejected.reason.value, rejected.scheme, rejected.key_id, rejected.detail
            )
        accepted = self._accepted(verified, head, digest)
        return accepted, _outcome(head, accepted.status, "valid", verified.scheme, verified.key_id)

    def _accepted(self, verified: Verified, head: Request, body: BodyDigest) -> Response:
        scheme = next(scheme for scheme in self._verifier.schemes if scheme.name == verified.scheme)
        welcome = scheme.welcome(head)
        if welcome is not None:
            return welcome
        answer = {
            "scheme": verified.scheme,
            "key_id": verified.key_id,
            "method": head.method,
            "target": head.target,
            "body_bytes": body.length,
            "body_md5": body.digests["md5"],
        }
        return _json(200, answer)

    def _read_head(self) -> list[bytes]:
        """Read until the head is complete; return what has come of the body with it."""
        deadline = time.monotonic() + _HEAD_SECONDS
        silent = True
        while time.monotonic() < deadline:
            data = self._connection.recv(_PIECE)
            if silent:
                if not data:
                    raise _NoRequest
                if not b"!" <= data[:1] <= b"~":
                    raise _BadRequest("what comes is not HTTP; it may be TLS")
                silent = False
            pieces = self._feed(data)
            if self._reader.head is not None:
                return pieces
        raise TimeoutError

    def _read_body(self, pending: Pending, first: list[bytes]) -> tuple[bytes | BodyDigest, BodyDigest]:
        """The body as the scheme needs it, and its digest. Raises Rejected(body_too_large)."""
        limit = min(self._body_limit, pending.body.limit) if pending.body.raw else self._body_limit
        for value in pending.head.values("content-length"):
            _check_length(int(value), limit, pending)
        if self._reader.waits_for_continue:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        hasher = BodyHasher({*pending.body.digests, "md5"})
        held = bytearray()
        length = 0
        for piece in self._pieces(first):
            length += len(piece)
            _check_length(length, limit, pending)
            hasher.update(piece)
            if pending.body.raw or length <= self._held_at_most:
                held += piece
        digest = hasher.result()
        self._body = bytes(held) if length == len(held) else None
        return bytes(held) if pending.body.raw else digest, digest

    def _pieces(self, first: Iterable[bytes]) -> Iterator[bytes]:
        yield from first
        while not self._reader.done:
            yield from self._feed(self._connection.recv(_PIECE))

    def _feed(self, data: bytes) -> list[bytes]:
        if not data:
            raise _BadRequest("the request ends before its head or body is complete")
        try:
            return self._reader.feed(data)
        except Rejected as rejected:
            raise _BadRequest(rejected.detail) from None

    def _linger(self) -> None:
        """Take in what the client still sends, within bounds: a reset would cost it the answer.

        RFC 9112, section 9.6.
        """
        deadline = time.monotonic() + _LINGER_SECONDS
        taken = 0
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while taken < _LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
                self._connection.settimeout(left)
                data = self._connection.recv(_PIECE)
                if not data:
                    return
                taken += len(data)


class _BadRequest(Exception):
    """What came is no clean HTTP, so there is no request that a scheme could refuse."""


class _NoRequest(Exception):
    """The client connected and went again."""


def _check_length(length: int, limit: int, pending: Pending) -> None:
    if length > limit:
        raise Rejected(
            Reason.BODY_TOO_LARGE,
            f"the body is over {limit} bytes",
            scheme=pending.scheme.name if pending.scheme else "",
            key_id=pending.claim.key_id if pending.claim else "",
        )


def _outcome(head: Request, status: int, result: str, scheme: str = "", key_id: str = "", detail: str = "") -> Outcome:
    return Outcome(head.method, shown_path(head.target), status, result, scheme, key_id, detail)


def _json(status: int, content: object) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(content).encode())


def _as_bytes(response: Response, *, with_body: bool) -> bytes:
    # The phrase says nothing to a machine; a scheme may well answer with a status that has none.
    phrase = HTTPStatus(response.status).phrase if response.status in _STATUSES else "-"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    # No cache is to answer in its place: neither a signed query that comes again, nor what was refused.
    lines += ["Cache-Control: no-store"] * ("cache-control" not in {name.lower() for name, _ in response.headers})
    lines += [f"Content-Length: {len(response.body)}", f"Date: {formatdate(usegmt=True)}", "Connection: close", "", ""]
    head = "\r\n".join(lines).encode("latin-1")
    return head + response.body if with_body else head


def _shown(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
