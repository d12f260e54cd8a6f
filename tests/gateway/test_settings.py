"""What operators mistype in the settings of `undersign gateway` is said in one sentence, and never guards less."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.command import undersign

from .processes import write_keys


def said(folder: Path, settings: str, *arguments: str, replay: str | None = None) -> str:
    """What a gateway with these settings says that cannot start, since its address is taken too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        file = folder / "gateway.toml"
        lines = (f'keys = "{write_keys(folder)}"', f'listen = "{address}"', 'upstream = "http://h"', settings)
        file.write_text("\n".join(lines), encoding="utf-8")
        found = undersign("gateway", "--settings", file, *arguments, env={"UNDERSIGN_REPLAY": replay})
    assert found.code == 2
    return found.error.replace(address, "ADDRESS").replace(str(file), "gateway.toml")


@pytest.mark.parametrize(
    ("settings", "arguments", "variable"),
    [("", (), ""), ('replay = ""', (), None), ("", ("--replay", ""), None), ("", ("--replay", ""), "memory")],
)
def test_an_empty_address_is_no_gateway_without_a_guard(
    tmp_path: Path, settings: str, arguments: tuple[str, ...], variable: str | None
) -> None:
    """It is that of a variable that is not set, or of a secret that has not come."""
    sentence = said(tmp_path, settings, *arguments, replay=variable)
    assert (
        sentence == "undersign: replay, or UNDERSIGN_REPLAY, is empty: give the address of a guard, or leave it out\n"
    )


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            "[replay-for.gotom]\nmax_use = 3",
            "'max_use' is unknown (did you mean 'max_uses'?); there are methods, max_uses, ahead, lifetime",
        ),
        ('[replay-for.gotom]\nguard = "memory"', "[replay-for.gotom] 'guard' is unknown; there are methods"),
        ("[replay-for]\nmax_uses = 3", "'max_uses' is below [replay-for]: write [replay-for.SCHEME] above it"),
    ],
)
def test_a_policy_that_is_mistyped_is_named(tmp_path: Path, table: str, sentence: str) -> None:
    assert sentence in said(tmp_path, f'replay = "memory"\n{table}\n')


@pytest.mark.parametrize(
    ("settings", "line"), [('drain = 1\ndrain = 2\nreplay = "redis://:hunter2@h"\n', 5), ("drain =\n", 4)]
)
def test_settings_that_are_no_toml_are_named_with_their_line(tmp_path: Path, settings: str, line: int) -> None:
    assert said(tmp_path, settings) == f"undersign: gateway.toml, line {line}: not TOML in UTF-8\n"


@pytest.mark.parametrize("option", ["drain", "grace", "timeout"])
@pytest.mark.parametrize("number", ["inf", "nan", "-1", "1e300", "86401"])
def test_seconds_without_an_end_are_none(tmp_path: Path, option: str, number: str) -> None:
    """An end that never comes, and clocks and sockets that fail when they are told of it."""
    sentence = said(tmp_path, f"{option} = {number}")
    assert f"--{option}" in sentence
    assert "range" in sentence or "nan is no number of seconds" in sentence


def test_an_address_that_is_taken_is_named_once(tmp_path: Path) -> None:
    assert said(tmp_path, "") == "undersign: cannot listen on ADDRESS: Address already in use\n"
