"""A small HTTP server that verifies whatever it gets, for trying clients on loopback."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace

from ...core.http1 import RequestReader
from ...diagnosing import Cause, diagnose
from ...errors import Reason
from ...scheme import Scheme
from ...servers._common import Authenticator
from ...verifying.lookup import Keys
from ...verifying.verifier import Verifier
from .exchange import Exchange, Outcome

BODY_LIMIT = 1024 * 1024 * 1024

_THREADS = 64
_SILENT_SECONDS = 30.0
_REASONS = frozenset(reason.value for reason in Reason)


class VerifyingServer:
    """One request for each connection, each in a thread of its own.

    It listens on `address` as soon as it is made, and answers between `serve` and `close`. `log` is called with each
    Outcome, before its answer goes out and from the thread that serves it. Schemes that have an option `allow_http`
    are taken with it, since plain http on loopback is what this server speaks. `body_limit` is in bytes; `silence`
    is how many seconds a client may say nothing. `say_why` is called for each refusal, once its answer is out, with its
    Outcome and the causes that are found; with None for those where its body was not read, or is too large to be held.

    Raises ConfigError as Verifier does, and OSError where it cannot listen.
    """

    def __init__(
        self,
        schemes: Sequence[Scheme],
        keys: Keys,
        log: Callable[[Outcome], None],
        *,
        family: int = socket.AF_INET,
        address: tuple[str, int] = ("127.0.0.1", 0),
        clock: Callable[[], float] = time.time,
        body_limit: int = BODY_LIMIT,
        silence: float = _SILENT_SECONDS,
        say_why: Callable[[Outcome, tuple[Cause, ...] | None], None] | None = None,
    ) -> None:
        self._verifier = Verifier([_allowing_http(scheme) for scheme in schemes], keys, clock=clock)
        self._keys = keys
        self._say_why = say_why
        RequestReader()  # raises now where h11 is missing, and not in each thread
        self._log = log
        self._silence = silence
        self._threads = threading.BoundedSemaphore(_THREADS)
        self._numbering, self._answered = threading.Lock(), 0
        self._active: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.create_server(address, family=family, backlog=128)
        self._listener.setblocking(False)
        self._wake, self._woken = socket.socketpair()
        host, port = self._listener.getsockname()[:2]
        self.origin = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._authenticator = Authenticator(self._verifier, origin=self.origin, max_body=body_limit)

    def serve(self) -> None:
        """Answer requests until `close` is called from another thread, or from a signal handler."""
        with selectors.DefaultSelector() as selector, self._listener, self._wake, self._woken:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._woken not in (key.fileobj for key, _ in selector.select()):
                if not self._threads.acquire(timeout=1.0):
                    continue  # all threads are busy; look whether `close` was called, and try again
                try:
                    connection, _ = self._listener.accept()
                except OSError:  # the client has gone again, or descriptors have run out
                    self._threads.release()
                else:
                    thread = threading.Thread(target=self._exchange, args=(connection,), daemon=True)
                    self._active[thread] = connection
                    thread.start()

    def close(self) -> None:
        """Make `serve` return."""
        with suppress(OSError):
            self._wake.send(b"\0")

    def finish(self, seconds: float) -> None:
        """Wait for the answers that are under way, for so many seconds; then hang up on whom they are for."""
        deadline = time.monotonic() + seconds
        active = self._active.copy()
        for thread in active:
            thread.join(max(0.0, deadline - time.monotonic()))
        for thread, connection in active.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(seconds)

    def _exchange(self, connection: socket.socket) -> None:
        exchange = Exchange(connection, self._authenticator)
        logged: list[tuple[Outcome, float]] = []

        def log(outcome: Outcome) -> None:
            with self._numbering:  # so that the lines of the log are in the order of their numbers
                self._answered += 1
                numbered = replace(outcome, number=self._answered)
                self._log(numbered)
            logged.append((numbered, self._verifier.clock()))

        try:
            with connection, suppress(OSError):
                connection.settimeout(self._silence)
                exchange.run(log)
            for outcome, now in logged:
                if self._say_why is not None and outcome.result in _REASONS:
                    refused = exchange.refused
                    causes = None if refused is None else diagnose(refused, self._verifier.schemes, self._keys, now)
                    self._say_why(outcome, causes)
        finally:
            del self._active[threading.current_thread()]
            self._threads.release()


def _allowing_http(scheme: Scheme) -> Scheme:
    if is_dataclass(scheme) and "allow_http" in (option.name for option in fields(scheme)):
        return replace(scheme, allow_http=True)
    return scheme
