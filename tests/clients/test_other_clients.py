"""A SignatureAuth that is given to another client than its own: one sentence names the module to take."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.clients.callers import ALL_CALLERS, Caller
from undersign import ConfigError, GoTom
from undersign.clients import aiohttp as for_aiohttp
from undersign.clients import httpx as for_httpx
from undersign.clients import requests as for_requests
from undersign.clients import urllib as for_urllib

MODULES: dict[str, Any] = {
    "requests": for_requests,
    "httpx": for_httpx,
    "aiohttp": for_aiohttp,
    "urllib": for_urllib,
}
NOBODY = "http://127.0.0.1:1/"


def module_of(caller: Caller) -> str:
    return "httpx" if caller.name.startswith("httpx") else caller.name


@pytest.mark.parametrize("caller", ALL_CALLERS, ids=str)
@pytest.mark.parametrize("own", MODULES)
def test_the_auth_of_another_client_is_refused_with_the_module_to_take(caller: Caller, own: str) -> None:
    right = module_of(caller)
    if own == right:
        return
    auth = MODULES[own].SignatureAuth(GoTom(), "key", "a secret")
    # urllib looks at what it is given before anything of ours runs, and says itself that it is no handler.
    error = TypeError if right == "urllib" else ConfigError
    with pytest.raises(error) as caught:
        caller.call("GET", NOBODY, auth=auth)
    assert f"undersign.clients.{own}" in str(caught.value)
    assert right == "urllib" or f"take undersign.clients.{right}.SignatureAuth" in str(caught.value)
    assert "a secret" not in repr(caught.value)


def test_nothing_is_sent_and_no_coroutine_is_left_behind(recwarn: pytest.WarningsRecorder) -> None:
    auth: Any = for_aiohttp.SignatureAuth(GoTom(), "key", "a secret")
    with pytest.raises(ConfigError, match="requests"):
        requests.get(NOBODY, auth=auth, timeout=30)
    assert not recwarn.list


def test_a_request_of_an_unknown_library_is_said_to_be_one() -> None:
    with pytest.raises(ConfigError, match=r"undersign\.clients\.httpx.*no request of it"):
        for_httpx.SignatureAuth(GoTom(), "key", "a secret")(object())


def test_the_name_is_the_same_in_each_module() -> None:
    assert for_urllib.SignatureAuth is for_urllib.SignatureHandler
    assert all(isinstance(module.SignatureAuth, type) for module in MODULES.values())
