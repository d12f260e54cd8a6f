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


@pytest.mark.parametrize(
    "host", ["0.0.0.0:80", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]:8081", "192.0.2.7", "[fe80::1]"]
)
def test_an_address_that_browsers_say_nothing_at_is_refused(proxy: int, host: str) -> None:
    assert status_of(talk(proxy, get("/").replace(b"Host: 127.0.0.1", f"Host: {host}".encode()))) == 403
