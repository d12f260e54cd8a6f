"""What is for a terminal alone: colours, its width, and a newline behind a body that has none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

import pytest

from tests.cli.command import COMMAND, KEY_ID, environment, undersign
from tests.clients.wire import OK, WireServer
from undersign.registry import scheme_names

pytestmark = pytest.mark.linux  # pseudo-terminals, whose end is told as Linux does


def on_terminal(*arguments: str, env: Mapping[str, str | None] | None = None) -> bytes:
    """What the command writes to a terminal, with plain line feeds."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
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


def test_behind_a_pipe_a_scheme_has_one_line() -> None:
    assert len(undersign("schemes", env={"COLUMNS": "40"}).text.splitlines()) == len(scheme_names())
