"""What the commands have in common: key ids and secrets, the clock, headers."""

from __future__ import annotations

import functools
import getpass
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from ..core.credentials import Secret, parse_origin
from ..core.dates import parse_date
from ..core.grammar import CONTROL_BUT_TAB, TOKEN
from ..core.message import Pairs, Request
from ..errors import ConfigError
from ..keys.file import load_keys
from ..profiles import Profile
from ..profiles.sources import FromEnvironment, FromFile
from ..registry import scheme_names
from ..scheme import Scheme, unusable_secret
from ..verifying.lookup import Keys
from .choosing import key_id_of, scheme_options
from .files import FileName
from .width import Context

DEFAULT_SECRET_ENV = "UNDERSIGN_SECRET"  # noqa: S105  # the name of a variable

UPSTREAM_HTTP2 = "Offer HTTP/2 to the upstream over https (ALPN); over http speak nothing else (prior knowledge)."

_ARGUMENTS = "undersign.arguments"
_LATEST = 253_402_300_799  # the end of the year 9999, in Unix seconds

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Result = TypeVar("_Result")


def _time(text: str) -> float:
    """Unix seconds, as they are or as a date in one of the forms that are read in a Date header."""
    at = parse_date(text)
    if at is not None:
        return at
    try:
        seconds = float(text)
        if _LATEST < abs(seconds) < float("inf"):
            raise click.BadParameter(f"{text} is far off in Unix seconds: are those milliseconds?")
        return seconds
    except ValueError:
        raise click.BadParameter(
            f"write Unix seconds or a date as a Date header has it, such as 2024-11-07T10:21:15Z, not {text!r}"
        ) from None


def arguments_given() -> tuple[str, ...]:
    """The arguments of the command that runs, as they were typed; no secret is ever one."""
    given: tuple[str, ...] = click.get_current_context().meta[_ARGUMENTS]
    return given


class Command(click.Command):
    """A command that does not repeat arguments which are too many: one of them may be a secret."""

    context_class = Context
    allow_extra_args = True
    instead = "the key id goes into --key-id, and a secret is never one"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = tuple(args)
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            raise click.UsageError(f"{len(ctx.args)} argument(s) too many; {self.instead}", ctx)
        return rest


def secret_options(function: _Function) -> _Function:
    """`--secret-env` and `--secret-file`."""
    function = click.option(
        "--secret-file",
        metavar="FILE",
        type=FileName(),
        help="The file that holds the secret; one newline at its end is not part of it.",
    )(function)
    return click.option(
        "--secret-env",
        metavar="NAME",
        help=f"The environment variable that holds the secret.  [default: {DEFAULT_SECRET_ENV}]",
    )(function)


def clock_option(function: _Function) -> _Function:
    """`--at`."""
    return click.option(
        "--at",
        metavar="TIME",
        type=_time,
        help="What the clock says, in Unix seconds or as a Date header does; to reproduce a signature.",
    )(function)


class Given(NamedTuple):
    """What a command that verifies is told: its schemes, where secrets are, and the clock (None = this machine's)."""

    schemes: list[Scheme]
    profile: Profile | None
    keys_file: Path | None
    key_id: str | None
    secret_env: str | None
    secret_file: Path | None
    at: float | None

    def keys(self) -> Keys:
        """What a Verifier looks secrets up in: the keys file, else the one secret, for one key id or (None) for all.

        Raises ConfigError; it may ask for the secret on the terminal.
        """
        if self.keys_file is not None:
            if self.key_id is not None or self.secret_env is not None or self.secret_file is not None:
                raise ConfigError(
                    "--keys holds key ids and secrets: leave --key-id, --secret-env and --secret-file out"
                )
            return _keys_of_file(self.keys_file, self.schemes)
        secret = _usable(secret_of(self.profile, self.secret_env, self.secret_file), self.schemes)
        key_id = self.profile.key_id if self.key_id is None and self.profile is not None else self.key_id
        if key_id is None:
            return lambda key_id, scheme_name: secret
        # Of a scheme that sends no key id it is the scheme's own name, whoever is named here.
        return {key_id_of(scheme, key_id) if not scheme.sends_key_id else key_id: secret for scheme in self.schemes}


def keys_if_known(
    schemes: Sequence[Scheme],
    profile: Profile | None,
    keys_file: Path | None,
    secret_env: str | None,
    secret_file: Path | None,
) -> Keys | None:
    """The keys from where the options say, else from UNDERSIGN_SECRET, whose one secret is for all key ids; None where
    they are nowhere. Nobody is asked for them. Raises ConfigError."""
    if keys_file is not None:
        if secret_env is not None or secret_file is not None:
            raise ConfigError("--keys holds key ids and secrets: leave --secret-env and --secret-file out")
        return _keys_of_file(keys_file, schemes)
    has_place = profile is not None and profile.secret_source is not None
    if not has_place and secret_env is None and secret_file is None and DEFAULT_SECRET_ENV not in os.environ:
        return None
    secret = _usable(secret_of(profile, secret_env, secret_file), schemes)
    return lambda key_id, scheme_name: secret


def _keys_of_file(file: Path, schemes: Sequence[Scheme]) -> Keys:
    names = [scheme.name for scheme in schemes]
    found = load_keys(file, names, others=scheme_names())
    if not any(found.values()):
        missing = f"{file}: no key for {' or '.join(names)}"
        raise ConfigError(f'{missing}: write [keys] and below it lines such as id = "secret"')
    return found


