"""The code on the pages of the documentation runs as it stands there, and what it sends verifies."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.clients.test_fuzz import COUNT, random_requests
from tests.clients.test_signed_is_sent import TARGETS
from tests.clients.wire import KeepAliveServer, WireServer
from undersign import CannotSign, GoGrid, GoTom, Scheme, Verifier

PAGES = Path(__file__).parents[2] / "docs" / "clients"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (PAGES / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


HTTP_CLIENT, URLLIB3, STREAM = blocks("any-other.md")

KEYS = {"your-user": "your-secret", "your-key": "your-secret"}
SCHEMES: list[Scheme] = [GoTom(), GoGrid(allow_http=True)]

Send = Callable[..., Any]


def run(block: str, **placeholders: Any) -> dict[str, Any]:
    """The names that the block leaves behind."""
    names = dict(placeholders)
    # The page is for servers on https, and the one here is not.
    exec(block.replace("GoGrid()", "GoGrid(allow_http=True)"), names)  # noqa: S102 - it is ours
    return names


@pytest.fixture
def kept_alive() -> Iterator[WireServer]:
    with KeepAliveServer() as server:
        yield server


@pytest.fixture
def connection(kept_alive: WireServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", kept_alive.port, timeout=30)) as connection:
        yield connection


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(timeout=30) as pool:
        yield pool
        for key in pool.pools.keys():  # noqa: SIM118 - it cannot be iterated itself
            pool.pools[key].close()  # else its connections stay open as long as any answer is held


@pytest.fixture(params=["http.client", "urllib3"])
def send(
    request: pytest.FixtureRequest,
    kept_alive: WireServer,
    connection: http.client.HTTPConnection,
    pool: urllib3.PoolManager,
) -> Send:
    """The recipe's function, bound to its client."""
    client: Any = connection if request.param == "http.client" else pool
    block = HTTP_CLIENT if request.param == "http.client" else URLLIB3
    recipe = run(block, connection=connection, pool=pool, url=kept_alive.url)
    recipe["response"].read()
    kept_alive.requests.clear()

    def bound(scheme: Scheme, *arguments: Any) -> int:
        recipe["signer"].scheme = scheme
        response = recipe["send"](client, *arguments)
        response.read()
        return int(response.status)

    return bound


def assert_verifies(server: WireServer, scheme: Scheme, index: int = -1) -> None:
    assert server.verified(Verifier(scheme, KEYS), index).key_id in KEYS


def test_http_client(kept_alive: WireServer, connection: http.client.HTTPConnection) -> None:
    names = run(HTTP_CLIENT, connection=connection, url=kept_alive.url + "/p?x=%2f")
    assert names["response"].status == 200
    request = kept_alive.received()
    assert (request.method, request.target, request.body) == ("POST", "/p?x=%2f", b'{"name": "new"}')
    assert_verifies(kept_alive, GoTom())


def test_urllib3(kept_alive: WireServer, pool: urllib3.PoolManager) -> None:
    names = run(URLLIB3, pool=pool, url=kept_alive.url + "/a/../p?x=%2f&&")
    assert names["response"].status == 200
    assert kept_alive.received().target.startswith("/p?x=%2F&&api_key=your-key&sig=")
    assert_verifies(kept_alive, GoGrid(allow_http=True))


def test_a_stream(kept_alive: WireServer, connection: http.client.HTTPConnection) -> None:
    file = io.BytesIO(b"head" + b"x" * 200_000)
    file.seek(4)
    names = run(STREAM, connection=connection, url=kept_alive.url, file=file)
    assert names["response"].status == 200
    assert kept_alive.received().body == b"x" * 200_000
    assert_verifies(kept_alive, GoTom())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=["gotom", "gogrid"])
def test_every_target_verifies(send: Send, kept_alive: WireServer, scheme: Scheme, target: str) -> None:
    assert send(scheme, "GET", kept_alive.url + target) == 200
    assert_verifies(kept_alive, scheme)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["gotom", "gogrid"])
def test_a_form_verifies_with_the_right_length(send: Send, kept_alive: WireServer, scheme: Scheme) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "7"}
    assert send(scheme, "POST", kept_alive.url, headers, b"a=1&b=2") == 200
    assert_verifies(kept_alive, scheme)


def test_a_url_with_a_password_is_refused(send: Send) -> None:
    with pytest.raises(CannotSign, match="password"):
        send(GoTom(), "GET", "http://user:password@127.0.0.1/")


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES, ids=["gotom", "gogrid"])
def test_a_thousand_requests_are_received_as_they_were_signed(
    send: Send, kept_alive: WireServer, scheme: Scheme
) -> None:
    made, counts = random_requests(seed=23)
    hazards = ["escapes", "empty fields", "dot segments", "non-ASCII", "bare ?", "binary bodies"]
    assert {hazard: counts[hazard] >= 100 for hazard in hazards} == dict.fromkeys(hazards, True)
    for method, target, keywords in made:
        assert send(scheme, method, kept_alive.url + target, {}, keywords.get("binary", b"")) == 200
    assert len(kept_alive.requests) == COUNT
    for index in range(COUNT):
        assert_verifies(kept_alive, scheme, index)


@pytest.mark.parametrize("page", ["aiohttp.md", "urllib.md"])
def test_the_example_of_a_page_runs(server: WireServer, page: str) -> None:
    (example,) = blocks(page)
    run(example.replace("https://demo.gotom.io", server.url))
    assert server.received().body == b'{"name": "new"}'
    assert_verifies(server, GoTom())


def test_the_subclass_on_the_page_for_httpie_signs() -> None:
    (example,) = blocks("httpie.md")
    plugin = run(example)["AcmePlugin"]()
    assert plugin.get_auth("u") is not None
    assert plugin.raw_auth == "u"
