"""Ctrl-C once, and once more: what is in flight ends first, and is broken off then. SIGTERM never breaks it off."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from tests.cli.command import KEY_ID as OF_THE_PROXY
from undersign.gateway.supervising import AT_SIGHUP

from .harness import Scripted, get, head_of, read_all
from .process import proxying
from .processes import PATIENCE, Gateway, gateway, is_there, workers_of, write_keys
from .signing import bokun
from .test_gateway_operators import metrics_of
from .test_gateway_process import BOKUN, eventually

pytestmark = pytest.mark.linux  # /proc says which processes there are

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
REST = b"0123456789"
WORKERS = pytest.mark.parametrize("workers", [1, 2])


class Held:
    """An upstream whose answers begin, and end when the test says so."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.goes_on = Event()

    def __call__(self, connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(self.head)
        self.goes_on.wait(PATIENCE)
        connection.sendall(REST)


@contextmanager
def in_flight(port: int, request: bytes, begun: bytes = b"\r\n\r\n") -> Generator[socket.socket, None, None]:
    """A connection on which an answer has begun."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request)
        read = b""
        while begun not in read:
            piece = connection.recv(65536)
            assert piece, read
            read += piece
        yield connection


@contextmanager
def held_gateway(folder: Path, workers: int, head: bytes = HEAD) -> Generator[tuple[Gateway, Held], None, None]:
    """A gateway in a process group of its own, as a terminal has it, and the upstream behind it."""
    held = Held(head)
    with Scripted(held) as upstream:
        arguments = (*BOKUN, "--upstream", upstream.url, "--workers", str(workers), "--grace", "60")
        with gateway(folder, *arguments) as found:
            yield found, held
        held.goes_on.set()


def on_the_terminal(found: Gateway) -> None:
    """Ctrl-C: the whole group is sent the signal."""
    os.killpg(found.process.pid, signal.SIGINT)


def to_the_process(found: Gateway) -> None:
    found.process.send_signal(signal.SIGINT)


def drains(found: Gateway, workers: int) -> None:
    eventually(lambda: len(found.logged(message="draining")) == workers, "it drains")


def has_taken_all_signals(found: Gateway) -> None:
    """Signals are taken in turn, and SIGHUP is logged."""
    before = len(found.logged(message=AT_SIGHUP))
    pids = [found.process.pid, *workers_of(found)]
    for pid in pids:
        os.kill(pid, signal.SIGHUP)
    # uvloop may tell of one twice.
    eventually(lambda: len(found.logged(message=AT_SIGHUP)) >= before + len(pids), "each has taken SIGHUP")


def said_in(folder: Path) -> list[str]:
    """The messages of the log, each line of which is JSON."""
    lines = (folder / "log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["message"] for line in lines]


@pytest.mark.sampled(3)
@WORKERS
@pytest.mark.parametrize("send", [on_the_terminal, to_the_process])
def test_ctrl_c_once_more_ends_a_gateway_at_once_and_leaves_no_process(
    tmp_path: Path, workers: int, send: Callable[[Gateway], None]
) -> None:
    with held_gateway(tmp_path, workers) as (found, _):
        pids = workers_of(found)
        folders = {folder for pid in pids for folder in metrics_of(pid)}
        with in_flight(found.port, bokun("GET", "/a")) as connection:
            send(found)
            drains(found, workers)
            has_taken_all_signals(found)
            assert found.process.poll() is None
            send(found)
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        assert found.process.wait(PATIENCE) == 130
    assert len(pids) == (workers if workers > 1 else 0)
    assert not any(map(is_there, pids))
    assert not any(folder.exists() for folder in folders)
    assert "ended at once: what was in flight is broken off" in said_in(tmp_path)


@WORKERS
def test_an_answer_that_ends_with_its_connection_does_not_look_whole_then(tmp_path: Path, workers: int) -> None:
    request = bokun("GET", "/a").replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")
    with held_gateway(tmp_path, workers, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0") as (found, _):
        with in_flight(found.port, request, begun=b"\r\n\r\n0") as connection:
            found.process.send_signal(signal.SIGINT)
            drains(found, workers)
            found.process.send_signal(signal.SIGINT)
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        assert found.process.wait(PATIENCE) == 130


@pytest.mark.sampled(3)
@WORKERS
@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM] * 3, [signal.SIGINT, signal.SIGTERM]])
def test_no_other_signals_lose_a_request(tmp_path: Path, workers: int, signals: list[signal.Signals]) -> None:
    """systemd sends SIGTERM to all processes, whose parent tells them once more, and others send it several times."""
    with held_gateway(tmp_path, workers) as (found, held), in_flight(found.port, bokun("GET", "/a")) as connection:
        for number in signals:
            os.killpg(found.process.pid, number)
            drains(found, workers)
            has_taken_all_signals(found)
        assert found.process.poll() is None
        held.goes_on.set()
        assert read_all(connection) == REST
        assert found.process.wait(PATIENCE) == 0
    assert "ended at once: what was in flight is broken off" not in said_in(tmp_path)


def test_one_ctrl_c_among_other_signals_is_one(tmp_path: Path) -> None:
    with held_gateway(tmp_path, 1) as (found, held), in_flight(found.port, bokun("GET", "/a")) as connection:
        for _ in range(500):
            found.process.send_signal(signal.SIGHUP)
        found.process.send_signal(signal.SIGINT)
        for _ in range(500):
            found.process.send_signal(signal.SIGHUP)
        drains(found, 1)
        has_taken_all_signals(found)
        assert found.process.poll() is None
        held.goes_on.set()
        assert read_all(connection) == REST
        assert found.process.wait(PATIENCE) == 0


def test_what_is_left_when_the_grace_is_over_is_no_fault_in_the_log(tmp_path: Path) -> None:
    with (
        Scripted(Held(HEAD)) as upstream,
        gateway(tmp_path, *BOKUN, "--upstream", upstream.url, "--grace", "1") as found,
        in_flight(found.port, bokun("GET", "/a")) as connection,
    ):
        assert found.end() == 0
        assert read_all(connection) == b""
    assert not [message for message in said_in(tmp_path) if "Exception" in message]


def test_ctrl_c_while_workers_start_is_for_the_process_that_starts_them(tmp_path: Path) -> None:
    """The terminal sends it to each. So they print no traces, and are ended by that one alone."""
    command = [sys.executable, "-m", "undersign.cli", "gateway", *BOKUN, "--upstream", "http://127.0.0.1:9"]
    command += ["--origin", "https://h", "--keys", str(write_keys(tmp_path)), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        eventually(lambda: len(children.read_text().split()) == 3, "two workers, and what multiprocessing tracks with")
        pids = list(map(int, children.read_text().split()))
        eventually(lambda: any("httptools" in Path(f"/proc/{pid}/maps").read_text() for pid in pids), "they import")
        for pid in pids:
            os.kill(pid, signal.SIGINT)
        assert process.stdout.readline().startswith("listening on")
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in err, "another one starts" in err) == (0, False, False), err
    eventually(lambda: not any(map(is_there, pids)), "all have ended")


@pytest.mark.parametrize("address", ["tcp", "unix"])
def test_ctrl_c_once_more_ends_a_proxy_at_once(tmp_path: Path, address: str) -> None:
    path = tmp_path / "proxy.sock"
    listen = ("--listen", f"unix:{path}") if address == "unix" else ()
    with (
        Scripted(Held(HEAD)) as upstream,
        proxying("--key-id", OF_THE_PROXY, "--origin", upstream.url, *listen) as proxy,
        begun(path if address == "unix" else int(proxy.url.rpartition(":")[2])) as connection,
    ):
        proxy.process.send_signal(signal.SIGINT)
        takes_nothing_new(connection.getpeername())
        assert proxy.process.poll() is None
        proxy.process.send_signal(signal.SIGINT)
        if address == "unix":  # none of these is reset
            assert connection.recv(100) == b""
        else:
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        assert proxy.process.wait(PATIENCE) == 130
    assert not path.exists()
    assert len(proxy.log) == 1, proxy.log  # what it says when it listens


@contextmanager
def begun(address: Path | int) -> Generator[socket.socket, None, None]:
    """A connection to a proxy on which an answer has begun."""
    with socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(address) if isinstance(address, Path) else ("127.0.0.1", address))
        connection.sendall(get("/"))
        assert b"\r\n\r\n" in connection.recv(65536)
        yield connection


def takes_nothing_new(address: str | tuple[str, int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as connection:
            if connection.connect_ex(address):
                return
    pytest.fail("it still listens")


def test_a_proxy_takes_no_number_of_sigterms_for_that() -> None:
    held = Held(HEAD)
    with (
        Scripted(held) as upstream,
        proxying("--key-id", OF_THE_PROXY, "--origin", upstream.url) as proxy,
        begun(int(proxy.url.rpartition(":")[2])) as connection,
    ):
        for _ in range(3):
            proxy.process.send_signal(signal.SIGTERM)
            takes_nothing_new(connection.getpeername())
        held.goes_on.set()
        assert read_all(connection) == REST
        # The block ends with one more: at the very end of a process no handler of Python's is left that would take it.
        assert proxy.process.wait(PATIENCE) == 0
