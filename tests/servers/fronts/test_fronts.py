"""What verifies behind the fronts that people run: 84 requests through each, as it comes and mended."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import typing_extensions

import undersign
from tests.ports import free_port

from ..matrix import BIN, Running, Server, run_command, skip_without
from ..wire import send
from . import app
from .cases import CASES, TARGETS, signed
from .measuring import Refused, measure, over_http1, over_http2
from .rows import ASGI_LOSES, OVER_HTTP2, ROWS, SHOWN, TO_WSGI, VARNISH_MENDED, Row
from .running import Front, running
from .table import PAGE, page_with_tables


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_port()
    command = [str(BIN / "uvicorn"), "fronts.app:asgi", "--port", str(port), "--log-level", "warning"]
    server = Server("uvicorn", "uvicorn", lambda port, folder: command, "asgi")
    skip_without(server.missing())
    yield from run_command(server, command, port, tmp_path_factory.mktemp("uvicorn"))


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_port()
    command = [str(BIN / "gunicorn"), "fronts.app:wsgi", "-b", f"127.0.0.1:{port}", "--limit-request-line", "8190"]
    server = Server("gunicorn", "gunicorn", lambda port, folder: command, "wsgi")
    skip_without(server.missing())
    yield from run_command(server, command, port, tmp_path_factory.mktemp("gunicorn"))


@pytest.fixture(scope="module")
def uwsgi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """One that speaks three protocols, each on its port."""
    ports = {protocol: free_port() for protocol in ("uwsgi", "fastcgi", "scgi")}
    command = [str(BIN / "uwsgi"), "--module", "fronts.app:wsgi", "--need-app", "--die-on-term"]
    command += ["--buffer-size", "32768"]  # the long targets do not fit into what it has by itself
    for protocol, port in ports.items():
        command += [f"--{protocol}-socket", f"127.0.0.1:{port}"]
    server = Server("uwsgi", "uwsgi", lambda port, folder: command, "wsgi")
    skip_without(server.missing())
    for _ in run_command(server, command, ports["uwsgi"], tmp_path_factory.mktemp("uwsgi")):
        yield ports


@pytest.fixture(scope="module")
def script() -> Iterator[dict[str, Path]]:
    """What mod_wsgi runs: the library and the app, where the user that Apache becomes may read them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(Path(undersign.__file__).parent, folder / "undersign")
        for file in (typing_extensions.__file__, app.__file__):
            shutil.copy(file, folder)
        (folder / "script.wsgi").write_text("from app import wsgi as application\n", encoding="utf-8")
        yield {"path": folder, "script": folder / "script.wsgi"}


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Running]]:
    """Starts a front when a test first asks for it; all of them end together, since some take their time."""
    started: dict[tuple[Front, int], Running] = {}
    with ExitStack() as stack:

        def start(front: Front, behind: int, values: Mapping[str, object] | None = None) -> Running:
            if (front, behind) not in started:
                started[front, behind] = stack.enter_context(running(front, behind, values))
            return started[front, behind]

        yield start
        for one in started.values():
            one.process.terminate()


def test_there_are_84_requests_and_48_have_odd_targets() -> None:
    assert (len(CASES), len(TARGETS)) == (84, 48)
    assert len({case.name for case in CASES}) == 84


def test_without_a_front(uvicorn: Running) -> None:
    assert measure(over_http1(uvicorn.port)) == ASGI_LOSES


@pytest.mark.long
@pytest.mark.parametrize("row", [*ROWS, *TO_WSGI], ids=repr)
def test_what_verifies(request: pytest.FixtureRequest, start: Callable[..., Running], row: Row) -> None:
    skip_without(row.front.missing())
    values: dict[str, Path] = request.getfixturevalue("script") if row.behind == "none" else {}
    behind = behind_port(request, row)
    origin = f"http://127.0.0.1:{behind}" if row.is_forward else ""
    measured = measure(over_http1(start(row.front, behind, values).port, origin), row.cases)
    assert without(measured, row.lost_behind) == row.refused


@pytest.mark.long
@pytest.mark.parametrize("row", OVER_HTTP2, ids=repr)
def test_what_verifies_over_http2(request: pytest.FixtureRequest, start: Callable[..., Running], row: Row) -> None:
    skip_without(row.front.missing())
    measured = measure(over_http2(start(row.front, behind_port(request, row)).port), row.cases)
    assert without(measured, row.lost_behind) == row.refused


def test_varnish_as_documented_answers_no_signed_request_itself(
    uvicorn: Running, start: Callable[..., Running]
) -> None:
    """GoGrid's parameters stand in the target, which is all that a cache looks at."""
    request = signed(next(case for case in CASES if case.name == "GoGrid")).on_the_wire()
    front = start(VARNISH_MENDED, uvicorn.port)
    first, second = (send(front.port, request) for _ in range(2))
    assert (first.headers["x-verdict"], second.headers["x-verdict"]) == (app.VERIFIED, app.VERIFIED)
    assert first.headers["x-number"] != second.headers["x-number"]


def behind_port(request: pytest.FixtureRequest, row: Row) -> int:
    if row.behind == "none":
        return 0
    if row.behind in ("asgi", "gunicorn"):
        server: Running = request.getfixturevalue("uvicorn" if row.behind == "asgi" else row.behind)
        return server.port
    ports: dict[str, int] = request.getfixturevalue("uwsgi")
    return ports[row.behind]


def without(measured: Refused, lost: Refused) -> Refused:
    """What was measured but for what the server behind loses, which must be there."""
    left = dict(measured)
    for outcome, names in lost.items():
        assert set(names) <= set(measured.get(outcome, ()))
        left[outcome] = tuple(name for name in measured[outcome] if name not in names)
    return {outcome: names for outcome, names in left.items() if names}


def test_the_page_has_the_tables_as_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_tables(), "run: python -m tests.servers.fronts.table"


@pytest.mark.parametrize("language", SHOWN)
def test_the_page_shows_the_configurations_that_were_measured(language: str) -> None:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert sorted(blocks) == sorted(SHOWN[language])
