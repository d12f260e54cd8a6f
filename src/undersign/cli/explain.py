"""`undersign explain`: what is signed of a request that was received, or is to be signed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ..core.credentials import parse_origin
from ..errors import ConfigError, Reason, Rejected
from ..explaining import Explanation, explain
from ..scheme import Scheme
from .choosing import scheme_options
from .inputs.received import ReadingCommand, claims, input_options, received, tell
from .options import clock_at, clock_option


@click.command(
    "explain",
    cls=ReadingCommand,
    epilog="\b\nExample: undersign explain request.http",
    short_help="Print what is signed of a request.",
)
@scheme_options(several=True)
@click.option("--key-id", metavar="ID", help="Who is to sign it, where it is not signed, or not as it should be.")
@clock_option
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print the parts as JSON.")
def explain_command(
    schemes: Sequence[Scheme],
    key_id: str | None,
    at: float | None,
    file: Path | None,
    kind: str | None,
    entry: str | None,
    origin: str | None,
    as_json: bool,
) -> None:
    """Print what is signed of the request in FILE, or on standard input, part by part.

    Key id and time are those that it claims; with --key-id it is one to be signed, at --at. The text is for a ticket:
    it holds neither the body nor a secret nor a signature, and no secret is asked for.
    """
    found = _explained(file, schemes, key_id, at, kind=kind, entry=entry, origin=origin)
    click.echo(json.dumps(found.as_json()) if as_json else str(found))


def explain_file(file: str, schemes: Sequence[Scheme], key_id: str | None, at: float | None) -> None:
    """The same for a file alone, as `sign --explain FILE` has it."""
    if "://" in file:
        raise ConfigError("METHOD is missing in front of the URL: or give the file of a request, as in request.http")
    click.echo(str(_explained(Path(file), schemes, key_id, at)))


def _explained(
    file: Path | None,
    schemes: Sequence[Scheme],
    key_id: str | None,
    at: float | None,
    *,
    kind: str | None = None,
    entry: str | None = None,
    origin: str | None = None,
) -> Explanation:
    found = received(file, kind, entry, None if origin is None else parse_origin(origin), schemes)
    tell(*found.notes)
    if at is None and found.at is not None:
        at = found.at
        tell(found.clock)
    now = clock_at(at)()
    claiming = [scheme for scheme in schemes if claims(scheme, found.request)]
    if key_id is not None:
        # One that nobody has signed is for the first of several schemes, unless it says more.
        return explain((claiming or list(schemes))[0], found.request, key_id, now=now)
    if len(claiming) == 1:
        return explain(claiming[0], found.request, now=now)
    names = [scheme.name for scheme in claiming or schemes]
    if claiming:
        raise Rejected(Reason.AMBIGUOUS, f"{' and '.join(names)} claim the request: choose with --scheme")
    tell(found.hint)
    who = f"none of {', '.join(names)} claims" if len(names) > 1 else f"{names[0]} does not claim"
    raise Rejected(Reason.MISSING, f"{who} the request: say with --key-id who is to sign it")
