"""A client that speaks HTTP/1.0 knows no chunks: RFC 9112, section 6.1. What has no length ends with the connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, listening
from tests.gateway.harness import PATIENCE, Scripted, answering, forwarding, get, head_of, read_all, running, talk
from tests.gateway.process import proxying

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"a" * 70_000


def asked(method: str = "GET") -> bytes:
    return get("/", method=method).replace(b" HTTP/1.1", b" HTTP/1.0")


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), BODY),
        (CHUNKED + b"0\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
@pytest.mark.parametrize("line", [b"Connection: close", b"Connection: keep-alive"])
def test_an_answer_has_no_chunks(answer: bytes, body: bytes, line: bytes) -> None:
    with Scripted(answering(answer)) as upstream, running(forwarding(upstream.url)) as port:
        head, _, received = talk(port, asked().replace(b"Connection: close", line)).partition(b"\r\n\r\n")
    assert received == body
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head


def test_nor_has_one_to_head() -> None:
    with Scripted(answering(CHUNKED)) as upstream, running(forwarding(upstream.url)) as port:
        assert talk(port, asked("HEAD")).endswith(b"200 OK\r\nconnection: close\r\n\r\n")


def beginning(go_on: threading.Event, then: bytes) -> Callable[[socket.socket, int], None]:
    """A script that begins an answer in chunks, waits, and then sends this until the connection is closed."""

    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(CHUNKED + b"3\r\nabc\r\n")
        assert go_on.wait(PATIENCE)
        while True:
            connection.sendall(then)

    return script


def test_an_answer_that_breaks_off_resets_the_connection() -> None:
    """Or it would look whole."""
    came = threading.Event()
    with (
        Scripted(beginning(came, b"nonsense\r\n\r\n")) as upstream,
        running(forwarding(upstream.url)) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
    ):
        connection.sendall(asked())
        received = head_of(connection)
        if received.endswith(b"\r\n\r\n"):
            received += connection.recv(65536)
        assert received.endswith(b"\r\n\r\nabc")
        came.set()
        with pytest.raises(ConnectionResetError):
            connection.recv(65536)


def test_a_client_that_goes_away_is_no_error() -> None:
    gone = threading.Event()
    with Scripted(beginning(gone, b"3\r\nabc\r\n")) as upstream:
        with proxying("--key-id", KEY_ID, "--origin", upstream.url) as proxy:
            with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), PATIENCE) as connection:
                connection.sendall(asked())
                head_of(connection)
            gone.set()
            assert upstream.closed.wait(PATIENCE)
        assert proxy.code == 0
    assert [line for line in proxy.log if line.startswith("GET ")] == [
        "GET / 200: the client has closed its connection"
    ]


def test_on_a_unix_socket_chunks_stay(tmp_path: Path) -> None:
    """Nothing is reset there, and nginx, which speaks HTTP/1.0 to what is behind it, reads them."""
    path = tmp_path / "socket"
    with (
        Scripted(answering(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n")) as upstream,
        listening("proxy", "--listen", f"unix:{path}", "--key-id", KEY_ID, "--origin", upstream.url, patience=60),
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(asked())
        assert read_all(connection).endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
