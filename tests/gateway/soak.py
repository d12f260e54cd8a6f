"""A soak: a signing proxy and a gateway with Redis, between clients and an upstream that both do what they should
not.

    python -m tests.gateway.soak --seconds 600

The upstream answers, resets, hangs, lies about its length or answers in no HTTP, as the request's path says; clients
break off in the head, in the body, before the answer and in the middle of it. Redis is restarted on the way. The exit
code is 0 where at the end both processes still work, and neither holds more memory or descriptors than it did early on.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.replay.topologies import PortServer

from .harness import PATIENCE, Scripted, head_of, read_all, status_of
from .processes import KEY_ID, SECRET, gateway
from .sending import Sending

MIB = 1024 * 1024
MOST_GROWTH = 16 * MIB
MOST_DESCRIPTORS = 8
TIMEOUT = 2.0  # seconds that the gateway waits for the upstream
_RETRIES_FOR = 60.0  # Redis that has started anew refuses what may be older than it
LARGE = bytes(4 * MIB)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "good": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE,
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "chunks": CHUNKED + b"9\r\nabc",
    "trailers": CHUNKED + b"2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
    "no-trailers": CHUNKED + b"2\r\nok\r\n0\r\nnonsense\r\n\r\n",
    "nonsense": b"220 this is no HTTP\r\n\r\n",
}
ENDS = ("short", "chunks", "no-trailers", "nonsense")
KINDS = (*ANSWERS, "reset", "hang")
_numbers = itertools.count()


def upstream(connection: socket.socket, number: int) -> None:
    """Answers as the path says, until it does what ends the connection."""
    while True:
        head, _, body = head_of(connection).partition(b"\r\n\r\n")
        left = next((int(line.split()[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0)
        left -= len(body)
        while left > 0:
            if not (piece := connection.recv(65536)):
                return
            left -= len(piece)
        kind = head.split(b"/")[1].decode()
        if kind == "reset":
            reset(connection)
            return
        if kind == "hang":
            connection.recv(1)  # until the other side gives up
            return
        connection.sendall(ANSWERS[kind])
        if kind in ENDS:
            return


def reset(connection: socket.socket) -> None:
    """Close it so that the other side is told with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def request(kind: str, length: int) -> bytes:
    target = f"/{kind}/{next(_numbers)}"
    connection = random.choice(["close", "close, TE\r\nTE: trailers"])
    head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + bytes(length)


class Clients(Sending):
    """Threads that send until they are told to end, and what they were answered."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__([self._exchange], count)
        self._port = port
        self.start()

    def _exchange(self) -> None:
        kind = random.choice(KINDS)
        data = request(kind, random.choice([0, 100, 100_000, 2_000_000]))
        breaks_off = random.choice(["", "", "", "in the head", "in the body", "before the answer", "in the answer"])
        said = "no answer"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), PATIENCE) as connection:
            sent = {"in the head": data[:40], "in the body": data[: max(60, len(data) // 2)]}.get(breaks_off, data)
            connection.sendall(sent)
            if breaks_off in ("in the head", "in the body"):
                said = "not asked"
            elif breaks_off == "in the answer":
                said = str(status_of(connection.recv(100)))
            elif not breaks_off:
                said = str(status_of(read_all(connection)))
            if breaks_off and random.random() < 0.5:
                reset(connection)
        self.count(f"{kind}, client breaks off {breaks_off}" if breaks_off else f"{kind}: {said}")


class Held(NamedTuple):
    """What a process holds: bytes of memory, and descriptors."""

    memory: int
    descriptors: int

    @classmethod
    def by(cls, pid: int) -> Held:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        memory = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
        return cls(memory, len(list(Path(f"/proc/{pid}/fd").iterdir())))


@contextmanager
def proxy(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`undersign proxy` and its port. Its log goes to a file: a pipe that nobody reads gets full, and stops it."""
    command = [sys.executable, "-m", "undersign.cli", "proxy", "--listen", "127.0.0.1:0", *arguments]
    environ = {**os.environ, "UNDERSIGN_SECRET": SECRET}
    with (
        (folder / "proxy-log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environ) as process,
    ):
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline().decode().rpartition(":")[2])
        finally:
            process.terminate()


def answers(port: int) -> bool:
    """Whether a good request is answered at last."""
    deadline = time.monotonic() + _RETRIES_FOR
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request("good", 100))
            if status_of(read_all(connection)) == 200:
                return True
        time.sleep(0.5)
    return False


def soak(seconds: float, clients: int) -> tuple[Counter[str], dict[str, tuple[Held, Held]], list[str]]:
    """The run: what was answered, what each process held early on and at the end, and what is wrong."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        behind = stack.enter_context(Scripted(upstream))
        redis = stack.enter_context(PortServer())
        options = ("--replay", f"redis://{redis.address}/0", "--timeout", str(TIMEOUT))
        verifies = stack.enter_context(gateway(folder, "--scheme", "bokun", "--upstream", behind.url, *options))
        key = ("--scheme", "bokun", "--key-id", KEY_ID, "--origin", verifies.address)
        signs, port = stack.enter_context(proxy(folder, *key))
        pids = {"proxy": signs.pid, "gateway": verifies.process.pid}
        faults = [] if answers(port) else ["nothing is answered at the beginning"]
        sending = Clients(port, clients)
        time.sleep(seconds / 4)
        early = {name: Held.by(pid) for name, pid in pids.items()}
        redis.kill()
        time.sleep(1.0)
        redis.start()
        time.sleep(seconds * 3 / 4)
        sending.end(PATIENCE)
        if not answers(port):
            faults.append("nothing is answered at the end")
        time.sleep(2 * TIMEOUT)  # what hangs is given up by then
        held = {name: (early[name], Held.by(pid)) for name, pid in pids.items()}
    for name, (before, after) in held.items():
        if after.memory - before.memory > MOST_GROWTH:
            faults.append(f"the {name} has grown by {(after.memory - before.memory) // MIB} MiB")
        if after.descriptors - before.descriptors > MOST_DESCRIPTORS:
            faults.append(f"the {name} holds {after.descriptors - before.descriptors} descriptors more")
    return sending.counts, held, faults + sending.faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=12)
    options = parser.parse_args()
    counts, held, faults = soak(options.seconds, options.clients)
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")  # noqa: T201
    for name, (before, after) in held.items():
        print(  # noqa: T201
            f"{name}: {before.memory // MIB} MiB and {before.descriptors} descriptors early on, "
            f"{after.memory // MIB} and {after.descriptors} at the end"
        )
    print(f"{len(faults)} faults", *faults, sep="\n")  # noqa: T201
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
