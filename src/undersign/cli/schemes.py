"""`undersign schemes`: what there is for --scheme, and the options of each."""

from __future__ import annotations

import json
from typing import Any

import click

from ..errors import ConfigError
from ..recipe import SchemeOfParts
from ..registry import build_scheme, options_described, schemes_described
from .options import Command
from .text import one_line, printable


class _NameCommand(Command):
    instead = "ask for one scheme at a time"


@click.command(
    cls=_NameCommand,
    epilog="\b\nExample: undersign schemes http-hmac",
    short_help="List the schemes, or the options of one.",
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def schemes(name: str | None, as_json: bool) -> None:
    """Print the schemes that are installed, each with a sentence; with NAME its options and what it signs.

    Options are set with -o OPTION=VALUE. A scheme that is not here may be a recipe: see undersign recipe.
    """
    if name is None:
        described = schemes_described()
        if as_json:
            click.echo(json.dumps([{"name": name, "description": text} for name, text in described]))
            return
        width = max(len(printable(name)) for name, _ in described)
        for found, text in described:
            click.echo(f"{printable(found):<{width}}  {one_line(text)}".rstrip())
        return
    options = options_described(name)  # raises, with what may have been meant
    sentence, parts = dict(schemes_described())[name], _parts(name)
    if as_json:
        shown: dict[str, Any] = {"name": name, "description": sentence}
        shown["options"] = [option._asdict() for option in options]
        shown["parts"] = [{"name": part, "source": source} for part, source in parts]
        click.echo(json.dumps(shown))
        return
    click.echo(f"{printable(name)}: {one_line(sentence)}")
    click.echo("\nOptions:" if options else "\nIt has no options.")
    for option in options:
        default = "needed" if option.needed else f"default {option.default}"
        click.echo(printable(f"  {option.name}: {option.type}, {default}"))
    if parts:
        click.echo("\nSigned, in this order, with the options as they are by default:")
    for part, source in parts:
        click.echo(printable(f"  {part} ({source})"))


def _parts(name: str) -> list[tuple[str, str]]:
    """Name and source of what a compiled scheme signs; none where it is not one, or has to be given options."""
    try:
        scheme = build_scheme(name)
    except ConfigError:
        return []
    return [(part.name, part.source) for part in scheme.program.parts] if isinstance(scheme, SchemeOfParts) else []
