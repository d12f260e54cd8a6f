"""Nothing leaves the page: its policy holds in a real browser, and it asks for its own files alone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.playground.chromium import Page
from tests.playground.conftest import PLAYGROUND

FILES = {path.name for path in PLAYGROUND.iterdir()}

# Each way out is tried. What is thrown is refused at once; what is not is awaited, and must come to nothing.
WAYS_OUT = """(away) => {
    const element = (name, attributes) => Object.assign(document.createElement(name), attributes);
    const added = (made) => new Promise((done) => {
        made.onload = () => done("loaded");
        made.onerror = () => done("blocked");
        document.body.append(made);
    });
    const ways = {
        fetch: () => fetch(away).then(() => "sent", () => "blocked"),
        request: () => new Promise((done) => {
            const request = new XMLHttpRequest();
            request.onload = () => done("sent");
            request.onerror = () => done("blocked");
            request.open("GET", away);
            request.send();
        }),
        image: () => added(element("img", { src: away })),
        style: () => added(element("link", { rel: "stylesheet", href: away })),
        script: () => added(element("script", { src: away })),
        socket: () => new Promise((done) => {
            const socket = new WebSocket(away.replace("http", "ws"));
            socket.onopen = () => done("sent");
            socket.onerror = () => done("blocked");
        }),
        events: () => new Promise((done) => {
            const source = new EventSource(away);
            source.onopen = () => done("sent");
            source.onerror = () => done("blocked");
        }),
        worker: () => new Promise((done) => {
            const worker = new Worker(away);
            worker.onerror = () => done("blocked");
            worker.onmessage = () => done("loaded");
        }),
        inline: () => {
            document.body.append(element("script", { textContent: "window.inlineRan = true" }));
            return window.inlineRan ? "ran" : "blocked";
        },
        handler: () => {
            const button = element("button");
            button.setAttribute("onclick", "window.handlerRan = true");
            button.click();
            return window.handlerRan ? "ran" : "blocked";
        },
        html: () => { document.body.innerHTML += "<b>made of text</b>"; return "made"; },
        evaluated: () => setTimeout("window.evaluated = true") && "ran",
    };
    const attempt = async ([name, way]) => {
        try {
            return [name, await way()];
        } catch {
            return [name, "blocked"];
        }
    };
    return Promise.all(Object.entries(ways).map(attempt)).then(Object.fromEntries);
}"""


class Listener(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what it is asked for."""

    asked: list[str]

    def __init__(self, asked: list[str], *arguments: Any, **named: Any) -> None:
        self.asked = asked
        super().__init__(*arguments, **named)

    def log_message(self, *arguments: Any) -> None:
        self.asked.append(self.path)


class Served:
    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Listener, self.asked, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    found = Served(folder)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The page's files from a static web server."""
    with serving(Path(shutil.copytree(PLAYGROUND, tmp_path / "page"))) as found:
        yield found


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Served]:
    """Another server, with anything to load."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "anything").write_text("anything")
    with serving(tmp_path / "other") as found:
        yield found


@pytest.mark.parametrize("place", ["file", "server"])
def test_no_way_out_is_open(apart: Page, served: Served, elsewhere: Served, place: str) -> None:
    apart.goto((PLAYGROUND / "index.html").as_uri() if place == "file" else served.address)
    tried = apart.run(WAYS_OUT, f"{elsewhere.address}anything")
    assert {name: outcome for name, outcome in tried.items() if outcome != "blocked"} == {}
    assert len(tried) == 12
    assert elsewhere.asked == []


def test_no_connection_goes_to_the_server_that_the_page_comes_from(apart: Page, served: Served) -> None:
    apart.goto(served.address)
    tried = apart.run(WAYS_OUT, f"{served.address}anything")
    assert {tried[name] for name in ("fetch", "request", "socket", "events")} == {"blocked"}


def test_a_form_is_not_sent(apart: Page, served: Served) -> None:
    apart.goto(served.address)
    reported = apart.run(
        """(away) => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const form = Object.assign(document.createElement("form"), { action: away, method: "post" });
            document.body.append(form);
            form.submit();
        })""",
        f"{served.address}anything",
    )
    assert reported == "form-action"
    assert "/anything" not in served.asked


def test_from_a_file_it_asks_for_its_own_files_alone(page: Page) -> None:
    assert {address.rpartition("/")[2] for address in page.requested()} == FILES


def test_from_a_web_server_it_works_as_well(apart: Page, served: Served) -> None:
    apart.goto(served.address)
    assert apart.text("verdict-title") == "Valid"
    assert apart.complaints() == []
    assert {path.lstrip("/") for path in served.asked} - {"favicon.ico"} == FILES - {"index.html"} | {""}


def test_nothing_is_kept(page: Page) -> None:
    page.fill("secret", "a secret that is typed")
    assert page.run(
        "() => [localStorage.length, sessionStorage.length, document.cookie, location.href.includes('?')]"
    ) == [
        0,
        0,
        "",
        False,
    ]
    fields = (
        "() => [...document.querySelectorAll('input:not([type=checkbox]), textarea')].map((one) => one.autocomplete)"
    )
    assert set(page.run(fields)) == {"off"}


def test_the_page_says_so_at_its_top(page: Page) -> None:
    text = page.run("() => document.querySelector('.notice').innerText")
    assert text.startswith("Nothing leaves this page.")
    policy = page.run("() => document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    for directive in ("default-src 'none'", "connect-src 'none'", "form-action 'none'"):
        assert directive in text
        assert directive in policy


def test_the_port_that_it_uses_is_the_reference_port_itself() -> None:
    assert (PLAYGROUND / "port.js").samefile(PLAYGROUND.parents[1] / "vectors" / "ports" / "port.js")
