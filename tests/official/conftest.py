"""What the tests against other people's clients share: where they are, and what happens where they are not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, Serving, serving

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"


@pytest.fixture(scope="session")
def sample() -> Callable[..., Path]:
    """The path of an official sample, once the programs that it needs are there too."""

    def find(name: str, *programs: str) -> Path:
        path = SAMPLES / name
        if not path.is_file():
            pytest.skip(
                f"the official sample {name} is not in {SAMPLES.parent.name}/{SAMPLES.name} beside the checkout"
            )
        for program in programs:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def server() -> Iterator[Serving]:
    """`undersign serve` with one key for both schemes."""
    with serving("--key-id", KEY_ID) as running:
        yield running
