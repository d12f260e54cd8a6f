"""Which schemes a command uses, by name or as recipes, and what their credentials have besides key id and secret."""

from __future__ import annotations

import dataclasses
import functools
import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from ..clients.nonces import nonces_of
from ..core.credentials import NO_SECRET, Credential
from ..core.grammar import did_you_mean
from ..core.text import one_line, printable
from ..errors import ConfigError
from ..profiles import Profile
from ..profiles.reading import find_profile
from ..registry import build_scheme, parse_option, scheme_names
from ..scheme import Scheme
from ..schemes.documents import load_recipe
from ..schemes.presets import names as preset_names
from .completing import complete_profiles, complete_schemes
from .files import FileName
from .output import say
from .width import room_beside

_NAMES_WIDTH = 44
_OPTIONS_WIDTH = 30
_EXTRA_ENV = "UNDERSIGN_EXTRA_"

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Result = TypeVar("_Result")


config_option = click.option(
    "--config",
    metavar="FILE",
    type=FileName(),
    help="The file of profiles.  [default: UNDERSIGN_CONFIG, or undersign/config.toml in ~/.config]",
)
"""`--config`, as `config`."""


class _SchemeOption(click.Option):
    """`--scheme`, whose help names the schemes that are installed: they are looked up when help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        others = set(preset_names())
        names = ", ".join(printable(name) for name in scheme_names() if name not in others)
        # Left as it is by click, which would break lines at the hyphens of names.
        width = min(_NAMES_WIDTH, room_beside(_OPTIONS_WIDTH))
        default = "[default: gotom, gogrid]" if self.multiple else "[default: gotom]"
        lines = (
            f"One of these{'; repeatable' if self.multiple else ''}:",
            names,
            f"or of {len(others)} APIs, see: undersign schemes",
            default,
        )
        filled = (textwrap.fill(line, width, break_on_hyphens=False, break_long_words=False) for line in lines)
        self.help = "\n".join(("\b", *filled))
        return super().get_help_record(ctx)


def scheme_options(*, several: bool) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """`--profile`, `--config`, `--scheme`, `--recipe` and `-o`, handed over built: as `schemes`, or one as `scheme`,
    and as `profile`, which is None where none was named."""

    def decorate(function: Callable[..., _Result]) -> Callable[..., _Result]:
        @functools.wraps(function)
        def for_several(
            names: Sequence[str], recipes: Sequence[Path], options: Sequence[str], **others: Any
        ) -> _Result:
            profile = _profile(others, names, recipes, options)
            if profile is not None:
                return function(schemes=[profile.scheme], profile=profile, **others)
            if not names and not recipes:
                names = ("gotom", "gogrid")
            return function(schemes=build_schemes(names, recipes, options), profile=None, **others)

        @functools.wraps(function)
        def for_one(names: str | None, recipes: Path | None, options: Sequence[str], **others: Any) -> _Result:
            profile = _profile(others, names, recipes, options)
            if profile is not None:
                return function(scheme=profile.scheme, profile=profile, **others)
            if recipes is None:
                [scheme] = build_schemes(["gotom" if names is None else names], [], options)
            elif names is None:
                [scheme] = build_schemes([], [recipes], options)
            else:
                raise ConfigError("--scheme and --recipe exclude each other here: one scheme signs")
            return function(scheme=scheme, profile=None, **others)

        command: Callable[..., _Result] = for_several if several else for_one
        for decorator in (
            click.option(
                "-o",
                "options",
                metavar="OPTION=VALUE",
                multiple=True,
                help="An option of the scheme, such as window=600,600 or gotom.provider=acme; or a field of a recipe.",
            ),
            click.option(
                "--recipe",
                "recipes",
                metavar="FILE",
                multiple=several,
                type=FileName(),
                help=f"A scheme as a recipe, in TOML or JSON{'; repeatable' if several else ''}.",
            ),
            click.option(
                "--scheme",
                "names",
                metavar="NAME",
                multiple=several,
                cls=_SchemeOption,
                shell_complete=complete_schemes,
            ),
            config_option,
            click.option(
                "--profile",
                "profile_name",
                metavar="NAME",
                shell_complete=complete_profiles,
                help="Scheme, key id, secret, origins and extras that stand under this name: see undersign profiles.",
            ),
        ):
            command = decorator(command)
        return command

    return decorate


def _profile(others: dict[str, Any], names: object, recipes: object, options: Sequence[str]) -> Profile | None:
    """The profile that the options name, with those of `-o` in the place of its own; it takes its own two off
    `others`."""
    name, config = others.pop("profile_name"), others.pop("config")
    if name is None:
        if config is not None:
            raise ConfigError("--config is the file that --profile looks in: give --profile NAME too")
        return None
    if names or recipes:
        raise ConfigError("--profile names the scheme too: leave --scheme and --recipe out, or --profile")
    profile = find_profile(name, config)
    if isinstance(profile, ConfigError):
        raise profile
    for risk in profile.risks:
        say(f"undersign: {one_line(risk)}")
    if not options:
        return profile
    changed = _by_scheme([profile.scheme.name], options)[profile.scheme.name]
    return dataclasses.replace(profile, scheme=profile.choice.build(changed))


class Extras(NamedTuple):
    """What a credential has besides key id and secret, and the nonce where one is given."""

    values: dict[str, str]
    nonce: str | None

    def of(self, scheme: Scheme) -> dict[str, str]:
        """The values that the scheme sends. Raises ConfigError for one that is missing, or that it does not send."""
        self.check(scheme)
        for name in scheme.extras:
            if name not in self.values:
                raise ConfigError(f"{scheme.name} sends {name!r}: give it with --extra {name}=…, see --help")
        return self.values

    def check(self, scheme: Scheme) -> None:
        """Raises ConfigError for a value that the scheme does not send."""
        known = (*scheme.extras, *scheme.optional_extras)
        for name in self.values:
            if name not in known:
                having = f"it sends {', '.join(known)}" if known else "it sends none"
                raise ConfigError(f"--extra {name}: {scheme.name} sends no such value; {having}")

    def shown(self, key_id: str, *others: str) -> Credential:
        """Who signs, for an explanation, which shows neither the secret nor what these and other extras hold."""
        return Credential(key_id, NO_SECRET, extra={name: name for name in (*self.values, *others)})

    def nonce_for(self, scheme: Scheme) -> str:
        """The nonce, a new one unless it is given; empty where the scheme sends none."""
        if self.nonce is not None:
            if not scheme.takes_nonce:
                raise ConfigError(f"--nonce: {scheme.name} sends none, leave it out")
            return self.nonce
        return nonces_of(scheme)()


def extra_options(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """`--extra` and `--nonce`, handed over as `extras`."""

    @functools.wraps(function)
    def command(extra: Sequence[str], nonce: str | None, **others: Any) -> _Result:
        return function(extras=Extras(dict(map(_extra, extra)), nonce), **others)

    decorated: Callable[..., _Result] = command
    for decorator in (
        click.option("--nonce", metavar="TEXT", help="The nonce, to reproduce a signature.  [default: a new one]"),
        click.option(
            "--extra",
            metavar="NAME[=VALUE]",
            multiple=True,
            help="What else a recipe sends of a credential, such as a passphrase. "
            f"NAME alone is taken from the environment variable {_EXTRA_ENV}NAME, in capitals.",
        ),
    ):
        decorated = decorator(decorated)
    return decorated


def _extra(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not name.isidentifier():
        raise ConfigError("--extra: write --extra NAME=VALUE, or NAME alone")
    if equals:
        return name, value
    variable = _EXTRA_ENV + name.upper()
    if variable not in os.environ:
        raise ConfigError(f"--extra {name}: the environment variable {variable} is not set")
    return name, os.environ[variable]


def key_id_of(scheme: Scheme, key_id: str | None) -> str:
    """The key id of whoever signs: where the scheme sends none it is the scheme's name. Raises click.UsageError."""
    if not scheme.sends_key_id:
        if key_id not in (None, scheme.name):
            say(f"undersign: {printable(scheme.name)} sends no key id, so --key-id is its own name whatever is given")
        return scheme.name
    if key_id is None:
        raise click.UsageError("Missing option '--key-id'.")
    return key_id


