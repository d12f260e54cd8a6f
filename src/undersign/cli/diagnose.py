"""`undersign diagnose`: why the signature of a raw request does not match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..core.credentials import parse_origin
from ..core.text import one_line, printable
from ..diagnosing import Cause, diagnose
from ..errors import Rejected
from ..verifying.lookup import Keys
from .explain import SIGNED_STRING, Explained, explained_of, read_signed
from .inputs.received import CLOCK_IS_NOW, ReadingCommand, Received, input_options, received, tell
from .options import Given, clock_at, verifying_options
from .output import painted
from .width import fitted, fitted_prose


@click.command(
    "diagnose",
    cls=ReadingCommand,
    epilog="\b\nExamples:\n  undersign diagnose --keys keys.toml request.http\n"
    "  undersign diagnose --keys keys.toml request.http --signed-string string.txt",
)
@verifying_options
@input_options
@click.option(
    "--explain", "explaining", is_flag=True, help="Print too what is signed of the request, as undersign explain does."
)
@SIGNED_STRING
@click.option("--json", "as_json", is_flag=True, help="Print the causes as JSON.")
def diagnose_command(
    given: Given,
    file: Path | None,
    kind: str | None,
    entry: str | None,
    origin: str | None,
    explaining: bool,
    signed_string: Path | None,
    as_json: bool,
) -> int:
    """Say why the request in FILE, or on standard input, does not verify: exit 0 where it does, else 1 and the causes.

    Give the request as the server received it, in raw HTTP/1.1, and with --at the time it received it. A HAR as
    browsers export it (a whole one or a single entry) does as well, which says the time, and so does a curl
    command, as it is typed or copied from a browser.

    With --explain the string to sign follows, part by part, and with --signed-string the client's own beside it.
    """
    sent_to = None if origin is None else parse_origin(origin)
    signed = None if signed_string is None else read_signed(signed_string, file)
    keys, at = given.keys(), given.at
    explained: Explained | str
    try:
        found = received(file, kind, entry, sent_to, given.schemes)
    except Rejected as rejected:
        causes: tuple[Cause, ...] = (_problem(rejected),)
        explained = rejected.detail
    else:
        tell(*found.notes)
        if at is None and found.at is not None:
            at = found.at
            tell(found.clock)
        now = clock_at(at)()
        causes = diagnose(found.request, given.schemes, keys, now)
        codes = {cause.code for cause in causes}
        if "header-missing" in codes:
            tell(found.hint)
        if at is None and codes & {"clock-skew", "timezone"}:
            tell(CLOCK_IS_NOW)
        explained = ""
        if explaining or signed is not None:
            explained = _explained(found, given, now, signed, keys)
    if as_json:
        shown: dict[str, Any] = {"causes": [{"code": cause.code, "detail": cause.detail} for cause in causes]}
        if explaining or signed is not None:
            shown.update(_as_json(explained, compared=signed is not None))
        click.echo(json.dumps(shown))
        return 1 if causes else 0
    for cause in causes:
        click.echo(fitted(f"{painted(printable(cause.code), fg='red')}: {printable(cause.detail)}"))
    if not causes:
        click.echo(f"{painted('fine', fg='green')}: the request verifies")
    if isinstance(explained, Explained):
        click.echo(fitted_prose(f"\n{explained}"))
    elif explained and (explaining or signed is not None):
        tell(f"there is no string to sign to show: {one_line(explained)}")
    if signed is None and not explaining and any(cause.code == "unexplained" for cause in causes):
        tell("print the string that the client signs, and give its file with --signed-string to see where it differs")
    return 1 if causes else 0


def _explained(found: Received, given: Given, now: float, signed: bytes | None, keys: Keys) -> Explained | str:
    """What is signed of the request, or why nothing is."""
    try:
        return explained_of(found._replace(hint=""), given.schemes, now, signed=signed, keys=keys)
    except Rejected as rejected:
        return rejected.detail


def _as_json(explained: Explained | str, *, compared: bool) -> dict[str, Any]:
    """Both as JSON has them, null where there is no string to sign."""
    if isinstance(explained, str):
        return {"explanation": None, **({"comparison": None} if compared else {})}
    comparison = explained.comparison
    shown: dict[str, Any] = {"explanation": explained.explanation.as_json()}
    return shown if comparison is None else {**shown, "comparison": comparison.as_json()}


def _problem(rejected: Rejected) -> Cause:
    """The cause of bytes that are no clean HTTP."""
    if rejected.fault == "repeated":
        return Cause("header-repeated", f"The client sent the header {rejected.part} more than once: send it once.")
    if rejected.fault == "absent":
        return Cause("header-missing", f"The client sent no header {rejected.part}: send it.")
    return Cause("unexplained", f"The request cannot be read: {rejected.detail}.")
