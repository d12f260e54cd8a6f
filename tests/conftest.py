"""What holds for all tests: with UNDERSIGN_NO_SKIP=1 nothing is left out in silence."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything that the tests can use has to be there, as it has in CI."""
    report = yield
    if report.skipped and os.environ.get("UNDERSIGN_NO_SKIP") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, and UNDERSIGN_NO_SKIP=1: {report.longrepr}"
    return report
