"""A plugin for pytest that runs the tests from the last to the first, so that none leans on one before it.

python -m pytest -p tests.backwards
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.reverse()
