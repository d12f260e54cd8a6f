"""What the signing proxy and the gateway cost beside forwarding by the same engines: requests a second, the slowest
hundredth, large bodies, memory.

    python benchmarks/gateway.py [--rounds 9] [--seconds 2] [--mib 1024]

Four servers, each one process: `plain` forwards by uvicorn and aiohttp in the shortest code that works; `forwarder` is
the library's forwarder alone; `proxy` signs as well (goTom, whose signature covers the body's MD5); `gateway` verifies
such signatures, as `undersign gateway` does, with its metrics and its log. They take turns in short rounds, in front of
one upstream that does next to nothing. Medians of the rounds count; those that compare are of ratios within a round, so
that they bear with load that changes. The gateway is compared with plain forwarding of the same signed requests.
"""

from __future__ import annotations

import argparse
import hashlib
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sample import KEY_ID, SECRET
from serving import HERE, PATIENCE

from undersign import BodyDigest, Credential, GoTom, Request, sign

SERVERS = ("plain", "forwarder", "proxy", "gateway")
SIGNED = "plain, signed"
MIB = 1024 * 1024
PIECE = bytes(MIB)


class Process:
    """A script of this folder that listens on a socket which is passed on; a context manager."""

    def __init__(self, script: str, *arguments: str, after: tuple[str, ...] = ()) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
            self.port: int = listener.getsockname()[1]
            command = [sys.executable, str(HERE / script), *arguments, str(listener.fileno()), *after]
            self._process = subprocess.Popen(  # noqa: S603 - all of it is ours
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[listener.fileno()]
            )

    def __enter__(self) -> Process:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)

    def connect(self) -> socket.socket:
        """A connection to it."""
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def cpu(self) -> float:
        """Seconds of CPU that it has used, its own and the kernel's for it."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9

    def memory(self, field: str = "VmRSS") -> int:
        """Bytes of memory that it holds; with VmHWM the most that it has held."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


class Rate(NamedTuple):
    """Requests a second, milliseconds that 99 of 100 took at most, and the server's CPU for each in microseconds."""

    rate: float
    p99: float
    cpu: float


class Transfer(NamedTuple):
    """MiB a second by the clock, and by the server's CPU."""

    rate: float
    of_cpu: float


def message(target: str, length: int, *, signed: bool = False) -> bytes:
    """The head of a POST of so many zero bytes."""
    headers = (("Host", "127.0.0.1"), ("User-Agent", "benchmark"), ("Accept", "*/*"))
    request = Request("POST", target, (*headers, ("Content-Type", "application/json"), ("Content-Length", str(length))))
    if signed:
        request = request.with_body(BodyDigest({"md5": md5_of_zeros(length)}, length))
        request = sign(GoTom(), request, Credential(KEY_ID, SECRET), now=time.time()).apply(request)
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


