"""One connection of the verifying server: a request in, an answer out, and what became of it for the log."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from ...bodies import Spool
from ...core.http1 import RequestReader
from ...core.message import BodyDigest, Request, Response
from ...core.text import printable, shortened
from ...errors import Rejected
from ...events.event import shown_path
from ...scheme import BodyNeed
from ...servers._answers import signed_response
from ...servers._common import Authenticator, Received
from ...servers._exchange import Exchange as Checks
from ...servers._exchange import run
from ...verifying.verdict import Pending, Verified

_PIECE = 64 * 1024
_HEAD_SECONDS = 30.0
_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024 * 1024
_STATUSES = frozenset(HTTPStatus)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request, for the log: no query, no signature, no secret.

    `result` is `valid`, the reason of a refusal, or what kept the request from being one: `bad_request`, `timeout`,
    `error`. `number` counts what the server has answered, from 1.
    """

    method: str
    path: str
    status: int
    result: str
    scheme: str = ""
    key_id: str = ""
    detail: str = ""
    number: int = field(default=0, compare=False)

    def __str__(self) -> str:
        parts = [self.method, self.path, str(self.status), self.result]
        if self.scheme:
            parts.append(f"scheme={self.scheme}")
        if self.key_id:
            parts.append(f"key_id={json.dumps(self.key_id, ensure_ascii=False)}")
        if self.detail:
            parts.append(f"({self.detail})")
        return " ".join(printable(shortened(part)) for part in parts)


class Exchange:
    """Reads one request from the connection, verifies it and answers it.

    What `authenticator` has as its origin the request is taken to have been sent to. The head is judged before the
    body is read, and the body is hashed while it comes in. `refused` is the request that was refused, with its body,
    where that was read whole and is no larger than what is held in memory.
    """

    def __init__(self, connection: socket.socket, authenticator: Authenticator) -> None:
        self._connection = connection
        self._authenticator = authenticator
        self._reader = RequestReader()
        self._head = Request("-", "-", origin=authenticator.origin)  # until it has come
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
            self._head = self._authenticator.request(*self._reader.head)
        head = self._head
        exchange = _Checks(self._authenticator, head, self._connection, self._reader, pieces)
        try:
            run(exchange.judge())
            if exchange.refused is not None and exchange.answer is not None:
                rejected, answer = exchange.refused, exchange.answer
                self.refused = exchange.whole
                return answer, _outcome(
                    head, answer.status, rejected.reason.value, rejected.scheme, rejected.key_id, rejected.detail
                )
            assert exchange.verified is not None  # noqa: S101 - it is let in
            accepted = self._accepted(exchange.verified, head, exchange.digest())
            accepted = signed_response(exchange.verified.response_signer, accepted)
            return accepted, _outcome(
                head, accepted.status, "valid", exchange.verified.scheme, exchange.verified.key_id
            )
        finally:
            exchange.close()

    def _accepted(self, verified: Verified, head: Request, body: BodyDigest) -> Response:
        scheme = next(scheme for scheme in self._authenticator.verifier.schemes if scheme.name == verified.scheme)
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
            pieces = _feed(self._reader, data)
            if self._reader.head is not None:
                return pieces
        raise TimeoutError

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


class _Checks(Checks):
    """The checks of the middlewares, with each body read and hashed, whether the signature needs it or not."""

    digests = ("md5",)

    def __init__(
        self,
        authenticator: Authenticator,
        head: Request,
        connection: socket.socket,
        reader: RequestReader,
        first: list[bytes],
    ) -> None:
        super().__init__(authenticator, Received(head))
        self._connection = connection
        self._reader = reader
        self._first = first
        self.refused: Rejected | None = None
        self.whole: Request | None = None

    async def read(self, pending: Pending) -> bool:
        if self._reader.waits_for_continue:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        for piece in self._pieces():
            self.take(piece, pending)
        return True

    def digest(self) -> BodyDigest:
        """The digests of the body."""
        return (self.spool or Spool(BodyNeed.NOTHING, also=self.digests)).digest()

    def refuse(self, refused: Rejected) -> Response:
        self.refused = refused
        body = self._body()
        self.whole = None if body is None else self.received.head.with_body(body)
        return self._authenticator.verifier.refusal(refused, self.received.head)

    def _body(self) -> bytes | None:
        """The whole body; None where it is not read, or was too large to be held."""
        if not self._reader.done:
            return None
        if self.spool is None:  # it has come with the head
            return b"".join(self._first)
        body = self.spool.signed()
        return body if isinstance(body, bytes) and len(body) == self.spool.length else None

    def _pieces(self) -> Iterator[bytes]:
        yield from self._first
        while not self._reader.done:
            yield from _feed(self._reader, self._connection.recv(_PIECE))


def _feed(reader: RequestReader, data: bytes) -> list[bytes]:
    if not data:
        raise _BadRequest("the request ends before its head or body is complete")
    try:
        return reader.feed(data)
    except Rejected as rejected:
        raise _BadRequest(rejected.detail) from None


class _BadRequest(Exception):
    """What came is no clean HTTP, so there is no request that a scheme could refuse."""


class _NoRequest(Exception):
    """The client connected and went again."""


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
