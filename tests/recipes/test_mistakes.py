"""Mistakes in the options of parts and carriers, and parameters that are left out."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import CannotSign, ConfigError

from .by_hand import BODY, both_ways, post, recipe, signed

JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"part": "digest", "digest": "sha3", "parts": ["body"]}, "digest is one of md5"),
        ({"part": "digest", "digest": "sha256", "encoding": "base32", "parts": ["body"]}, "encoding one of hex"),
        ({"part": "digest", "digest": "sha256", "joiner": 1, "parts": ["body"]}, "joiner text"),
        ({"part": "headers", "names": ["X-A"], "sort": "up"}, "sort = 'name' or 'none'"),
        ({"part": "headers", "names": ["X-A"], "pair": 1}, "pair, item, between and prefix are text"),
        ({"part": "headers", "names": ["X A"]}, "'X A' is no name of a header"),
        (
            {"part": "headers", "names": ["request-line"], "http_version": "9"},
            "http_version is that of the request line",
        ),
        ({"part": "params", "plain": True, "pair": ""}, "plain is for parameters that pair and item separate"),
    ],
)
def test_an_option_that_cannot_work_is_named(part: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        recipe(["time", part])


def test_a_digest_of_the_body_cannot_go_into_the_body() -> None:
    form = {"md5": "{body:md5}", "sig": "{signature}", "ts": "{time}", "key": "{key_id}"}
    with pytest.raises(ConfigError, match="is a digest of the body, and fields go into it: send them in the query"):
        recipe([{"part": "params", "of": "form", "without": ["sig"]}], headers={}, form=form)


def test_a_parameter_that_is_left_out_is_not_read_either() -> None:
    query = {"key": "{key_id}", "ts": "{time}", "token": "{extra.token?}", "sig": "{signature}"}
    parts = ["time", "key_id", "extra:token", "method", "body"]
    scheme = recipe(parts, joiner="\n", headers={}, query=query)
    sent = both_ways(scheme, post("/", BODY, JSON), b"1730974875\nkey-1\nPOST\n" + BODY)
    assert "token" not in sent.target
    with pytest.raises(CannotSign, match="the parameter 'token' is there and nothing goes into it: remove it"):
        signed(scheme, post("/?token=mine", BODY, JSON))
