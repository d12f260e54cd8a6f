"""A printed curl command runs as it stands, and what it sends verifies and is byte for byte what was signed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, SECRET, process, undersign
from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, HttpHmac, Verifier

FORM = "application/x-www-form-urlencoded"

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def run(command: bytes, *, shell: str = "sh", stdin: bytes | None = None, cwd: Path | None = None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    subprocess.run(
        [shell, "-c", os.fsdecode(command)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=True,
        timeout=30,
        env=environment,
        cwd=cwd,
    )


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a/../b/./c//d",
        "/%7e%2F%2f?a=%2f&&b=+",
        "/[1-3]{a,b}?q=[a]{b}",
        '/it\'s?q="$HOME"`id`&x=$(id)!!',
        "/p?",
        "/a\\b|c^d<e>",
    ],
)
def test_nasty_targets(target: str, wire: WireServer) -> None:
    command = undersign("sign", "GET", wire.url + target, "--key-id", KEY_ID, "--as", "curl").out
    assert b"curl -g --path-as-is " in command
    run(command)
    assert wire.received().target == target
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        "naïve\nlines\n\n".encode(),
        b'it\'s 50% \\n "quoted"',
        b"@/etc/hostname",
        bytes(range(256)),
        b"-n\0\r\n",
        b"%s%d\\101",
        b"\x00" * 70_000,
        b"-" * 60_000,
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_bodies(body: bytes, shell: str, wire: WireServer) -> None:
    result = undersign("sign", "POST", wire.url + "/x", "--key-id", KEY_ID, "--as", "curl", stdin=body)
    too_large = len(body) > 65536
    assert bool(result.err) is too_large
    run(result.out, shell=shell, stdin=body if too_large else None)
    assert wire.received().body == body
    wire.verified(Verifier(GoTom(), {KEY_ID: SECRET}))


def test_a_body_from_a_file_stays_there(wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "it's a body").write_bytes(b"\0\1\2")
    url = wire.url + "/x"
    command = process("sign", "PUT", url, "--key-id", "k", "--as", "curl", "--data", "it's a body", cwd=tmp_path).out
    run(command, cwd=tmp_path)
    assert wire.received().body == b"\0\1\2"
    wire.verified(Verifier(GoTom(), {"k": SECRET}))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT", "OPTIONS"])
def test_methods(method: str, wire: WireServer) -> None:
    run(undersign("sign", method, wire.url + "/x", "--key-id", "k", "--as", "curl").out)
    assert wire.received().method == method
    wire.verified(Verifier(GoTom(), {"k": SECRET}))


def test_a_head_with_a_body_is_no_curl_command() -> None:
    result = undersign("sign", "HEAD", "http://a.example/", "--key-id", "k", "--as", "curl", stdin=b"x")
    assert result.code == 2
    assert "HEAD" in result.error


def test_headers_arrive_as_they_are(wire: WireServer) -> None:
    headers = ("-H", 'X-Text: it\'s é; "$x"', "-H", "X-Empty:", "-H", "Content-Type:")
    run(undersign("sign", "POST", wire.url + "/", "--key-id", "clé:\\", "--as", "curl", *headers, stdin=b"x").out)
    received = wire.received()
    assert received.values("x-text") == ['it\'s é; "$x"'.encode().decode("latin-1")]
    assert received.values("x-empty") == [""]
    assert received.values("content-type") == [""]
    wire.verified(Verifier(GoTom(), {"clé:\\": SECRET}))


def test_headers_that_curl_would_add_are_not_there_when_they_are_signed(wire: WireServer) -> None:
    options = ("--scheme", "http-hmac", "-o", "provider=p", "-o", "signed_headers=User-Agent,Accept,X-A")
    run(undersign("sign", "GET", wire.url + "/", "--key-id", "k", "--as", "curl", *options).out)
    wire.verified(Verifier(HttpHmac(provider="p", signed_headers=("User-Agent", "Accept", "X-A")), {"k": SECRET}))


@pytest.mark.parametrize("headers", [(), ("-H", f"Content-Type: {FORM}")], ids=["query", "form"])
def test_a_keyed_timestamp(headers: tuple[str, ...], wire: WireServer) -> None:
    options = ("--scheme", "gogrid", "-o", "allow_http=true", "--key-id", "k+&", "--as", "curl", *headers)
    run(undersign("sign", "POST", wire.url + "/x?a=%2f&&b", *options, stdin=b"name=w%20b&").out)
    received = wire.received()
    assert received.target.startswith("/x?a=%2f&&b")
    assert received.values("content-type") == ([FORM] if headers else [])
    wire.verified(Verifier(GoGrid(allow_http=True), {"k+&": SECRET}))
