"""A recipe against an example that an API has published: it gives it, or one change of it would, or nothing does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import undersign
from tests.presets.published import NAMES, published
from undersign import Credential, Recipe, Request, Window, sign
from undersign.diagnosing.published import changes_that_give
from undersign.diagnosing.sample import seconds_of, told
from undersign.schemes.documents import recipe_of

# Bokun's own example, in the words of its page.
RIGHT: dict[str, Any] = {
    "name": "bokun",
    "parts": ["time", "key_id", "method", "target"],
    "mac": "hmac-sha1",
    "encoding": "base64",
    "time": "%Y-%m-%d %H:%M:%S",
    "headers": {"X-Bokun-Date": "{time}", "X-Bokun-AccessKey": "{key_id}", "X-Bokun-Signature": "{signature}"},
}
KEY, SECRET, NOW = "de235a6a15c340b6b1e1cb5f3687d04a", "23e2c7da7f7048e5b46f96bc91324800", 1384007626
URL = "https://api.bokun.is/activity.json/search?lang=EN&currency=ISK"
SIGNATURE = "XrOiTYa9Y34zscnLCsAEh8ieoyo="
REQUEST = Request.from_url("POST", URL)


def found(changes: dict[str, Any], text: str = SIGNATURE) -> list[tuple[str, ...]]:
    recipe = Recipe.from_mapping({**RIGHT, **changes})
    credential = Credential(KEY, SECRET, extra={"token": "t"})
    return [change.sentences for change in changes_that_give(recipe, REQUEST, credential, NOW, "", text)]


@pytest.mark.parametrize(
    "text",
    [
        SIGNATURE,
        f"X-Bokun-Signature: {SIGNATURE}",
        f"Authorization: acme {KEY}:{SIGNATURE}",
        f'sig="{SIGNATURE}"',
        "https://api.example.com/?sig=XrOiTYa9Y34zscnLCsAEh8ieoyo%3D&x=1",
    ],
)
def test_what_the_recipe_gives_is_found_wherever_it_is_printed(text: str) -> None:
    assert found({}, text) == [()]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"joiner": "\n"}, 'joiner = "" in the place of "\\n"'),
        ({"encoding": "hex"}, 'encoding = "base64" in the place of "hex"'),
        ({"mac": "hmac-sha256"}, 'mac = "hmac-sha1" in the place of "hmac-sha256"'),
        ({"secret": "hex"}, 'secret = "text" in the place of "hex"'),
        (
            {"parts": ["method", "key_id", "time", "target"]},
            'parts[0], "method", and parts[2], "time", exchanged',
        ),
        (
            {"parts": ["target", "method", "key_id", "time"]},
            'parts in another order: "time", "key_id", "method", "target"',
        ),
        ({"time": "unix"}, 'time = "%Y-%m-%d %H:%M:%S" in the place of "unix"'),
        ({"parts": ["time", "key_id", "method", "path"]}, 'parts[3] = "target" in the place of "path"'),
        ({"parts": ["key_id", "time", "method", "target"]}, 'parts[0], "key_id", moved to parts[1]'),
        ({"parts": ["time", "key_id", "target"]}, '"method" as parts[2] besides'),
        ({"parts": ["time", "key_id", "method", "target", "host"]}, 'parts[4], "host", left out'),
    ],
)
def test_one_change_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert (sentence,) in found(changes)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        (
            {"joiner": "\n", "encoding": "hex"},
            ('joiner = "" in the place of "\\n"', 'encoding = "base64" in the place of "hex"'),
        ),
        (
            {"joiner": "\n", "parts": ["time", "key_id", "method", "path"]},
            ('joiner = "" in the place of "\\n"', 'parts[3] = "target" in the place of "path"'),
        ),
    ],
)
def test_two_changes_are_named_where_one_is_not_enough(changes: dict[str, Any], sentences: tuple[str, ...]) -> None:
    assert sentences in found(changes)


def test_a_digest_or_a_header_that_is_left_out_is_named() -> None:
    right = Recipe.from_mapping({**RIGHT, "parts": ["time", "header:X-Shop", "method", "body:sha256:base64"]})
    request = Request.from_url("POST", URL, {"X-Shop": "7"}, b"{}")
    credential = Credential(KEY, SECRET)
    signature = dict(sign(right, request, credential, now=NOW).headers)["X-Bokun-Signature"]
    for place, missing in ((1, "header:X-Shop"), (3, "body:sha256:base64")):
        parts = [part for part in right.parts if part != missing]
        changes = changes_that_give(
            Recipe.from_mapping({**RIGHT, "parts": parts}), request, credential, NOW, "", signature
        )
        assert [change.sentences for change in changes] == [(f'"{missing}" as parts[{place}] besides',)]


@pytest.mark.long
def test_nothing_is_named_where_the_secret_is_another() -> None:
    assert found({}, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=") == []
    assert found({}, "no signature at all") == []


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_gives_what_its_api_has_published(name: str) -> None:
    """Where it is a recipe; and one whose parts are joined otherwise is put right."""
    case = published(name)
    if not isinstance(case.scheme, Recipe):
        return
    patch = sign(case.scheme, case.request, case.credential, now=case.now, nonce=case.nonce)
    text = " ".join(value for pairs in (patch.headers, patch.query, patch.form) for _, value in pairs)
    given = changes_that_give(case.scheme, case.request, case.credential, case.now, case.nonce, text)
    assert [change.sentences for change in given] == [()]


def test_a_recipe_that_comes_out_gives_it() -> None:
    recipe = Recipe.from_mapping({**RIGHT, "joiner": "|", "window": {"past": 60, "future": 60}})
    changes = changes_that_give(recipe, REQUEST, Credential(KEY, SECRET), NOW, "", SIGNATURE)
    assert changes[0].recipe == Recipe.from_mapping({**RIGHT, "window": {"past": 60, "future": 60}})
    assert changes[0].recipe.window == Window(60, 60)


def test_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "bokun.json"
    arguments = ("recipe", "try", str(file), "POST", URL, "--key-id", KEY, "--at", str(NOW), "--published")
    env = {"UNDERSIGN_SECRET": SECRET}
    file.write_text(json.dumps(RIGHT), encoding="utf-8")
    right = undersign(*arguments, SIGNATURE, env=env)
    assert (right.code, right.text) == (0, "published: the recipe gives it\n")
    file.write_text(json.dumps({**RIGHT, "joiner": ":"}), encoding="utf-8")
    wrong = undersign(*arguments, SIGNATURE, env=env)
    assert wrong.code == 1
    assert 'it does with\n  joiner = "" in the place of ":"\n' in wrong.text
    _, _, document = wrong.text.partition("changed:\n")
    assert recipe_of(document) == Recipe.from_mapping(RIGHT)
    assert document.startswith('name = "bokun"\n')
    as_json = undersign(*arguments, SIGNATURE, "--json", env=env)
    assert as_json.code == 1
    assert json.loads(as_json.text)["result"] == "changed"
    nothing = undersign(*arguments, "0" * 40, env=env)
    assert nothing.code == 1
    assert "are they those of the example, byte for byte?" in nothing.text
    for result in (right, wrong, as_json, nothing):
        assert SECRET not in result.text
        assert SIGNATURE not in result.text


# When the example was signed


@pytest.mark.parametrize("name", NAMES)
def test_an_example_tells_its_time_and_its_nonce_where_they_are_sent(name: str) -> None:
    """In the request, and in what is published of it; and where the recipe is wrong about the form of the time."""
    case = published(name)
    if not isinstance(case.scheme, Recipe):
        return
    patch = sign(case.scheme, case.request, case.credential, now=case.now, nonce=case.nonce)
    signed = patch.apply(case.request)
    lines = "\n".join(f"{header}: {value}" for header, value in signed.headers)
    sent = case.scheme.program.carriers.sent
    given = case.scheme.as_mapping()
    drafts = [case.scheme]
    if case.scheme.program.time_is_sent:
        drafts.append(Recipe.from_mapping({**given, "time": "iso" if case.scheme.time != "iso" else "unix"}))
    for draft in drafts:
        for values in (told(draft, signed, ""), told(draft, case.request, f"{lines}\n{signed.target}")):
            if "nonce" in sent and case.nonce:
                assert values["nonce"] == case.nonce
            if "time" in sent and not patch.form:
                at = seconds_of(draft, values["time"])
                assert at is not None
                assert int(at) == int(case.now)


@pytest.mark.parametrize(
    "told_by",
    [
        ("-H", "X-Bokun-Date: 2013-11-09 14:33:46", "--published", SIGNATURE),
        ("-H", "x-bokun-date: 1384007626", "--published", SIGNATURE),
        ("--published", f"X-Bokun-Date: 2013-11-09 14:33:46\nX-Bokun-Signature:{SIGNATURE}"),
    ],
)
def test_no_clock_is_asked_for_where_the_example_tells_it(told_by: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "bokun.json"
    file.write_text(json.dumps(RIGHT), encoding="utf-8")
    arguments = ("recipe", "try", str(file), "POST", URL, "--key-id", KEY, *told_by)
    result = undersign(*arguments, env={"UNDERSIGN_SECRET": SECRET})
    assert (result.code, result.text) == (0, "published: the recipe gives it\n"), result.err
    assert "the time is that of the header X-Bokun-Date" in result.error


def test_a_parameter_tells_it_as_well(tmp_path: Path) -> None:
    """Shopify's own example, in the words of its page: hmac taken off, the rest sorted and joined."""
    file = tmp_path / "callback.toml"
    file.write_text(
        'name = "callback"\nmac = "hmac-sha256"\nparts = [{ part = "params", of = "query", without = ["hmac"] }]\n'
        '[query]\ntimestamp = "{time}"\nhmac = "{signature}"\n'
    )
    url = "https://app.example.com/callback?code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com"
    url += "&state=0.6784241404160823"
    signature = "hmac=700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf"
    env = {"UNDERSIGN_SECRET": "hush"}
    for given in (
        (f"{url}&timestamp=1337178173", "--published", signature),
        (url, "--published", f"{url}&timestamp=1337178173&{signature}"),
    ):
        result = undersign("recipe", "try", str(file), "GET", *given, env=env)
        assert (result.code, result.text) == (0, "published: the recipe gives it\n"), result.err


def test_where_it_does_not_the_sentence_says_what_to_give(tmp_path: Path) -> None:
    file = tmp_path / "r.json"

    def said(**changes: Any) -> str:
        file.write_text(json.dumps({**RIGHT, **changes}), encoding="utf-8")
        arguments = ("recipe", "try", str(file), "POST", URL, "--key-id", KEY, "--published", SIGNATURE)
        result = undersign(*arguments, env={"UNDERSIGN_SECRET": SECRET})
        assert (result.code, result.text) == (2, "")
        return result.error

    assert "give it with --at TIME, or with -H 'X-Bokun-Date: …'" in said()
    sent = {"t": "{time}", "k": "{key_id}", "s": "{signature}"}
    assert "give it with --at TIME, or as the parameter t of the URL" in said(parts=["time"], headers={}, query=sent)
    unsent = {"X-Key": "{key_id}", "X-Signature": "{signature}"}
    assert "give it with --at TIME\n" in said(headers=unsent)
    once = {"X-Nonce": "{nonce}", **RIGHT["headers"]}
    assert "the nonce" in said(parts=["nonce", *RIGHT["parts"]], headers=once)
