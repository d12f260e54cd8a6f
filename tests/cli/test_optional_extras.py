"""Extras that a credential may have, as Tuya's access token: given, they are signed and sent; left out, neither."""

from __future__ import annotations

import hashlib
import hmac
import json
import shlex
from pathlib import Path

import pytest

from tests.cli.command import undersign
from tests.clients.wire import WireServer
from undersign import Recipe, presets
from undersign.playground import answer

KEY, SECRET, NONCE, NOW = "1KAD46OrT9HafiKdsXeg", "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC", "n1", "1588925778"
URL = "https://openapi.tuyaus.com/v2.0/apps?page_no=1"
TUYA = ("--scheme", "tuya", "--key-id", KEY, "--nonce", NONCE, "--at", NOW, "--json")
ENV = {"UNDERSIGN_SECRET": SECRET}


def signature(token: str) -> str:
    empty = hashlib.sha256(b"").hexdigest()
    string = f"{KEY}{token}{NOW}000{NONCE}GET\n{empty}\n\n/v2.0/apps?page_no=1"
    return hmac.new(SECRET.encode(), string.encode(), "sha256").hexdigest().upper()


@pytest.mark.parametrize("token", ["", "3f4eda2bdec17232f67c0b188af3eec1"])
def test_the_command_line_takes_one(token: str) -> None:
    extra = ("--extra", f"access_token={token}") if token else ()
    result = undersign("sign", "GET", URL, *TUYA, *extra, env=ENV)
    headers = dict(json.loads(result.text)["headers"])
    assert (headers["sign"], headers.get("access_token", "")) == (signature(token), token)


def test_so_does_a_profile(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.home]\nscheme = "tuya"\nkey-id = "{KEY}"\nsecret-env = "UNDERSIGN_SECRET"\n'
        '[profiles.home.extras]\naccess_token = { env = "TOKEN" }\n'
    )
    profile = ("--profile", "home", "--config", config, "--nonce", NONCE, "--at", NOW, "--json")
    result = undersign("sign", "GET", URL, *profile, env={**ENV, "TOKEN": "abc"})
    assert dict(json.loads(result.text)["headers"])["sign"] == signature("abc")
    assert undersign("profiles", "check", "--config", config, env={**ENV, "TOKEN": "abc"}).text == "ok: home\n"


def test_another_name_is_still_none() -> None:
    result = undersign("sign", "GET", URL, *TUYA, "--extra", "acces_token=x", env=ENV)
    assert "tuya sends no such value; it sends access_token" in result.error


def test_the_page_asks_for_it_and_signs_without_it_as_well() -> None:
    question = {
        "action": "look",
        "scheme": "tuya",
        "pasted": URL,
        "key_id": KEY,
        "secret": SECRET,
        "nonce": NONCE,
        "now": float(NOW),
    }
    for token in ("", "abc"):
        found = answer({**question, "extra": {"access_token": token}})
        assert found["scheme"]["extras"] == ["access_token"]
        assert ("access_token: abc" in found["send"]["headers"]) == bool(token)


def test_recipe_check_and_the_scheme_say_so(tmp_path: Path) -> None:
    scheme = presets.tuya()
    assert isinstance(scheme, Recipe)
    assert (scheme.extras, scheme.optional_extras) == ((), ("access_token",))
    file = tmp_path / "tuya.json"
    file.write_text(json.dumps(scheme.as_mapping()))
    assert "extra access_token, where there is one: header access_token" in undersign("recipe", "check", file).text


def test_it_is_among_what_is_explained(tmp_path: Path) -> None:
    explained = ("sign", "GET", URL, *TUYA[:-1], "--explain")
    no_secret = {"UNDERSIGN_SECRET": None}
    assert "<access_token>" not in undersign(*explained, env=no_secret).text
    assert "<access_token>" in undersign(*explained, "--extra", "access_token=abc", env=no_secret).text
    result = undersign(*explained, "--extra", "access_token=abc", "--as", "json", env=ENV)
    shown = json.loads(result.text)
    assert "access_token" in [part["name"] for part in shown["explanation"]["parts"]]
    config = tmp_path / "config.toml"
    config.write_text(
        f'[profiles.home]\nscheme = "tuya"\nkey-id = "{KEY}"\nextras = {{ access_token = {{ env = "TOKEN" }} }}\n'
    )
    profile = ("--profile", "home", "--config", config, "--nonce", NONCE, "--at", NOW, "--explain")
    assert "<access_token>" in undersign("sign", "GET", URL, *profile, env=no_secret).text
    wrong = undersign(*explained, "--extra", "token=abc", env=no_secret)
    assert "tuya sends no such value; it sends access_token" in wrong.error


def test_the_command_after_a_refused_call_names_it_without_its_value(wire: WireServer) -> None:
    wire.respond = lambda raw: b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    call = ("call", "GET", wire.url + "/x", "--scheme", "tuya", "--key-id", KEY, "--extra", "access_token=abcdef")
    refused = undersign(*call, env=ENV)
    words = shlex.split(refused.err.splitlines()[-1])
    assert words[words.index("--extra") + 1] == "access_token="
    assert "abcdef" not in refused.err
    assert "<access_token>" in undersign(*words[1:], env={"UNDERSIGN_SECRET": None}).text


def test_so_it_is_of_a_request_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "request.http"
    file.write_bytes(b"GET /x HTTP/1.1\r\nHost: openapi.tuyaus.com\r\n\r\n")
    explained = ("sign", "--explain", file, "--scheme", "tuya", "--key-id", KEY)
    assert "<access_token>" not in undersign(*explained).text
    assert "<access_token>" in undersign(*explained, "--extra", "access_token=abc").text


def test_explain_takes_it_for_a_request_that_is_to_be_signed(tmp_path: Path) -> None:
    file = tmp_path / "request.http"
    file.write_bytes(b"GET /x HTTP/1.1\r\nHost: openapi.tuyaus.com\r\n\r\n")
    explained = ("explain", file, "--scheme", "tuya", "--at", NOW, "--nonce", "n7")
    shown = undersign(*explained, "--key-id", KEY, "--extra", "access_token=abc").text
    assert ("<access_token>" in shown, "n7" in shown, "abc" in shown) == (True, True, False)
    string = tmp_path / "string.txt"
    empty = hashlib.sha256(b"").hexdigest()
    string.write_text(f"{KEY}<access_token>{NOW}000n7GET\n{empty}\n\n/x")
    same = undersign(*explained, "--key-id", KEY, "--extra", "access_token=abc", "--signed-string", string)
    assert same.code == 0, same.text
    assert "give --key-id ID too" in undersign(*explained).error
    assert "sends no such value" in undersign(*explained, "--key-id", KEY, "--extra", "token=abc").error
