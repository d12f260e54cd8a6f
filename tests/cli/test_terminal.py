"""What is for a terminal alone: colours, its width, and a newline behind a body that has none."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, environment, undersign
from tests.clients.wire import OK, WireServer
from undersign import GoTom
from undersign.cli.drawing import drawing
from undersign.registry import scheme_names

pytestmark = pytest.mark.linux  # pseudo-terminals, whose end is told as Linux does


def on_terminal(*arguments: str, env: Mapping[str, str | None] | None = None, errors: bool = False) -> bytes:
    """What the command writes to a terminal, with plain line feeds; with `errors`, those of standard error too."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs if errors else subprocess.DEVNULL,
        env=environment({"TERM": "xterm", "NO_COLOR": None, **(env or {})}),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while piece := _read(ours):
        shown += piece
    os.close(ours)
    process.wait(timeout=30)
    return shown.replace(b"\r\n", b"\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so at the end
        return b""


def test_on_a_terminal_the_head_has_colours_and_the_body_ends_its_line(wire: WireServer) -> None:
    call = ("call", "GET", wire.url + "/x", "--key-id", KEY_ID)
    shown = on_terminal(*call)
    assert shown.startswith(b"\x1b[32mHTTP/1.1 200 OK\x1b[0m\n\x1b[36mContent-Length\x1b[0m: 2\n")
    assert shown.endswith(b"\n\nok\n")
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_terminal(*call, env=env) == b"HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok\n"
    assert undersign(*call).out.endswith(b"\n\nok")


def test_a_body_that_ends_its_line_gets_no_other(wire: WireServer) -> None:
    wire.respond = lambda raw: OK.replace(b"ok", b"o\n")
    assert on_terminal("call", "GET", wire.url + "/x", "--key-id", KEY_ID).endswith(b"\n\no\n")


def test_a_body_that_is_no_text_is_kept_off_the_terminal(wire: WireServer) -> None:
    wire.respond = lambda raw: OK.replace(b"ok", b"\0\x1b")
    shown = on_terminal("call", "GET", wire.url + "/x", "--key-id", KEY_ID)
    assert b"\0" not in shown
    assert undersign("call", "GET", wire.url + "/x", "--key-id", KEY_ID).out.endswith(b"\0\x1b")


def test_no_other_command_colours_what_a_program_reads() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
    for command in ("verify", "diagnose"):
        assert b"\x1b" not in undersign(command, stdin=request).out


@pytest.mark.sampled(4)
@pytest.mark.parametrize("arguments", [("--help",), ("call", "--help"), ("schemes",), ("demo",), ("recipe", "--help")])
@pytest.mark.parametrize("columns", [80, 40])
def test_what_is_for_people_fits_their_terminal(arguments: tuple[str, ...], columns: int) -> None:
    shown = on_terminal(*arguments, env={"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"}).decode()
    # A command to copy stays in one line.
    prose = [line for line in shown.splitlines() if "undersign call PUT" not in line]
    assert [line for line in prose if len(line) > columns] == []
    assert "..." not in shown.replace("[ITEM]...", "").replace("[ARGS]...", "")
    # No column of words is narrower than a word.
    assert min(len(line.strip()) for line in prose if line.strip()) >= 3
    if arguments == ("demo",):
        assert "the body is not signed" in shown
        assert "wrong secret" in shown


PROFILES = """
[profiles.demo]
scheme = "gotom"
key-id = "crm_sync@example.com"
secret-env = "UNDERSIGN_SECRET"
[profiles.a-longer-name-than-that]
scheme = "bokun"
key-id = "0123456789abcdef0123456789abcdef"
secret-keyring = "bokun"
"""
RECIPE = """
name = "acme"
parts = ["time", "method", "target"]
mac = "hmac-sha256"
[headers]
X-Acme-Key = "{key_id}"
X-Acme-Time = "{time}"
X-Acme-Signature = "{signature}"
"""
GOTOM = b"GET /x HTTP/1.1\r\nHost: a.example\r\nDate: 2024-11-07T10:21:15Z\r\n"
GOTOM += b"Authorization: gotom_app_api user:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    made = {"CONFIG": PROFILES, "RECIPE": RECIPE, "REQUEST": GOTOM.decode()}
    for name, text in made.items():
        (tmp_path / name).write_bytes(text.encode())
        (tmp_path / name).chmod(0o600)
    return {name: str(tmp_path / name) for name in made}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "words",
    [
        "schemes stripe",
        "profiles list --config CONFIG",
        "profiles check --config CONFIG",
        "vectors list gotom",
        "vectors run --help",
        "verify --help",
        "diagnose REQUEST --explain --at 1730974875",
        "recipe check RECIPE",
        "recipe show RECIPE",
        "recipe try RECIPE POST https://a.example/ --key-id k --at 1700000000 --published 00",
        "recipe try RECIPE POST https://a.example/ --key-id k --published 00",
    ],
)
def test_tables_drawings_and_sentences_fit_it_too(words: str, files: dict[str, str]) -> None:
    arguments = [files.get(word, word) for word in words.split()]
    env = {"COLUMNS": "40", "NO_COLOR": "1", "TERM": "dumb"}
    shown = on_terminal(*arguments, env=env, errors=True).decode()
    assert shown.strip()
    wide = [line for line in shown.splitlines() if len(line) > 40]
    # A long word, a value and a command to copy stay in one line.
    assert [line for line in wide if " " in line.strip() and not IN_ONE_LINE.match(line)] == []


IN_ONE_LINE = re.compile(
    r"    |  string to sign: |(  header )?[A-Za-z-]+(: | = )|  [A-Z][A-Za-z-]+: |  ?(POST|GET) |POST "
    r"|(  Example: +)?undersign [a-z]"
)


def test_a_drawing_says_the_same_in_fewer_columns() -> None:
    wide, narrow = drawing(GoTom()), drawing(GoTom(), 38)
    assert "─ joined by a line feed ─> hmac-sha1 with the secret as its text ─> base64 ─> {signature}" in wide[2]
    assert narrow[:12] == [
        "method         ─┐",
        "body digest    ─┤",
        "content type   ─┤",
        "time           ─┤",
        "custom headers ─┤",
        "target         ─┘",
        "  joined by a line feed",
        "  ─> hmac-sha1 with the secret as its",
        "     text",
        "  ─> base64",
        "  ─> {signature}",
        "",
    ]


def test_behind_a_pipe_a_scheme_has_one_line() -> None:
    assert len(undersign("schemes", env={"COLUMNS": "40"}).text.splitlines()) == len(scheme_names())
