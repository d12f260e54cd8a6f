"""`undersign schemes`: what there is for --scheme, the options of each, and what it signs."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from ..core.text import one_line, printable
from ..parts.scheme import SchemeOfParts
from ..recipe import Recipe
from ..registry import build_scheme, options_described, schemes_described
from ..schemes import presets
from ..schemes.documents import recipe_in_toml
from .completing import complete_schemes
from .drawing import bound_in_words, by_default, drawing, example
from .options import Command
from .width import Formatter, fitted, room


class _NameCommand(Command):
    instead = "ask for one scheme at a time"


@click.command(
    cls=_NameCommand,
    epilog="\b\nExamples:\n  undersign schemes bokun\n  undersign schemes webhook",
)
@click.argument("name", required=False, metavar="[NAME|WORD]", shell_complete=complete_schemes)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def schemes(name: str | None, as_json: bool) -> None:
    """Print the schemes that are installed, each with a sentence; or those that have WORD in name or sentence.

    With NAME: its options, what it signs, and where that travels. For an API's scheme also where the rules are from,
    what people get wrong, the answer that the API has published, computed anew, and the recipe.

    Options are set with -o OPTION=VALUE. A scheme that is not here may be a recipe: see undersign recipe.
    """
    described = dict(schemes_described())
    if name is None:
        _list(described, as_json=as_json)
    elif name in described:
        _show(name, described[name], as_json=as_json)
    else:
        word = name.lower()
        found = {known: text for known, text in described.items() if word in f"{known} {text}".lower()}
        if not found:
            build_scheme(name)  # raises, with what may have been meant
        _list(found, as_json=as_json)


def _list(described: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"name": name, "description": text} for name, text in described.items()]))
        return
    if sys.stdout.isatty():
        formatter = Formatter()
        formatter.write_dl([(printable(name), one_line(text)) for name, text in described.items()])
        click.echo(formatter.getvalue(), nl=False)
        return
    width = max(len(printable(name)) for name in described)
    for name, text in described.items():
        click.echo(f"{printable(name):<{width}}  {one_line(text)}".rstrip())


def _show(name: str, sentence: str, *, as_json: bool) -> None:
    options, scheme = options_described(name), by_default(name)
    about = presets.described(name) if name in presets.names() else None
    if as_json:
        shown: dict[str, Any] = {"name": name, "description": sentence}
        shown["options"] = [option._asdict() for option in options]
        shown["parts"] = [{"name": part, "source": source} for part, source in _parts(scheme)]
        if about:
            shown |= {field: value for field, value in about._asdict().items() if field != "sentence"}
        if isinstance(scheme, Recipe):
            shown["recipe"] = scheme.as_mapping()
        click.echo(json.dumps(shown))
        return
    click.echo(fitted(f"{printable(name)}: {one_line(sentence)}"))
    if about:
        for field, value in zip(presets.FIELDS, about[1:], strict=True):
            click.echo(fitted(f"{field}: {one_line(value)}"))
    click.echo("\nOptions:" if options else "\nIt has no options.")
    for option in options:
        default = "needed" if option.needed else f"default {option.default}"
        click.echo(fitted(printable(f"  {option.name}: {option.type}, {default}")))
    if parts := _parts(scheme):
        click.echo(fitted("Signed, in this order, with the options as they are by default:").join(("\n", "")))
        for part, source in parts:
            click.echo(fitted(printable(f"  {part} ({source})")))
    if isinstance(scheme, SchemeOfParts):
        click.echo("\nHow, and where it travels:")
        width = room()
        for line in drawing(scheme, None if width is None else width - 2):
            click.echo(f"  {line}".rstrip())
    if scheme is not None:
        click.echo("\nOf a request it")
        for line in bound_in_words(scheme):
            click.echo(fitted(f"  {line}"))
    if about:
        click.echo("")
        head, *values = example(name)
        click.echo(fitted(head))
        for line in values:
            click.echo(line)
    if isinstance(scheme, Recipe):
        click.echo("\nThe recipe, as --recipe takes it:")
        click.echo(recipe_in_toml(scheme), nl=False)


def _parts(scheme: Any) -> list[tuple[str, str]]:
    """Name and source of what a compiled scheme signs; none where it is not one."""
    return [(part.name, part.source) for part in scheme.program.parts] if isinstance(scheme, SchemeOfParts) else []
