"""The package's own tests: the laws that every scheme keeps, and signatures that others have made."""

from __future__ import annotations

from pathlib import Path

import pytest
from webhook import webhook

from undersign.testing import check_scheme
from undersign.vectors import parse, run_file

WRITTEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_it_keeps_the_laws() -> None:
    check_scheme(webhook(), key_id="webhook", secret=WRITTEN, headers=(("webhook-id", "msg_1"),))


def test_it_passes_the_vectors() -> None:
    vectors = parse(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
    for result in run_file(vectors):
        if not result.passed:
            pytest.fail(f"{result.test.name}: {result.difference}")
