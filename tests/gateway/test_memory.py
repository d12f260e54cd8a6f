"""Large bodies go both ways in constant memory, and idle connections cost little: the processes themselves say so.

64 MiB as a rule; UNDERSIGN_BODY_MIB=1024 for the figure that the documentation gives.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from h2 import events

from tests.gateway.harness import PATIENCE, Scripted, head_of, status_of
from tests.gateway.http2_upstream import Http2Upstream, Peer
from tests.gateway.process import proxying
from tests.gateway.processes import KEY_ID, ORIGIN, SECRET, gateway
from undersign import BodyDigest, Credential, GoGrid, GoTom, Request, sign

pytestmark = [
    pytest.mark.long,
    pytest.mark.linux,  # /proc says which processes and files are there
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc"),
]

MIB = 1024 * 1024
BODY = int(os.environ.get("UNDERSIGN_BODY_MIB", "64")) * MIB
MOST_GROWTH = 32 * MIB
PIECE = bytes(MIB)


@dataclass
class Process:
    """A proxy or gateway that listens, and how its clients write the head of a POST of so many zero bytes."""

    pid: int
    port: int
    head: Callable[[int], bytes]

    def memory(self, field: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), max(PATIENCE, BODY / MIB))


def plain(length: int) -> bytes:
    return _message(_unsigned(length))


def signed_with_gotom(length: int) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(length // MIB):
        digest.update(PIECE)
    request = _unsigned(length).with_body(BodyDigest({"md5": digest.hexdigest()}, length))
    return _message(sign(GoTom(), request, Credential(KEY_ID, SECRET), now=time.time()).apply(request))


def signed_with_gogrid(length: int) -> bytes:
    request = _unsigned(length)
    return _message(sign(GoGrid(), request, Credential(KEY_ID, SECRET), now=time.time()).apply(request))


def _unsigned(length: int) -> Request:
    headers = (("Host", "127.0.0.1"), ("Content-Type", "a/b"), ("Content-Length", str(length)))
    return Request("POST", "/a", headers, origin=ORIGIN)


def _message(request: Request) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


@contextmanager
def proxy(folder: Path, upstream: str, *scheme: str) -> Iterator[Process]:
    with proxying(*scheme, "--key-id", KEY_ID, "--origin", upstream) as running:
        yield Process(running.process.pid, int(running.url.rpartition(":")[2]), plain)


@contextmanager
def verifying(folder: Path, upstream: str, head: Callable[[int], bytes], *options: str) -> Iterator[Process]:
    with gateway(folder, "--upstream", upstream, "--max-body", str(1 << 40), *options) as running:
        yield Process(running.process.pid, running.port, head)


Start: TypeAlias = "Callable[[Path, str], AbstractContextManager[Process]]"

PROCESSES: dict[str, Start] = {
    "proxy, hashed, from disk": lambda folder, upstream: proxy(folder, upstream, "--scheme", "gotom"),
    "proxy, not touched": lambda folder, upstream: proxy(
        folder, upstream, "--scheme", "gogrid", "-o", "allow_http=true"
    ),
    "gateway, hashed, from disk": lambda folder, upstream: verifying(folder, upstream, signed_with_gotom),
    "gateway, not touched": lambda folder, upstream: verifying(folder, upstream, signed_with_gogrid),
}
OVER_HTTP2: dict[str, Start] = {
    "proxy over HTTP/2, hashed, from disk": lambda folder, upstream: proxy(
        folder, upstream, "--scheme", "gotom", "--upstream-http2"
    ),
    "gateway over HTTP/2, not touched": lambda folder, upstream: verifying(
        folder, upstream, signed_with_gogrid, "--upstream-http2"
    ),
}
each = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)


def large_over_http2(peer: Peer, number: int) -> None:
    """Takes BODY bytes, and answers with as many."""
    stream, left, is_whole = peer.head().stream, BODY, False
    while not is_whole:
        for event in peer.take(stream):
            if isinstance(event, events.DataReceived) and event.flow_controlled_length:
                left -= len(event.data or b"")
                peer.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            is_whole |= isinstance(event, events.StreamEnded)
        peer.flush()
    assert not left
    peer.h2.send_headers(stream, [(b":status", b"200"), (b"content-length", b"%d" % BODY)])
    left = BODY
    while left:
        room = min(left, peer.h2.local_flow_control_window(stream), peer.h2.max_outbound_frame_size)
        if room:
            peer.h2.send_data(stream, PIECE[:room], end_stream=room == left)
            left -= room
            peer.flush()
        else:
            peer.read()
    peer.read()


def large(connection: socket.socket, number: int) -> None:
    """Takes BODY bytes, and answers with as many."""
    _, _, came = head_of(connection).partition(b"\r\n\r\n")
    left = BODY - len(came)
    while left:
        left -= len(connection.recv(MIB))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
    for _ in range(BODY // MIB):
        connection.sendall(PIECE)


def small(connection: socket.socket, number: int) -> None:
    """Answers each request that has no body."""
    while head_of(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize("process", [*PROCESSES.values(), *OVER_HTTP2.values()], ids=[*PROCESSES, *OVER_HTTP2])
def test_a_body_up_and_down_grows_it_by_at_most_32_mib(process: Start, tmp_path: Path) -> None:
    server = Http2Upstream(large_over_http2) if process in OVER_HTTP2.values() else Scripted(large)
    with server as upstream, process(tmp_path, upstream.url) as running:
        before = running.memory("VmRSS")
        with running.connect() as connection:
            connection.sendall(running.head(BODY))
            for _ in range(BODY // MIB):
                connection.sendall(PIECE)
            head, _, came = head_of(connection).partition(b"\r\n\r\n")
            assert status_of(head) == 200
            left = BODY - len(came)
            while left:
                left -= len(connection.recv(MIB))
        assert running.memory("VmHWM") - before <= MOST_GROWTH


@each
def test_a_thousand_idle_connections_take_at_most_64_mib_and_leave_nothing(process: Start, tmp_path: Path) -> None:
    with Scripted(small) as upstream, process(tmp_path, upstream.url) as running:
        before, open_before = running.memory("VmRSS"), running.descriptors()
        with ExitStack() as stack:
            for _ in range(1000):
                connection = stack.enter_context(running.connect())
                connection.sendall(running.head(0))
                assert status_of(connection.recv(4096)) == 200
            assert running.memory("VmRSS") - before <= 64 * MIB
        with running.connect() as connection:
            connection.sendall(running.head(0))
            assert status_of(connection.recv(4096)) == 200
        # Its own connection to the upstream is kept, and the last of ours may not be gone yet.
        assert running.descriptors() <= open_before + 8
