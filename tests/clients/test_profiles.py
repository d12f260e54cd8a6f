"""`from_profile`: every client signs as the profile says, and goes nowhere but to its origins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.callers import Caller
from tests.clients.wire import WireServer, redirect
from undersign import CannotSign, ConfigError, GoTom, Verifier
from undersign.clients.requests import SigningAdapter
from undersign.profiles import load_profile

SECRET = "the secret of the profile"


def written(path: Path, origins: str) -> Path:
    file = path / "config.toml"
    file.write_text(
        '[profiles.demo]\nscheme = "gotom"\nkey-id = "crm_sync"\nsecret-env = "DEMO_SECRET"\n'
        f'[profiles.demo.options]\nprovider = "acme"\n[profiles.other]\nscheme = "gotom"\nkey-id = "k"\n'
        f'[profiles.bound]\nscheme = "gotom"\nkey-id = "crm_sync"\nsecret-env = "DEMO_SECRET"\n'
        f'origins = ["{origins}"]\n'
    )
    return file


def test_every_client_signs_as_the_profile_says(
    any_caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_SECRET", SECRET)
    auth: Any = any_caller.auth
    with WireServer() as wire:
        monkeypatch.setenv("UNDERSIGN_CONFIG", str(written(tmp_path, wire.url)))
        assert any_caller.call("GET", wire.url + "/x", auth=auth.from_profile("demo")) == 200
        assert any_caller.call("GET", wire.url + "/x", auth=auth.from_profile(load_profile("demo"))) == 200
        assert len(wire.requests) == 2
        wire.verified(Verifier(GoTom(provider="acme"), {"crm_sync": SECRET}))


def test_a_profiles_origins_hold(any_caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SECRET", SECRET)
    auth: Any = any_caller.auth
    with WireServer() as elsewhere, WireServer(lambda raw: redirect(307, elsewhere.url + "/y")) as wire:
        config = written(tmp_path, wire.url)
        bound = auth.from_profile("bound", config=config)
        with pytest.raises(CannotSign, match=f"the credential is for {wire.url}"):
            any_caller.call("GET", elsewhere.url + "/x", auth=bound)
        assert not elsewhere.requests
        assert any_caller.call("GET", wire.url + "/x", auth=bound) == 200
        assert b"authorization" in wire.requests[0].lower()
        assert b"authorization" not in elsewhere.requests[0].lower()


def test_what_is_wrong_is_raised_before_any_request(
    any_caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEMO_SECRET", raising=False)
    config = written(tmp_path, "https://a.example")
    auth: Any = any_caller.auth
    for name, said in (("dmo", "did you mean 'demo'"), ("demo", "DEMO_SECRET is not set"), ("other", "names no place")):
        with pytest.raises(ConfigError, match=said):
            auth.from_profile(name, config=config)


def test_an_adapter_of_a_profile_needs_its_origins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SECRET", SECRET)
    with WireServer() as wire, requests.Session() as session:
        config = written(tmp_path, wire.url)
        with pytest.raises(ConfigError, match="name origins="):
            SigningAdapter.from_profile("demo", config=config)
        session.mount(wire.url, SigningAdapter.from_profile("bound", config=config))
        assert session.get(wire.url + "/x", timeout=30).status_code == 200
        wire.verified(Verifier(GoTom(), {"crm_sync": SECRET}))
