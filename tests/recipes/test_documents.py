"""Recipes as documents: what a table in TOML or JSON says is what the dataclass says, and nothing else passes."""

from __future__ import annotations

import base64
import copy
import dataclasses
import hmac
import importlib
import json
import pickle
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from undersign import (
    CannotSign,
    Claim,
    Credential,
    GoGrid,
    GoTom,
    Recipe,
    Rejected,
    Request,
    Verifier,
    Window,
    sign,
)
from undersign.schemes.documents import recipe_in_toml, recipe_of

from .by_hand import FORM, KEY, NOW, ORIGIN, SECRET, both_ways, mac, post, recipe, signed, verified

# Documents

BOKUN = """
name = "bokun"
parts = ["time", "key_id", "method", "target"]
mac = "hmac-sha1"
encoding = "base64"
time = "%Y-%m-%d %H:%M:%S"
window = { past = 900, future = 900 }
[headers]
X-Bokun-Date = "{time}"
X-Bokun-AccessKey = "{key_id}"
X-Bokun-Signature = "{signature}"
"""

DOCUMENTS: list[dict[str, Any]] = [
    {"name": "a", "parts": ["time"], "mac": "hmac-sha256", "headers": {"X-S": "{key_id} {time} {signature}"}},
    {
        "name": "all of it",
        "parts": [
            "method",
            {"part": "body", "digest": "md5", "encoding": "base64", "empty": "omit"},
            {
                "part": "params",
                "of": "both",
                "sort": "none",
                "pair": ":",
                "item": ",",
                "without": ["sig"],
                "decoded": False,
            },
            {"part": "headers", "names": ["X-A", "x-b"], "drop_blank": True},
            {"part": "content-type", "fold": "lower", "omit_empty": True, "when": {"methods": ["POST"], "body": True}},
            "secret",
            "time",
            "nonce",
            "extra:token",
        ],
        "joiner": "\n",
        "mac": "hash-sha512",
        "encoding": "base64url-nopad",
        "secret": "base64",
        "secret_prefix": "whsec_",
        "time": "unix-ms",
        "window": {"past": 10, "future": 20},
        "methods": ["GET", "POST"],
        "allow_http": False,
        "content_type": "text/plain",
        "headers": {"X-N": "{nonce}", "X-T": "{extra.token}"},
        "query": {"k": "{key_id}", "t": "{time}", "sig": "{signature}"},
    },
    {
        "name": "either",
        "parts": ["time"],
        "mac": "hmac-sha1",
        "query-or-form": {"k": "{key_id} {time}", "sig": "{signature}"},
    },
    {
        "name": "no time",
        "parts": ["method", "url"],
        "mac": "hmac-md5",
        "window": False,
        "query": {"k": "{key_id}"},
        "headers": {"X-S": "{signature}"},
    },
    {
        "name": "form",
        "parts": ["time"],
        "mac": "hmac-md5",
        "form": {"k": "{key_id}{{}}{signature}"},
        "allow_http": True,
    },
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["name"])
def test_a_document_and_the_recipe_are_the_same_thing(document: dict[str, Any]) -> None:
    made = Recipe.from_mapping(document)
    assert made.as_mapping() == document
    assert Recipe.from_mapping(made.as_mapping()) == made
    assert Recipe.from_mapping(json.loads(json.dumps(made.as_mapping()))) == made
    assert hash(Recipe.from_mapping(made.as_mapping())) == hash(made)
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == dataclasses.replace(made) == made


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_a_document_in_toml() -> None:
    tomllib = importlib.import_module("tomllib")
    made = Recipe.from_mapping(tomllib.loads(BOKUN))
    assert made.window == Window(900, 900)
    headers = ("X-Bokun-Date", "2024-11-07 10:21:15"), ("X-Bokun-AccessKey", KEY)
    string = f"2024-11-07 10:21:15{KEY}POST/a".encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), string, "sha1").digest()).decode()
    sent = both_ways(made, Request("POST", "/a"), string, signature)
    assert sent.headers == (*headers, ("X-Bokun-Signature", signature))
    for document in DOCUMENTS:
        assert Recipe.from_mapping(tomllib.loads(_toml(document))) == Recipe.from_mapping(document)


