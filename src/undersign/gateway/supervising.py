"""Several workers as processes: all started, each replaced when it ends, and all ended together.

Ctrl-C on a terminal goes to the workers as well as to the process that has started them. That one alone takes it, and
tells them: SIGTERM, to end when what is in flight is done, and SIGQUIT, to end at once. A worker that took it as well
could not tell the terminal's second from the first that it is told of.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Generator
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any

AT_SIGHUP = "SIGHUP ends nothing: the keys file is read again by itself, and other settings with a new start"

_RESTART = 1.0  # seconds between the end of a worker and the start of another in its place
_MOMENT = 1.0  # seconds that a worker has to end at once
_log = logging.getLogger("undersign.gateway")


def supervise(
    worker: Callable[..., None],
    arguments: tuple[Any, ...],
    *,
    count: int,
    patience: float,
    ready: Callable[[], object],
) -> None:
    """Run so many processes of `worker(*arguments, begin)` until SIGTERM or SIGINT; then they have `patience` seconds.

    Each sends to `begin` when it listens, and `ready` is called when all have. Raises KeyboardInterrupt when SIGINT has
    come while they were ending, which has ended them at once.
    """
    context = multiprocessing.get_context("spawn")
    awake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    is_ending = is_forced = False

    def end(signum: int, frame: object) -> None:
        nonlocal is_ending, is_forced
        is_forced = is_forced or (is_ending and signum == signal.SIGINT)
        is_ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda signum, frame: _log.info(AT_SIGHUP))
    begun, begin = context.Pipe(duplex=False)

    def start() -> SpawnProcess:
        process = context.Process(target=worker, args=(*arguments, begin), daemon=False)
        with _without_interrupts():
            process.start()
        return process

    workers = [start() for _ in range(count)]
    waiting = count
    while not is_ending:
        found = wait([*(worker.sentinel for worker in workers), awake, *([begun] if waiting else [])])
        if awake in found:  # a byte for each signal
            awake.recv(64)
        if begun in found:
            begun.recv()
            waiting -= 1
            if not waiting:
                ready()
        ended = [worker for worker in workers if worker.sentinel in found]
        for process in ended:
            if is_ending:
                break
            process.join()  # or its exit code may not be known yet
            _log.error("worker %s has ended with %s: another one starts", process.pid, process.exitcode)
            time.sleep(_RESTART)
            workers[workers.index(process)] = start()
    for process in workers:
        process.terminate()
    deadline = time.monotonic() + patience
    running = workers
    while running and not is_forced and (left := deadline - time.monotonic()) > 0:
        found = wait([*(process.sentinel for process in running), awake], left)
        if awake in found:
            awake.recv(64)
        running = [process for process in running if process.sentinel not in found]
    if is_forced:
        for process in running:
            _tell(process, signal.SIGQUIT)
        deadline = time.monotonic() + _MOMENT
    for process in workers:
        process.join(max(0.0, deadline - time.monotonic()))
        process.kill()
        process.join()
    signal.set_wakeup_fd(-1)
    awake.close()
    waker.close()
    if is_forced:
        raise KeyboardInterrupt


def _tell(process: SpawnProcess, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid or 0, number)


@contextlib.contextmanager
def _without_interrupts() -> Generator[None, None, None]:
    """What is started here inherits that no SIGINT reaches it; one that comes meanwhile reaches us afterwards."""
    resource_tracker.ensure_running()  # the first process would start it, and it lets SIGINT in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
