"""Bodies: hashed as they come, and the app's as they were. Server checks 7, 8, 11, 12, 16 and 18."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import uuid
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest

from undersign import Request

from .matrix import Running
from .wire import GOGRID, GOTOM, break_off, message, read_answer, send, signed

MIB = 1024 * 1024
STALE = 7200


def post(body: bytes, target: str = "/items", *, age: float = 0) -> Request:
    return signed(GOTOM, "POST", target, [("Content-Type", "application/octet-stream")], body, age=age)


@pytest.mark.parametrize("size", [0, 1, 70_000, MIB, MIB + 1, 3 * MIB])
def test_the_app_gets_the_body_as_it_was_sent(server: Running, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    answer = send(server.port, message(post(body)))
    assert answer.status == 200, server.events(event="rejected")[-1:]
    found = answer.json()
    assert (found["body_bytes"], found["content-length"]) == (size, str(size))
    assert found["body_md5"] == hashlib.md5(body, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("size", [1, 70_000, 3 * MIB])
def test_check_07_chunks_arrive_whole_or_are_411(server: Running, size: int) -> None:
    body = b"y" * size
    answer = send(server.port, message(post(body), chunked=True))
    if server.server.terminates_chunks:
        assert answer.status == 200, server.events(event="rejected")[-1:]
        assert answer.json()["body_bytes"] == size
    else:
        assert answer.status == 411
        assert answer.body == b'"Content-Length required"'
        assert server.wait_for(event="rejected", reason="length_required")


def test_a_changed_body_is_refused(server: Running) -> None:
    request = post(b"amount=1")
    changed = Request(request.method, request.target, request.headers, b"amount=9")
    before = len(server.events(event="app"))
    answer = send(server.port, message(changed))
    assert (answer.status, answer.body) == (401, b'"Signature not valid"')
    assert len(server.events(event="app")) == before


def test_check_08_a_streaming_answer_is_complete_and_idle(server: Running) -> None:
    target = "/stream"
    answer = send(server.port, message(signed(GOTOM, "GET", target)))
    assert answer.status == 200
    assert answer.body.startswith(b"".join(b"piece %d\n" % number for number in range(20)))
    if server.server.interface == "asgi":
        spent = float(answer.body.partition(b"cpu ")[2])
        assert spent < 0.2, "half a second of waiting has cost that much CPU"


def test_check_11_a_declared_length_over_the_limit_is_413_at_once(server: Running) -> None:
    answer = send(server.port, message(post(b"z" * 1001, "/small")))
    assert (answer.status, answer.body) == (413, b'"Request body too large"')
    assert send(server.port, message(post(b"z" * 1000, "/small"))).status == 200


def test_check_11_chunks_over_the_limit_are_413(server: Running) -> None:
    answer = send(server.port, message(post(b"z" * 1001, "/small"), chunked=True))
    assert answer.status == (413 if server.server.terminates_chunks else 411)


@pytest.mark.linux
@pytest.mark.long
def test_check_11_memory_stays_bounded(server: Running) -> None:
    """50 MiB come in, into a limit of 16 MiB and a memory of 1 MiB. A server that reads the body first has its own."""
    send(server.port, message(post(b"z" * (8 * MIB))))
    before = peak_memory(server.process.pid)
    answer = send(server.port, message(post(b"z" * (15 * MIB))))
    assert (answer.status, answer.json()["body_bytes"]) == (200, 15 * MIB)
    # The echo itself reads the body into memory, and hashes it there.
    assert server.server.buffers_body or peak_memory(server.process.pid) - before < 40 * MIB
    for chunked in (False, True):
        try:
            answer = send(server.port, too_large(chunked=chunked))
        except (ConnectionError, TimeoutError):
            continue  # the server has closed on a client that was still sending
        assert answer.status in (413, 411) or (server.server.buffers_body and answer.status == 400)
    assert server.server.buffers_body or peak_memory(server.process.pid) - before < 45 * MIB


@cache
def too_large(*, chunked: bool) -> bytes:
    return message(post(b"z" * (50 * MIB)), chunked=chunked)


def peak_memory(pid: int) -> int:
    """Of the process and those it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return own + sum(peak_memory(int(child)) for child in children)