def _toml(document: Mapping[str, Any]) -> str:
    def value(found: Any) -> str:
        if isinstance(found, Mapping):
            return "{ " + ", ".join(f"{json.dumps(name)} = {value(item)}" for name, item in found.items()) + " }"
        if isinstance(found, list):
            return "[" + ", ".join(value(item) for item in found) + "]"
        return json.dumps(found)

    return "\n".join(f"{name} = {value(found)}" for name, found in document.items())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["name"])
def test_a_recipe_is_written_in_toml_and_read_back(document: dict[str, Any]) -> None:
    made = Recipe.from_mapping(document)
    assert recipe_of(recipe_in_toml(made)) == made


def test_a_recipe_in_toml_is_laid_out_as_people_write_it() -> None:
    written = recipe_in_toml(recipe_of(BOKUN))
    assert written.replace("\n\n[headers]", "\n[headers]") == BOKUN.removeprefix("\n")
    long = Recipe.from_mapping({**recipe_of(BOKUN).as_mapping(), "parts": ["time", *['literal:a\n"b\\'] * 8]})
    assert '\nparts = [\n    "time",\n    "literal:a\\n\\"b\\\\",\n' in recipe_in_toml(long)
    assert recipe_of(recipe_in_toml(long)) == long


def test_what_a_document_was_made_of_may_change_afterwards() -> None:
    document = copy.deepcopy(DOCUMENTS[1])
    made = Recipe.from_mapping(document)
    document["parts"][1]["digest"] = "sha1"
    document["headers"]["X-N"] = "other"
    assert made == Recipe.from_mapping(DOCUMENTS[1])
    with pytest.raises(TypeError):
        made.headers["X-N"] = "other"  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.mac = "hmac-md5"  # type: ignore[misc]


def test_the_built_in_schemes_as_recipes_sign_the_same() -> None:
    gotom = Recipe(
        name="gotom",
        parts=[
            "method",
            "body:md5:hex",
            {"part": "content-type", "fold": "lower"},
            "time",
            {"part": "headers"},
            "target",
        ],
        joiner="\n",
        mac="hmac-sha1",
        encoding="base64",
        time="iso",
        window=Window(1800, 1800),
        content_type="application/json",
        headers={"Date": "{time}", "Authorization": "gotom_app_api {key_id}:{signature}"},
    )
    gogrid = Recipe(
        name="gogrid",
        parts=["key_id", "secret", "time"],
        mac="hash-md5",
        window=Window(600, 600),
        methods=("GET", "POST"),
        query_or_form={"api_key": "{key_id}", "sig": "{signature}"},
    )
    for request in (Request("GET", "/a?b", (), b"", ORIGIN), post(), post("/x", b"a=1", FORM)):
        theirs = sign(GoTom(), request, Credential(KEY, SECRET), now=NOW).apply(request)
        assert sorted(signed(gotom, request).headers) == sorted(theirs.headers)
        assert verified(gotom, theirs).key_id == KEY
        assert Verifier(GoTom(), {KEY: SECRET}, clock=lambda: NOW).verify(signed(gotom, request))
        theirs = sign(GoGrid(), request, Credential(KEY, SECRET), now=NOW).apply(request)
        assert verified(gogrid, theirs).at == int(NOW)


def test_a_signature_and_a_secret_show_in_no_error() -> None:
    scheme = recipe(["time", "method"], headers={"X-K": "{key_id}", "X-S": "{time},{signature}"})
    sent = signed(scheme, post())
    signature = mac(b"1730974875POST")
    for other in (("X-K", "again"), ("X_S", "x"), ("X-S", "again")):
        with pytest.raises(Rejected) as caught:
            verified(scheme, dataclasses.replace(sent, headers=(*sent.headers, other)))
        assert_hides(caught.value, SECRET)
        assert signature not in str(caught.value)
    with pytest.raises(CannotSign) as failed:
        signed(recipe(["time", "header:X-Absent"]), post())
    assert_hides(failed.value, SECRET)


def test_a_claim_by_hand_has_the_string_of_a_received_request() -> None:
    scheme = recipe(["time", "key_id", "method"], joiner="/")
    sent = signed(scheme, post())
    with pytest.raises(CannotSign):
        scheme.string_to_sign(post(), Claim(KEY, NOW))
    assert scheme.string_to_sign(sent, Claim("other", NOW)) == b"1730974875/other/POST"
