"""The file of profiles with one more in it, or one less: the rest of its text stays as people have written it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.text import decoded
from ..errors import ConfigError
from ..profiles.document import Problem
from ..profiles.reading import Profiles, read_profiles
from .output import replacing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_file(file: Path) -> Profiles:
    """The profiles of the file. Raises ConfigError where it is not there, or where no profile of it can be read."""
    found = read_profiles(file)
    if isinstance(found, Problem):
        raise found.as_error()
    return found


def save(file: Path, text: str) -> None:
    """Put the text in the place of the file's, whose mode stays; a new one is for its owner alone. Raises ConfigError
    for what is no text."""
    try:
        content = text.encode()
    except UnicodeEncodeError:  # it has come as bytes that are no text in the locale's encoding
        raise ConfigError(f"{file} is in UTF-8, and an argument is no text in the encoding of the locale") from None
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(file, mode=None if file.exists() else 0o600) as stream:
        stream.write(content)


def with_profile(file: Path, name: str, table: Mapping[str, Any], *, replace: bool) -> str:
    """The text of the file with this profile in it. Raises ConfigError where it has one of that name, unless that is to
    be replaced."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    before = _text_of(file)
    try:
        document = tomlkit.parse(before)
        tables = document.setdefault("profiles", tomlkit.table(is_super_table=True))
        if name in tables and not replace:
            raise ConfigError(f"{file} has a profile {name!r} already: --replace takes its place")
        tables[name] = dict(table)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError, ValueError):
        raise ConfigError(f"{file} cannot be added to: write [profiles.{name}] into it by hand") from None


def without_profile(file: Path, name: str) -> str:
    """The text of the file without this profile, which is in it. Raises ConfigError where it cannot be taken out."""
    before = _text_of(file)
    left: dict[str, Any] = tomllib.loads(before)
    del left["profiles"][name]
    for after in (_without_tables(before, name), _without_key(before, name)):
        if _is(after, left):
            return after
    raise ConfigError(f"{file} cannot be changed: take [profiles.{name}] out of it by hand")


def _without_tables(text: str, name: str) -> str:
    """Without the tables that begin with a line such as [profiles.NAME]. What stands behind their last key stays: it is
    about what follows."""
    kept: list[str] = []
    held: list[str] = []  # of the profile, what may be behind its last key
    inside = False
    for line in re.findall("[^\n]*\n|[^\n]+", text):
        if line.lstrip().startswith("["):
            kept += held
            held = []
            inside = _is_of(line, name)
        if not inside:
            kept.append(line)
        elif line.strip() and not line.lstrip().startswith("#"):
            held = []
        elif held or line.strip() or (kept and kept[-1].strip()):
            held.append(line)
    return "".join(kept + held)


def _is_of(line: str, name: str) -> bool:
    """Whether the line begins a table of the profile. One within a value of several lines is none, or tells later."""
    try:
        found: Any = tomllib.loads(line)
    except ValueError:
        return False
    tables = found.get("profiles")
    return isinstance(tables, Mapping) and name in tables


def _without_key(text: str, name: str) -> str:
    """Without the key of the profile, where it is an inline table or is written with dots."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        tables: Any = document["profiles"]
        del tables[name]
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError, ValueError, LookupError):
        return text


def _is(text: str, content: Mapping[str, Any]) -> bool:
    """Whether that is what the text holds; a table of no profiles may be left out."""
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except ValueError:
        return False
    return {"profiles": {}, **found} == content


def _text_of(file: Path) -> str:
    """What the file holds now, which has to be in form as far as all profiles are concerned."""
    if not file.exists():
        return ""
    read_file(file)
    return decoded(file.read_bytes())
