"""From the file to profiles: every key is known and in form, or there is a sentence about it with its line."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from ..core.credentials import parse_origin
from ..core.grammar import CONTROL_BUT_TAB, did_you_mean
from ..errors import ConfigError
from ..registry import scheme_names
from ..scheme import Scheme
from .document import Document, Problem, parse_document, place_of, read_document
from .profile import Profile, SchemeChoice
from .sources import (
    FromCommand,
    FromEnvironment,
    FromFile,
    FromKeyring,
    FromProfile,
    Source,
    is_private,
)
from .where import config_file, expanded

SECRET_KEYS = ("secret-env", "secret-file", "secret-command", "secret-keyring", "secret")
KEYS = ("scheme", "recipe", "key-id", *SECRET_KEYS, "origins", "extras", "options")
_EXTRA_KEYS = ("env", "file", "command", "keyring")
_T = TypeVar("_T")


class Profiles:
    """The profiles of a file. Each is looked at when it is asked for, so that one with a mistake spoils no other."""

    def __init__(self, document: Document, tables: Mapping[str, object]) -> None:
        self.file = document.file
        self._document = document
        self._tables = tables

    @property
    def names(self) -> list[str]:
        """The names of all, as they stand in the file."""
        return list(self._tables)

    def scheme_of(self, name: str) -> str:
        """What a profile says of its scheme, right or wrong, for a list."""
        table = self._tables[name]
        found = cast("Mapping[str, object]", table) if isinstance(table, Mapping) else {}
        return str(found.get("scheme") or found.get("recipe") or "")

    def profile(self, name: str) -> Profile | list[Problem]:
        """The profile of that name, or all that is wrong with it."""
        if name not in self._tables:
            having = f"it has {', '.join(self.names)}" if self._tables else "it has none"
            sentence = f"there is no profile {name!r}{did_you_mean(name, self.names)}; {having}"
            return [Problem(self.file, 0, "", sentence)]
        return _Reader(self._document, name, self._tables[name]).profile()


def read_profiles(file: Path) -> Profiles | Problem:
    """The profiles of that file, or what is wrong with all of it."""
    document = read_document(file)
    if isinstance(document, Problem):
        return document
    if _others_may_write(file):
        sentence = f"every user of this machine may write it, and name commands in it: chmod o-w {file}"
        return Problem(file, 0, "", sentence)
    return _profiles_in(document)


def find_profile(name: str, config: str | Path | None = None) -> Profile | ConfigError:
    """The profile of that name, or what is wrong: returned, so that no frame which raises holds the file."""
    profiles = read_profiles(config_file(config))
    if isinstance(profiles, Problem):
        return profiles.as_error()
    found = profiles.profile(name)
    return found[0].as_error() if isinstance(found, list) else found


def profiles_of(file: Path, text: str) -> Profiles | Problem:
    """The profiles of a text that is to be written into that file."""
    document = parse_document(file, text)
    return document if isinstance(document, Problem) else _profiles_in(document)


def _profiles_in(document: Document) -> Profiles | Problem:
    file = document.file
    for name, value in document.content.items():
        if name != "profiles" and isinstance(value, Mapping):
            return document.problem(
                [name], f"this table is none of ours{did_you_mean(name, ['profiles'])}: write [profiles.NAME]"
            )
        if name != "profiles":
            return Problem(file, document.line_of([name]), name, "it stands in no table: write [profiles.NAME] above")
    tables = document.content.get("profiles", {})
    if not isinstance(tables, Mapping):
        return document.problem(["profiles"], "profiles is a table: write [profiles.NAME]")
    for name, table in cast("Mapping[str, object]", tables).items():
        if not isinstance(table, Mapping):
            return document.problem(["profiles", name], "the name of the profile is missing: write [profiles.NAME]")
    return Profiles(document, cast("Mapping[str, object]", tables))


class _Reader:
    """One profile being read: each method returns what it has read, or None where it has noted a problem."""

    def __init__(self, document: Document, name: str, table: object) -> None:
        self._document = document
        self._name = name
        self._table = cast("Mapping[str, Any]", table)
        self._problems: list[Problem] = []
        self._misspelt = set[str]()  # keys that are there under another name

    def profile(self) -> Profile | list[Problem]:
        self._check_keys()
        choice, scheme = self._scheme()
        key_id = self._key_id(scheme)
        secret_source = self._secret(key_id or "")
        origins = self._origins()
        extras = self._extras(scheme, key_id or "")
        if self._problems or choice is None or scheme is None:
            return sorted(self._problems, key=lambda problem: problem.line)
        return Profile(
            self._name, self._document.file, scheme, key_id or scheme.name, origins, choice, secret_source, extras
        )

    def _note(self, sentence: str, *keys: str) -> None:
        there = ["profiles", self._name]
        for key in keys:
            if not self._document.line_of([*there, key]):
                break
            there.append(key)
        self._problems.append(self._document.problem(["profiles", self._name, *keys], sentence, at=there))

    def _check_keys(self) -> None:
        for key, value in self._table.items():
            if key in KEYS:
                continue
            meant = did_you_mean(key, KEYS)
            self._misspelt |= {known for known in KEYS if repr(known) in meant}
            if isinstance(value, Mapping) and not meant:
                self._note('a profile has no such table; quote names that hold a dot, as in [profiles."a.b"]', key)
            else:
                self._note(f"a profile has no such key{meant or '; it has ' + ', '.join(KEYS)}", key)

    def _of(self, key: str, kind: type[_T], words: str) -> _T | None:
        """The value of a key, where it is there and of that kind."""
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or not value:
            self._note(f"it is {words}", key)
            return None
        return value

    def _scheme(self) -> tuple[SchemeChoice | None, Scheme | None]:
        name = self._of("scheme", str, 'the name of a scheme, as in scheme = "gotom"')
        recipe = self._of("recipe", str, 'the file of a recipe, as in recipe = "my-api.toml"')
        options = self._of_table("options")
        if name and recipe:
            self._note("it and scheme exclude each other: leave one of them out", "recipe")
            return None, None
        if not name and not recipe:
            if not {"scheme", "recipe"} & {*self._table, *self._misspelt}:
                self._note('it has no scheme: write scheme = "gotom", or recipe = "FILE"')
            return None, None
        if name is not None and name not in scheme_names():
            meant = did_you_mean(name, scheme_names())
            self._note(f"there is no scheme {name!r}{meant}; undersign schemes lists all", "scheme")
            return None, None
        choice = SchemeChoice(name or "", None if recipe is None else self._path(recipe), options)
        try:
            return choice, choice.build()
        except ConfigError as error:
            if options and _builds(SchemeChoice(choice.name, choice.recipe)):
                wrong = [key for key, value in options.items() if not _builds(_with(choice, {key: value}))]
                self._note(str(error), "options", *wrong[:1])
            else:
                self._note(str(error), "scheme" if recipe is None else "recipe")
            return None, None

    def _key_id(self, scheme: Scheme | None) -> str | None:
        key_id = self._of("key-id", str, 'text, as in key-id = "me"')
        if key_id is not None and CONTROL_BUT_TAB.search(key_id):
            self._note("it holds a control character: remove it", "key-id")
        if scheme is None or not scheme.sends_key_id:
            return None if scheme is None else scheme.name
        if "key-id" not in {*self._table, *self._misspelt}:
            self._note('who signs is missing: write key-id = "…"', "key-id")
        return key_id

    def _secret(self, key_id: str) -> Source | None:
        given = [key for key in SECRET_KEYS if key in self._table]
        if len(given) > 1:
            self._note(f"it and {given[0]} exclude each other: leave one of them out", given[1])
        for key in given[:1]:
            return self._source(self._table[key], key.removeprefix("secret-"), key_id, (key,), key)
        return None

    def _source(self, value: object, kind: str, key_id: str, keys: tuple[str, ...], called: str) -> Source | None:
        """The place that a key names; what kind of place it is, is a part of the key's name."""
        if kind == "command":
            words = cast("list[object]", value) if isinstance(value, list) else []
            if words and words[0] and all(isinstance(word, str) and "\0" not in word for word in words):
                return FromCommand(tuple(cast("list[str]", words)), called)
            self._note('it is a list of words, run without a shell, as in ["pass", "show", "demo"]', *keys)
        elif kind == "keyring":
            named = {"service": value, "user": key_id} if isinstance(value, str) else value
            if isinstance(named, Mapping) and set(cast("Mapping[str, object]", named)) == {"service", "user"}:
                service, user = named["service"], named["user"]
                if isinstance(service, str) and isinstance(user, str) and service:
                    return FromKeyring(service, user, called)
            self._note('it is the name of a service, or a table: { service = "…", user = "…" }', *keys)
        elif not isinstance(value, str) or not value or (kind == "env" and ("=" in value or "\0" in value)):
            what = {"env": "the name of an environment variable", "file": "the name of a file"}.get(kind, "text")
            self._note(f"it is {what}, and not empty", *keys)
        elif kind == "env":
            return FromEnvironment(value, called)
        elif kind == "file":
            return FromFile(self._path(value), called)
        elif not is_private(self._document.file):
            remedy = f"{called} = {{ env = … }}" if keys[0] == "extras" else "secret-env"
            self._note(
                f"it stands in a file that others may read: chmod 600 {self._document.file}, or keep it elsewhere, "
                f"as with {remedy}",
                *keys,
            )
        else:
            return FromProfile(self._document.file, ("profiles", self._name, *keys), called)
        return None

    def _origins(self) -> tuple[str, ...]:
        origins = self._of("origins", list, 'a list, as in origins = ["https://api.example.com"]')
        parsed: list[str] = []
        for origin in cast("list[object]", origins or []):
            try:
                if not isinstance(origin, str):
                    raise ConfigError('each is text, as in origins = ["https://api.example.com"]')
                parsed.append(parse_origin(origin))
            except ConfigError as error:
                self._note(str(error), "origins")
        return tuple(dict.fromkeys(parsed))

    def _extras(self, scheme: Scheme | None, key_id: str) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for name, value in self._of_table("extras").items():
            known = () if scheme is None else (*scheme.extras, *scheme.optional_extras)
            if scheme is not None and name not in known:
                having = f"it sends {', '.join(known)}" if known else "it sends none"
                meant = did_you_mean(name, known)
                self._note(f"{scheme.name} sends no such value{meant}; {having}", "extras", name)
                continue
            source = self._extra(name, value, key_id)
            if source is not None:
                found[name] = source
        return found

    def _extra(self, name: str, value: object, key_id: str) -> Source | None:
        called = f"extras.{name}"
        if not isinstance(value, Mapping):
            return self._source(value, "", key_id, ("extras", name), called)
        table = cast("Mapping[str, object]", value)
        if len(table) != 1 or not set(table) <= set(_EXTRA_KEYS):
            self._note('it is text, or names its place: { env = "…" }, or file, command or keyring', "extras", name)
            return None
        [(kind, place)] = table.items()
        return self._source(place, kind, key_id, ("extras", name), called)

    def _of_table(self, key: str) -> Mapping[str, Any]:
        value = self._table.get(key, {})
        if isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value)
        self._note(f"it is a table: write [{place_of(['profiles', self._name])[1:-1]}.{key}]", key)
        return {}

    def _path(self, name: str) -> Path:
        """A path as it is meant in the file: from the folder that the file is in."""
        return self._document.file.parent / expanded(name)


def _builds(choice: SchemeChoice) -> bool:
    try:
        choice.build()
    except ConfigError:
        return False
    return True


def _with(choice: SchemeChoice, options: Mapping[str, Any]) -> SchemeChoice:
    return SchemeChoice(choice.name, choice.recipe, options)


def _others_may_write(file: Path) -> bool:
    try:
        mode = file.stat().st_mode
        return os.name == "posix" and bool(mode & stat.S_IWOTH) and not stat.S_ISCHR(mode)  # such as /dev/null
    except OSError:
        return False
