"""Heads that a server behind could read in another way than the forwarder: they end at the forwarder."""

from __future__ import annotations

import pytest

from tests.clients.wire import WireServer

from .harness import get, status_of, talk


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: a\r\nHost: b\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a, b\r\n",
        b"Host: a,b\r\n",
        b"Host: a/b\r\n",
        b"Host: user@a\r\n",
        b"Host: a b\r\n",
        b"Host: a?b\r\n",
        b"Host: a#b\r\n",
        b"Host: a\\b\r\n",
    ],
    ids=repr,
)
def test_a_host_that_is_not_one_host_is_refused(port: int, upstream: WireServer, lines: bytes) -> None:
    """RFC 9112, section 3.2: each server takes another of two, or both joined."""
    before = len(upstream.requests)
    assert status_of(talk(port, b"GET / HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")) == 400
    assert len(upstream.requests) == before


@pytest.mark.parametrize("host", ["127.0.0.1", "api.example.com:8443", "[::1]:80", "a_b", "xn--bcher-kva.example.", ""])
def test_a_host_arrives_as_it_was_sent(port: int, upstream: WireServer, host: str) -> None:
    assert status_of(talk(port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())) == 200
    assert upstream.requests[-1].partition(b"\r\n")[2].startswith(f"host: {host}\r\n".encode())


@pytest.mark.parametrize(
    "shape",
    [
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\na",
        b"HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\na",
        b"HTTP/2.0\r\nHost: a\r\n\r\n",
        b"HTTP/0.9\r\nHost: a\r\n\r\n",
    ],
    ids=repr,
)
def test_framing_that_servers_read_in_different_ways_is_refused(port: int, upstream: WireServer, shape: bytes) -> None:
    """A coding that is taken off would leave another body; a version or a length that is none is anybody's guess."""
    before = len(upstream.requests)
    assert status_of(talk(port, b"POST / " + shape)) in (400, 501, 505)
    assert len(upstream.requests) == before


@pytest.mark.parametrize("target", ["/a", "127.0.0.1:1", "http://127.0.0.1/a"])
def test_no_tunnel_is_opened(port: int, upstream: WireServer, target: str) -> None:
    """The client library would put the upstream's own address in the place of a path."""
    before = len(upstream.requests)
    assert status_of(talk(port, get(target, method="CONNECT"))) in (400, 501)
    assert len(upstream.requests) == before
