"""One browser for all tests of a process, and for each test a page with the playground open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playground.chromium import PROGRAM, Chromium, Page, chromium

PLAYGROUND = Path(__file__).parents[2] / "docs" / "playground"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if PROGRAM is None:
        pytest.skip("needs Chromium")
    with chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="session")
def tab(browser: Chromium) -> Page:
    """One page for all tests, since a new one takes longer than most of them."""
    return browser.open()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The playground, loaded anew. Whatever a test does, the console stays empty and nothing else is loaded."""
    tab.goto((PLAYGROUND / "index.html").as_uri())
    yield tab
    assert tab.complaints() == []
    assert [address for address in tab.requested() if not address.startswith(PLAYGROUND.as_uri() + "/")] == []


@pytest.fixture
def apart(browser: Chromium) -> Iterator[Page]:
    """A page of its own for what leaves traces in the console or asks for other addresses."""
    page = browser.open()
    yield page
    page.close()
