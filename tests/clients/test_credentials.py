"""What every auth class is told: what cannot work is a ConfigError when it is built, which shows no secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from undersign import ConfigError, GoTom
from undersign.clients import aiohttp, httpx, requests, urllib

NEW = "a-new-secret-that-is-found-wherever-it-shows"
OLD = "an-old-secret-that-is-found-wherever-it-shows"


def signing_adapter(*arguments: Any, **keywords: Any) -> requests.SigningAdapter:
    return requests.SigningAdapter(*arguments, **{"origins": ["https://h"], **keywords})


KINDS: dict[str, Callable[..., object]] = {
    "requests": requests.SignatureAuth,
    "requests adapter": signing_adapter,
    "httpx": httpx.SignatureAuth,
    "aiohttp": aiohttp.SignatureAuth,
    "urllib": urllib.SignatureHandler,
}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "scheme": ({"scheme": "gotom"}, "an object, not its name: write GoTom"),
    "class": ({"scheme": GoTom}, r"not GoTom itself: write GoTom\(\)"),
    "key id": ({"key_id": ""}, "key id is empty"),
    "empty secret": ({"secret": ""}, "secret is empty"),
    "text that is none": ({"secret": NEW + "\ud800"}, "lone surrogate"),
    "no secret at all": ({"secret": [NEW]}, "text or bytes, not list"),
    "origin": ({"origins": ["h"]}, "not an origin"),
    "older for a scheme with one signature": ({"older": [OLD]}, "gotom sends one signature"),
    "older that is one secret": ({"older": OLD}, "older is a sequence"),
    "older that is no sequence": ({"older": 5}, "older is a sequence"),
    "one bad among the older": ({"older": [OLD, ""]}, "secret is empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_work_is_refused_and_no_secret_shows(kind: str, fault: str) -> None:
    changed, remedy = FAULTS[fault]
    told = {"scheme": GoTom(), "key_id": "key", "secret": NEW, **changed}
    with pytest.raises(ConfigError, match=remedy) as caught:
        KINDS[kind](told.pop("scheme"), told.pop("key_id"), told.pop("secret"), **told)
    assert_hides(caught.value, NEW, OLD)
