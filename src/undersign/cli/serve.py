"""`undersign serve`: a server to try clients against."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from ..diagnose import Cause
from ..errors import ConfigError
from .exchange import Outcome
from .options import Command, build_schemes, clock_at, clock_option, keys_from, scheme_options, secret_options
from .output import say
from .server import BODY_LIMIT, VerifyingServer
from .text import printable


@click.command(
    cls=Command,
    epilog="\b\nExample: undersign serve --keys keys.toml --port 8000",
    short_help="Serve on loopback, and verify whatever comes.",
)
@scheme_options(several=True)
@click.option(
    "--keys",
    "keys_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help='A TOML file with a table [keys] of lines such as: id = "secret".',
)
@click.option("--key-id", metavar="ID", help="Instead of --keys: the one key id, with the secret from below.")
@secret_options
@clock_option
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
@click.option("--diagnose", "diagnoses", is_flag=True, help="Say too what the client of a refused request did wrong.")
def serve(
    schemes: Sequence[str],
    options: Sequence[str],
    keys_file: Path | None,
    key_id: str | None,
    secret_env: str | None,
    secret_file: Path | None,
    at: float | None,
    host: str,
    port: int,
    body_limit: int,
    diagnoses: bool,
) -> None:
    """Serve on loopback, verify whatever comes, and say what became of it, a line each, on standard error.

    Prints `listening on URL` first. Ctrl-C ends it.
    """
    if keys_file is None and key_id is None:
        raise ConfigError("there are no keys: give --keys FILE, or --key-id ID with its secret")
    used = build_schemes(schemes, options)
    family, address = _loopback(host, port)
    keys = keys_from(used, keys_file, key_id, secret_env, secret_file)
    try:
        server = VerifyingServer(
            used,
            keys,
            _log,
            family=family,
            address=address,
            clock=clock_at(at),
            body_limit=body_limit,
            say_why=_say_why if diagnoses else None,
        )
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None

    def end(signum: int, frame: FrameType | None) -> None:
        # An exception could come up anywhere, between taking a connection and serving it too.
        server.close()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    click.echo(f"listening on {server.origin}")
    sys.stdout.flush()
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


def _say_why(cause: Cause) -> None:
    say(printable(f"    {cause.code}: {cause.detail}"))
