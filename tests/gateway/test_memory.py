"""Large bodies go both ways in constant memory, and idle connections cost little: the proxy's own process says so.

64 MiB as a rule; UNDERSIGN_BODY_MIB=1024 for the figure that the documentation gives.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from h2 import events

from tests.cli.command import KEY_ID, Serving
from tests.gateway.harness import PATIENCE, Scripted, head_of, status_of
from tests.gateway.http2_upstream import Http2Upstream, Peer
from tests.gateway.process import proxying

pytestmark = pytest.mark.linux  # /proc says which processes and files are there

MIB = 1024 * 1024
BODY = int(os.environ.get("UNDERSIGN_BODY_MIB", "64")) * MIB
MOST_GROWTH = 32 * MIB
PIECE = bytes(MIB)
SCHEMES = {
    "hashed, from disk": ("--scheme", "gotom"),
    "not touched": ("--scheme", "gogrid", "-o", "allow_http=true"),
}


def memory(proxy: Serving, field: str) -> int:
    lines = Path(f"/proc/{proxy.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def large_over_http2(peer: Peer, number: int) -> None:
    """The same."""
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


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_body_up_and_down_grows_the_proxy_by_at_most_32_mib(scheme: tuple[str, ...], http2: bool) -> None:
    server = Http2Upstream(large_over_http2) if http2 else Scripted(large)
    options = ("--upstream-http2",) if http2 else ()
    with server as upstream, proxying(*scheme, *options, "--key-id", KEY_ID, "--origin", upstream.url) as proxy:
        before = memory(proxy, "VmRSS")
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 600) as connection:
            connection.sendall(
                f"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: a/b\r\nContent-Length: {BODY}\r\n\r\n".encode()
            )
            for _ in range(BODY // MIB):
                connection.sendall(PIECE)
            head, _, came = head_of(connection).partition(b"\r\n\r\n")
            assert status_of(head) == 200
            left = BODY - len(came)
            while left:
                left -= len(connection.recv(MIB))
        assert memory(proxy, "VmHWM") - before <= MOST_GROWTH


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
def test_a_thousand_idle_connections_take_at_most_64_mib_and_leave_nothing() -> None:
    def script(connection: socket.socket, number: int) -> None:
        while True:
            head_of(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Scripted(script) as upstream, proxying("--key-id", KEY_ID, "--origin", upstream.url) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        descriptors = Path(f"/proc/{proxy.process.pid}/fd")
        before, open_before = memory(proxy, "VmRSS"), len(list(descriptors.iterdir()))
        with ExitStack() as stack:
            for _ in range(1000):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
                connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert status_of(connection.recv(4096)) == 200
            assert memory(proxy, "VmRSS") - before <= 64 * MIB
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert status_of(connection.recv(4096)) == 200
        # Its own connection to the upstream is kept, and the last of ours may not be gone yet.
        assert len(list(descriptors.iterdir())) <= open_before + 8
