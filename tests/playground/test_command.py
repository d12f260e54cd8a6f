"""`undersign inspect` serves the page, opens it, and ends when it is told to or when nobody is there any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.command import COMMAND, environment, undersign
from undersign.playground.server import PageServer


@contextmanager
def inspecting(
    *arguments: str, changed: Mapping[str, str | None] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address that it prints first."""
    with subprocess.Popen(
        [*COMMAND, "inspect", *arguments],
        env=environment(changed),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def page_at(address: str) -> str:
    return httpx.get(address, trust_env=False, timeout=10).text


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_there_until_it_is_ended(sent: signal.Signals) -> None:
    with inspecting("--no-open") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert "<title>undersign" in page_at(address)
        process.send_signal(sent)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_it_ends_where_nobody_reads_what_it_prints() -> None:
    with inspecting("--no-open") as (process, address):
        assert page_at(address)
        assert process.stdout
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr
        assert process.stderr.read() == ""


def test_it_is_opened_in_the_browser_of_the_environment(tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n')
    browser.chmod(0o755)
    with inspecting(changed={"BROWSER": f"{browser} %s"}) as (_, address):
        until(opened.exists)
        assert opened.read_text() == address


def test_a_browser_that_does_not_return_keeps_nobody_waiting(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexec sleep 60\n")
    browser.chmod(0o755)
    with inspecting(changed={"BROWSER": f"{browser} %s"}) as (process, address):
        assert page_at(address)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_without_a_browser_it_says_so_and_serves(tmp_path: Path) -> None:
    nowhere = {"BROWSER": None, "DISPLAY": None, "WAYLAND_DISPLAY": None, "PATH": str(tmp_path)}
    with inspecting(changed=nowhere) as (process, address):
        assert process.stderr
        assert process.stderr.readline() == (
            "undersign: no browser can be opened from here: open the address above in one\n"
        )
        assert page_at(address)


def test_a_port_that_is_taken_is_said() -> None:
    with PageServer() as server:
        result = undersign("inspect", "--no-open", "--port", str(server.server_port))
        assert result.code == 2
        assert f"cannot listen on 127.0.0.1 port {server.server_port}: Address already in use" in result.error


def test_what_is_to_be_looked_at_is_no_argument() -> None:
    result = undersign("inspect", "request.http")
    assert result.code == 2
    assert "pasted into the page" in result.error


def test_it_works_from_an_archive(tmp_path: Path) -> None:
    """Python imports from a zip file as well."""
    archive = tmp_path / "undersign.zip"
    source = Path(__file__).parents[2] / "src" / "undersign"
    subprocess.run([sys.executable, "-m", "zipfile", "-c", archive, source], check=True)
    path = {"PYTHONPATH": f"{archive}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    with inspecting("--no-open", changed=path) as (_, address):
        assert "<title>undersign" in page_at(address)


def until(is_so: object) -> None:
    deadline = time.monotonic() + 30
    assert callable(is_so)
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
