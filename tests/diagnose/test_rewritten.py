"""Queries, forms and JSON that a client has parsed and written again: what the libraries of languages make of them."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from undersign import Recipe, Request, diagnose
from undersign.diagnosing.json_bodies import rewritten_json
from undersign.diagnosing.queries import rewritten

NOW = 1_730_974_875

# What PHP's http_build_query, JavaScript's URLSearchParams and $.param, Python's dict and parse_qsl have written of it.
QUERY = "b=x%20y~&a=1&a=2&c=&d%5B%5D=3"
WRITTEN = {
    "sorted": "a=1&a=2&b=x%20y~&c=&d%5B%5D=3",
    "URLSearchParams": "b=x+y%7E&a=1&a=2&c=&d%5B%5D=3",
    "parse_qsl": "b=x%20y~&a=1&a=2&d%5B%5D=3",
    "a list as PHP numbers it": "b=x%20y~&a%5B0%5D=1&a%5B1%5D=2&c=&d%5B0%5D=3",
    "the last of each name": "b=x%20y~&a=2&c=&d=3",
    "decoded": "b=x y~&a=1&a=2&c=&d[]=3",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_query_is_written_again(text: str) -> None:
    assert text in [found.text for found in rewritten(QUERY)]


BODY = '{"List":[1,"it\'s"],"None":[],"Path":"a/b","Price":1.10}'
AGAIN = {
    "Windows PowerShell": '{\n    "List":  [\n                 1,\n                 "it\\u0027s"\n             ],\n'
    '    "None":  [\n\n             ],\n    "Path":  "a/b",\n    "Price":  1.1\n}',
    "JSON.stringify": '{"List":[1,"it\'s"],"None":[],"Path":"a/b","Price":1.1}',
    "json_encode": '{"List":[1,"it\'s"],"None":[],"Path":"a\\/b","Price":1.1}',
    "older Ruby": '{\n  "List": [\n    1,\n    "it\'s"\n  ],\n  "None": [\n\n  ],\n  "Path": "a/b",\n  "Price": 1.1\n}',
    "with spaces, and numbers as they are": '{"List": [1, "it\'s"], "None": [], "Path": "a/b", "Price": 1.10}',
}


@pytest.mark.parametrize("text", AGAIN.values(), ids=AGAIN)
def test_json_is_written_again(text: str) -> None:
    assert text.encode() in list(rewritten_json(BODY.encode()))


RECIPE = Recipe.from_mapping(
    {
        "name": "parcels",
        "parts": ["method", "host", "target", {"part": "body", "digest": "sha256", "empty": "omit"}, "time"],
        "joiner": "\n",
        "mac": "hmac-sha256",
        "time": "unix",
        "window": {"past": 300, "future": 300},
        "headers": {"X-Key": "{key_id}", "X-Time": "{time}", "X-Sign": "{signature}"},
    }
)


def causes(string: str) -> set[str]:
    signature = hmac.new(b"a secret", string.encode(), "sha256").hexdigest()
    headers = (("Host", "api.example"), ("X-Key", "me"), ("X-Time", str(NOW)), ("X-Sign", signature))
    request = Request("GET", "/v1/a/./b?y=2&x=1", headers, b"", "https://api.example")
    return {cause.code for cause in diagnose(request, RECIPE, {"me": "a secret"}, NOW)}


def test_a_part_that_is_left_out_may_be_there_for_the_client() -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    assert causes(f"GET\napi.example\n/v1/a/./b?y=2&x=1\n{digest}\n{NOW}") == {"body-default"}


def test_a_path_that_was_signed_resolved() -> None:
    assert causes(f"GET\napi.example\n/v1/a/b?y=2&x=1\n{NOW}") == {"target-normalised"}


def test_two_mistakes_in_parts_of_the_same_request() -> None:
    assert causes(f"get\napi.example\n/v1/a/./b?x=1&y=2\n{NOW}") == {"method-case", "target-query-order"}
    assert causes(f"GET\napi.example:443\n/v1/a/b?y=2&x=1\n{NOW}") == {"host-differs", "target-normalised"}


def test_two_mistakes_in_one_piece() -> None:
    recipe = Recipe.from_mapping(
        {
            "name": "parcels-url",
            "parts": ["method", "url", "time"],
            "joiner": "\n",
            "mac": "hmac-sha256",
            "time": "unix",
            "window": {"past": 300, "future": 300},
            "headers": {"X-Key": "{key_id}", "X-Time": "{time}", "X-Sign": "{signature}"},
        }
    )
    string = f"GET\nhttp://api.example/v1/a?x=1&y=2\n{NOW}"
    signature = hmac.new(b"a secret", string.encode(), "sha256").hexdigest()
    headers = (("Host", "api.example"), ("X-Key", "me"), ("X-Time", str(NOW)), ("X-Sign", signature))
    request = Request("GET", "/v1/a?y=2&x=1", headers, b"", "https://api.example")
    found = {cause.code for cause in diagnose(request, recipe, {"me": "a secret"}, NOW)}
    assert found == {"host-differs", "target-query-order"}
