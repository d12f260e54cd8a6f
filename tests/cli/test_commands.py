"""The commands as a whole: help everywhere, imported when they are used, silent behind a pipe that is closed."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from tests.cli.command import COMMAND, environment, process, undersign
from undersign import __version__
from undersign.cli.app import COMMANDS, commands


def paths(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The command and all below it."""
    found = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            nested = command.get_command(context, name)
            assert nested is not None
            found += paths(nested, (*path, name))
    return found


@pytest.mark.parametrize("path", paths(commands), ids=" ".join)
def test_every_command_has_help_by_its_short_option_and_examples_run_off_no_line(path: tuple[str, ...]) -> None:
    result = undersign(*path, "-h")
    assert (result.code, result.err) == (0, "")
    assert result.out == undersign(*path, "--help").out
    assert result.text.startswith(f"Usage: {' '.join(('undersign', *path))}")


def test_what_a_command_does_fits_in_the_list() -> None:
    shown = undersign("-h").text
    for name, (_, does) in COMMANDS.items():
        assert f"  {name} " in shown
        assert does.endswith(".")


def test_the_package_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "undersign", "-V"], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert (done.returncode, done.stdout) == (0, f"undersign {__version__}\n")


def test_the_version_is_told_without_any_command_imported() -> None:
    code = (
        "import json, sys; from undersign.cli.app import run; run(['--version']); "
        "print(json.dumps([name for name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60)
    version, modules = done.stdout.splitlines()
    assert version == f"undersign {__version__}"
    ours = {name.split(".")[1] for name in json.loads(modules) if name.startswith("undersign.")}
    assert ours <= {"cli", "core", "errors", "events", "scheme", "signing", "verifying", "policy"}
    heavy = {"asyncio", "logging", "httpx", "requests", "rich", "tomllib", "ssl", "importlib.metadata"}
    assert not heavy & set(json.loads(modules))


@pytest.mark.skipif(sys.platform == "win32", reason="the pipe is one of a POSIX shell")
@pytest.mark.parametrize("command", ["--help", "schemes", "vectors list --json"])
def test_a_pipe_that_is_closed_half_way_is_passed_over_in_silence(command: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {command} | head -1; exit ${{PIPESTATUS[0]}}', "bash", *COMMAND],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert done.returncode in (0, 2)  # 0 where all of it fitted into the pipe


def test_a_word_that_is_no_command_names_the_one_that_is_meant() -> None:
    assert "there is no command 'profile' (did you mean 'profiles'?)" in process("profile").error
    assert (
        "there is no command 'lst' (did you mean 'list'?); there are add, check, list"
        in process("profiles", "lst").error
    )


@pytest.mark.parametrize(
    "group", [path for path in paths(commands) if path in ((), ("profiles",), ("recipe",), ("vectors",))]
)
def test_a_group_without_a_command_prints_its_help(group: tuple[str, ...]) -> None:
    bare = undersign(*group)
    assert (bare.code, bare.text, bare.err) == (0, undersign(*group, "--help").text, "")
    assert "Commands:" in bare.text
