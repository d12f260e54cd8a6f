"""`undersign inspect` finds the page and opens it in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.command import COMMAND, environment, undersign


def test_the_path_is_that_of_a_page_with_all_its_files() -> None:
    result = undersign("inspect", "--path")
    assert result.code == 0
    page = Path(result.text.removesuffix("\n"))
    assert page.name == "index.html"
    assert "Content-Security-Policy" in page.read_text(encoding="utf-8")
    assert (page.parent / "port.js").read_text(encoding="utf-8").startswith("/*\n * Signs and verifies HTTP requests")


def test_the_page_is_opened_in_the_browser_of_the_environment(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}"\n')
    browser.chmod(0o755)
    done = inspect({"BROWSER": f"{browser} %s"})
    assert done.returncode == 0
    address = done.stdout.strip()
    assert address.startswith("file:///")
    assert address.endswith("/index.html")
    assert opened.read_text() == address


def test_without_a_browser_it_says_where_the_page_is(tmp_path: Path) -> None:
    done = inspect({"BROWSER": None, "DISPLAY": None, "WAYLAND_DISPLAY": None, "PATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stdout.startswith("file:///")
    assert done.stderr == "undersign: no browser can be opened here: open the address above in one\n"


def test_from_an_archive_it_says_what_is_wrong(tmp_path: Path) -> None:
    """Python imports from a zip file as well, where the page is no file that a browser can open."""
    root = Path(__file__).parents[2]
    archive = tmp_path / "undersign.zip"
    subprocess.run([sys.executable, "-m", "zipfile", "-c", archive, root / "src" / "undersign"], check=True)
    done = inspect({"PYTHONPATH": f"{archive}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"})
    assert done.returncode == 2
    assert "the page is not installed as a file" in done.stderr


def inspect(changed: dict[str, str | None]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "inspect"], env=environment(changed), capture_output=True, text=True, timeout=30, check=False
    )
