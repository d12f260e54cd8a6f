"""`undersign schemes`: lists, searches, and shows one with what it signs and the answer that its API has published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import undersign
from tests.presets.published import NAMES, published
from undersign.registry import scheme_names
from undersign.schemes.documents import recipe_of


def test_it_lists_all() -> None:
    listed = [line.split()[0] for line in undersign("schemes").text.splitlines()]
    assert listed == scheme_names()
    assert [entry["name"] for entry in json.loads(undersign("schemes", "--json").text)] == listed


def test_it_searches_names_and_sentences() -> None:
    found = undersign("schemes", "ACCESS key").text
    assert found.startswith("bokun")
    assert "gotom" not in found
    assert [entry["name"] for entry in json.loads(undersign("schemes", "boku", "--json").text)] == ["bokun"]


def test_a_word_that_nothing_has_says_what_may_have_been_meant() -> None:
    result = undersign("schemes", "bokum")
    assert result.code == 2
    assert "there is no scheme 'bokum' (did you mean 'bokun'?)" in result.error


def test_a_preset_is_shown_with_its_drawing_its_example_and_its_recipe() -> None:
    shown = undersign("schemes", "bokun").text
    assert "\n  binds, as it is on the wire: the method, the target (path and query), the time\n" in shown
    assert "\n  binds, as it is on the wire: nothing\n" in undersign("schemes", "binance").text
    for line in (
        "Source: https://bokun.dev/booking-api-rest/ (authentication), with a published example",
        "  key id  ├─ joined by nothing ─> hmac-sha1 with the secret as its text ─> base64 ─> {signature}",
        "  header X-Bokun-Signature  {signature}",
        "  POST https://api.bokun.is/activity.json/search?lang=EN&currency=ISK",
        "  header X-Bokun-Signature: XrOiTYa9Y34zscnLCsAEh8ieoyo=",
        "  computed anew: the same",
    ):
        assert f"\n{line}\n" in shown
    assert recipe_of(shown.partition("as --recipe takes it:\n")[2]) == published("bokun").scheme


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_shown_and_gives_its_answer(name: str) -> None:
    result = undersign("schemes", name)
    assert result.code == 0
    assert "\n  computed anew: the same\n" in result.text
    secret = published(name).credential.secret.reveal().decode()
    assert secret in ("secret", "password") or secret not in result.text
    shown = json.loads(undersign("schemes", name, "--json").text)
    assert shown["name"] == name
    assert all(shown[field] for field in ("source", "window", "refusal", "mistakes"))


def test_a_nonce_that_may_be_left_out_is_taken() -> None:
    signing = ("sign", "POST", "https://api.dynadot.com/restful/v2/x", "--scheme", "dynadot", "--key-id", "key")
    assert "X-Request-ID: one-request" in undersign(*signing, "--nonce", "one-request").text.splitlines()
    assert "X-Request-ID:" in [line.rstrip() for line in undersign(*signing).text.splitlines()]
    refused = undersign("sign", "GET", "https://api.example.com/", "--key-id", "me", "--nonce", "one-request")
    assert refused.code == 2
    assert "gotom sends none" in refused.error


def test_a_key_id_that_the_call_itself_holds_is_the_one_that_signs(tmp_path: Path) -> None:
    file = tmp_path / "flickr.json"
    file.write_text(json.dumps(published("flickr").scheme.as_mapping()), encoding="utf-8")  # type: ignore[attr-defined]
    url = "https://www.flickr.com/services/rest/?api_key=mine&method=flickr.test.login"
    tried = undersign("recipe", "try", file, "GET", url, "--key-id", "mine")
    assert (tried.code, tried.err) == (0, "")
    assert "\nvalid: flickr, signed by mine\n" in tried.text
    assert "\nkey id: parameter api_key, which the caller sets\n" in undersign("recipe", "check", file).text


def test_a_name_that_nothing_is_close_to_points_to_recipes() -> None:
    assert "there may be a recipe: see undersign recipe" in undersign("schemes", "oauthlike9").error
    error = undersign("sign", "GET", "https://api.example.com/", "--scheme", "acme.toml", "--key-id", "me").error
    assert "there is no scheme 'acme.toml': a file with a recipe is given with --recipe" in error
