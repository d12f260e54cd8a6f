"""`undersign gateway`: verify in front of any server, or for a front that asks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from ..core.bounded import read_whole
from ..core.grammar import did_you_mean
from ..core.message import Component
from ..core.text import decoded, place_in_toml
from ..errors import ConfigError
from ..policy.replay import ReplayPolicy
from ..policy.requirements import Requirements
from ..profiles import Profile
from ..scheme import Scheme
from .choosing import scheme_options
from .files import FileName
from .options import UPSTREAM_HTTP2, Command
from .seconds import Seconds

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_REPLAY_ENV = "UNDERSIGN_REPLAY"
_TABLES = "undersign.gateway.tables"
_LARGEST = 256 * 1024  # bytes of a file of settings
_DECIDES = ("nginx", "caddy", "traefik", "envoy-http", "envoy-grpc")


def _read_settings(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Take what the file says for the defaults of the options that have its names."""
    tables: dict[str, Any] = {}
    if path is not None:
        content = _content(path)
        for name in ("require", "replay-for"):
            tables[name] = content.pop(name, {})
            if not isinstance(tables[name], dict):
                raise ConfigError(f"{path}: [{name}] is a table")
        known = {opt.lstrip("-"): option for option in context.command.params for opt in option.opts}
        names = [name for name in known if name not in ("settings", "config", "help", "h")]
        defaults: dict[str, Any] = {}
        for name, value in content.items():
            if name not in names:
                raise ConfigError(f"{path}: {name!r} is unknown{did_you_mean(name, [*names, *tables])}")
            option = known[name]
            if option.multiple and not isinstance(value, list):
                raise ConfigError(f"{path}: {name} is a list: write {name} = [{value!r}]")
            if isinstance(value, dict) or (isinstance(value, list) and not option.multiple):
                raise ConfigError(f"{path}: {name} is one value")
            defaults[str(option.name)] = value
        context.default_map = defaults
    context.meta[_TABLES] = tables


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(decoded(read_whole(path, _LARGEST, "settings")))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, RecursionError) as error:
        # The parser's message may quote the file, and an address of Redis in it has a password.
        raise ConfigError(f"{place_in_toml(path, error)}: not TOML in UTF-8") from None


