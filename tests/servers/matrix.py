"""The servers that people run, each started as they start it, on a free port of loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.ports import free_port

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
_PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    """How to start a server, and what it cannot do.

    `needs` names programs and modules, with spaces between; `keeps_target`: it passes the raw target on.
    """

    name: str
    needs: str
    command: Callable[[int, Path], list[str]]
    interface: str
    keeps_target: bool = True
    environ: dict[str, str] = field(default_factory=dict)
    buffers_body: bool = False
    """It reads the whole body before it calls the app."""
    terminates_chunks: bool = True
    """It says where a chunked body ends."""
    shows_framing: bool = True
    """It refuses Content-Length beside Transfer-Encoding, or lets the app see both."""
    drops_underscores: bool = True
    """It drops X_Name, or keeps it apart from X-Name."""

    def __repr__(self) -> str:
        return self.name

    def respells(self, target: str) -> bool:
        """Whether the target can be told from the decoded path that the server passes on, if that is all it does."""
        path = target.partition("?")[0]
        cut = path.startswith("//") and self.name == "wsgiref"
        spelled_otherwise = ("/a%2Fb", "/%7e", "/%61", "/%C3%A9%e9", "/!$&'()*,:@[]|")
        return not cut and path not in spelled_otherwise

    def missing(self) -> list[str]:
        """Which of its programs and modules are not installed."""
        path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
        names = self.needs.split()
        return [name for name in names if shutil.which(name, path=path) is None and find_spec(name) is None]


def _tool(name: str, *arguments: str) -> Callable[[int, Path], list[str]]:
    return lambda port, folder: [
        str(BIN / name),
        *(argument.format(port=port, folder=folder) for argument in arguments),
    ]


def _python(code: str) -> Callable[[int, Path], list[str]]:
    return lambda port, folder: [sys.executable, "-c", code.format(port=port)]


_WSGIREF = """
from wsgiref.simple_server import WSGIRequestHandler, make_server
from echo_app import wsgi
make_server("127.0.0.1", {port}, wsgi).serve_forever()
"""
_WSGIREF_EXACT = """
from wsgiref.simple_server import make_server
from echo_app import wsgi
from wsgiref_app import ExactHandler
make_server("127.0.0.1", {port}, wsgi, handler_class=ExactHandler).serve_forever()
"""
_WERKZEUG = """
from werkzeug.serving import run_simple
from echo_app import wsgi
run_simple("127.0.0.1", {port}, wsgi, threaded=True)
"""
_GEVENT = """
from gevent.pywsgi import WSGIServer
from echo_app import wsgi
WSGIServer(("127.0.0.1", {port}), wsgi).serve_forever()
"""
_TWISTED = """
from twisted.internet import reactor
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource
from echo_app import wsgi
reactor.listenTCP({port}, Site(WSGIResource(reactor, reactor.getThreadPool(), wsgi)), interface="127.0.0.1")
reactor.run()
"""
_TORNADO = """
import asyncio
from tornado.httpserver import HTTPServer
from tornado.wsgi import WSGIContainer
from echo_app import wsgi
async def main():
    HTTPServer(WSGIContainer(wsgi)).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""
_A2WSGI = """
import uvicorn
from a2wsgi import WSGIMiddleware
from echo_app import wsgi
uvicorn.run(WSGIMiddleware(wsgi), port={port})
"""

_UVICORN = ("echo_app:asgi", "--port", "{port}", "--http")
_HYPERCORN = ("-b", "127.0.0.1:{port}")
_GRANIAN = ("--port", "{port}", "--interface")

