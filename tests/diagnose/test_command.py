"""`undersign diagnose`: 0 where all is fine, 1 and the causes, 2 where it could not be tried."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, environment, undersign
from tests.diagnose.clients import NOW, GoGridClient, GoTomClient, secret_bytes
from undersign import Request

SECRET = {"UNDERSIGN_SECRET": secret_bytes("crm_sync").decode()}
GRID = {"UNDERSIGN_SECRET": secret_bytes("2fvmer3qbk7f3jnqneg58bu2").decode()}
AT = ("diagnose", "--at", str(NOW))


def raw(request: Request) -> bytes:
    assert isinstance(request.body, bytes)
    headers = (*request.headers, ("Content-Length", str(len(request.body))))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def causes(stdin: bytes, *arguments: str, env: dict[str, str] = SECRET) -> list[str]:
    result = undersign(*AT, "--json", *arguments, stdin=stdin, env=env)
    found = json.loads(result.text)["causes"]
    assert result.code == (1 if found else 0)
    assert all(set(cause) == {"code", "detail"} for cause in found)
    assert not result.err
    return [cause["code"] for cause in found]


def test_a_request_that_verifies() -> None:
    assert causes(raw(GoTomClient().request())) == []
    assert causes(raw(GoGridClient().request()), env=GRID) == []
    assert undersign(*AT, "--json", stdin=raw(GoTomClient().request()), env=SECRET).text == '{"causes": []}\n'
    result = undersign(*AT, stdin=raw(GoTomClient().request()), env=SECRET)
    assert (result.code, result.text) == (0, "fine: the request verifies\n")


def test_causes_are_named_one_a_line() -> None:
    client = GoTomClient(end=b"\n", sign_method=str.lower)
    assert causes(raw(client.request())) == ["method-case", "string-trailing-newline"]
    result = undersign(*AT, stdin=raw(client.request()), env=SECRET)
    assert result.code == 1
    assert [line.partition(": ")[0] for line in result.text.splitlines()] == ["method-case", "string-trailing-newline"]
    assert causes(raw(GoGridClient(at=NOW - 900).request()), env=GRID) == ["timezone"]


def test_the_options_of_verify(tmp_path: Path) -> None:
    request = raw(GoTomClient(end=b"\n").request())
    assert causes(request, "--key-id", "crm_sync") == ["string-trailing-newline"]
    assert causes(request, "--key-id", "somebody else") == ["string-trailing-newline", "secret-other"]
    assert causes(request, "--scheme", "gogrid") == ["unexplained"]
    assert causes(request, "--scheme", "gotom", "-o", "provider=acme") == ["string-trailing-newline", "provider"]
    (tmp_path / "keys.toml").write_text('[keys]\ncrm_sync = "wrong"\nother = "the other one\'s secret"\n')
    spoilt = GoTomClient(secret=lambda secret: b"the other one's secret")
    assert causes(raw(spoilt.request()), "--keys", str(tmp_path / "keys.toml")) == ["secret-other"]
    assert causes(raw(GoGridClient().request()), "--origin", "http://api.example.com", env=GRID) == ["unexplained"]


@pytest.mark.parametrize(
    ("stdin", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "header-missing"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "header-repeated"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n", "header-repeated"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "header-missing"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "unexplained"),
        (b"", "unexplained"),
        (b"\xff\x00" * 99, "unexplained"),
        (raw(GoTomClient().request())[:-1], "unexplained"),
    ],
)
def test_what_is_no_clean_request(stdin: bytes, code: str) -> None:
    assert causes(stdin) == [code]


_HTTP = raw(GoTomClient().request())


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (b"", "standard input is empty"),
        (b"\n", "standard input is empty"),
        (_HTTP.replace(b"\r\n", b"\n"), "they end in LF alone, as editors save them"),
        (_HTTP.replace(b"\r\n\r\n", b"\r\n"), "no empty line follows the headers"),
        (_HTTP[:-1], "Content-Length says"),
        (b"\xef\xbb\xbf" + _HTTP, "begins with a byte order mark"),
        (_HTTP.decode("latin-1").encode("utf-16"), "it is UTF-16"),
        (b"POST /orders HTTP/2\r\nHost: a.example\r\n\r\n", "save a HAR instead, or write HTTP/1.1 there"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "it is an answer"),
        (b"> " + _HTTP.replace(b"\r\n", b"\r\n> "), "as curl -v shows them"),
        (b"* Connected to a.example\n> GET / HTTP/1.1\n", "as curl -v shows them"),
        (b'fetch("https://a.example/", {"method": "GET"});', 'copy it "as cURL (bash)"'),
        (b'Invoke-WebRequest -Uri "https://a.example/"', 'copy it "as cURL (bash)"'),
        (b"$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession", 'copy it "as cURL (bash)"'),
    ],
)
@pytest.mark.parametrize("command", ["verify", "diagnose"])
def test_what_was_saved_or_copied_in_another_form_is_named(command: str, stdin: bytes, said: str) -> None:
    result = undersign(command, *AT[1:], stdin=stdin, env=SECRET)
    assert result.code == 1
    assert said in result.text


def test_nothing_steers_the_terminal_and_nothing_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[keys]\ncrm_sync = "wrong"\n"\\u009b31m" = "the other one\'s secret"\n')
    spoilt = raw(GoTomClient(secret=lambda secret: b"the other one's secret").request())
    result = undersign(*AT, "--keys", tmp_path / "keys.toml", stdin=spoilt)
    assert "\x9b" not in result.text
    assert "other one's secret" not in result.text


@pytest.mark.parametrize("arguments", [("--keys", "/not/there"), ("--origin", "a"), ("--scheme", "gotm")])
def test_what_cannot_be_tried_exits_2(arguments: tuple[str, ...]) -> None:
    assert undersign(*AT, *arguments, stdin=b"", env=SECRET).code == 2


def test_on_a_terminal_it_says_what_it_waits_for() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *AT], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(SECRET)
    ) as process:
        os.close(theirs)
        assert process.stderr
        assert b"paste the request, and end it with Ctrl-D" in process.stderr.readline()
        os.write(ours, b"\x04")
        out, _ = process.communicate(timeout=30)
    os.close(ours)
    assert b"standard input is empty" in out


def test_input_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undersign.cli.received._LIMIT", 1000)
    for command in ("verify", "diagnose"):
        assert undersign(command, stdin=b"GET / HTTP/1.1\r\n".ljust(1000), env=SECRET).code == 1
        result = undersign(command, stdin=b"GET / HTTP/1.1\r\n".ljust(1001), env=SECRET)
        assert result.code == 2
        assert "standard input is over 1000 bytes" in result.error
