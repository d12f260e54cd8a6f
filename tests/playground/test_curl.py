"""A curl command is read as curl itself sends it."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playground.chromium import Page
from undersign import ConfigError
from undersign.inputs.curl import request_of_curl

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
    # As Chrome escapes what curl would make several URLs of.
    r"curl '%s/q?a\[\]=1&b=\{x,y\}&c[]=2'",
    "curl -G %s/q?x\\& --data-urlencode 'q=ä/' -d '%%C3%%a9'",
    "curl -G -d '' '%s/q?'",
    "curl -G -d '' '%s/q?x'",
    "curl -G -d b=2 --url-query a=1 %s/q",
    "curl %s/x --data-raw 'a\r\n\r\nb\r\n' --data-raw \"c\r\n\"",
    "curl %s/x -d 'a\u00a0b' -H 'X-A: c\u00a0d'",
    "curl -sSfLGi#kv %s/x -d a=1 --no-keepalive --retry 1 --proto =http",
    "curl -XPOST -sHX-A:b %s/x -da",
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


COPIES = Path(__file__).parents[1] / "diagnose" / "copies"


@pytest.mark.parametrize("source", ["chromium", "firefox"])
def test_copies_for_bash_and_for_cmd_are_read_as_the_command_line_reads_them(page: Page, source: str) -> None:
    for copy in json.loads((COPIES / f"{source}.json").read_text())["copies"]:
        for command in (copy["bash"], copy["cmd"], copy["cmd"].replace(" ^\n", " ")):
            try:
                expected = request_of_curl(command).request
            except ConfigError:
                with pytest.raises(AssertionError, match="copy it"):
                    read(page, command)
                continue
            method, target, headers, body = read(page, command)
            assert (method, target, body) == (expected.method, expected.target, expected.body)
            assert headers == {
                (name.lower(), value) for name, value in expected.headers if is_told(name.lower(), value)
            }


@pytest.mark.parametrize(
    "command",
    [
        'curl "https://a.example/x?y=%2F" -X PUT -H "If-Match: ""v 1""" --data-binary "{""a"":""b c"",""d"":""""}"',
        "curl.exe\u00a0-H\u00a0'X: a\u00a0b'\u00a0\\\n\u3000https://a.example/\u00a0-d\u202f\"c\u00a0d\"",
        "PS C:\\Users\\me> curl.exe https://a.example/x",
        "C:\\Users\\me>curl.exe https://a.example/x",
        "# a comment\n$ /usr/bin/curl https://a.example/x",
        'curl ^"https://a.example/^" ^ -d x ^ -d y',
    ],
)
def test_other_forms_are_read_as_the_command_line_reads_them(page: Page, command: str) -> None:
    expected = request_of_curl(command).request
    method, target, headers, body = read(page, command)
    assert page.run("(command) => Curl.isCommand(command)", command)
    assert (method, target, body) == (expected.method, expected.target, expected.body)
    assert headers == {(name.lower(), value) for name, value in expected.headers if is_told(name.lower(), value)}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("curl.exe 'http://a/' `\n  -H 'X: y'", "PowerShell"),
        ("curl -Uri http://a", "PowerShell"),
        ("curl http://a -d a\u00a0b", "no-break space within a word"),
        ("curl \u201chttp://a/\u201d", "word processor"),
        ('curl ^"http://a/%TOKEN%^"', "variable of cmd"),
        ('curl ^"http://a/?b=1&c^"', "bare &"),
        ('curl ^"http://a/^" -d ^"a^ b^"', "taken out a character"),
        ("curl 'http://a/?b={c,d}'", "several requests"),
        ("curl --digest http://a", "asks the server"),
    ],
)
def test_what_cannot_be_told_is_said(page: Page, command: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        read(page, command)


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


def is_told(name: str, value: str) -> bool:
    return is_known(name, value) and (name, value) != ("user-agent", "curl")


def is_known(name: str, value: str) -> bool:
    """What a command says, and not what depends on curl's version or on the length of the body."""
    return name not in ("content-length", "accept-encoding", "expect") and not value.startswith("curl/")
