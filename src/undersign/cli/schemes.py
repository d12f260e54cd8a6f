"""`undersign schemes`: what there is for --scheme, the options of each, and what it signs."""

from __future__ import annotations

import json
from typing import Any

import click

from .. import vectors
from ..core.credentials import Credential
from ..core.dates import format_date
from ..errors import ConfigError
from ..explaining import explain, visible
from ..recipe import Recipe, SchemeOfParts
from ..registry import build_scheme, options_described, schemes_described
from ..scheme import Part
from ..schemes import presets
from ..signing import sign
from .drawing import drawing
from .options import Command
from .text import one_line, printable


class _NameCommand(Command):
    instead = "ask for one scheme at a time"


@click.command(
    cls=_NameCommand,
    epilog="\b\nExamples:\n  undersign schemes bokun\n  undersign schemes webhook",
    short_help="List and search the schemes, or show one.",
)
@click.argument("name", required=False, metavar="[NAME|WORD]")
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
    width = max(len(printable(name)) for name in described)
    for name, text in described.items():
        click.echo(f"{printable(name):<{width}}  {one_line(text)}".rstrip())


def _show(name: str, sentence: str, *, as_json: bool) -> None:
    options, scheme = options_described(name), _by_default(name)
    about = presets.described(name) if name in presets.names() else None
    example = _published(name) if about else None
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
    click.echo(f"{printable(name)}: {one_line(sentence)}")
    if about:
        for field, value in zip(presets.FIELDS, about[1:], strict=True):
            click.echo(f"{field}: {one_line(value)}")
    click.echo("\nOptions:" if options else "\nIt has no options.")
    for option in options:
        default = "needed" if option.needed else f"default {option.default}"
        click.echo(printable(f"  {option.name}: {option.type}, {default}"))
    if parts := _parts(scheme):
        click.echo("\nSigned, in this order, with the options as they are by default:")
        for part, source in parts:
            click.echo(printable(f"  {part} ({source})"))
    if isinstance(scheme, SchemeOfParts):
        click.echo("\nHow, and where it travels:")
        for line in drawing(scheme):
            click.echo(f"  {line}".rstrip())
    for line in example or ():
        click.echo(line)
    if isinstance(scheme, Recipe):
        click.echo("\nThe recipe, as --recipe takes it:")
        click.echo(json.dumps(scheme.as_mapping(), indent=2))


def _by_default(name: str) -> Any:
    """The scheme with no options given; None where it has to be given some."""
    try:
        return build_scheme(name)
    except ConfigError:
        return None


def _parts(scheme: Any) -> list[tuple[str, str]]:
    """Name and source of what a compiled scheme signs; none where it is not one."""
    return [(part.name, part.source) for part in scheme.program.parts] if isinstance(scheme, SchemeOfParts) else []


def _published(name: str) -> list[str]:
    """The first of the published answers, computed anew with the published key."""
    file = vectors.load(f"presets/{name}")
    group, test = next((group, test) for group, test in file if group.op == "sign" and test.result == "valid")
    scheme = build_scheme(name, group.options)
    credential = Credential(test.key_id, group.keys[test.key_id][0], extra=test.extra)
    explanation = explain(scheme, test.request, credential, now=group.now, nonce=test.nonce)
    same = sign(scheme, test.request, credential, now=group.now, nonce=test.nonce) == test.patch
    lines = [
        f"\nAn example with its answer: {one_line(group.source)}",
        f"  {test.request.method} {visible((test.request.origin + test.request.target).encode())}",
        f"  at {format_date(group.now)}, {group.now:.3f}".removesuffix(".000"),
        "  string to sign: " + "".join(_value(part) for part in explanation.parts),
    ]
    patch = test.patch
    for place, pairs in zip(("header", "query", "form"), (patch or ()), strict=False):
        lines += [f"  {place} {pair[0]}: {visible(pair[1].encode())}" for pair in pairs]
    return [*lines, f"  computed anew: {'the same' if same else 'ANOTHER, which is a fault of this library'}"]


def _value(part: Part) -> str:
    # All of it is published; the secret is what no string to sign holds.
    return part.shown if part.shown == "<secret>" else visible(part.value)
