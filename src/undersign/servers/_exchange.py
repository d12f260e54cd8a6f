"""A request's way through a server, from its head to the verdict. The order of the checks stands here and nowhere else.

    begin    who claims the request, is its time near, are key id and signature in form
      │
    length   where does the body end, and is it too large already
      │
    body     read and hashed, within the limit, where the signature needs it
      │
    finish   does the signature fit, is it new
      │
    target   is what was signed what the app would run
      │
    allow    may this key do this
      │
    admit, or refuse

What is refused costs the server no more than the checks in front of it. ASGI waits where WSGI and `undersign serve`
block, and there is one way for all of them: it is a coroutine, in which nothing of a blocking server ever waits. `run`
drives that one to its end at once.
"""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any

from ..bodies import Spool
from ..core.message import Response
from ..errors import Reason, Rejected
from ..verifying.verdict import Pending, Verified
from ._common import Authenticator, Authorize, Received, declared_length, rejected
from ._targets import Match


class Exchange(ABC):
    """One request of one server, which says how it reads a body and what else it checks.

    When `judge` has returned True, `verified` says who has signed, and `spool` has the body where one was read: close
    it when the app is done. Else `answer` is the refusal, or None where the client has gone. `unread` says whether a
    body may still come in, and `is_read` that it was read to its end.
    """

    digests: tuple[str, ...] = ()
    """Digests of the body that the server itself wants, of every request: then it reads all bodies, and keeps none."""
    waits = False
    """Whether the server can await what `authorize` returns."""

    is_read = False
    pending: Pending | None = None
    spool: Spool | None = None
    verified: Verified | None = None
    answer: Response | None = None
    _limit = 0

    def __init__(self, authenticator: Authenticator, received: Received) -> None:
        if authenticator.events:
            received = received._replace(started=time.perf_counter())
        self.received = received
        self.length = length = declared_length(received.head)
        # RFC 9112, section 6: an HTTP/1 request has a body where its head says so.
        self.unread = type(length) is int and length != 0
        self._authenticator = authenticator

    @abstractmethod
    async def read(self, pending: Pending) -> bool:
        """Pass each piece of the body to `take`; False where the client has gone before its end. Raises Rejected."""

    def check(self, pending: Pending) -> None:  # noqa: B027 - most servers check nothing more
        """Refuse what else cannot be judged, for each scheme that claims the request. Raises Rejected."""

    def refuse(self, refused: Rejected) -> Response:
        """The answer to the refused request."""
        return self._authenticator.refuse(refused, self.received, self.pending)

    def take(self, piece: bytes, pending: Pending) -> None:
        """Take one more piece of the body. Raises Rejected: body_too_large; unavailable where the disk fails."""
        spool = self.spool
        if spool is None:
            spool = self.spool = Spool(pending.body, also=self.digests, keeps=not self.digests)
        if spool.length + len(piece) > self._limit:
            raise self._too_large(pending)
        try:
            spool.write(piece)
        except OSError as error:
            raise rejected(Reason.UNAVAILABLE, "the temporary file for the body failed", pending) from error

    def _too_large(self, pending: Pending) -> Rejected:
        return rejected(Reason.BODY_TOO_LARGE, f"the body is over {self._limit} bytes", pending)

    @property
    def taken(self) -> int:
        """How many bytes of the body have come."""
        return self.spool.length if self.spool is not None else 0

    def close(self) -> None:
        """Give up the body."""
        if self.spool is not None:
            self.spool.close()

    async def judge(self) -> bool:
        """Go all the way: whether the request is let in. Raises what `read` raises, but for Rejected."""
        authenticator, received = self._authenticator, self.received
        is_admitted = False
        try:
            pending = self.pending = authenticator.begin(received)
            self.check(pending)
            length = self.length
            if isinstance(length, str):
                raise rejected(Reason.MALFORMED, length, pending)
            if pending.body or self.digests:
                self._limit = authenticator.body_limit(pending)
                if length is not None and length > self._limit:
                    raise self._too_large(pending)
                if not await self.read(pending):
                    # The client is gone, or has sent a chunk that is none: some servers tell the two apart no more, and
                    # would answer for a failure of theirs.
                    self.unread, self.answer = False, Response(400, (), b"")
                    return False
                self.is_read, self.unread = True, False
                begun, pending = pending, pending.with_body(b"" if self.spool is None else self.spool.signed())
                self.pending = pending
                if received.target_lost:  # what claims the request may stand in its body
                    authenticator.check_claim(pending, received)
                if pending.scheme is not begun.scheme:
                    self.check(pending)
            if received.target_lost:
                verified = await self._finish_respelled(pending)
            else:
                found = authenticator.verifier.finish(pending)
                verified = found if isinstance(found, Verified) else await found
            if received.match is not Match.EXACT:
                authenticator.check_target(self.pending, received)
            self.verified = verified
            authorize = authenticator.authorize
            if authorize is not None and not await self._is_allowed(authorize, verified, self.pending):
                self.answer = authenticator.forbid(verified, received)
                return False
            if authenticator.on_verified is not None:
                authenticator.tell_verified(authenticator.on_verified, verified)
            if authenticator.events:
                authenticator.tell_event(received, "", verified.key_id, verified.scheme)
            is_admitted = True
        except Rejected as refused:
            self.answer = self.refuse(refused)
        finally:
            if not is_admitted:
                self.close()
        return is_admitted

    async def _finish_respelled(self, pending: Pending) -> Verified:
        """Who signed the request, with the first target that fits, where the one that was sent is lost."""
        authenticator, received = self._authenticator, self.received
        refused = rejected(Reason.LOSSY_TARGET, received.target_lost, pending)
        for attempt in authenticator.attempts(pending, received):
            try:
                found = authenticator.verifier.finish(attempt)
                verified = found if isinstance(found, Verified) else await found
            except Rejected as error:
                refused = authenticator.unless_respelled(error, attempt, received)
            else:
                self.pending = attempt
                return verified
        raise refused

    async def _is_allowed(self, authorize: Authorize, verified: Verified, pending: Pending) -> bool:
        try:
            answer = authorize(verified, pending.head)
            if self.waits and inspect.isawaitable(answer):
                answer = await answer
        except Exception as error:
            raise rejected(Reason.UNAVAILABLE, "authorize failed", pending) from error
        return answer is True


def run(judging: Coroutine[Any, Any, bool]) -> bool:
    """What `judge` returns, of an exchange that waits for nothing."""
    try:
        judging.send(None)
    except StopIteration as end:
        return bool(end.value)
    judging.close()
    raise RuntimeError("a blocking server's exchange has waited for something")
