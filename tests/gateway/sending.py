"""Threads of clients for long runs: each sends until it is told to end, and all count what came of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence


class Sending:
    """So many threads, which take turns in the kinds of exchanges that there are."""

    def __init__(self, exchanges: Sequence[Callable[[], None]], count: int) -> None:
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(exchanges[number % len(exchanges)],), daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self, patience: float) -> None:
        """Wait so many seconds for each thread; one that has not ended then is a fault."""
        self._ended.set()
        for thread in self._threads:
            thread.join(patience)
            if thread.is_alive():
                self.faults.append("a client has not ended")

    def count(self, *names: str) -> None:
        with self._lock:
            self.counts.update(names)

    def _run(self, exchange: Callable[[], None]) -> None:
        while not self._ended.is_set():
            exchange()
