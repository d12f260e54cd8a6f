"""A request's way through a server, from its head to the verdict. The order of the checks stands here and nowhere else.

    begin    who claims the request, is its time near, are key id and signature in form
    length   where does the body end, and is it too large already
    body     read and hashed, within the limit, where the signature needs it
    finish   does the signature fit, is it new
    course   is what was signed what the app would run
    allow    may this key do this
    admit, or refuse

What is refused costs the server no more than the checks in front of it. ASGI waits where WSGI and `undersign serve`
block, so the way is a generator that does no I/O itself: it yields what a server's own function has returned and gets
back what that comes to. `run` gives it the same thing back; `run_async` awaits it before.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias

from ..core.message import Request, Response
from ..errors import Reason, Rejected
from ..verifying.verdict import Pending, Verified
from ._bodies import Spool
from ._common import Gate, Seen, body_length, check_body_length, rejected

Steps: TypeAlias = Generator[Any, Any, bool]
"""What yields what may be awaitable, takes what it comes to, and ends in whether the request is let in."""


class Exchange(ABC):
    """One request of one server, which says how it reads a body and what else it checks.

    When `steps` has ended in True, `verified` says who has signed, and `spool` has the body where it was read: close
    it when the app is done. Else `answer` is the refusal, or None where the client has gone. `unread` says whether a
    body may still come in.
    """

    digests: tuple[str, ...] = ()
    """Digests of the body that the server itself wants, of every request: then it reads all bodies, and keeps none."""

    def __init__(
        self,
        gate: Gate,
        seen: Seen,
        authorize: Callable[[Verified, Request], bool | Awaitable[bool]] | None = None,
        *,
        unread: bool = False,
    ) -> None:
        self.seen = seen
        self.unread = unread
        self.length: int | None = None
        self.pending: Pending | None = None
        self.spool: Spool | None = None
        self.verified: Verified | None = None
        self.answer: Response | None = None
        self._gate = gate
        self._authorize = authorize

    @abstractmethod
    def read(self, spool: Spool, pending: Pending) -> bool | Awaitable[bool]:
        """Write the body into the spool; False where the client has gone before its end. Raises Rejected.

        `length` is what the head declares, as `body_length` has it.
        """

    def check(self, pending: Pending) -> None:  # noqa: B027 - most servers check nothing more
        """Refuse what else cannot be judged, before the body is read and again when it is there. Raises Rejected."""

    def refuse(self, refused: Rejected) -> Response:
        """The answer to the refused request."""
        return self._gate.refuse(refused, self.seen, self.pending)

    def close(self) -> None:
        """Give up the body."""
        if self.spool is not None:
            self.spool.close()

    def steps(self) -> Steps:
        """Go all the way. Raises what `read` raises, but for Rejected."""
        is_admitted = False
        try:
            is_admitted = yield from self._judge()
        except Rejected as refused:
            self.answer = self.refuse(refused)
        finally:
            if not is_admitted:
                self.close()
        return is_admitted

    def _judge(self) -> Steps:
        gate, seen = self._gate, self.seen
        pending = self.pending = gate.begin(seen)
        self.check(pending)
        self.length = body_length(pending)
        if pending.body or self.digests:
            limit = gate.body_limit(pending)
            check_body_length(self.length, limit, pending)
            self.spool = Spool(pending, limit, also=self.digests, keeps=not self.digests)
            if not (yield self.read(self.spool, pending)):
                return False
            self.unread = False
            pending = self.pending = pending.with_body(self.spool.body())
            if seen.target_lost:  # what claims the request may stand in its body
                gate.check_claim(pending, seen)
            self.check(pending)
        verified, pending = yield from self._finish(pending)
        self.pending = pending
        gate.check_course(pending, seen)
        self.verified = verified
        if self._authorize is not None and not (yield from self._is_allowed(self._authorize, verified, pending)):
            self.answer = gate.forbid(verified, seen)
            return False
        gate.admit(verified)
        return True

    def _finish(self, pending: Pending) -> Generator[Any, Any, tuple[Verified, Pending]]:
        """Who signed the request, and the request with the target that was signed. Raises Rejected."""
        gate, seen = self._gate, self.seen
        if not seen.target_lost:
            return (yield gate.verifier.finish(pending)), pending
        refused = rejected(Reason.LOSSY_TARGET, seen.target_lost, pending)
        for attempt in gate.attempts(pending, seen):
            try:
                return (yield gate.verifier.finish(attempt)), attempt
            except Rejected as error:
                refused = gate.unless_respelled(error, attempt, seen)
        raise refused

    def _is_allowed(
        self,
        authorize: Callable[[Verified, Request], bool | Awaitable[bool]],
        verified: Verified,
        pending: Pending,
    ) -> Steps:
        try:
            return (yield authorize(verified, pending.head)) is True
        except Exception as error:
            raise rejected(Reason.UNAVAILABLE, "authorize failed", pending) from error


def run(steps: Steps) -> bool:
    """Go all the way where nothing is awaited: whether the request is let in."""
    try:
        step = next(steps)
        while True:
            step = steps.send(step)
    except StopIteration as end:
        return bool(end.value)


async def run_async(steps: Steps) -> bool:
    """Go all the way and await what is awaitable: whether the request is let in."""
    given: Any = None
    failed: BaseException | None = None
    while True:
        try:
            step = steps.send(given) if failed is None else steps.throw(failed)
        except StopIteration as end:
            return bool(end.value)
        finally:
            failed = None  # its traceback holds this frame, and the request with it
        given = step
        # Both are at hand most often, and quicker to tell than what can be awaited is.
        if not isinstance(step, (Verified, bool)) and inspect.isawaitable(step):
            try:
                given = await step
            except BaseException as error:  # also the end of the task: the way ends where it is
                failed = error