@cache
def md5_of_zeros(length: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for begin in range(0, length, MIB):
        digest.update(PIECE[: length - begin])
    return digest.hexdigest()


def load(server: Process, clients: int, seconds: float, *, signed: bool = False) -> Rate:
    """POSTs of 1 KiB, answered with 1 KiB, over connections that are kept open."""
    request = message("/1024", 1024, signed=signed) + bytes(1024)
    sent: dict[socket.socket, float] = {}
    took: list[float] = []
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for _ in range(clients):
            connection = stack.enter_context(server.connect())
            selector.register(connection, selectors.EVENT_READ, bytearray())
            sent[connection] = time.monotonic()
            connection.sendall(request)
        began, cpu = time.monotonic(), server.cpu()
        while (now := time.monotonic()) < began + seconds:
            for key, _ in selector.select(1):
                assert isinstance(key.fileobj, socket.socket)
                connection, received = key.fileobj, key.data
                received += connection.recv(65536)
                assert received.startswith(b"HTTP/1.1 200 "[: len(received)]), bytes(received)
                end = received.find(b"\r\n\r\n")
                if end >= 0 and len(received) == end + 4 + 1024:
                    received.clear()
                    took.append((now := time.monotonic()) - sent[connection])
                    sent[connection] = now
                    connection.sendall(request)
        cpu = server.cpu() - cpu
    return Rate(len(took) / (now - began), statistics.quantiles(took, n=100)[-1] * 1000, cpu / len(took) * 1e6)


def transfer(server: Process, up: int, down: int, *, signed: bool) -> Transfer:
    """One request with a body of `up` bytes, answered with `down` bytes."""
    with server.connect() as connection:
        connection.settimeout(600)
        head = message(f"/{down}", up, signed=signed)
        began, cpu = time.monotonic(), server.cpu()
        connection.sendall(head)
        for _ in range(up // len(PIECE)):
            connection.sendall(PIECE)
        received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 200 "), received
        left = down - (len(received) - received.index(b"\r\n\r\n") - 4)
        while left:
            piece = connection.recv(MIB)
            assert piece
            left -= len(piece)
    size = (up + down) / MIB
    return Transfer(size / (time.monotonic() - began), size / (server.cpu() - cpu))


def idle(server: Process, connections: int, *, signed: bool) -> int:
    """Bytes by which the server grows for so many connections that have had an answer each and wait."""
    before = server.memory()
    with ExitStack() as stack:
        for _ in range(connections):
            connection = stack.enter_context(server.connect())
            connection.sendall(message("/1", 0, signed=signed))
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        return server.memory() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each server in each round")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--mib", type=int, default=1024, help="the size of the large bodies")
    parser.add_argument("--transfers", type=int, default=3, help="rounds of large bodies")
    options = parser.parse_args()
    with ExitStack() as stack:
        upstream = stack.enter_context(Process("gateway_upstream.py"))
        origin = f"http://127.0.0.1:{upstream.port}"
        servers = {name: stack.enter_context(Process("gateway_apps.py", name, after=(origin,))) for name in SERVERS}
        cases = {name: (server, name == "gateway") for name, server in servers.items()}
        cases[SIGNED] = servers["plain"], True
        for server, signed in cases.values():
            load(server, options.clients, 0.5, signed=signed)
        rates = [
            {
                name: load(server, options.clients, options.seconds, signed=signed)
                for name, (server, signed) in cases.items()
            }
            for _ in range(options.rounds)
        ]
        print("POST 1 KiB      requests/s   of plain   by CPU   p99 ms   of plain's   CPU µs")
        for name in cases:
            columns = middle(rates, name)
            shares = middle([relative(found) for found in rates], name)
            print(
                f"{name:13} {columns[0]:12.0f} {shares[0]:10.2f} {1 / shares[2]:8.2f} "
                f"{columns[1]:8.1f} {shares[1]:12.2f} {columns[2]:8.0f}",
                flush=True,
            )
        del cases[SIGNED]
        waiting = {name: idle(server, 1000, signed=signed) / MIB for name, (server, signed) in cases.items()}
        print("\n1,000 idle connections, MiB: " + ", ".join(f"{name} {grown:.0f}" for name, grown in waiting.items()))
        size = options.mib * MIB
        before = {name: server.memory() for name, server in servers.items()}
        print(f"\n{options.mib} MiB        MiB/s   of plain   by CPU   most grown by, MiB")
        for way, sizes in (("up", (size, 1)), ("down", (0, size))):
            found = [
                {name: transfer(server, *sizes, signed=signed) for name, (server, signed) in cases.items()}
                for _ in range(options.transfers)
            ]
            for name, server in servers.items():
                speed = middle(found, name)[0]
                shares = middle([relative(each) for each in found], name)
                grown = (server.memory("VmHWM") - before[name]) / MIB
                print(f"{way:4} {name:10} {speed:7.0f} {shares[0]:10.2f} {shares[1]:8.2f} {grown:14.0f}", flush=True)


def middle(rounds: Sequence[Mapping[str, tuple[float, ...]]], name: str) -> list[float]:
    """A server's medians."""
    return [statistics.median(column) for column in zip(*(found[name] for found in rounds), strict=True)]


def relative(found: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    """The figures of a round as parts of those of `plain`, which has forwarded the same requests."""
    baselines = {"gateway": found.get(SIGNED, found["plain"])}
    return {
        name: tuple(ours / plain for ours, plain in zip(figures, baselines.get(name, found["plain"]), strict=True))
        for name, figures in found.items()
    }


if __name__ == "__main__":
    main()
