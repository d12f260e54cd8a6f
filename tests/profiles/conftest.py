"""What the tests of profiles share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of profiles, of mode 600 unless another is asked for."""

    def written(text: str, *, mode: int = 0o600) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    return written
