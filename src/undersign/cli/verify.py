"""`undersign verify`: who signed a raw request, or why nobody did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from ..core.credentials import parse_origin
from ..core.grammar import did_you_mean
from ..core.text import printable
from ..errors import Reason, Rejected
from ..verifying.lookup import Keys
from ..verifying.verifier import Verifier
from .inputs.received import CLOCK_IS_NOW, ReadingCommand, input_options, received, tell
from .next_step import to_diagnose
from .options import Given, clock_at, verifying_options
from .output import painted, say
from .width import fitted


@click.command(
    cls=ReadingCommand,
    epilog="\b\nExample: undersign verify --keys keys.toml request.http",
)
@verifying_options
@input_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    given: Given,
    file: Path | None,
    kind: str | None,
    entry: str | None,
    origin: str | None,
    as_json: bool,
) -> int:
    """Verify the request in FILE, or on standard input: exit 0 and who, or 1 and the reason.

    It is raw HTTP/1.1, a HAR as browsers export it (a whole one or a single entry), or a curl command. The clock is
    --at, else what a HAR says, else that of this machine.

    Without --keys and --key-id the one secret is tried for whichever key id the request claims.
    """
    sent_to = None if origin is None else parse_origin(origin)
    keys, at = given.keys(), given.at
    clock, now, hint, told = clock_at(at), 0.0, "", at is not None
    try:
        found = received(file, kind, entry, sent_to, given.schemes)
        now, hint = clock(), found.hint
        tell(*found.notes)
        if at is None and found.at is not None:
            now, told = found.at, True
            tell(found.clock)
        verified = Verifier(given.schemes, keys, clock=lambda: now).verify(found.request)
    except Rejected as rejected:
        if as_json:
            click.echo(json.dumps({"result": "invalid", "reason": rejected.reason.value}))
        else:
            click.echo(fitted(f"{painted('invalid', fg='red')}: {printable(str(rejected))}"))
        if rejected.reason is Reason.MISSING:
            tell(hint)
        if not told and rejected.reason in (Reason.STALE, Reason.FUTURE):
            tell(CLOCK_IS_NOW)
        if not as_json and rejected.reason is Reason.UNKNOWN_KEY:
            tell(_meant(rejected, keys))
        if not as_json:
            command, again = to_diagnose(file, None if told or not now else now)
            tell(f"what the client did wrong is found by{', with the same request piped in' if again else ''}:")
            say(command)
        return 1
    if as_json:
        click.echo(json.dumps({"result": "valid", "scheme": verified.scheme, "key_id": verified.key_id}))
    else:
        click.echo(f"{painted('valid', fg='green')}: {verified.scheme}, signed by {printable(verified.key_id)}")
    return 0


def _meant(rejected: Rejected, keys: Keys) -> str:
    """The key id that is one or two letters off, as a sentence; empty where none is."""
    if callable(keys):
        return ""
    own = keys.get(rejected.scheme)
    known = own if isinstance(own, Mapping) else keys
    meant = did_you_mean(rejected.key_id, (name for name in known if isinstance(name, str)))
    return f"there is no key {printable(rejected.key_id)!r}{printable(meant)}" if meant else ""