def build_schemes(names: Sequence[str], recipes: Sequence[Path], options: Sequence[str]) -> list[Scheme]:
    """The schemes of these names and the recipes in these files, with their `-o` options. Raises ConfigError."""
    known = scheme_names()
    for name in names:
        if name not in known:
            build_scheme(name)  # raises, with what may have been meant
    files: dict[str, Path] = {}
    for path in dict.fromkeys(recipes):
        recipe = load_recipe(path)
        if recipe.name in names or recipe.name in files:
            where = files.get(recipe.name, "--scheme")
            raise ConfigError(f"{path}: name is {recipe.name!r}, as that of {where} is: give the recipe another name")
        files[recipe.name] = path
    names = list(dict.fromkeys(names))
    given = _by_scheme([*names, *files], options)
    return [
        *(
            build_scheme(name, {key: parse_option(name, key, text) for key, text in given[name].items()})
            for name in names
        ),
        *(load_recipe(path, given[name]) for name, path in files.items()),
    ]


def _by_scheme(names: Sequence[str], options: Sequence[str]) -> dict[str, dict[str, str]]:
    """The `-o` options by the name of their scheme: text by option."""
    given: dict[str, dict[str, str]] = {name: {} for name in names}
    for option in options:
        left, equals, text = option.partition("=")
        if not equals:
            raise ConfigError(f"-o {left}: write -o OPTION=VALUE")
        # Names of recipes may hold dots themselves.
        name = max((name for name in names if left.startswith(f"{name}.")), key=len, default="")
        if name:
            given[name][left[len(name) + 1 :]] = text
        elif "." in left:
            prefix = left.partition(".")[0]
            meant = did_you_mean(prefix, names)
            raise ConfigError(f"-o {left}: {prefix!r} is not in use{meant}; {', '.join(names)} are")
        elif len(names) > 1:
            raise ConfigError(f"-o {left}: say of which scheme it is an option, as in -o {names[0]}.{left}=…")
        else:
            given[names[0]][left] = text
    return given
