"""Schemes that send no key id, recipes or not: their name stands for it, and nobody is asked for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import undersign
from undersign import presets

URL = "https://me.example/hook"
BODY = b"a=1"
FORM = ("-H", "Content-Type: application/x-www-form-urlencoded")


@pytest.mark.parametrize("name", ["twilio", "github"])
def test_sign_verify_and_a_profile_need_none(name: str, tmp_path: Path) -> None:
    signed = undersign("sign", "POST", URL, "--scheme", name, *FORM, "--json", stdin=BODY)
    assert (signed.code, signed.err) == (0, "")
    lines = [f"{header}: {value}" for header, value in json.loads(signed.text)["headers"]]
    request = tmp_path / "request.http"
    head = "\r\n".join(["POST /hook HTTP/1.1", "Host: me.example", FORM[1], "Content-Length: 3", *lines, "", ""])
    request.write_bytes(head.encode() + BODY)
    for given in ((), ("--key-id", "anybody")):
        verified = undersign("verify", request, "--scheme", name, *given, "--json")
        assert json.loads(verified.text) == {"result": "valid", "scheme": name, "key_id": name}
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.hook]\nscheme = "{name}"\norigins = ["https://me.example"]\n')
    again = undersign("sign", "POST", "/hook", "--profile", "hook", "--config", config, *FORM, "--json", stdin=BODY)
    assert again.out == signed.out


def test_a_scheme_says_whether_it_sends_one() -> None:
    sent = {name for name in dir(presets) if getattr(presets, name)().sends_key_id}
    assert {"twilio", "github", "slack", "stripe"} & sent == set()
    assert {"gotom", "bokun", "edgegrid", "s3_style", "duo", "flickr"} - sent == {"gotom"}  # which is no preset
