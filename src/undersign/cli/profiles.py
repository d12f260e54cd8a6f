"""`undersign profiles`: the profiles that are there, what is wrong with them, a new one, and one that is taken out.

`add` and `remove` keep the file as it is but for the one table, comments too. What `add` would write is read first, as
any profile is, so that nothing goes into the file which could not be used.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..core.credentials import Secret
from ..core.text import one_line, printable
from ..errors import ConfigError
from ..profiles import Profile, config_file
from ..profiles.document import Problem, place_of
from ..profiles.reading import Profiles, profiles_of, read_profiles
from ..profiles.sources import FromKeyring, FromProfile, Source
from .choosing import config_option
from .completing import complete_profiles, complete_schemes
from .files import FileName
from .groups import Group
from .next_step import white_space_of
from .options import Command
from .output import painted, say
from .profiles_file import read_file, save, with_profile, without_profile
from .width import fitted, table

_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


class _ListCommand(Command):
    instead = "undersign profiles list takes none"


class _AddCommand(Command):
    instead = "the name of the profile is the only one"


class _RemoveCommand(Command):
    instead = "one profile is removed at a time"


@click.group(cls=Group)
def profiles() -> None:
    """List, check, add or remove profiles: scheme, key id, place of the secret, origins, extras and options by name.

    They stand in ~/.config/undersign/config.toml, or in the file that --config or UNDERSIGN_CONFIG names.
    """


@profiles.command("list", cls=_ListCommand, short_help="Print the profiles and where their secrets are.")
@config_option
@_json
def list_(config: Path | None, as_json: bool) -> None:
    """Print the profiles with scheme, key id and the place of the secret, which itself is not read."""
    found = read_file(config_file(config))
    rows = [(name, found.profile(name)) for name in found.names]
    if as_json:
        click.echo(json.dumps([_as_json(name, found, profile) for name, profile in rows]))
        return
    if not rows:
        say(f"undersign: {found.file} holds no profile: undersign profiles add NAME writes one")
    lines = [_columns(name, found, profile) for name, profile in rows]
    for line in table(lines):
        click.echo(line)


@profiles.command(cls=Command, short_help="Say what is wrong with profiles.")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_profiles)
@config_option
@_json
def check(names: Sequence[str], config: Path | None, as_json: bool) -> int:
    """Say of each profile, or of these, whether it can be used and its secret be had: exit 0, or 1 and what is wrong.

    The secret is looked up, so a secret-command runs; it is not shown.
    """
    file = config_file(config)
    found = read_profiles(file)
    if isinstance(found, Problem) and not file.exists():
        raise found.as_error()
    if isinstance(found, Problem):
        checked: dict[str, tuple[list[str], list[str]]] = {"": ([str(found)], [])}
    else:
        checked = {name: _check(found, name) for name in dict.fromkeys(names or found.names)}
    is_fine = not any(problems for problems, _ in checked.values())
    if as_json:
        shown = [
            {"name": name or None, "problems": problems, "warnings": risks}
            for name, (problems, risks) in checked.items()
        ]
        click.echo(json.dumps(shown))
        return 0 if is_fine else 1
    if not checked:
        say(f"undersign: {file} holds no profile: undersign profiles add NAME writes one")
    for name, (problems, risks) in checked.items():
        for problem in problems:
            click.echo(fitted(f"{painted('wrong', fg='red')}: {one_line(problem)}"))
        for risk in risks:
            click.echo(fitted(f"{painted('warning', fg='yellow')}: {one_line(risk)}"))
        if not problems:
            click.echo(f"{painted('ok', fg='green')}: {printable(name)}")
    return 0 if is_fine else 1


@profiles.command(
    cls=_AddCommand,
    short_help="Write a new profile.",
    epilog="\b\nExample:\n  undersign profiles add demo --scheme gotom --key-id me \\\n"
    "    --secret-env DEMO_SECRET --origin https://demo.gotom.io",
)
@click.argument("name")
@click.option("--scheme", metavar="NAME", shell_complete=complete_schemes, help="The scheme: see undersign schemes.")
@click.option("--recipe", metavar="FILE", type=FileName(), help="The scheme as a recipe.")
@click.option("-o", "options", metavar="OPTION=VALUE", multiple=True, help="An option of the scheme; repeatable.")
@click.option("--key-id", metavar="ID", help="Who signs.")
@click.option("--secret-env", metavar="NAME", help="The environment variable that holds the secret.")
@click.option("--secret-file", metavar="FILE", type=FileName(dir_okay=True), help="The file that holds the secret.")
@click.option(
    "--secret-command", metavar="'WORDS'", help="The command that prints the secret; it runs without a shell."
)
@click.option("--secret-keyring", metavar="SERVICE", help="The service whose password in the keyring is the secret.")
@click.option(
    "--origin", "origins", metavar="ORIGIN", multiple=True, help="Where it may go; repeatable.  [default: anywhere]"
)
@click.option(
    "--extra-env", "extras", metavar="NAME=VARIABLE", multiple=True, help="An extra, and the variable that holds it."
)
@click.option("--replace", is_flag=True, help="Take the place of the profile that has this name.")
@config_option
def add(
    name: str,
    scheme: str | None,
    recipe: Path | None,
    options: Sequence[str],
    key_id: str | None,
    secret_env: str | None,
    secret_file: Path | None,
    secret_command: str | None,
    secret_keyring: str | None,
    origins: Sequence[str],
    extras: Sequence[str],
    replace: bool,
    config: Path | None,
) -> None:
    """Write a profile into the file, which is made where it is not there; comments and all else in it stay.

    The secret itself is never written: name its place.
    """
    table: dict[str, Any] = {
        "scheme": scheme,
        "recipe": None if recipe is None else str(recipe.absolute()),
        "key-id": key_id,
        "secret-env": secret_env,
        "secret-file": None if secret_file is None else str(secret_file.absolute()),
        "secret-command": None if secret_command is None else _words(secret_command),
        "secret-keyring": secret_keyring,
        "origins": list(origins) or None,
        "options": _pairs("-o", options) or None,
        "extras": {extra: {"env": place} for extra, place in _pairs("--extra-env", extras).items()} or None,
    }
    if not name or not name.isprintable():
        raise ConfigError("the name of a profile is text without control characters, and not empty")
    file = config_file(config)
    text = with_profile(file, name, {key: value for key, value in table.items() if value is not None}, replace=replace)
    found = profiles_of(file, text)
    problems = [found] if isinstance(found, Problem) else found.profile(name)
    if not isinstance(problems, Profile):
        raise ConfigError("; ".join(f"{problem.place}: {problem.sentence}" for problem in problems))
    save(file, text)
    click.echo(f"{file}: [profiles.{name}]")
    if problems.secret_source is None:
        say("undersign: it names no place of a secret, so UNDERSIGN_SECRET or a prompt is asked: see --secret-env")
    is_at_hand = secret_env is not None or secret_file is not None  # as extras are, whose places are variables
    for problem in _problems_of((problems.secret, problems.extra) if is_at_hand else (problems.extra,)):
        say(f"undersign: it cannot be used so far: {one_line(problem)}")
    if not problems.origins:
        say("undersign: it names no origins, so it signs for any: see --origin")


@profiles.command(
    cls=_RemoveCommand,
    short_help="Take a profile out of the file.",
    epilog="\b\nExample: undersign profiles remove demo",
)
@click.argument("name", shell_complete=complete_profiles)
@config_option
def remove(name: str, config: Path | None) -> None:
    """Take a profile out of the file; comments between profiles and all else in it stay.

    A secret in the keyring, in a file of its own or in a variable stays there, and it is said where. One that stands in
    the profile itself goes with it.
    """
    file = config_file(config)
    found = read_file(file)
    profile = found.profile(name)
    if name not in found.names:
        raise ConfigError("; ".join(map(str, profile if isinstance(profile, list) else [])))
    save(file, without_profile(file, name))
    click.echo(f"{file}: [profiles.{printable(name)}] removed")
    if not isinstance(profile, Profile):
        say("undersign: it could not be used; a secret that it named stays where it is")
        return
    for source in (profile.secret_source, *profile.extra_sources.values()):
        if source is not None:
            say(f"undersign: {_left(source)}")


def _left(source: Source) -> str:
    """What becomes of a secret whose profile is removed."""
    if isinstance(source, FromProfile):
        return "the secret stood in the profile, and is gone with it"
    if isinstance(source, FromKeyring):
        words = shlex.join(["keyring", "del", source.service, source.user])
        return f"the secret stays in {source}: {printable(words)} deletes it"
    return f"the secret stays in {source}"


def _columns(name: str, found: Profiles, profile: Profile | list[Problem]) -> tuple[str, str, str, str]:
    if isinstance(profile, Profile):
        scheme = profile.choice.name or f"{profile.scheme.name} ({profile.choice.recipe})"
        place = "UNDERSIGN_SECRET or a prompt" if profile.secret_source is None else str(profile.secret_source)
        return printable(name), printable(scheme), printable(profile.key_id), printable(f"secret from {place}")
    told = f"cannot be used: undersign profiles check {shlex.quote(name)}"
    return printable(name), printable(found.scheme_of(name)), "", printable(told)


def _as_json(name: str, found: Profiles, profile: Profile | list[Problem]) -> Mapping[str, object]:
    if not isinstance(profile, Profile):
        return {"name": name, "scheme": found.scheme_of(name), "problems": [str(problem) for problem in profile]}
    return {
        "name": name,
        "scheme": profile.scheme.name,
        "key_id": profile.key_id,
        "secret_from": None if profile.secret_source is None else str(profile.secret_source),
        "origins": profile.origins,
    }


def _check(found: Profiles, name: str) -> tuple[list[str], list[str]]:
    """What is wrong with a profile, and what is risky."""
    profile = found.profile(name)
    if not isinstance(profile, Profile):
        return [str(problem) for problem in profile], []
    odd: list[str] = []
    problems = _problems_of((lambda: odd.extend(_odd(name, profile.key_id, profile.secret())), profile.extra))
    return problems, [*profile.risks, *odd]


def _problems_of(looks: Iterable[Callable[[], object]]) -> list[str]:
    """What each of them raises."""
    problems: list[str] = []
    for look in looks:
        try:
            look()
        except ConfigError as error:
            problems.append(str(error))
    return problems


def _odd(name: str, key_id: str, secret: Secret) -> list[str]:
    """What of a credential may not belong to it, such as the second line that a command prints. All of it is used."""
    several = ["the secret has several lines"] if b"\n" in secret.reveal().strip() else []
    odd = [*white_space_of(key_id, secret), *several]
    place = printable(place_of(("profiles", name)))
    return [f"{place} {said}: see whether that belongs to it" for said in odd]


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        raise ConfigError("--secret-command: a quotation mark is not closed") from None


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise ConfigError(f"{option} {name}: write {option} NAME=VALUE")
        pairs[name] = value
    return pairs
