"""The head of an answer goes out with the first piece of its body, and nothing is lost, late or in another order."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.gateway.harness import PATIENCE, Scripted, head_of, running
from undersign.gateway import Forwarder
from undersign.gateway.gathered import GatheredTransport


class Recorded(asyncio.Transport):
    """Keeps what is written, and says when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        assert not self.is_closed
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


WRITES = st.lists(st.one_of(st.none(), st.integers(0, 40_000).map(bytes), st.binary(max_size=50)), max_size=12)


@settings(deadline=None, max_examples=60)
@given(WRITES)
def test_all_is_written_in_order_by_the_next_round_of_the_loop_or_the_close(writes: list[bytes | None]) -> None:
    """None stands for such a round."""

    async def run() -> None:
        under = Recorded()
        gathered = GatheredTransport(under, asyncio.get_running_loop())
        written = b""
        for data in writes:
            if data is None:
                await asyncio.sleep(0)
                assert b"".join(under.writes) == written
            else:
                gathered.write(data)
                written += data
        gathered.close()
        assert b"".join(under.writes) == written
        assert under.is_closed
        await asyncio.sleep(0)

    asyncio.run(run())


def test_what_is_kept_is_dropped_where_the_connection_is_gone() -> None:
    async def run() -> None:
        under = Recorded()
        gathered = GatheredTransport(under, asyncio.get_running_loop())
        gathered.write(b"head")
        under.is_closed = True
        await asyncio.sleep(0)
        assert under.writes == []

    asyncio.run(run())


@pytest.mark.parametrize("pieces", [[b"head", b"body"], [b"x" * 40_000], [b"head", b"x" * 40_000]])
def test_nothing_is_written_to_a_connection_that_closes(pieces: list[bytes]) -> None:
    """uvloop's transport raises then, and each client that ends its side early would be an error in the log."""

    async def run() -> None:
        under = Recorded()
        gathered = GatheredTransport(under, asyncio.get_running_loop())
        under.close()
        for piece in pieces:
            gathered.write(piece)
        await asyncio.sleep(0)
        assert under.writes == []

    asyncio.run(run())


def test_head_and_body_are_one_write() -> None:
    def script(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")

    forwarder = Forwarder()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await forwarder.lifespan(receive, send)
        else:
            await forwarder.forward(scope, receive, send, upstream.url)

    with (
        Scripted(script) as upstream,
        running(app) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536).endswith(b"\r\n\r\nbody")