def _usable(secret: Secret, schemes: Sequence[Scheme]) -> Secret:
    for scheme in schemes:
        if problem := unusable_secret(scheme, secret):
            raise problem
    return secret


def keys_option(text: str) -> Callable[[_Function], _Function]:
    """`--keys`, as `keys_file`, with this help."""
    return click.option("--keys", "keys_file", metavar="FILE", type=FileName(), help=text)


def verifying_options(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """What `verify`, `diagnose` and `serve` share, handed over as the function's first argument, a Given."""

    @functools.wraps(function)
    def command(
        schemes: list[Scheme],
        profile: Profile | None,
        keys_file: Path | None,
        key_id: str | None,
        secret_env: str | None,
        secret_file: Path | None,
        at: float | None,
        **others: Any,
    ) -> _Result:
        given = Given(schemes, profile, keys_file, key_id, secret_env, secret_file, at)
        return function(given, **others)

    decorated: Callable[..., _Result] = command
    for decorator in (
        clock_option,
        secret_options,
        click.option(
            "--key-id",
            metavar="ID",
            help="Instead of --keys: the one key id that is known, with the secret from below.",
        ),
        keys_option('A TOML file with a table [keys] of lines such as: id = "secret".'),
        scheme_options(several=True),
    ):
        decorated = decorator(decorated)
    return decorated


def clock_at(at: float | None) -> Callable[[], float]:
    """The clock: stopped where `--at` was given."""
    if at is None:
        return time.time
    if not math.isfinite(at):
        raise ConfigError("--at is in Unix seconds")
    return lambda: at


def secret_of(profile: Profile | None, env: str | None, file: Path | None) -> Secret:
    """The secret from where the options say, else from where the profile says, else as `read_secret` has it."""
    if profile is not None and profile.secret_source is not None and env is None and file is None:
        return profile.secret()
    return read_secret(env, file)


def read_secret(env: str | None, file: Path | None) -> Secret:
    """The secret from where the options say, else from UNDERSIGN_SECRET, else from a hidden prompt.

    Raises ConfigError where it is nowhere, and no terminal is there to ask on.
    """
    if (named := read_named("secret", env, file)) is not None:
        return named
    if DEFAULT_SECRET_ENV in os.environ:
        return _had(FromEnvironment(DEFAULT_SECRET_ENV, "--secret-env").read())
    if not _has_terminal():
        raise ConfigError(
            f"there is no secret: set {DEFAULT_SECRET_ENV} (or name a variable with --secret-env), "
            "or use --secret-file, or run it on a terminal to be asked"
        )
    return Secret(os.fsencode(getpass.getpass("Secret: ")))


def read_named(what: str, env: str | None, file: Path | None) -> Secret | None:
    """What the options `--WHAT-env` and `--WHAT-file` name; None where neither is given. Raises ConfigError."""
    if env is not None and file is not None:
        raise ConfigError(f"--{what}-env and --{what}-file exclude each other: give one of them")
    if file is not None:
        return _had(FromFile(file, f"--{what}-file").read())
    return None if env is None else _had(FromEnvironment(env, f"--{what}-env").read())


def _had(secret: Secret | ConfigError) -> Secret:
    if isinstance(secret, ConfigError):
        raise secret
    return secret


def parse_headers(lines: Sequence[str]) -> Pairs:
    """`-H` options as pairs, values as Latin-1. Raises ConfigError, which does not repeat a value."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name):
            raise ConfigError("-H: write -H 'Name: value'")
        if CONTROL_BUT_TAB.search(value):
            raise ConfigError(f"-H {name}: the value holds a control character")
        pairs.append((name, os.fsencode(value).decode("latin-1").strip(" \t")))
    return tuple(pairs)


def head_of_arguments(
    method: str, url: str | None, headers: Sequence[str], profile: Profile | None = None, origin: str | None = None
) -> Request:
    """The head of METHOD, URL and `-H`. A URL may be the target alone, below `origin` or the profile's only one.

    Raises click.UsageError where one of the first two is not there, or they are the wrong way round; ConfigError and
    CannotSign for what is in them.
    """
    if "://" in method or (url is None and not TOKEN.fullmatch(method)):
        raise click.UsageError("METHOD comes first, and then the URL: write it as in GET https://host/path")
    if url is None:
        raise click.UsageError("Missing argument 'URL'.")
    base = None if origin is None else parse_origin(origin)
    if url.startswith("/"):
        if base is None and profile is not None and len(profile.origins) == 1:
            base = profile.origins[0]
        if base is None:
            raise ConfigError(
                "the URL is a path alone: say where it stands with --origin https://host, or by a profile with one "
                "origin"
            )
        url = base + url
    head = Request.from_url(method.upper(), url, parse_headers(headers))
    if base not in (None, head.origin):
        raise ConfigError(f"--origin {base}: the URL goes to {head.origin}, so leave --origin out")
    return head


def _has_terminal() -> bool:
    """Whether someone is there to ask. Standard input does not tell: it may be the body."""
    if not sys.stderr or not sys.stderr.isatty():
        return False
    if os.name == "nt":
        return bool(sys.stdin and sys.stdin.isatty())
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
