"""`--origin` of `sign` and `call`: where a URL that is a path alone stands."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.command import KEY_ID, NOW, undersign
from tests.clients.wire import WireServer

SIGN = ("--key-id", KEY_ID, "--at", NOW)


@pytest.mark.parametrize("origin", ["https://demo.gotom.io", "HTTPS://Demo.gotom.io:443/"])
def test_a_path_stands_below_the_origin(origin: str) -> None:
    below = undersign("sign", "GET", "/app-api/x?y=%7e", "--origin", origin, *SIGN, "--json")
    whole = undersign("sign", "GET", "https://demo.gotom.io/app-api/x?y=%7e", *SIGN, "--json")
    assert (below.code, below.out) == (0, whole.out)
    assert json.loads(below.text)["url"] == "https://demo.gotom.io/app-api/x?y=%7e"


def test_a_whole_url_may_say_the_same() -> None:
    url = "https://demo.gotom.io/x"
    said = undersign("sign", "GET", url, "--origin", "https://demo.gotom.io/", *SIGN)
    assert (said.code, said.out) == (0, undersign("sign", "GET", url, *SIGN).out)


def test_call_takes_it_too(wire: WireServer) -> None:
    assert undersign("call", "GET", "/a//b", "--origin", wire.url, "--key-id", KEY_ID).code == 0
    assert wire.requests[0].startswith(b"GET /a//b HTTP/1.1\r\n")


def test_a_refused_call_ends_with_the_command_that_shows_what_was_signed(wire: WireServer) -> None:
    wire.respond = lambda raw: b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    refused = undersign("call", "GET", "/x", "--origin", wire.url, "--key-id", KEY_ID)
    words = shlex.split(refused.err.splitlines()[-1])
    assert "URL" not in undersign(*words[1:]).err
    assert "/x" in undersign(*words[1:]).text


def test_it_goes_before_the_only_origin_of_a_profile_and_not_past_it(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        f'[profiles.a]\nscheme = "gotom"\nkey-id = "{KEY_ID}"\norigins = ["https://a.example", "https://b.example"]\n'
    )
    profile = ("--profile", "a", "--config", file, "--at", NOW, "--json")
    second = undersign("sign", "GET", "/x", *profile, "--origin", "https://b.example")
    assert json.loads(second.text)["url"] == "https://b.example/x"
    other = undersign("sign", "GET", "/x", *profile, "--origin", "https://c.example")
    assert (other.code, other.out) == (2, b"")


def test_explain_takes_it_for_a_file(tmp_path: Path) -> None:
    file = tmp_path / "request.http"
    file.write_bytes(b"GET /x HTTP/1.1\r\nHost: other.example\r\n\r\n")
    recipe = tmp_path / "url.toml"
    recipe.write_text(
        'name = "url"\nparts = ["url"]\nmac = "hmac-sha256"\nwindow = false\n[headers]\nX-Sig = "{signature}"\n'
    )
    shown = undersign(
        "sign", "--explain", file, "--recipe", recipe, "--key-id", "url", "--origin", "https://o.example:8443"
    )
    assert "https://o.example:8443/" in shown.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/x",), "the URL is a path alone: say where it stands with --origin https://host"),
        (
            ("https://a.example/x", "--origin", "https://b.example"),
            "--origin https://b.example: the URL goes to https://a.example",
        ),
        (("/x", "--origin", "b.example"), "not an origin: 'b.example'"),
        (("/x", "--origin", "https://b.example/base"), "not an origin: 'https://b.example/base'"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = undersign("sign", "GET", *arguments, *SIGN)
    assert (result.code, result.out) == (2, b"")
    assert said in result.error
