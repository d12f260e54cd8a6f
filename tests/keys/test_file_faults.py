"""A file of keys that changes while it is read: no lookup ever gets what no whole version holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from undersign import ConfigError
from undersign.keys import KeyFile
from undersign.keys import file as file_module

from .test_file import File

OLD, NEW = '[keys]\na = "old"\nb = "old"\n', '[keys]\na = "new"\nb = "new"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def in_between(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Have the file changed once, when it has been read and not yet been taken."""
    parser: Any = vars(file_module)["tomllib"]
    loads: Callable[[str], dict[str, Any]] = parser.loads

    def late(text: str) -> dict[str, Any]:
        monkeypatch.undo()
        change()
        return loads(text)

    monkeypatch.setattr(parser, "loads", late)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: replace(path, NEW),
        lambda path: path.write_text(NEW, encoding="utf-8"),
        lambda path: path.write_text('[keys]\na = "ne', encoding="utf-8"),
        lambda path: path.write_text("", encoding="utf-8"),
        lambda path: path.unlink(),
    ],
    ids=["replaced", "written over", "half written", "truncated", "gone"],
)
def test_what_changes_while_it_is_read_is_not_taken(
    path: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = File(path, OLD)
    keys.write('[keys]\na = "between"\n')
    in_between(monkeypatch, lambda: change(path))
    keys.settle()
    assert keys.secrets("a") + keys.secrets("b") == ["old", "old"]
    keys.write(NEW)
    keys.settle()
    assert keys.secrets("a") + keys.secrets("b") == ["new", "new"]


def test_a_first_reading_that_was_too_early_is_mended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('[keys]\na = "old"\n', encoding="utf-8")  # and the line of b is still to come
    in_between(monkeypatch, lambda: path.write_text(OLD, encoding="utf-8"))
    now = [100.0]
    keys = KeyFile(path, clock=lambda: now[0])
    for _ in range(2):
        now[0] += 1
        keys("b", "gotom")
    assert [secret.reveal() for secret in keys("b", "gotom")] == [b"old"]


def test_a_file_that_is_half_written_at_the_start_is_a_mistake_and_no_set_of_keys(path: Path) -> None:
    for end in range(len(OLD)):
        path.write_text(OLD[:end], encoding="utf-8")
        try:
            keys = KeyFile(path)
        except ConfigError:
            continue
        held = [secret.reveal() for key_id in "ab" for secret in keys(key_id, "gotom")]
        assert held in ([], [b"old"], [b"old", b"old"])  # no secret is cut off


# In a process of its own: where no descriptor is left, servers of other tests would end.
WITHOUT_DESCRIPTORS = """
import itertools, resource, sys
from pathlib import Path
from undersign.keys import KeyFile

path, new = Path(sys.argv[1]), sys.argv[2]
seconds = itertools.count()
keys = KeyFile(path, interval=1.0, clock=lambda: next(seconds))
path.with_suffix(".new").write_text(new)
path.with_suffix(".new").replace(path)
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
for _ in range(6):
    keys("a", "gotom")
print(keys.is_refused, *[secret.reveal().decode() for secret in keys("a", "gotom")])
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
for _ in range(2):
    keys("a", "gotom")
print(keys.is_refused, *[secret.reveal().decode() for secret in keys("a", "gotom")])
"""


@pytest.mark.linux
def test_a_version_that_could_not_be_read_is_read_again(path: Path) -> None:
    """Where a process has used up its descriptors, the file is as good as it was, and does not change again."""
    path.write_text(OLD, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(path), NEW]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["True old", "False new"]
    assert done.stderr.count("the keys stay as they were") == 1  # not one for each look


@pytest.mark.linux
def test_what_can_be_read_once_is_no_file_of_keys(path: Path) -> None:
    """A pipe, as `--keys <(decrypt keys)` gives one, is empty when it is read again, or holds up whoever opens it."""
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="is no regular file, and it is read again and again"):
        KeyFile(path)
    path.unlink()
    keys = File(path, OLD)
    path.unlink()
    os.mkfifo(path)
    keys.settle()
    assert keys.secrets("a") == ["old"]
    assert keys.keys.is_refused
    keys.write(NEW)
    keys.settle()
    assert keys.secrets("a") == ["new"]
