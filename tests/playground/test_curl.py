"""A curl command is read as curl itself sends it."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.playground.chromium import Page

# What a command is to the page and to Bash; %s is where the server is.
COMMANDS = [
    "curl %s",
    "curl %s/a/./b/../c?x=1#top",
    "curl --path-as-is %s/a/../b",
    "curl -g '%s/[1]{2}?a=b'",
    "curl -sSL -X PATCH %s/orders -H 'Content-Type: text/plain' --data-binary $'a\\nb\\x00\\u00e9\\101'",
    "curl %s/orders \\\n  -d 'a=1' -d \"b=\\\"2\\\" \\$x\" --data-urlencode 'c=ä &/~' --data-urlencode =plain",
    "curl -G %s/search?x -d a=1 --data-urlencode 'q=two words'",
    "curl %s --json '{\"a\": 1,' --json ' \"b\": 2}'",
    "curl -A agent/1 -e https://from.example/ -b a=b -b c=d %s",
    "curl -I %s/head",
    "curl --request-target '*' -X OPTIONS %s",
    "curl --url %s/p -H 'Content-Type:' -d x=1 --compressed --max-time 5",
    "curl %s --url-query 'name=a b' --url-query '+raw%%20x'",
]


class Sink:
    """A server that keeps the bytes of each request, and answers that there is nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                got = b""
                while not self._is_whole(got) and (more := connection.recv(65536)):
                    got += more
                self.received.append(got)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    @staticmethod
    def _is_whole(got: bytes) -> bool:
        head, end, body = got.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return bool(end) and len(body) >= int(lengths[0] if lengths else 0)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def sink() -> Iterator[Sink]:
    found = Sink()
    yield found
    found.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_it_is_read_as_curl_sends_it(page: Page, sink: Sink) -> None:
    for command in (template % f"http://{sink.address}" for template in COMMANDS):
        done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=20, check=False)
        if done.returncode == 2 and "--url-query" in command:
            continue  # older than 7.87
        assert done.returncode == 0, (command, done.stderr)
        assert read(page, command) == sent(sink.received.pop()), command


def sent(raw: bytes) -> tuple[str, str, set[tuple[str, str]], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = {(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)}
    return method, target, {(name, value) for name, value in pairs if is_known(name, value)}, body


def read(page: Page, command: str) -> tuple[str, str, set[tuple[str, str]], bytes]:
    found = page.run(
        """(command) => {
            const { request } = Curl.read(command);
            return { ...request, body: Undersign.steps.base64(request.body) };
        }""",
        command,
    )
    headers = {(name.lower(), value) for name, value in found["headers"] if is_known(name.lower(), value)}
    return found["method"], found["target"], headers, base64.b64decode(found["body"])


def is_known(name: str, value: str) -> bool:
    """What a command says, and not what depends on curl's version or on the length of the body."""
    return name not in ("content-length", "accept-encoding", "expect") and not value.startswith("curl/")
