"""A connection's transport that writes the head of an answer together with the first piece of its body.

uvicorn writes the two one after the other, and each write is a call of the system: of the three that a forwarded
request takes they are two, and writing is what forwarding costs most. What is not followed by more goes out when the
event loop comes round again, so nobody waits for a head whose body takes its time.
"""

from __future__ import annotations

import asyncio
from typing import Any

_KEPT = 16 * 1024  # a longer piece goes out as it comes: putting it together would cost more than a call


class GatheredTransport:
    """Does what `transport` does."""

    __slots__ = ("_kept", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept = b""

    def write(self, data: bytes) -> None:
        """Write it with what is kept. Alone and short it is kept until the next write, or the loop's next round.

        Nothing is written to a connection that closes already: uvloop raises there, where asyncio drops it.
        """
        if self._transport.is_closing():
            self._kept = b""
        elif self._kept:
            if len(data) > _KEPT:
                self.flush()
            else:
                data = self._kept + data
                self._kept = b""
            self._transport.write(data)
        elif 0 < len(data) <= _KEPT:
            self._kept = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is kept, unless the connection is gone."""
        kept, self._kept = self._kept, b""
        if kept and not self._transport.is_closing():
            self._transport.write(kept)

    def close(self) -> None:
        """Close the connection once all is written."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
