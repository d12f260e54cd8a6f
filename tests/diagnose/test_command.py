"""`undersign diagnose`: 0 where all is fine, 1 and the causes, 2 where it could not be tried."""

from __future__ import annotations

import json
import os
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
    assert causes(raw(GoGridClient(at=NOW + 900).request()), env=GRID) == ["timezone"]


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
        (b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "unexplained"),
        (raw(GoTomClient().request())[:-1], "unexplained"),
    ],
)
def test_what_is_no_clean_request(stdin: bytes, code: str) -> None:
    assert causes(stdin) == [code]


def test_nothing_steers_the_terminal_and_nothing_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[keys]\ncrm_sync = "wrong"\n"\\u009b31m" = "the other one\'s secret"\n')
    spoilt = raw(GoTomClient(secret=lambda secret: b"the other one's secret").request())
    result = undersign(*AT, "--keys", tmp_path / "keys.toml", stdin=spoilt)
    assert "\x9b" not in result.text
    assert "other one's secret" not in result.text


@pytest.mark.parametrize("arguments", [("--keys", "/not/there"), ("--origin", "a"), ("--scheme", "gotm")])
def test_what_cannot_be_tried_exits_2(arguments: tuple[str, ...]) -> None:
    assert undersign(*AT, *arguments, stdin=b"", env=SECRET).code == 2


def on_a_terminal(*arguments: str) -> tuple[int, bytes, bytes]:
    """How the command ends where standard input is a terminal on which somebody presses Ctrl-D."""
    import pty  # which other systems lack

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(SECRET)
    ) as process:
        os.close(theirs)
        os.write(ours, b"\x04")
        out, err = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, out, err


@pytest.mark.linux
def test_a_terminal_is_read_where_it_is_asked_for() -> None:
    code, out, err = on_a_terminal(*AT)
    assert (code, out) == (2, b"")
    assert err.count(b"\n") == 1
    assert b"there is no request: give its file, or pipe it in; or give -" in err
    code, out, err = on_a_terminal(*AT, "-")
    assert (code, out) == (2, b"")
    assert err.startswith(b"undersign: paste the request, and end it with Ctrl-D\n")
    assert b"standard input is empty" in err


def test_input_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undersign.cli.inputs.content.LIMIT", 1000)
    for command in ("verify", "diagnose"):
        assert undersign(command, stdin=b"GET / HTTP/1.1\r\n".ljust(1000), env=SECRET).code == 1
        result = undersign(command, stdin=b"GET / HTTP/1.1\r\n".ljust(1001), env=SECRET)
        assert result.code == 2
        assert "standard input is over 1000 bytes" in result.error
