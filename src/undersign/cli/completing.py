"""What a shell offers where Tab is pressed behind an option: the names that are there now."""

from __future__ import annotations

import click

from ..errors import UndersignError


def complete_schemes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The schemes that begin so."""
    from ..registry import scheme_names

    return [name for name in scheme_names() if name.startswith(incomplete)]


def complete_profiles(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The profiles that begin so, in the file that `--config` names, where it stands in front; none where there is no
    such file."""
    from ..profiles import config_file
    from ..profiles.reading import Profiles, read_profiles

    try:
        profiles = read_profiles(config_file(context.params.get("config")))
    except UndersignError:
        return []
    names = profiles.names if isinstance(profiles, Profiles) else []
    return [name for name in names if name.startswith(incomplete) and name.isprintable()]  # an offer is a line
