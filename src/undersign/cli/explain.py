"""`undersign explain`: what is signed of a request, received or to be signed, beside a client's own string."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from ..core.credentials import Credential, parse_origin
from ..diagnosing.strings import beside
from ..errors import CannotSign, ConfigError, Reason, Rejected
from ..explaining import Comparison, Explanation, explain
from ..profiles import Profile
from ..scheme import Scheme
from ..verifying.lookup import Keys
from .choosing import Extras, extra_options, scheme_options
from .files import FileName
from .inputs.content import read_content
from .inputs.received import ReadingCommand, Received, claims, input_options, received, tell
from .options import clock_at, clock_option, keys_if_known, keys_option, secret_options
from .width import fitted_prose

SIGNED_STRING = click.option(
    "--signed-string",
    metavar="FILE",
    type=FileName(dir_okay=True, allow_dash=True),
    help="The string that the client has signed, as it prints it: compared part by part, - being standard input.",
)


class Explained(NamedTuple):
    """What is signed of a request, and how the client's string compares where that was given."""

    explanation: Explanation
    comparison: Comparison | None

    def __str__(self) -> str:
        return str(self.explanation) if self.comparison is None else f"{self.explanation}\n\n{self.comparison}"


class _ExplainCommand(ReadingCommand):
    instead = f"{ReadingCommand.instead}; for METHOD and URL there is undersign sign METHOD URL --explain"


@click.command(
    "explain",
    cls=_ExplainCommand,
    epilog="\b\nExamples:\n  undersign explain request.http\n"
    "  undersign explain request.http --signed-string string.txt",
)
@scheme_options(several=True)
@click.option("--key-id", metavar="ID", help="Who is to sign it, where it is not signed, or not as it should be.")
@extra_options
@clock_option
@input_options
@SIGNED_STRING
@keys_option("For --signed-string: whether it gives the signature that was sent. A TOML file with a table [keys].")
@secret_options
@click.option("--json", "as_json", is_flag=True, help="Print the parts as JSON.")
def explain_command(
    schemes: Sequence[Scheme],
    profile: Profile | None,
    key_id: str | None,
    extras: Extras,
    at: float | None,
    file: Path | None,
    kind: str | None,
    entry: str | None,
    origin: str | None,
    signed_string: Path | None,
    keys_file: Path | None,
    secret_env: str | None,
    secret_file: Path | None,
    as_json: bool,
) -> int:
    """Print what is signed of the request in FILE, or on standard input, part by part.

    It is raw HTTP/1.1, a HAR, or a curl command. Key id and time are those that it claims; with --key-id it is one to
    be signed, at --at. The text is for a ticket: it holds neither the body nor a secret nor a signature.

    With --signed-string the client's own string stands beside it, with the first difference: exit 0 where they are the
    same, else 1. Where the secret is known too (from --keys, --secret-env, --secret-file or UNDERSIGN_SECRET) it says
    whether that string gives the signature that was sent. No secret is asked for.
    """
    if key_id is None and (extras.values or extras.nonce is not None):
        raise click.UsageError("--extra and --nonce are for a request that is to be signed: give --key-id ID too")
    signed = None if signed_string is None else read_signed(signed_string, file)
    keys = None if signed is None else keys_if_known(schemes, profile, keys_file, secret_env, secret_file)
    found = received(file, kind, entry, None if origin is None else parse_origin(origin), schemes)
    tell(*found.notes)
    if at is None and found.at is not None:
        at = found.at
        tell(found.clock)
    who = None if key_id is None else extras.shown(key_id)
    explained = explained_of(found, schemes, clock_at(at)(), key_id=who, nonce=extras.nonce, signed=signed, keys=keys)
    click.echo(json.dumps(as_json_of(explained)) if as_json else fitted_prose(str(explained)))
    return 1 if explained.comparison is not None and not explained.comparison.same else 0


def explain_file(
    file: str, schemes: Sequence[Scheme], who: Credential | None, at: float | None, origin: str | None
) -> None:
    """The same for a file alone, as `sign --explain FILE` has it."""
    if "://" in file:
        raise ConfigError("METHOD is missing in front of the URL: or give the file of a request, as in request.http")
    found = received(Path(file), None, None, None if origin is None else parse_origin(origin), schemes)
    tell(*found.notes)
    if at is None and found.at is not None:
        at = found.at
        tell(found.clock)
    click.echo(fitted_prose(str(explained_of(found, schemes, clock_at(at)(), key_id=who))))


def read_signed(signed_string: Path, file: Path | None) -> bytes:
    """The bytes of `--signed-string`, which stand for a string in one way or another. Raises ConfigError, OSError."""
    if str(signed_string) == "-" and (file is None or str(file) == "-"):
        raise ConfigError("--signed-string - is standard input, and so is the request: give the file of one of them")
    if str(signed_string) != "-" and not _is_there(signed_string):
        # Its name is not repeated: it may be the string itself, with a secret in it.
        raise ConfigError(
            "--signed-string takes the name of a file, and there is none of that name: save the string in one, or pipe "
            "it in and give -"
        )
    return read_content(signed_string, what="the string that the client has signed", example="--signed-string FILE")[0]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def explained_of(
    found: Received,
    schemes: Sequence[Scheme],
    now: float,
    *,
    key_id: str | Credential | None = None,
    nonce: str | None = None,
    signed: bytes | None = None,
    keys: Keys | None = None,
) -> Explained:
    """What is signed of a request that was read, and the client's string beside it.

    Raises Rejected as `explain` does, where there is nothing to sign, and where several schemes claim the request or
    none does.
    """
    scheme = _meant(found, schemes, key_id)
    if isinstance(key_id, Credential):
        Extras(dict(key_id.extra), nonce).check(scheme)
    try:
        if signed is None:
            return Explained(explain(scheme, found.request, key_id, now=now, nonce=nonce), None)
        return Explained(*beside(scheme, found.request, signed, now=now, keys=keys, key=key_id, nonce=nonce))
    except CannotSign as error:
        # What a verifier would call it, since it is no fault of the call.
        raise Rejected(Reason.MALFORMED, str(error), scheme=scheme.name) from None


def as_json_of(explained: Explained) -> dict[str, object]:
    """The explanation as JSON has it, with `comparison` where a string was given."""
    shown = explained.explanation.as_json()
    return shown if explained.comparison is None else {**shown, "comparison": explained.comparison.as_json()}


def _meant(found: Received, schemes: Sequence[Scheme], key_id: str | Credential | None) -> Scheme:
    claiming = [scheme for scheme in schemes if claims(scheme, found.request)]
    if key_id is not None:
        # One that nobody has signed is for the first of several schemes, unless it says more.
        return (claiming or list(schemes))[0]
    if len(claiming) == 1:
        return claiming[0]
    names = [scheme.name for scheme in claiming or schemes]
    if claiming:
        raise Rejected(Reason.AMBIGUOUS, f"{' and '.join(names)} claim the request: choose with --scheme")
    tell(found.hint)
    who = f"none of {', '.join(names)} claims" if len(names) > 1 else f"{names[0]} does not claim"
    raise Rejected(Reason.MISSING, f"{who} the request: say with --key-id who is to sign it")