SERVERS = [
    Server("uvicorn-h11", "uvicorn h11", _tool("uvicorn", *_UVICORN, "h11"), "asgi"),
    Server("uvicorn-httptools", "uvicorn httptools", _tool("uvicorn", *_UVICORN, "httptools"), "asgi"),
    Server("hypercorn", "hypercorn", _tool("hypercorn", "echo_app:asgi", *_HYPERCORN), "asgi"),
    Server("granian", "granian", _tool("granian", "echo_app:asgi", *_GRANIAN, "asgi"), "asgi", shows_framing=False),
    Server(
        "gunicorn-asgi", "gunicorn", _tool("gunicorn", "echo_app:asgi", "-k", "asgi", "-b", "127.0.0.1:{port}"), "asgi"
    ),
    Server("daphne", "daphne", _tool("daphne", "-p", "{port}", "echo_app:asgi"), "asgi", buffers_body=True),
    Server("gunicorn", "gunicorn", _tool("gunicorn", "echo_app:wsgi", "-b", "127.0.0.1:{port}"), "wsgi"),
    Server(
        "waitress",
        "waitress",
        _tool("waitress-serve", "--listen=127.0.0.1:{port}", "echo_app:wsgi"),
        "wsgi",
        buffers_body=True,
        shows_framing=False,
    ),
    Server(
        "uwsgi",
        "uwsgi",
        _tool("uwsgi", "--http-socket", "127.0.0.1:{port}", "--module", "echo_app:wsgi", "--need-app", "--die-on-term"),
        "wsgi",
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server("werkzeug", "werkzeug", _python(_WERKZEUG), "wsgi"),
    Server(
        "wsgiref",
        "wsgiref",
        _python(_WSGIREF),
        "wsgi",
        keeps_target=False,
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server(
        "wsgiref-exact",
        "wsgiref",
        _python(_WSGIREF_EXACT),
        "wsgi",
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server("gevent", "gevent", _python(_GEVENT), "wsgi", keeps_target=False, shows_framing=False),
    Server(
        "granian-wsgi",
        "granian",
        _tool("granian", "echo_app:wsgi", *_GRANIAN, "wsgi"),
        "wsgi",
        keeps_target=False,
        shows_framing=False,
        drops_underscores=False,
    ),
    Server(
        "hypercorn-wsgi",
        "hypercorn",
        _tool("hypercorn", "wsgi:echo_app:wsgi", *_HYPERCORN),
        "wsgi",
        keeps_target=False,
        buffers_body=True,
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server(
        "a2wsgi",
        "a2wsgi uvicorn",
        _python(_A2WSGI),
        "wsgi",
        keeps_target=False,
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server(
        "twisted",
        "twisted",
        _python(_TWISTED),
        "wsgi",
        keeps_target=False,
        buffers_body=True,
        terminates_chunks=False,
        drops_underscores=False,
    ),
    Server(
        "tornado",
        "tornado",
        _python(_TORNADO),
        "wsgi",
        keeps_target=False,
        buffers_body=True,
        terminates_chunks=False,
        drops_underscores=False,
    ),
]

_ROOTED = {"UNDERSIGN_TEST_PREFIX": "/api"}
ROOTED = [
    Server(
        "uvicorn-h11-rooted",
        "uvicorn h11",
        _tool("uvicorn", *_UVICORN, "h11", "--root-path", "/api"),
        "asgi",
        environ=_ROOTED,
    ),
    Server(
        "uvicorn-httptools-rooted",
        "uvicorn httptools",
        _tool("uvicorn", *_UVICORN, "httptools", "--root-path", "/api"),
        "asgi",
        environ=_ROOTED,
    ),
    Server(
        "hypercorn-rooted",
        "hypercorn",
        _tool("hypercorn", "echo_app:asgi", *_HYPERCORN, "--root-path", "/api"),
        "asgi",
        environ=_ROOTED,
    ),
    Server(
        "granian-rooted",
        "granian",
        _tool("granian", "echo_app:asgi", *_GRANIAN, "asgi", "--url-path-prefix", "/api"),
        "asgi",
        environ=_ROOTED,
    ),
    Server(
        "gunicorn-rooted",
        "gunicorn",
        _tool("gunicorn", "echo_app:wsgi", "-b", "127.0.0.1:{port}"),
        "wsgi",
        environ=_ROOTED,
    ),
]


class Running:
    """A server that runs, with what its middleware and app have noted."""

    def __init__(self, server: Server, port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.server = server
        self.port = port
        self.process = process
        self.folder = folder

    def __repr__(self) -> str:
        return f"{self.server.name} on port {self.port}"

    def events(self, **wanted: object) -> list[dict[str, Any]]:
        """What was noted so far, where it holds all that is wanted."""
        path = self.folder / "events"
        if not path.exists():
            return []
        found = [
            json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1:] == "\n"
        ]
        return [event for event in found if wanted.items() <= event.items()]

    def wait_for(self, **wanted: object) -> list[dict[str, Any]]:
        """The events as soon as there is one."""
        deadline = time.monotonic() + _PATIENCE
        while not (found := self.events(**wanted)):
            assert time.monotonic() < deadline, f"{self} has not noted {wanted}"
            time.sleep(0.01)
        return found

    def output(self) -> str:
        return (self.folder / "output").read_text(encoding="utf-8", errors="replace")


Start: TypeAlias = Callable[[Server], Running]


def skip_without(missing: list[str]) -> None:
    """Skip for want of a server."""
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


def run(server: Server, folder: Path) -> Iterator[Running]:
    """Start the server, yield it, and stop it."""
    skip_without(server.missing())
    port = free_port()
    yield from run_command(server, server.command(port, folder), port, folder)


def run_command(server: Server, command: list[str], port: int, folder: Path) -> Iterator[Running]:
    paths = [HERE, HERE.parents[1] / "docs" / "examples" / "servers"]
    environ = {
        **os.environ,
        **server.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "PYTHONUNBUFFERED": "1",
        "UNDERSIGN_TEST_EVENTS": str(folder / "events"),
    }
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT)
    running = Running(server, port, process, folder)
    try:
        _await_connection(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_connection(running: Running) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", running.port), timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"{running} does not listen: {running.output()}"
        else:
            return
        try:
            running.process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"{running} has ended: {running.output()}")
