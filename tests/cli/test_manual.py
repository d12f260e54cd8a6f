"""The manual page: every command and option, and no word of which the formatters complain."""

from __future__ import annotations

import shutil
import subprocess

import click
import pytest

from tests.cli.test_commands import paths
from undersign.cli.app import commands
from undersign.cli.manual import manual

PAGE = manual(commands)


def test_it_has_every_command_and_option() -> None:
    plain = PAGE.replace("\\-", "-")
    for path in paths(commands)[1:]:
        assert f".SS undersign {' '.join(path)}" in plain
        command: click.Command | None = commands
        context = click.Context(commands)
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(option in plain for option in parameter.opts)


def test_it_is_ascii_and_holds_no_line_that_roff_would_read_as_another() -> None:
    assert PAGE.isascii()
    known = (".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi", ".nh", ".ad", ".B", ".RI")
    for line in PAGE.splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in known


@pytest.mark.parametrize(
    "formatter", ["groff -man -ww -z -Tutf8 -", "man --warnings -E UTF-8 -l -", "mandoc -T lint -W error"]
)
def test_it_is_formatted_without_a_warning(formatter: str) -> None:
    if shutil.which(formatter.split()[0]) is None:
        pytest.skip(f"{formatter.split()[0]} is not installed")
    done = subprocess.run(formatter.split(), input=PAGE.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
