"""Apache Libcloud's GoGrid driver, a client written long before this server, against `undersign serve`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cli.command import KEY_ID, SECRET, Serving


@pytest.fixture(scope="module")
def libcloud() -> Any:
    try:
        from libcloud.compute import providers
    except ImportError:
        pytest.skip("apache-libcloud is not installed")
    try:
        return providers.get_driver("gogrid")
    except AttributeError:
        pytest.skip("this apache-libcloud has no GoGrid driver any more; 3.6.1 has")


def connected(driver: Any, server: Serving, secret: str) -> Any:
    address = urlsplit(server.url)
    return driver(KEY_ID, secret, host=address.hostname, port=address.port, secure=False)


def test_it_lists_what_there_is(libcloud: Any, server: Serving) -> None:
    driver = connected(libcloud, server, SECRET)
    assert driver.list_images() == []
    assert driver.list_nodes() == []
    assert driver.ex_list_ips() == []


def test_a_wrong_secret_is_wrong_credentials(libcloud: Any, server: Serving) -> None:
    from libcloud.common.types import InvalidCredsError

    with pytest.raises(InvalidCredsError):
        connected(libcloud, server, "wrong").list_images()
