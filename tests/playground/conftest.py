"""Real browsers, and the page in both of its places: served by `undersign inspect`, and in the documentation.

A browser or Pyodide that is not there is skipped, and says so.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.playground import chromium, firefox
from undersign.playground.server import PageServer

ROOT = Path(__file__).parents[2]
Page: TypeAlias = "chromium.Page | firefox.Page"

IDLE = "() => document.body?.dataset.state === 'idle'"
PLACES = {
    "chromium": ("chromium", "served"),
    "firefox": ("firefox", "served"),
    "chromium-pyodide": ("chromium", "site"),
    "firefox-pyodide": ("firefox", "site"),
}
# All of them are a matrix, of which `make test` runs one.
MATRIX = [
    pytest.param(place, id=name, marks=() if name == "chromium" else pytest.mark.long) for name, place in PLACES.items()
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what it is asked for."""

    def __init__(self, asked: list[str], *arguments: Any, **named: Any) -> None:
        self.asked = asked
        super().__init__(*arguments, **named)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # http.server's name
        self.asked.append(self.path)


class Served:
    """A folder on a server, and what has been asked for."""

    def __init__(self, folder: Path, below: str = "") -> None:
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, self.asked, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_port}/{below}"


@contextmanager
def serving(folder: Path, below: str = "") -> Iterator[Served]:
    found = Served(folder, below)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def served() -> Iterator[PageServer]:
    """The page as `undersign inspect` serves it."""
    with PageServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page as the documentation has it, somewhere below the root of a web server."""
    spec = importlib.util.spec_from_file_location("docs_page", ROOT / "docs" / "page.py")
    assert spec
    assert spec.loader
    docs_page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs_page)
    if not (ROOT / "build" / "pyodide" / docs_page.PYODIDE).is_dir():
        pytest.skip("needs Pyodide, which `make page` fetches")
    folder = tmp_path_factory.mktemp("site")
    docs_page.build(folder / "some where" / "playground")
    with serving(folder, "some%20where/playground/") as found:
        yield found


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    if chromium.PROGRAM is None:
        pytest.skip("needs Chromium")
    with chromium.chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="session")
def other_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[firefox.Firefox]:
    if firefox.PROGRAM is None:
        pytest.skip("needs Firefox")
    with firefox.firefox(tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.fixture(scope="session")
def tab_of(request: pytest.FixtureRequest) -> Callable[[str, str], tuple[Page, str]]:
    """The one tab of a browser in a place, since Pyodide takes seconds to start, and its address."""
    found: dict[tuple[str, str], tuple[Page, str]] = {}

    def tab(name: str, place: str) -> tuple[Page, str]:
        if (name, place) not in found:
            address = request.getfixturevalue(place).address
            page: Page = request.getfixturevalue("browser" if name == "chromium" else "other_browser").open()
            page.goto(address)
            page.wait(IDLE)
            found[name, place] = page, address
        return found[name, place]

    return tab


@pytest.fixture(params=MATRIX)
def page(request: pytest.FixtureRequest, tab_of: Callable[[str, str], tuple[Page, str]]) -> Iterator[Page]:
    """The page with nothing in it. Whatever a test does, the console stays empty and nothing else is asked for."""
    found, address = tab_of(*request.param)
    yield from cleared(found, address)


@pytest.fixture
def chromium_page(tab_of: Callable[[str, str], tuple[Page, str]]) -> Iterator[chromium.Page]:
    """The same in Chromium alone, for what only its protocol tells."""
    found, address = tab_of("chromium", "served")
    assert isinstance(found, chromium.Page)
    for page in cleared(found, address):
        assert isinstance(page, chromium.Page)
        yield page


def cleared(page: Page, address: str) -> Iterator[Page]:
    page.size(1280)
    page.run(
        """() => {
            document.getElementById("scheme").value = "gotom";
            document.getElementById("clear").click();
        }"""
    )
    page.wait(IDLE)
    yield page
    page.wait(IDLE)
    assert page.complaints() == []
    own = (address, f"blob:{address[:20]}", "data:font")  # the font of a password is Firefox's own
    assert [asked for asked in page.requested() if not asked.startswith(own)] == []


@pytest.fixture
def apart(browser: chromium.Chromium) -> Iterator[chromium.Page]:
    """A page of its own for what leaves traces in the console or asks for other addresses."""
    page = browser.open()
    yield page
    page.close()
