"""A disk that takes no more while a body is kept on it: the request is refused or not sent, and nothing is left open.

The limit on the size of files stands in for the disk. What crosses it is written in part, as on a disk that is full.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as UrllibRequest

import aiohttp
import pytest

from tests.cli.command import COMMAND, environment
from tests.clients.callers import CALLERS, Caller, aiterate, iterate
from tests.servers.asgi import Conversation, scope_of
from tests.servers.asgi import Recorder as AsgiApp
from tests.servers.echo_app import KEYS
from tests.servers.test_wsgi import Recorder as WsgiApp
from tests.servers.test_wsgi import environ_of
from tests.servers.wire import GOTOM, signed
from undersign import GoTom, Verifier
from undersign.bodies import IN_MEMORY, spool
from undersign.clients import aiohttp as undersign_aiohttp
from undersign.clients import urllib as undersign_urllib
from undersign.policy import MemoryReplayGuard, ReplayPolicy
from undersign.scheme import BodyNeed
from undersign.servers import asgi, wsgi

pytestmark = pytest.mark.linux  # the limit on files is one of POSIX

MIB = 1024 * 1024
ROOM = IN_MEMORY + 65536
"""What the disk takes of each file."""
NEED = BodyNeed(("md5",))
# How much too large the body is, and in which pieces it comes: a file's own buffer may hold the last of it.
TOO_MUCH = [(1, 1000), (100, 65536), (4095, 512), (3 * MIB, 1000), (3 * MIB, 65536), (3 * MIB, 3 * MIB)]


@contextmanager
def full_disk() -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    before = open_files()
    yield
    assert open_files() == before


def open_files() -> list[str]:
    """What is open of regular files."""
    found: list[str] = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:  # that of the listing itself
            continue
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
            found.append(target)
    return sorted(found)


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize(("beyond", "size"), TOO_MUCH)
def test_what_the_disk_does_not_take_is_said_when_it_is_written(beyond: int, size: int) -> None:
    """And not when it is read again, by somebody who does not expect it."""
    with full_disk(), pytest.raises(OSError, match="large"):
        spool(pieces(bytes(ROOM + beyond), size), NEED)


def test_a_folder_that_takes_no_file_is_said_so_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="No such file"):
        spool([bytes(ROOM)], NEED)
    gc.collect()


def guarded() -> Verifier:
    return Verifier(GoTom(), KEYS, replay={"gotom": ReplayPolicy(MemoryReplayGuard(born=0))})


@pytest.mark.parametrize(("beyond", "size"), TOO_MUCH)
def test_an_asgi_server_refuses_what_it_cannot_keep_and_takes_it_when_it_can(beyond: int, size: int) -> None:
    app = AsgiApp()
    reasons: list[str] = []
    middleware = asgi.SignatureMiddleware(app, guarded(), on_rejected=lambda refusal: reasons.append(str(refusal)))
    body = bytes(ROOM + beyond)
    request = signed(GOTOM, "POST", body=body)

    def messages() -> list[dict[str, Any]]:
        told = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces(body, size)]
        told[-1]["more_body"] = False
        return [*told, {"type": "http.disconnect"}]

    with full_disk():
        assert Conversation(middleware, scope_of(request), messages()).status == 503
    assert app.calls == 0
    assert ["the temporary file for the body failed" in reason for reason in reasons] == [True]
    assert Conversation(middleware, scope_of(request), messages()).status == 204  # no guard has taken it for used
    assert app.body == body


@pytest.mark.parametrize("beyond", [1, 3 * MIB])
def test_a_wsgi_server_refuses_what_it_cannot_keep_and_takes_it_when_it_can(beyond: int) -> None:
    app = WsgiApp()
    middleware = wsgi.SignatureMiddleware(app, guarded())
    body = bytes(ROOM + beyond)
    request = signed(GOTOM, "POST", body=body)

    def status() -> str:
        statuses: list[str] = []
        answer: Any = middleware(environ_of(request), lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
        b"".join(answer)
        getattr(answer, "close", lambda: None)()
        return statuses[0]

    with full_disk():
        assert status() == "503 Service Unavailable"
    assert app.calls == 0
    assert status() == "200 OK"
    assert app.body == body


def with_aiohttp(url: str, body: list[bytes]) -> None:
    async def send() -> None:
        auth = undersign_aiohttp.SignatureAuth(GOTOM, "u", "s3cret")
        async with aiohttp.ClientSession(middlewares=(auth,)) as client, client.post(url, data=aiterate(body)):
            pass

    asyncio.run(send())


def with_urllib(url: str, body: list[bytes]) -> None:
    auth = undersign_urllib.SignatureHandler(GOTOM, "u", "s3cret")
    request = UrllibRequest(url, data=iterate(body), method="POST")  # noqa: S310 - a port of ours
    build_opener(auth, ProxyHandler({})).open(request, timeout=30)


def with_caller(caller: Caller) -> Callable[[str, list[bytes]], object]:
    return lambda url, body: caller.call("POST", url, auth=caller.auth(GOTOM, "u", "s3cret"), **caller.stream(body))


@pytest.mark.parametrize("beyond", [1, 3 * MIB])
@pytest.mark.parametrize(
    "send", [*map(with_caller, CALLERS), with_aiohttp, with_urllib], ids=[*map(repr, CALLERS), "aiohttp", "urllib"]
)
def test_a_client_that_cannot_keep_what_it_streams_sends_nothing(
    send: Callable[[str, list[bytes]], object], beyond: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/items"
        with full_disk(), pytest.raises(OSError, match="large"):
            send(url, pieces(bytes(ROOM + beyond), 1000))
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_command_line_says_where_there_was_no_room() -> None:
    with full_disk():
        done = subprocess.run(
            [*COMMAND, "call", "POST", "http://127.0.0.1:9/", "--scheme", "gotom", "--key-id", "u", "--data", "-"],
            input=bytes(ROOM + 1),
            capture_output=True,
            env=environment(),
            timeout=60,
        )
    said = "File too large: the body is kept there while it is signed; TMPDIR names another folder"
    assert done.stderr.decode() == f"undersign: {tempfile.gettempdir()}: {said}\n"
    assert (done.returncode, done.stdout) == (2, b"")
