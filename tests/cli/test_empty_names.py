"""The name of a file that is empty, as that of a shell's variable which is not set, is named as such everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import undersign

SIGN = ("sign", "GET", "https://a.example/x", "--key-id", "me")
WHY = "the name of the file is empty"


@pytest.mark.parametrize(
    "arguments",
    [
        *((*SIGN, option, "") for option in ("--data", "--secret-file", "--recipe")),
        (*SIGN, "--profile", "demo", "--config", ""),
        *(("call", *SIGN[1:], option, "") for option in ("--output", "--save")),
        ("gateway", "--settings", ""),
        ("gateway", "--upstream", "http://h", "--keys", ""),
        *(("proxy", "--key-id", "me", "--origin", "http://h", f"--{name}", "") for name in ("token-file", "tls-cert")),
        *((command, "") for command in ("verify", "diagnose", "explain")),
        ("explain", "--signed-string", ""),
        ("recipe", "check", ""),
        ("conform", "--file", "", "--", "true"),
        ("conform", "--junit", "", "--", "true"),
        *(("vectors", command, "") for command in ("lint", "run", "export")),
    ],
    ids=" ".join,
)
def test_an_empty_name_is_said_to_be_empty(arguments: tuple[str, ...]) -> None:
    found = undersign(*arguments)
    assert (found.code, WHY in found.error) == (2, True), found.error


@pytest.mark.parametrize("option", ["--secret-file", "--recipe"])
def test_no_profile_is_written_for_an_empty_name(tmp_path: Path, option: str) -> None:
    scheme = () if option == "--recipe" else ("--scheme", "gotom")
    file = tmp_path / "config.toml"
    found = undersign("profiles", "add", "demo", *scheme, "--key-id", "me", option, "", "--config", file)
    assert (found.code, WHY in found.error) == (2, True), found.error
    assert not file.exists()
