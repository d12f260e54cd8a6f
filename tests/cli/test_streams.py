"""Standard streams that are closed, full, or open the wrong way: one sentence, and nothing is sent before it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, KEY_ID, Result, environment
from tests.clients.wire import WireServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the redirections are those of a POSIX shell")

SIGN = ("sign", "GET", "https://a.example/", "--key-id", KEY_ID)
SERVE = ("serve", "--key-id", KEY_ID, "--port", "0")
INSPECT = ("inspect", "--no-open")
COMMANDS = [
    SIGN,
    ("verify",),
    ("diagnose",),
    ("demo",),
    INSPECT,
    ("vectors", "list"),
    ("conform", "--self"),
    SERVE,
    ("--version",),
    ("--help",),
]
CLOSED = (
    "undersign: standard output is closed, so there is nowhere to write to: >/dev/null throws away what is written\n"
)
FULL = "undersign: standard output cannot be written: No space left on device\n"
WRONG_WAY = "undersign: standard output cannot be written: Bad file descriptor\n"
UNREAD = "undersign: nobody reads standard output any more: >/dev/null throws away what is written\n"

OUTPUTS = [
    (">&-", CLOSED),
    pytest.param(">/dev/full", FULL, marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")),  # noqa: PTH110
    ("1</dev/null", WRONG_WAY),
]


def shell(script: str, *arguments: str | Path, stdout: int = subprocess.PIPE) -> Result:
    """Run the command in a shell, where `script` says how, `"$@"` being the command."""
    done = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        timeout=60,
    )
    return Result(done.returncode, done.stdout or b"", done.stderr.decode())


def unread(*arguments: str) -> Result:
    """Run the command with a pipe that nobody reads as its standard output, as in `… | head -c0`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return shell('exec "$@"', *arguments, stdout=writing)
    finally:
        os.close(writing)


@pytest.mark.linux
@pytest.mark.parametrize(("redirection", "said"), OUTPUTS)
def test_call_sends_nothing_where_the_answer_has_nowhere_to_go(wire: WireServer, redirection: str, said: str) -> None:
    result = shell(f'exec "$@" {redirection}', "call", "POST", wire.url + "/x", "--key-id", KEY_ID)
    assert (result.code, result.err) == (2, said)
    assert not wire.requests


def test_call_sends_nothing_where_nobody_reads_the_answer(wire: WireServer, tmp_path: Path) -> None:
    result = unread("call", "POST", wire.url + "/x", "--key-id", KEY_ID, "--output", str(tmp_path / "x"))
    assert (result.code, result.err) == (2, UNREAD)
    assert not wire.requests


@pytest.mark.linux
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_closed_output_is_said_before_anything_is_done(command: tuple[str, ...]) -> None:
    result = shell('exec "$@" >&-', *command)
    assert (result.code, result.err) == (2, CLOSED)


@pytest.mark.linux
@pytest.mark.parametrize(("redirection", "said"), OUTPUTS[1:])
def test_an_output_that_takes_nothing_is_one_line(redirection: str, said: str) -> None:
    result = shell(f'exec "$@" {redirection}', *SIGN)
    assert (result.code, result.err) == (2, said)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("command", [SIGN, ("demo",), SERVE, INSPECT, ("--help",)], ids=" ".join)
def test_a_pipe_that_nobody_reads_is_passed_over_in_silence(command: tuple[str, ...]) -> None:
    result = unread(*command)
    assert (result.code, result.err) == (2, "")


def test_a_disk_that_becomes_full_is_said_with_the_answers_status(wire: WireServer, tmp_path: Path) -> None:
    said = "undersign: the server has answered, with 200, and the answer cannot be written: File too large\n"
    call = ("call", "POST", wire.url + "/x", "--key-id", KEY_ID)
    for script, arguments in (
        (f'ulimit -f 0; exec "$@" >{shlex.quote(str(tmp_path / "out"))}', ()),
        ('ulimit -f 0; exec "$@"', ("--output", tmp_path / "body")),
    ):
        result = shell(script, *call, *arguments)
        assert (result.code, result.err) == (2, said)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("command", [SIGN, ("vectors", "list", "--json")], ids=["little", "much"])
def test_a_disk_that_becomes_full_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = shell(f'ulimit -f 0; exec "$@" >{shlex.quote(str(tmp_path / "out"))}', *command)
    assert (result.code, result.err) == (2, "undersign: the output cannot be written: File too large\n")


@pytest.mark.parametrize("command", [SIGN, ("verify",), ("diagnose",)], ids=" ".join)
def test_an_input_that_cannot_be_read_is_one_line(command: tuple[str, ...]) -> None:
    result = shell('exec "$@" 0>/dev/null', *command)
    assert result.code == 2
    assert result.error.startswith("undersign: standard input cannot be read: Bad file descriptor")


@pytest.mark.linux
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_an_error_that_cannot_be_told_is_still_an_exit_code(wire: WireServer, redirection: str) -> None:
    call = ("call", "GET", wire.url + "/x", "--key-id")
    assert shell(f'exec "$@" {redirection}', *call, KEY_ID).code == 0
    assert shell(f'exec "$@" {redirection}', *call, "").code == 2


@pytest.mark.linux
def test_streams_that_are_closed_get_nothing_of_the_others(wire: WireServer, tmp_path: Path) -> None:
    """A file or a socket would take the number of a closed stream."""
    output = tmp_path / "body"
    result = shell('exec "$@" <&- 2>&-', "call", "GET", wire.url + "/x", "--key-id", KEY_ID, "--output", output)
    assert (result.code, output.read_bytes()) == (0, b"ok")
    probe = (
        "import os; from undersign.cli.streams import fill_closed_descriptors as fill; fill(); print(os.open('.', 0))"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", sys.executable, "-c", probe],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) > 2
