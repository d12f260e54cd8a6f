"""A client that goes, and a worker that is killed, in the middle of a body that is kept on disk."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

from .matrix import BIN, SERVERS, Running, run_command, skip_without
from .test_bodies import MIB, post
from .wire import break_off, message, read_answer, send, signed

pytestmark = [pytest.mark.long, pytest.mark.linux]

PATIENCE = 30.0
BY_NAME = {server.name: server for server in SERVERS}


def family(pid: int) -> list[int]:
    """The process and those that it has started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def temporary_files(running: Running) -> int:
    """How many files without a name the server's processes hold open, as those of spooled bodies are."""
    found = 0
    for pid in family(running.process.pid):
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                found += str(link.readlink()).endswith(" (deleted)")
    return found


def settles_at(running: Running, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := temporary_files(running)) > wanted:
        assert time.monotonic() < deadline, f"{running} holds {found} temporary files, and {wanted} before"
        time.sleep(0.02)


def test_a_client_that_goes_in_mid_body_leaves_no_file_open(server: Running) -> None:
    assert send(server.port, message(signed())).status == 200  # its workers are there, and what they hold open
    before = temporary_files(server)
    target = f"/left-{uuid.uuid4().hex}"
    for chunked in (False, True):
        data = message(post(bytes(2 * MIB), target), chunked=chunked)
        break_off(server.port, data[:-1000])
        break_off(server.port, data[:-1000], reset=True)
    assert send(server.port, message(signed())).status == 200
    settles_at(server, before)
    assert not server.events(event="app", path=target)


COMMANDS = {
    "gunicorn": "gunicorn echo_app:wsgi -b 127.0.0.1:{port}",
    "gunicorn-asgi": "gunicorn echo_app:asgi -k asgi -b 127.0.0.1:{port}",
    "uvicorn-h11": "uvicorn echo_app:asgi --http h11 --port {port}",
    "uvicorn-httptools": "uvicorn echo_app:asgi --workers 2 --port {port}",
}


@contextmanager
def started(name: str, folder: Path, limit: str = "") -> Iterator[Running]:
    """A server of its own that keeps its temporary files in a folder of its own; `limit` is the shell's."""
    server = BY_NAME[name]
    skip_without(server.missing())
    (folder / "temporary").mkdir()
    port = free_port()
    script = f"{limit}\nTMPDIR={folder / 'temporary'} exec {BIN}/{COMMANDS[name].format(port=port)}"
    with contextmanager(run_command)(server, ["sh", "-c", script], port, folder) as running:
        assert send(port, message(signed())).status == 200  # its workers are there, and what they hold open
        yield running


@pytest.mark.parametrize("name", COMMANDS)
def test_a_worker_killed_in_mid_body_has_let_nothing_in_and_leaves_no_file(name: str, tmp_path: Path) -> None:
    target = f"/killed-{uuid.uuid4().hex}"
    data = message(post(bytes(2 * MIB), target))
    with started(name, tmp_path) as running:
        before = temporary_files(running)
        with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE) as connection:
            connection.sendall(data[:-1000])
            deadline = time.monotonic() + PATIENCE
            while temporary_files(running) == before:
                assert time.monotonic() < deadline, running.output()
                time.sleep(0.02)
            for pid in reversed(family(running.process.pid)[1:] or [running.process.pid]):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                connection.sendall(data[-1000:])
            with pytest.raises((OSError, http.client.HTTPException)):
                read_answer(connection)
        assert list((tmp_path / "temporary").iterdir()) == []
        assert not running.events(event="app", path=target)
        if name == "uvicorn-h11":  # it has no other process that would start it again
            return
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert send(running.port, data).json()["body_bytes"] == 2 * MIB
                return
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < deadline, running.output()
                time.sleep(0.05)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_server_whose_disk_is_full_says_so_and_goes_on(name: str, tmp_path: Path) -> None:
    target = f"/full-{uuid.uuid4().hex}"
    with started(name, tmp_path, limit="ulimit -f 2304") as running:  # in blocks of 512 bytes: 1.125 MiB a file
        before = temporary_files(running)
        for _ in range(3):
            answer = send(running.port, message(post(bytes(2 * MIB), target)))
            assert (answer.status, answer.body) == (503, b'"Try again later"')
        assert send(running.port, message(post(bytes(MIB)))).json()["body_bytes"] == MIB
        settles_at(running, before)
        assert not running.events(event="app", path=target)
        assert "the temporary file for the body failed" in running.wait_for(event="rejected")[0]["detail"]
