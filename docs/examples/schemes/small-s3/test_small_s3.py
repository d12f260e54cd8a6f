"""The package's own tests: the laws that every scheme keeps, and signatures that others have made."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_s3 import SmallS3

from undersign import Request
from undersign.testing import check_scheme
from undersign.vectors import parse, run_file


def test_it_keeps_the_laws() -> None:
    more = [Request("GET", "/bucket/key?uploads&acl", (("x-amz-acl", "private"),))]
    check_scheme(SmallS3(), headers=(("x-amz-acl", "private"),), requests=more)


def test_it_passes_the_vectors() -> None:
    vectors = parse(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
    for result in run_file(vectors):
        if not result.passed:
            pytest.fail(f"{result.test.name}: {result.difference}")
