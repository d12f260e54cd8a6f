"""The page and its answers on loopback, for the browser of whoever has started it and for nobody else.

Other pages in that browser can send requests here too, and other users of the machine can connect. So a request is
answered only where its path begins with a token that is made for this run, its Host is this server's (else a name of an
attacker's could be pointed here, which is DNS rebinding), and neither Origin nor Sec-Fetch-Site says that another page
has made it. The server keeps nothing, logs nothing and reads no file that a request names; what is typed goes into an
answer and no further.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from ..core.grammar import LENGTH
from .answering import answer

BODY_LIMIT = 16 * 1024 * 1024
_CONNECTIONS = 32
_READ_SECONDS = 15.0
_ANSWER = "answer"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer(ThreadingHTTPServer):
    """It listens on 127.0.0.1 as soon as it is made, on any free port unless one is given. Raises OSError.

    `address` is where the page is, with the token. A request has to be read within `read_seconds`, and at most so many
    `connections` are served at a time; more are hung up on.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name != "nt"  # where it would let another program listen there as well

    def __init__(
        self,
        port: int = 0,
        *,
        answers: Callable[[Mapping[str, Any]], Mapping[str, Any]] = answer,
        body_limit: int = BODY_LIMIT,
        read_seconds: float = _READ_SECONDS,
        connections: int = _CONNECTIONS,
    ) -> None:
        self.answers, self.body_limit, self.read_seconds = answers, body_limit, read_seconds
        self.page = _page()
        self.token = secrets.token_urlsafe(24)
        self._free = threading.BoundedSemaphore(connections)
        super().__init__(("127.0.0.1", port), _Handler)
        port = self.server_address[1]
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"} | ({"127.0.0.1", "localhost"} if port == 80 else set())
        self.address = f"http://127.0.0.1:{port}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is nothing to tell of, and a traceback could show what was sent."""


def _page() -> dict[str, tuple[bytes, str]]:
    """The files of the page by name, with their types."""
    found: dict[str, tuple[bytes, str]] = {}
    for entry in (files("undersign.playground") / "page").iterdir():
        kind = next((kind for end, kind in _TYPES.items() if entry.name.endswith(end)), None)
        if kind is not None:
            found[entry.name] = entry.read_bytes(), kind
    found[""] = found["index.html"]
    return found


class _Handler(BaseHTTPRequestHandler):
    """One request on one connection. Whatever is refused gets a status and a word, and nothing of what was sent."""

    server: PageServer  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version = "undersign"
    sys_version = ""

    def handle(self) -> None:
        self._late = False
        timer = self._timer = threading.Timer(self.server.read_seconds, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            super().handle()
        finally:
            timer.cancel()

    def do_GET(self) -> None:
        name = self._asked_for()
        if name is None:
            return
        if name == _ANSWER:
            self._say(405, "The answers are asked for with POST", {"Allow": "POST"})
        elif name not in self.server.page:
            self._say(404, "There is nothing here")
        else:
            self._send(200, *self.server.page[name])

    def do_POST(self) -> None:
        name = self._asked_for()
        if name is None:
            return
        if name != _ANSWER:
            if name in self.server.page:
                self._say(405, "This is read with GET", {"Allow": "GET"})
            else:
                self._say(404, "There is nothing here")
            return
        body = self._body()
        if body is None:
            return
        try:
            question = json.loads(body)
        except (ValueError, RecursionError):
            self._say(400, "The question is not JSON")
            return
        self._send(200, json.dumps(self.server.answers(question)).encode(), "application/json")

    def _wrong_method(self) -> None:
        if self._asked_for() is not None:
            self._say(405, "The methods are GET and POST", {"Allow": "GET, POST"})

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # where http.server looks for a method that it has read
            return self._wrong_method
        raise AttributeError(name)

    def _asked_for(self) -> str | None:
        """The name of what is asked for, behind the token; None where the request is refused, which is said then."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        sites = self.headers.get_all("Sec-Fetch-Site", [])
        token, slash, name = self.path.removeprefix("/").partition("/")
        if self._late:
            self._say(408, "The request took too long")
        elif len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self._say(403, "This host is not served here")
        elif not slash or not hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            self._say(404, "There is nothing here")
        elif origins not in ([], [f"http://{hosts[0].lower()}"]) or not {*sites} <= {"same-origin", "none"}:
            self._say(403, "Another page may not ask here")
        elif self.command == "POST" and not origins:
            self._say(403, "There is no Origin")
        else:
            return name
        return None

    def _body(self) -> bytes | None:
        lengths = self.headers.get_all("Content-Length", [])
        if self.headers.get_content_type() != "application/json":
            self._say(415, "The question is JSON")
        elif "Transfer-Encoding" in self.headers or len(lengths) != 1 or not LENGTH.fullmatch(lengths[0]):
            self._say(411, "The length is missing")
        elif int(lengths[0]) > self.server.body_limit:
            self._say(413, "The question is too large")
        else:
            body = self.rfile.read(int(lengths[0]))
            self._timer.cancel()
            if self._late or len(body) < int(lengths[0]):
                self._say(408, "The request took too long")
                return None
            return body
        return None

    def _hang_up(self) -> None:
        """Let the reading end, so that the thread goes on."""
        self._late = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def _say(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, f"{sentence}.\n".encode(), "text/plain; charset=utf-8", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.close_connection = True
        self.request_version = self.protocol_version  # of a request without one http.server would send no head
        self.send_response_only(status)
        own = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
        for name, value in {**_HEADERS, **own, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server finds wrong, without the words of the request that it would repeat."""
        self._say(408 if self._late else code, "This is no request that is answered here")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Nothing is logged."""
