"""Servers that start when a test first asks for them, and run until the tests are over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from .matrix import SERVERS, Running, Server, Start, run

USUAL = ("uvicorn-h11", "hypercorn", "gunicorn", "waitress", "uwsgi", "wsgiref", "a2wsgi")


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    running: dict[str, Running] = {}
    with ExitStack() as stack:

        def started(server: Server) -> Running:
            if server.name not in running:
                folder = tmp_path_factory.mktemp(server.name)
                running[server.name] = stack.enter_context(contextmanager(run)(server, folder))
            return running[server.name]

        yield started
        for one in running.values():
            one.process.terminate()  # all at once: some take a second to end


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, start: Start) -> Running:
    return start(request.param)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `server` runs on all of them, unless it says on which; `make test` has one of each kind."""
    marked = any(mark.args[0] == "server" for mark in metafunc.definition.iter_markers("parametrize"))
    if "server" in metafunc.fixturenames and not marked:
        servers = [pytest.param(one, marks=() if one.name in USUAL else pytest.mark.long) for one in SERVERS]
        metafunc.parametrize("server", servers, ids=repr, indirect=True, scope="session")
