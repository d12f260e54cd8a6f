"""`undersign serve`: a server to try clients against."""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
import sys
from types import FrameType

import click

from ...core.text import printable, why_not_bound
from ...diagnosing import Cause
from ...errors import ConfigError
from ..options import Command, Given, clock_at, verifying_options
from ..output import say
from .exchange import Outcome
from .server import BODY_LIMIT, VerifyingServer


@click.command(
    cls=Command,
    epilog="\b\nExample: undersign serve --keys keys.toml --port 8000",
)
@verifying_options
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 = any free one.")
@click.option(
    "--body-limit",
    metavar="BYTES",
    type=click.IntRange(min=0),
    default=BODY_LIMIT,
    show_default=True,
    help="Larger bodies are answered with 413.",
)
@click.option(
    "--diagnose",
    "diagnoses",
    is_flag=True,
    help="Number the requests, and say too what the client of a refused one did wrong.",
)
def serve(
    given: Given,
    host: str,
    port: int,
    body_limit: int,
    diagnoses: bool,
) -> None:
    """Serve on loopback, verify whatever comes, and say what became of it, a line each, on standard error.

    Prints `listening on URL` first. Ctrl-C ends it.
    """
    if given.keys_file is None and given.key_id is None and given.profile is None:
        raise ConfigError("there are no keys: give --keys FILE, or --key-id ID with its secret, or --profile NAME")
    family, address = _loopback(host, port)
    keys = given.keys()
    try:
        server = VerifyingServer(
            given.schemes,
            keys,
            _log_numbered if diagnoses else _log,
            family=family,
            address=address,
            clock=clock_at(given.at),
            body_limit=body_limit,
            say_why=_say_why if diagnoses else None,
        )
    except OSError as error:
        why = why_not_bound(error)
        hint = "; --port 0 takes any free one" if error.errno == errno.EADDRINUSE else ""
        raise ConfigError(f"cannot listen on {host} port {port}: {why}{hint}") from None

    def end(signum: int, frame: FrameType | None) -> None:
        # An exception could come up anywhere, between taking a connection and serving it too.
        server.close()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    try:
        click.echo(f"listening on {server.origin}")
        sys.stdout.flush()
    except OSError:
        server.close()
        server.serve()  # it ends at once, and closes what it listens on
        raise
    server.serve()
    server.finish(seconds=1.0)


def _loopback(host: str, port: int) -> tuple[int, tuple[str, int]]:
    """Address family and address of a loopback host. Raises ConfigError for any other."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigError(f"--host {host!r} is not known: use 127.0.0.1") from None
    addresses = [(info[0], str(info[4][0])) for info in found]
    if not all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for _, address in addresses):
        raise ConfigError(
            f"--host {host} is not loopback, and serve speaks plain http: "
            "use --host 127.0.0.1, with a proxy that speaks TLS in front of it"
        )
    family, address = addresses[0]
    return family, (address, port)


def _log(outcome: Outcome) -> None:
    say(str(outcome))


def _log_numbered(outcome: Outcome) -> None:
    say(f"#{outcome.number} {outcome}")


def _say_why(outcome: Outcome, causes: tuple[Cause, ...] | None) -> None:
    """All lines of one request in one piece, each with its number: another may be answered meanwhile."""
    if causes is None:
        lines = ["not looked into, since its body was not read whole, or is too large to be held"]
    else:
        lines = [printable(f"{cause.code}: {cause.detail}") for cause in causes]
    if lines:
        say("\n".join(f"#{outcome.number}     {line}" for line in lines))
