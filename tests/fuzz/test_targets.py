"""The fuzz targets keep their promises on their seeds and on spoilt ones, and find what breaks one."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from fuzz.__main__ import mutate
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_seeds_and_keeps_its_promise_on_them(name: str) -> None:
    target, drawn = TARGETS[name], random.Random(7)
    seeds = list(islice(target.seeds(), 60))
    assert len(seeds) >= 3
    assert len(set(map(len, seeds))) > 1
    for seed in seeds:
        target.run(seed)
        spoilt = bytearray(seed)
        mutate(spoilt, seeds, drawn)
        target.run(bytes(spoilt))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff\xfe", b"{" * 5000, b"[" * 5000, "é\ud800".encode("utf-8", "surrogatepass")]
)
def test_a_target_takes_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name].run(data)
