"""What is read whole has a bound, up to which it may be as long as it likes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from undersign.core.bounded import read_whole


@pytest.mark.parametrize("length", [0, 1, 99, 100])
def test_a_file_up_to_the_bound_is_read(tmp_path: Path, length: int) -> None:
    (tmp_path / "file").write_bytes(b"s" * length)
    assert read_whole(tmp_path / "file", 100, "a secret") == b"s" * length


@pytest.mark.parametrize("length", [101, 100_000])
def test_a_file_beyond_the_bound_is_refused_without_what_it_holds(tmp_path: Path, length: int) -> None:
    (tmp_path / "file").write_bytes(b"s" * length)
    with pytest.raises(OSError, match=r"it is over 100 bytes, which is too large for a secret$") as caught:
        read_whole(tmp_path / "file", 100, "a secret")
    assert caught.value.errno == errno.EFBIG
    assert not [value for value in caught.traceback[-1].frame.f_locals.values() if isinstance(value, bytes)]


def test_a_file_that_cannot_be_read_is_the_system_s_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_whole(tmp_path / "file", 100, "a secret")