@click.command(
    cls=Command,
    epilog="\b\nExamples: undersign gateway --keys keys.toml --upstream http://127.0.0.1:9000\n"
    "          undersign gateway --settings gateway.toml",
)
@click.option(
    "--settings",
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_read_settings,
    type=FileName(),
    help="A TOML file with these options by their long names, and the tables [require] and [replay-for.SCHEME].",
)
@scheme_options(several=True)
@click.option(
    "--keys",
    metavar="FILE",
    type=FileName(),
    help='The keys file: [keys] and below it id = "secret". It is read again when it changes.',
)
@click.option("--upstream", metavar="URL", default="", help="Forward what verifies to this server: http://host:port.")
@click.option("--upstream-http2", is_flag=True, help=UPSTREAM_HTTP2)
@click.option("--decide", metavar="FRONT", default="", help=f"Or decide for a front that asks: {', '.join(_DECIDES)}.")
@click.option("--origin", metavar="URL", default="", help="What clients call, such as https://api.example.com.")
@click.option("--prefix", metavar="PATH", default="", help="What a proxy in front takes off the target.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="127.0.0.1:8080",
    show_default=True,
    help="Where to listen, or unix:/path. Port 0 = any free one.",
)
@click.option("--admin", metavar="HOST:PORT", default="", help="Answer /healthz, /readyz and /metrics there.")
@click.option(
    "--public",
    metavar="PATH",
    multiple=True,
    help="A path that needs no signature: /health, or 'GET /health'. Repeatable.",
)
@click.option("--preflights", is_flag=True, help="Let CORS preflights in, which no browser signs.")
@click.option(
    "--max-body",
    metavar="BYTES",
    type=click.IntRange(min=0),
    default=16 * 1024 * 1024,
    show_default=True,
    help="Larger bodies are refused (413) where the signature covers them.",
)
@click.option(
    "--replay",
    metavar="memory|URL",
    help=f"Let each signature in once. A URL of a Redis that has a password goes into {_REPLAY_ENV} or the file.",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--drain",
    metavar="SECONDS",
    type=Seconds(zero=True),
    default=0.0,
    show_default=True,
    help="How long /readyz says no before the gateway stops listening.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    type=Seconds(zero=True),
    default=30.0,
    show_default=True,
    help="How long what is in flight may take to end then.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="How long client or upstream may stand still.",
)
@click.option("--metrics-key-ids", "key_ids", is_flag=True, help="Count what verifies by key id too.")
def gateway(
    schemes: list[Scheme], profile: Profile | None, keys: Path | None, replay: str | None, **options: Any
) -> None:
    """Verify in front of any server, and forward what verifies with X-Authenticated-Id and X-Authenticated-Scheme; or
    decide for nginx, Caddy, Traefik or Envoy, which forward by themselves.

    Prints `listening on URL` first. Logs are JSON on standard error. SIGTERM and Ctrl-C end it when what is in flight
    is done; Ctrl-C once more ends it at once.
    """
    try:
        from ..gateway.process import Settings, run
    except ModuleNotFoundError as error:
        raise ConfigError(f"the gateway needs {error.name}: pip install 'undersign[gateway]'") from None
    tables = click.get_current_context().meta[_TABLES]
    if keys is None:
        hint = ", since a profile has the key of one client" if profile is not None else ""
        raise ConfigError(f"there are no keys: give --keys FILE{hint}")
    if (
        "@" in (replay or "")
        and click.get_current_context().get_parameter_source("replay") is click.core.ParameterSource.COMMANDLINE
    ):
        raise ConfigError(f"other users of the machine see arguments: put the address of Redis into {_REPLAY_ENV}")
    if replay is None:
        replay = os.environ.get(_REPLAY_ENV)
    if replay == "":  # whoever writes it wants a guard
        raise ConfigError(f"replay, or {_REPLAY_ENV}, is empty: give the address of a guard, or leave it out")
    settings = Settings(
        tuple(schemes),
        keys,
        replay=replay or "",
        policies=_policies(tables.get("replay-for", {})),
        require=_requirements(tables.get("require", {})),
        **options,
    )
    run(settings, ready=_ready)


def _ready(address: str, admin: str) -> None:
    click.echo(f"listening on {address}" + (f", admin on {admin}" if admin else ""))
    sys.stdout.flush()


def _policies(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The options of replay policies by scheme, of the tables [replay-for.SCHEME]; their values are looked at there."""
    known = [option.name for option in fields(ReplayPolicy) if option.init and option.name != "guard"]
    for name, options in table.items():
        if not isinstance(options, dict):
            raise ConfigError(f"{name!r} is below [replay-for]: write [replay-for.SCHEME] above it")
        for option in options:
            if option not in known:
                meant = did_you_mean(option, known)
                raise ConfigError(f"[replay-for.{name}] {option!r} is unknown{meant}; there are {', '.join(known)}")
    return table


def _requirements(table: Mapping[str, Any]) -> Requirements | None:
    """What signatures have to cover, of the table [require]: lists `always` and `writes`, and a table `paths`."""
    if not table:
        return None
    if unknown := set(table) - {"always", "writes", "paths"}:
        raise ConfigError(f"[require] has always, writes and paths, not {', '.join(sorted(unknown))}")
    paths = table.get("paths", {})
    if not isinstance(paths, dict):
        raise ConfigError(f'[require.paths] is a table of lists: "/admin/*" = ["{Component.BODY}"]')
    return Requirements(always=table.get("always", ()), writes=table.get("writes", ()), paths=paths)
