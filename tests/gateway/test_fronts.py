"""The gateway behind every proxy of the documentation's table: the same verifies as in front of any server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.fronts.cases import BARE_MARK
from tests.servers.fronts.measuring import Refused, measure, over_http1
from tests.servers.fronts.rows import ROWS, Row
from tests.servers.fronts.running import running as running_front
from tests.servers.matrix import skip_without
from undersign.gateway import VerifyingGateway

from .deciding import verifier
from .harness import running
from .processes import ORIGIN, behind

NOT_UTF8 = "Latin-1 in it"
"""What the gateway itself refuses, as the page of its engines says."""
LOSE_BARE_MARKS = ("nginx, `proxy_pass http://127.0.0.1:8000/;`", "nghttpx")
"""The table cannot tell, since ASGI servers lose them too. The gateway does not."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with behind() as app, running(VerifyingGateway(verifier(signs_body=True), app.url, origin=ORIGIN)) as port:
        yield port


@pytest.mark.long
@pytest.mark.parametrize("row", [row for row in ROWS if row.behind == "asgi"], ids=repr)
def test_what_verifies(port: int, row: Row) -> None:
    skip_without(row.front.missing())
    with running_front(row.front, port) as front:
        measured = measure(over_http1(front.port, f"http://127.0.0.1:{port}" if row.is_forward else ""), row.cases)
    lost = {NOT_UTF8, BARE_MARK} if row.title in LOSE_BARE_MARKS else {NOT_UTF8}
    assert names(measured) == names(row.refused) | lost


def names(refused: Refused) -> set[str]:
    return {name for found in refused.values() for name in found}
