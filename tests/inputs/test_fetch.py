"""What is read of a call of fetch is what Node sends when it runs it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.cli.command import undersign
from undersign import ConfigError, Request
from undersign.inputs.fetch import request_of_fetch

NODE = shutil.which("node")
# Of what Node adds nothing is told: these are what it adds.
ADDED = {"accept-language", "accept-encoding", "sec-fetch-mode", "user-agent", "connection"}

SCRIPTS = [
    'fetch("{origin}")',
    'fetch("{origin}/a?b=c#d", {});',
    """await fetch("{origin}/orders", {
  "headers": {
    "accept": "*/*",
    "content-type": "application/json",
    "x-custom": "a, b",
  },
  "body": "{\\"name\\":\\"caf\\u00e9 \\ud83d\\ude00\\\\n\\"}",
  "method": "POST",
  "mode": "cors",
  "credentials": "include"
});""",
    "fetch('{origin}/x', {method: 'put', body: 'a=1'}).then((answer) => answer.text())",
    """fetch('{origin}/x', {
  method: 'patch', body: JSON.stringify({ b: [1, 2.5, null, true, undefined], a: undefined, 2: 'ü\\"' }) })""",
    "fetch('{origin}/x', { method: 'POST', body: JSON.stringify({ a: { b: [] }, c: [1, {}] }, null, 2) })",
    "fetch('{origin}/x', { method: 'POST', body: new URLSearchParams({ a: 'b c', 'd~': 'é&*' }) })",
    "fetch('{origin}/x', { method: 'POST', body: new URLSearchParams('?a=1+2&b=%7E&c') })",
    "fetch('{origin}/x?' + new URLSearchParams([['a', '1'], ['a', '2']]))",
    "fetch('{origin}/x', { method: 'DELETE' })",
    "fetch('{origin}/x', { method: 'POST' })",
    "fetch('{origin}/x', { headers: { Date: 'Thu, 07 Nov 2024 10:21:15 GMT', Authorization: 'a b:c' } })",
    "fetch('{origin}/x', { headers: [['X-A', ' 1 '], ['x-a', '2']] })",
    "fetch('{origin}/x', { headers: new Headers({ 'X-\\u0041': '\\xe9' }) })",
    'fetch(`{origin}/a b/../c/./%2e%2E/d e\\\\f"<>`, {method: `GET`})',
    "fetch('{origin}/%7e/ü?q=\\'\"<> ü%zz&|^')",
    """// made by a generator
const url = '{origin}/x';
const options = {method: 'POST', headers: {accept: 'application/json'}, body: '{"a": "b"}'};

fetch(url, options)
  .then(res => res.json())
  .catch(err => console.error(err));""",
    """const myHeaders = new Headers();
myHeaders.append("Content-Type", "text/plain");
myHeaders.append("X-A", "1"); myHeaders.append("X-A", "2");
myHeaders.set("X-B", "3");
/* the body */
const raw = "line 1\\nline 2\\
, still";
const requestOptions = { method: "POST", headers: myHeaders, body: raw, redirect: "follow" };
const answer = await fetch("{origin}/x", requestOptions);""",
    "const body = 'x'; const method = 'POST'; fetch('{origin}/x', { method, body })",
]


class Listener(BaseHTTPRequestHandler):
    """Keeps what comes in."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, list[tuple[str, str]], bytes]]

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.seen.append((self.command, self.path, list(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def listener() -> Iterator[ThreadingHTTPServer]:
    Listener.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def comparable(headers: Any, left_out: set[str]) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in headers if name.lower() not in left_out)


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_what_is_read_is_what_node_sends(listener: ThreadingHTTPServer) -> None:
    assert NODE
    origin = f"http://127.0.0.1:{listener.server_address[1]}"
    scripts = [script.replace("{origin}", origin) for script in SCRIPTS]
    modules = "\n".join(f"await (async () => {{ {script}\n; }})(); await pause();" for script in scripts)
    # Each answer is awaited, so that the requests come in this order.
    program = (
        "const sent = globalThis.fetch; let last; globalThis.fetch = (...all) => (last = sent(...all));\n"
        f"const pause = () => last;\n{modules}"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-"], input=program, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(Listener.seen) == len(scripts)
    for script, (method, target, headers, body) in zip(scripts, Listener.seen, strict=True):
        request = request_of_fetch(script).request
        assert (request.method, request.target, request.body, request.origin) == (method, target, body, origin), script
        assert comparable(request.headers, ADDED) == comparable(headers, ADDED), script


def read(script: str) -> Request:
    return request_of_fetch(script).request


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("fetch(url)", "a variable, url, in line 1"),
        ("fetch('/x')", "not absolute"),
        ("fetch('https://a:b@h/')", "names a user"),
        ("fetch('https://h/', {\n  headers: auth })", "a variable, auth, in line 2"),
        ("fetch('https://h/', { headers: { Authorization: sign(x) } })", "calls sign"),
        ("fetch('https://h/', { headers: { Date: new Date().toISOString() } })", "calls new Date"),
        ("fetch(`https://h/${id}`)", "into a template"),
        ("fetch('https://h/', { ...defaults })", "spreads another object"),
        ("fetch('https://h/', { body: {a: 1}, method: 'POST' })", "JSON.stringify"),
        ("fetch('https://h/', { body: new FormData(), method: 'POST' })", "calls new FormData"),
        ("fetch('https://h/', { body: 'x' })", "no body with GET"),
        ("fetch('https://h/', { method: 'POST', body: JSON.stringify({a: 1e400}) })", "value that can be read|lacks a"),
        ("fetch('https://h/', { method: 'POST', body: JSON.stringify(12345678901234567890) })", "not kept"),
        ("fetch('https://h/', { headers: { 'x y': 'z' } })", "no name"),
        ("fetch('https://h/', { headers: { x: '\\u20ac' } })", "does not send"),
        ("fetch('https://h/', { headers: { x: 'a\\nb' } })", "does not send"),
        ("fetch('https://h/", "does not end"),
        ("fetch('https://h/', {", "no value|whose name"),
        ("fetch('https://h/'); fetch('https://h/')", "several calls"),
        ("fetch()", "takes a URL"),
        ("fetch({ url: 'https://h/' })", "not a URL that is written out"),
        ("fetch('https://h/', 'POST')", "is no object"),
        ("fetch('https://h/', { method: 'a b' })", "no word"),
        ("fetch('https://h/\\ud800')", "half of a character"),
        ("fetch('https://h/^')", "%5E"),
        ("const x = 1; go(x); fetch('https://h/')", "does something else"),
        ("fetch(" + "[" * 100, "nested too deeply"),
    ],
)
def test_what_only_a_running_script_knows_is_refused_by_name(script: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(script)


def test_what_a_browser_would_do_otherwise_is_said() -> None:
    notes = " ".join(
        request_of_fetch("fetch('https://h/', { method: 'patch', body: '', headers: { Date: 'x' } })").notes
    )
    assert "User-Agent, Origin, Cookie" in notes
    assert "a browser leaves out Date" in notes
    assert "as it is written, patch" in notes
    assert "text/plain;charset=UTF-8" in notes


def test_commands_take_it_as_they_take_curl() -> None:
    signed = b"""await fetch("https://demo.gotom.io/app-api/campaign/26106", { headers: {
      "content-type": "application/json", date: "2024-11-07T10:21:15Z",
      authorization: "gotom_app_api theusernameyoureceived:zyNLF+OesgakKbzViRcucSRi8MM=" } });"""
    env = {"UNDERSIGN_SECRET": "thepasswordyoureceived"}
    for arguments in ((), ("--input", "fetch")):
        result = undersign("verify", "--at", "1730974875", "--json", *arguments, stdin=signed, env=env)
        assert json.loads(result.out)["result"] == "valid"


def test_no_script_opens_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    assert read("fetch('https://h/')").target == "/"
