"""The verdict on a request that a front describes, and that the front itself sends on: Envoy, nginx, Caddy, Traefik.

The description is a head, and a body where the front gives one. The order of the checks is that of every server here:
see `undersign.servers._exchange`.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from typing_extensions import Unpack

from ..core.message import Request, Response
from ..errors import Reason, Rejected
from ..servers._common import Authenticator, Options, Received, finished_headers, rejected
from ..servers._exchange import Exchange
from ..verifying.verdict import Pending, Verified
from ..verifying.verifier import AsyncVerifier, Verifier
from ._identity import as_folded, marked_carriers, moves_path, respelled
from .observing import UNSIGNED, Observer


class Allowed(NamedTuple):
    """What the front may send on; `verified` is None where no signature is needed."""

    verified: Verified | None


class Described(NamedTuple):
    """A request as its front describes it.

    `body` is None where the front keeps it. `problem` is why the description cannot be trusted, empty where it can.
    `doubt` is a sentence on what may lie behind a signature that does not fit. `peer` is who has asked.
    """

    head: Request
    body: bytes | None = None
    problem: str = ""
    doubt: str = ""
    peer: str = ""


class Decider:
    """Decides on requests that fronts describe. The options are those of SignatureMiddleware, and an Observer, which
    keeps a record of each. Raises ConfigError for an option that cannot work."""

    def __init__(
        self,
        verifier: Verifier | AsyncVerifier,
        *,
        observer: Observer | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._observer = observer or Observer()
        self._authenticator = Authenticator(verifier, **self._observer.among(options, verifier))
        self._marked_carriers = marked_carriers(verifier.schemes)

    async def decide(self, described: Described) -> Allowed | Response:
        """Whether the front may send the request on, or what it has to answer in its place. Raises nothing."""
        given = described.head.values("x-request-id")
        request_id = given[0] if len(given) == 1 else ""
        head = described.head
        with self._observer.request(head.method, head.target, described.peer, request_id) as record:
            decided = await self._decide(described)
            if decided == Allowed(None):
                record.verdict = UNSIGNED
            record.status = 200 if isinstance(decided, Allowed) else decided.status
            return decided

    async def _decide(self, described: Described) -> Allowed | Response:
        authenticator, head = self._authenticator, described.head
        # The front sends on what it has described, so it is judged as whatever is behind may read it.
        folded = as_folded(head.headers, self._marked_carriers)
        if folded is not head.headers:
            head = Request(head.method, head.target, folded, b"", head.origin)
        received = Received(head, doubt=described.doubt, peer=described.peer, started=time.perf_counter())
        if problem := described.problem or _names_problem(described.head):
            reason = Reason.UNAVAILABLE if described.problem else Reason.MALFORMED
            return _finished(authenticator.refuse(Rejected(reason, problem), received, None))
        if authenticator.lets_unsigned:
            # Envoy gives bodies that the head says nothing of, in chunks and over HTTP/2; a preflight has none.
            is_preflight = not described.body and authenticator.is_preflight(received)
            if is_preflight or authenticator.is_public(received):
                return Allowed(None)
        exchange = _Decision(authenticator, received, described.body)
        try:
            if await exchange.judge():
                return Allowed(exchange.verified)
        finally:
            exchange.close()
        answer = exchange.answer
        if answer is None:  # it ends so only where a client has gone, and a description is whole
            refused = Rejected(Reason.UNAVAILABLE, "there is no verdict")
            answer = authenticator.refuse(refused, received, exchange.pending)
        return _finished(answer)


def _names_problem(head: Request) -> str:
    """Why a header of the client's must not get behind the front, which sends all of them on; empty = all may."""
    for name, _ in head.headers:
        if moves_path(name):
            return f"for the header {name!r} some servers run another path: have the front take it off"
    names = respelled(name for name, _ in head.headers)
    return f"the header {names[0]!r} is read as the gateway's own by servers that fold names" if names else ""


def _finished(answer: Response) -> Response:
    return Response(answer.status, finished_headers(answer), answer.body)


class _Decision(Exchange):
    """A request that came as a description."""

    waits = True

    def __init__(self, authenticator: Authenticator, received: Received, body: bytes | None) -> None:
        super().__init__(authenticator, received)
        self._body = body

    async def read(self, pending: Pending) -> bool:
        if self._body is None:
            raise rejected(Reason.UNAVAILABLE, "the front keeps the body, which this request needs", pending)
        if isinstance(self.length, int) and self.length >= 0 and self.length != len(self._body):
            detail = f"the front has given {len(self._body)} bytes of a body of {self.length}: have it give all"
            raise rejected(Reason.UNAVAILABLE, detail, pending)
        if self._body:
            self.take(self._body, pending)
        return True
