r"""`undersign completion SHELL`, and the answers to the shell that it has set up.

click knows bash, zsh and fish. PowerShell hands over the words in front of the cursor and the one at it, and takes a
line for each offer: the text, a tab, and what it means. Where there is none it offers files by itself.
"""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
)

from . import COMPLETE
from .options import Command

_PROGRAM = "undersign"
_WORDS, _WORD = "_UNDERSIGN_WORDS", "_UNDERSIGN_WORD"

_PLAIN = re.compile(r"[\w%+=:./-]+")

_POWERSHELL = r"""
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $ast, $cursor)
    $elements = $ast.CommandElements | ForEach-Object { $_.Extent }
    $before = $elements | Where-Object { $_.EndOffset -lt $cursor } | ForEach-Object { $_.Text }
    $env:%(complete_var)s = 'powershell_complete'
    $env:_UNDERSIGN_WORDS = $before -join "`n"
    $env:_UNDERSIGN_WORD = $word
    try {
        %(prog_name)s | ForEach-Object {
            $value, $meaning = $_ -split "`t", 2
            if (-not $meaning) { $meaning = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:_UNDERSIGN_WORDS, Env:_UNDERSIGN_WORD -ErrorAction SilentlyContinue
    }
}
"""

_HOW = {
    "bash": 'in ~/.bashrc: eval "$(undersign completion bash)"',
    "zsh": 'in ~/.zshrc, behind compinit: eval "$(undersign completion zsh)"',
    "fish": "undersign completion fish > ~/.config/fish/completions/undersign.fish",
    "powershell": "in $PROFILE: undersign completion powershell | Out-String | Invoke-Expression",
}


class _PowerShell(ShellComplete):
    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        words = os.environ.get(_WORDS, "").splitlines()
        return [_unquoted(word) for word in words[1:]], _unquoted(os.environ.get(_WORD, ""))

    def format_completion(self, item: CompletionItem) -> str:
        value = item.value if _PLAIN.fullmatch(item.value) else "'" + item.value.replace("'", "''") + "'"
        return f"{value}\t{' '.join(item.help.split())}" if item.help else str(value)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        return [item for item in found if item.type == "plain"]  # files PowerShell offers itself


class _Bash(BashComplete):
    """bash puts what it is offered into the line as it is: a profile's name may have spaces, or `$(…)`."""

    def format_completion(self, item: CompletionItem) -> str:
        value = re.sub(r"([^\w@%+=:,./-])", r"\\\1", item.value) if item.type == "plain" else item.value
        return super().format_completion(CompletionItem(value, item.type, item.help))


add_completion_class(_PowerShell)
add_completion_class(_Bash)


def _unquoted(word: str) -> str:
    return word[1:].removesuffix(word[0]) if word[:1] in ("'", '"') else word


@click.command(
    cls=Command,
    epilog="\b\nOnce and for all:\n" + "\n".join(f"  {how}" for how in _HOW.values()),
)
@click.argument("shell", type=click.Choice(list(_HOW)))
def completion(shell: str) -> None:
    """Print the script that has SHELL complete commands, options, schemes and profiles of undersign."""
    click.echo(_completer(shell).source().strip())


def answer(instruction: str) -> int:
    """What a shell asks for in the variable of completions, such as `bash_complete`: print it, and return 0; 2 where
    it cannot be told."""
    shell, _, what = instruction.partition("_")
    if shell not in _HOW or what not in ("complete", "source"):
        return 2
    completer = _completer(shell)
    if said := completer.source() if what == "source" else completer.complete():
        click.echo(said)
    return 0


def _completer(shell: str) -> ShellComplete:
    from .app import commands

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  # all of them are there
    return found(commands, {}, _PROGRAM, COMPLETE)