def test_check_12_a_disconnect_in_mid_body_never_reaches_the_app(server: Running) -> None:
    for cut, chunked in ((1, False), (1000, False), (1000, True)):
        target = f"/gone-{uuid.uuid4().hex}"
        data = message(post(b"g" * 100_000, target), chunked=chunked)
        break_off(server.port, data[:-cut])
        if server.server.buffers_body or (chunked and not server.server.terminates_chunks):
            assert send(server.port, message(signed())).status == 200
        else:
            server.wait_for(event="done", path=target)
        break_off(server.port, data[:-cut], reset=True)
        assert send(server.port, message(signed())).status == 200
        assert not server.events(event="app", path=target)


def test_check_12_a_half_closed_body_never_reaches_the_app(server: Running) -> None:
    """The client says that it is done, and has not sent all that it has declared."""
    target = f"/half-{uuid.uuid4().hex}"
    data = message(post(b"", target)).replace(b"Content-Length: 0", b"Content-Length: 10")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(3)
        with contextlib.suppress(OSError):
            assert b"200 OK" not in connection.recv(65536)
    assert not server.events(event="app", path=target)


@pytest.mark.parametrize("chunk", [b"zz\r\nabc\r\n", b"3\r\nabcd\r\n", b"-1\r\n\r\n"])
def test_a_broken_chunk_is_no_failure_of_the_server(server: Running, chunk: bytes) -> None:
    data = message(post(b"abc"), chunked=True)
    broken = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + chunk
    with contextlib.suppress(OSError, http.client.HTTPException):  # it waits for what it cannot see, or hangs up
        assert send(server.port, broken, timeout=2).status < 500


def test_check_16_content_length_with_transfer_encoding(server: Running) -> None:
    """Where the server keeps it to itself it follows RFC 9112, section 6.3: what is hashed is what the app gets."""
    body = b"0123456789" * 10
    chunked = message(post(body), chunked=True)
    for length in (5, len(body)):
        data = chunked.replace(b"Transfer-Encoding", b"Content-Length: %d\r\nTransfer-Encoding" % length)
        answer = send(server.port, data)
        if server.server.shows_framing:
            assert 400 <= answer.status < 500
        else:
            assert answer.status in (200, 400)
            assert answer.status == 400 or answer.json()["body_bytes"] == len(body)


@pytest.mark.parametrize("codings", ["gzip, chunked", "identity", "chunked, chunked", "chunkedx"])
def test_check_16_other_codings_are_refused(server: Running, codings: str) -> None:
    data = message(post(b"abc"), chunked=True).replace(b"Encoding: chunked", f"Encoding: {codings}".encode())
    try:
        answer = send(server.port, data, timeout=5)
    except (OSError, ValueError):
        return  # the server waits for a body that it cannot see, or hangs up
    if answer.status == 200:
        assert answer.json()["body_bytes"] == 3
        assert not server.server.shows_framing


def test_check_18_a_stale_date_is_refused_before_the_body_is_read(server: Running) -> None:
    refused_without_body(server, post(b"s" * MIB, age=STALE), "stale")


def test_check_18_a_malformed_head_is_refused_before_the_body_is_read(server: Running) -> None:
    request = post(b"m" * MIB)
    headers = tuple(
        (name, value.replace(":", "::")) if name == "Date" else (name, value) for name, value in request.headers
    )
    refused_without_body(server, Request(request.method, request.target, headers, request.body), "malformed")


def refused_without_body(server: Running, request: Request, reason: str) -> None:
    """Head alone, and the answer is there; a server that reads the body first gets it all."""
    data = message(request)
    head = data[: data.index(b"\r\n\r\n") + 4]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data if server.server.buffers_body else head)
        answer = read_answer(connection)
    assert (answer.status, answer.body) == (401, b'"Signature not valid"')
    assert server.wait_for(event="rejected", reason=reason)


def test_a_form_may_hold_the_signature(server: Running) -> None:
    form = signed(
        GOGRID, "POST", "/items", [("Content-Type", "application/x-www-form-urlencoded")], b"server=a&server=b"
    )
    answer = send(server.port, message(form))
    assert answer.status == 200
    assert isinstance(form.body, bytes)
    assert answer.json()["body_bytes"] == len(form.body)
    twice = Request(form.method, form.target + "?" + form.body.decode(), form.headers, form.body)
    assert send(server.port, message(twice)).status == 400
    large = form.body + b"&" + urlencode({"x": "y" * MIB}).encode()
    assert send(server.port, message(Request(form.method, form.target, form.headers, large))).status == 413
    unsigned = Request("POST", "/items", form.headers, b"server=a")
    assert send(server.port, message(unsigned)).status == 401
