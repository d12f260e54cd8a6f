"""The body of a request that is being judged: a client that sends no more of it does not hold its connection for ever.

What is forwarded has an exchange that looks after it. Before that there is a signature that nobody has checked, whose
body is read first, and servers wait for bodies as long as they are asked to.
"""

from __future__ import annotations

import asyncio

from .heads import Message, Receive


class AwaitedBody:
    """A `receive` of which a message has to come within so many seconds, until `end` is called.

    What comes too late is a client that has gone: `is_late` tells it from one that really has.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.is_late = False
        self._receive = receive
        self._seconds = seconds
        self._since = 0.0
        self._has_ended = False
        self._waiting: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self) -> Message:
        if self._has_ended:
            return await self._receive()
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        self._waiting = task = asyncio.current_task()
        if self._timer is None:  # one for the whole body: one for each piece would cost more
            self._timer = loop.call_later(self._seconds, self._look)
        try:
            return await self._receive()
        except asyncio.CancelledError:
            if not self.is_late:
                raise
            if uncancel := getattr(task, "uncancel", None):  # since Python 3.11
                uncancel()
            return {"type": "http.disconnect"}
        finally:
            self._waiting = None

    def end(self) -> None:
        """Look after it no more: all of it is there, or somebody else does."""
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._since + self._seconds - loop.time()
        if self._waiting is not None and left <= 0:
            self.is_late = True
            self._waiting.cancel()
        else:
            self._timer = loop.call_later(left if left > 0 else self._seconds, self._look)
