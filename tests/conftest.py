"""What holds for all tests: nothing is left out in silence with UNDERSIGN_NO_SKIP=1, clients start quickly, and what is
emitted shows neither a secret nor a signature that is good with UNDERSIGN_CANARY=1 (see `canary.py`)."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator

import certifi
import pytest

from tests import canary


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("UNDERSIGN_CANARY") == "1":
        config.pluginmanager.register(canary.plugin(), "canary")


@pytest.hookimpl(tryfirst=True)  # before the marker `long` is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that is `sampled(n)`, leave all cases but every n-th to `make test-long`. Leave out, on other systems,
    what needs a pseudo-terminal, /proc, a fork or a shell's closed streams."""
    seen: Counter[str] = Counter()
    for item in items:
        if sampled := item.get_closest_marker("sampled"):
            name = item.nodeid.partition("[")[0]
            if seen[name] % sampled.args[0]:
                item.add_marker(pytest.mark.long)
            seen[name] += 1
    if sys.platform != "linux":
        for item in items:
            if item.get_closest_marker("linux"):
                item.add_marker(pytest.mark.skip(reason="needs Linux"))


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


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A bundle of one certificate in place of all that are trusted: httpx reads it anew for every client.

    No test calls a server of the outside; those that speak TLS bring an authority of their own.
    """
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path_factory.mktemp("authority") / "one.pem"
    path.write_text(certifi.contents().partition(end)[0] + end, encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield
