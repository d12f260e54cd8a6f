"""Pages of strangers in a browser get nothing signed, whichever of the machine's addresses they call."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.clients.wire import WireServer
from tests.gateway.harness import get, running, status_of, talk
from tests.playground import chromium, firefox
from undersign import GoTom
from undersign.gateway import SigningProxy

# All of them reach a listener on 127.0.0.1. Browsers tell of a page (Sec-Fetch-Site) only where the URL is trustworthy:
# https, localhost, 127.0.0.0/8 and ::1 (W3C Secure Contexts, section 3.1).
ADDRESSES = ["0.0.0.0", "[::ffff:127.0.0.1]", "127.0.0.1", "localhost"]  # noqa: S104  # called, not listened on
IMAGE = """(address) => new Promise((done) => {
  const image = new Image();
  image.referrerPolicy = "no-referrer";
  image.onload = image.onerror = () => done(true);
  image.src = address;
})"""


BY_ITSELF = """(address) => fetch(address, {mode: "no-cors"}).catch(() => {})"""
FRAME = """(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => done(true);
  frame.src = address;
  document.body.append(frame);
})"""
FORM = """(address) => new Promise((done) => {
  document.body.insertAdjacentHTML("beforeend", `<iframe name=there></iframe><form method=post target=there>`);
  document.querySelector("iframe[name=there]").onload = () => done(true);
  document.forms[0].action = address;
  document.forms[0].submit();
})"""
SOCKET = """(address) => new Promise((done) => {
  const opened = new WebSocket(address.replace("http://", "ws://"));
  opened.onclose = () => done(true);
})"""


@pytest.fixture(scope="module")
def proxy(upstream: WireServer) -> Iterator[int]:
    with running(SigningProxy(GoTom(), "me", "a secret", origins=[upstream.url])) as port:
        yield port


class Page(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # http.server's name
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium")
def test_an_image_in_chromium_gets_nothing_signed(proxy: int, page: str, upstream: WireServer, tmp_path: Path) -> None:
    before = len(upstream.requests)
    with chromium.chromium(tmp_path / "profile") as browser:
        opened = browser.open()
        opened.goto(page)
        for address in ADDRESSES:
            opened.run(IMAGE, f"http://{address}:{proxy}/delete")
    assert len(upstream.requests) == before


@pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium")
def test_no_page_in_a_chromium_that_uses_the_proxy_gets_anything_signed(
    page: str, upstream: WireServer, tmp_path: Path
) -> None:
    """As one that is started where HTTP_PROXY is set. 0.0.0.0 stands for an API: browsers call it through the proxy,
    and tell of no page there."""
    api = f"http://0.0.0.0:{upstream.port}"
    before = len(upstream.requests)
    with (
        running(SigningProxy(GoTom(), "me", "a secret", origins=[api])) as proxy,
        chromium.chromium(tmp_path / "profile", f"--proxy-server=127.0.0.1:{proxy}") as browser,
    ):
        opened = browser.open()
        opened.goto(page)
        for way in (IMAGE, BY_ITSELF, FRAME, FORM, SOCKET):
            opened.run(way, f"{api}/delete")
        assert status_of(talk(proxy, get(f"{api}/delete"))) == 200
    assert len(upstream.requests) == before + 1


@pytest.mark.long
@pytest.mark.skipif(firefox.PROGRAM is None, reason="needs Firefox")
def test_an_image_in_firefox_gets_nothing_signed(proxy: int, page: str, upstream: WireServer, tmp_path: Path) -> None:
    before = len(upstream.requests)
    with firefox.firefox(tmp_path) as browser:
        opened = browser.open()
        opened.goto(page)
        for address in ADDRESSES:
            opened.run(IMAGE, f"http://{address}:{proxy}/delete")
    assert len(upstream.requests) == before


def test_a_browser_that_says_nothing_of_a_page_is_refused(proxy: int) -> None:
    """It does say so, or that there is none, where it calls the proxy itself by an address of loopback."""
    firefox = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    chrome = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
    for agent in (firefox, chrome):
        answer = talk(proxy, get("/", agent))
        assert status_of(answer) == 403
        assert b"127.0.0.1 or localhost" in answer
        for site in ("none", "same-origin"):
            assert status_of(talk(proxy, get("/", agent, f"Sec-Fetch-Site: {site}"))) == 200
    assert status_of(talk(proxy, get("/", "User-Agent: Mozilla/5.0 (Windows NT) WindowsPowerShell/5.1"))) == 200


@pytest.mark.parametrize(
    "host", ["0.0.0.0:80", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]:8081", "192.0.2.7", "[fe80::1]"]
)
def test_an_address_that_browsers_say_nothing_at_is_refused(proxy: int, host: str) -> None:
    assert status_of(talk(proxy, get("/").replace(b"Host: 127.0.0.1", f"Host: {host}".encode()))) == 403
