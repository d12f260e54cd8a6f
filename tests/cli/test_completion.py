"""Completion, by the shells themselves where they are installed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, environment, process, undersign

LINES = {
    "undersign ca": ["call"],
    "undersign call --sch": ["--scheme"],
    "undersign call --scheme bok": ["bokun"],
    "undersign call --config config.toml --profile d": ["demo", "draft"],
    "undersign profiles a": ["add"],
    "undersign completion po": ["powershell"],
    "undersign schemes bok": ["bokun"],
}
BASH = """
eval "$(undersign completion bash)"
while IFS= read -r line; do
  COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); COMPREPLY=()
  _undersign_completion undersign </dev/null
  echo "${COMPREPLY[*]}"
done
"""
FISH = """
undersign completion fish | source
while read -l line
  string join ' ' -- (complete -C $line | string split -f1 \\t)
end
"""
ZSH = """
compdef() { :; }; eval "$(undersign completion zsh)"
_describe() { local -a found; found=("${(@P)3}"); print -r -- "${(@)found%%:*}"; }
compadd() { print -r -- "${(@P)5}"; }
while IFS= read -r line; do
  words=(${=line}); CURRENT=${#words}
  _undersign_completion </dev/null
done
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a command `undersign`, and a file of profiles."""
    command = tmp_path / "undersign"
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    text = "".join(f'[profiles.{name}]\nscheme = "gotom"\nkey-id = "k"\n' for name in ("demo", "draft", "other"))
    (tmp_path / "config.toml").write_text(text)
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="the shells are those of POSIX")
@pytest.mark.long
@pytest.mark.parametrize(("shell", "script"), [("bash", BASH), ("fish", FISH), ("zsh", ZSH)])
def test_a_shell_offers_what_may_stand_at_the_cursor(shell: str, script: str, folder: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    env = environment({"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)})
    done = subprocess.run(
        [shell, "-c", script],
        input="\n".join([*LINES, ""]),
        capture_output=True,
        text=True,
        env=env,
        cwd=folder,
        timeout=120,
    )
    assert [line.split() for line in done.stdout.splitlines()] == list(LINES.values()), done.stderr


def powershell(*before: str, word: str, folder: Path) -> list[str]:
    """What the command answers to its script for PowerShell, which hands over the words in variables."""
    asked: dict[str, str | None] = {
        "_UNDERSIGN_COMPLETE": "powershell_complete",
        "_UNDERSIGN_WORDS": "\n".join(("undersign", *before)),
        "_UNDERSIGN_WORD": word,
    }
    done = process(env=asked, cwd=folder)
    assert (done.code, done.err) == (0, "")
    return done.text.splitlines()


def test_bash_is_offered_schemes_and_profiles_by_name(folder: Path) -> None:
    for line, offered in list(LINES.items())[2:4]:
        words = line.split()
        asked: dict[str, str | None] = {
            "_UNDERSIGN_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        assert process(env=asked, cwd=folder).text.split() == [f"plain,{name}" for name in offered]


NAMES = ["my api", "it's", "x$(touch pwned)", "tab\tname"]


def test_an_odd_name_of_a_profile_is_one_word_to_the_shell(tmp_path: Path) -> None:
    """What a shell is offered goes into its line as it is. What is no line is not offered."""
    text = "".join(f'[profiles.{json.dumps(name)}]\nscheme = "gotom"\nkey-id = "k"\n' for name in NAMES)
    (tmp_path / "config.toml").write_text(text)
    line = "undersign call --config config.toml --profile "
    asked: dict[str, str | None] = {"COMP_WORDS": line, "COMP_CWORD": "5", "_UNDERSIGN_COMPLETE": "bash_complete"}
    offered = [found.removeprefix("plain,") for found in process(env=asked, cwd=tmp_path).text.splitlines()]
    assert offered == [r"my\ api", r"it\'s", r"x\$\(touch\ pwned\)"]
    assert [shlex.split(word) for word in offered] == [[name] for name in NAMES[:3]]
    before = ("call", "--config", "config.toml", "--profile")
    assert powershell(*before, word="", folder=tmp_path) == ["'my api'", "'it''s'", "'x$(touch pwned)'"]


def test_powershell_gets_a_line_for_each_offer_with_its_meaning(folder: Path) -> None:
    assert powershell(word="ca", folder=folder) == ["call\tSign a request and send it."]
    before = ("call", "--config", "'config.toml'", "--profile")
    assert powershell(*before, word="d", folder=folder) == ["demo", "draft"]
    assert powershell("verify", word="requ", folder=folder) == []  # a file, which PowerShell offers itself


def test_the_scripts_are_printed_and_other_shells_refused() -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        result = process("completion", shell)
        assert result.code == 0
        assert "_UNDERSIGN_COMPLETE" in result.text
    assert "Register-ArgumentCompleter -Native -CommandName undersign" in undersign("completion", "powershell").text
    assert undersign("completion", "tcsh").code == 2
    assert process(env={"_UNDERSIGN_COMPLETE": "tcsh_complete"}).code == 2
