"""`undersign diagnose`: why the signature of a raw request does not match."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..core.credentials import parse_origin
from ..core.text import printable
from ..diagnosing import Cause, diagnose
from ..errors import Rejected
from .inputs.received import CLOCK_IS_NOW, ReadingCommand, input_options, received, tell
from .options import Given, clock_at, verifying_options


@click.command(
    "diagnose",
    cls=ReadingCommand,
    epilog="\b\nExample: undersign diagnose --keys keys.toml request.http",
    short_help="Find out why a signature does not match.",
)
@verifying_options
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print the causes as JSON.")
def diagnose_command(
    given: Given,
    file: Path | None,
    kind: str | None,
    entry: str | None,
    origin: str | None,
    as_json: bool,
) -> int:
    """Say why the request in FILE, or on standard input, does not verify: exit 0 where it does, else 1 and the causes.

    Give the request as the server received it, in raw HTTP/1.1, and with --at the time it received it. A HAR as
    browsers export it (a whole one or a single entry) does as well, which says the time, and so does a curl
    command, as it is typed or copied from a browser.
    """
    sent_to = None if origin is None else parse_origin(origin)
    keys, at = given.keys(), given.at
    try:
        found = received(file, kind, entry, sent_to, given.schemes)
    except Rejected as rejected:
        causes: tuple[Cause, ...] = (_problem(rejected),)
    else:
        tell(*found.notes)
        if at is None and found.at is not None:
            at = found.at
            tell(found.clock)
        causes = diagnose(found.request, given.schemes, keys, clock_at(at)())
        codes = {cause.code for cause in causes}
        if "header-missing" in codes:
            tell(found.hint)
        if at is None and codes & {"clock-skew", "timezone"}:
            tell(CLOCK_IS_NOW)
    if as_json:
        click.echo(json.dumps({"causes": [{"code": cause.code, "detail": cause.detail} for cause in causes]}))
    elif causes:
        for cause in causes:
            click.echo(printable(f"{cause.code}: {cause.detail}"))
    else:
        click.echo("fine: the request verifies")
    return 1 if causes else 0


def _problem(rejected: Rejected) -> Cause:
    """The cause of bytes that are no clean HTTP."""
    if rejected.fault == "repeated":
        return Cause("header-repeated", f"The client sent the header {rejected.part} more than once: send it once.")
    if rejected.fault == "absent":
        return Cause("header-missing", f"The client sent no header {rejected.part}: send it.")
    return Cause("unexplained", f"The request cannot be read: {rejected.detail}.")
