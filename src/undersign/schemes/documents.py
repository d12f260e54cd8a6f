"""Recipes from files, in TOML or JSON, and with some of their fields changed."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.bounded import read_whole
from ..core.grammar import did_you_mean
from ..core.text import decoded
from ..errors import ConfigError
from ..recipe import CALLED_OTHERWISE, Recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["load_recipe"]

_KINDS = {"str": "text", "str | None": "text", "bool": "boolean", "bool | None": "boolean", "Window | None": "window"}
_TABLES = ("headers", "query", "form", "query-or-form")
_WIDEST = 80
_LARGEST = 1024 * 1024  # bytes of a file
_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_WINDOW = "window is PAST,FUTURE in seconds, such as 300,60, or false where there is no time"


def load_recipe(path: str | Path, changed: Mapping[str, str] | None = None) -> Recipe:
    """The recipe in a file, which is TOML or JSON by its suffix, else by its content.

    `changed` are fields in the place of those of the file, by their names, each written as text: booleans are `true`
    and `false`, a window is `PAST,FUTURE` or `false`; lists and tables are changed in the file alone. Raises
    ConfigError, which names file, field and remedy, for a file that cannot be read and for whatever is wrong with the
    recipe.
    """
    path = Path(path)
    try:
        document = _document(path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    try:
        recipe = Recipe.from_mapping(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not changed:
        return recipe
    try:
        values = {name: _value(name, text) for name, text in changed.items()}
        return Recipe.from_mapping({**recipe.as_mapping(), **values})
    except ConfigError as error:
        raise ConfigError(f"{path}, changed in {' and '.join(changed)}: {error}") from None


def recipe_of(text: str) -> Recipe:
    """The recipe that a text holds, in TOML or in JSON, which begins with {.

    Raises ConfigError, which names field and remedy, for a text that is neither and for whatever is wrong with it.
    """
    return Recipe.from_mapping(_parsed(text, is_json=text.lstrip()[:1] == "{"))


def recipe_in_toml(recipe: Recipe) -> str:
    """The recipe as a file in TOML holds it, without what is said by default: fields, then tables of templates. Ends
    in a newline."""
    fields: list[str] = []
    tables: list[str] = []
    for name, value in recipe.as_mapping().items():
        if name in _TABLES:
            tables += ["", f"[{name}]", *(f"{_key(carrier)} = {_toml(text)}" for carrier, text in value.items())]
        else:
            fields.append(f"{name} = {_toml(value)}")
            if name == "parts" and len(fields[-1]) > _WIDEST:
                fields[-1] = "\n".join([f"{name} = [", *(f"    {_toml(part)}," for part in value), "]"])
    return "\n".join([*fields, *tables, ""])


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # Texts, numbers and booleans are written as JSON does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _toml(name)


def _document(path: Path) -> Mapping[str, Any]:
    try:
        text = decoded(read_whole(path, _LARGEST, "a recipe"))
    except UnicodeDecodeError:
        raise ConfigError("a recipe is text in UTF-8: save it so") from None
    suffix = path.suffix.lower()
    return _parsed(text, is_json=suffix == ".json" or (suffix != ".toml" and text.lstrip()[:1] == "{"))


def _parsed(text: str, *, is_json: bool) -> Mapping[str, Any]:
    try:
        if not is_json:
            return tomllib.loads(text)
        document = json.loads(text, object_pairs_hook=_table)
    except RecursionError:
        raise ConfigError("its tables and lists are nested too deeply for a recipe") from None
    except ValueError as error:
        raise ConfigError(f"it is not {'JSON' if is_json else 'TOML'}: {error}") from None
    if not isinstance(document, Mapping):
        raise ConfigError("a recipe is one object with name, parts, mac and so on")
    return document


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, whose names TOML would not let stand twice either."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ConfigError(f"it names {name!r} twice: leave one of them")
        found[name] = value
    return found


def _value(name: str, text: str) -> Any:
    kinds = {field.name: _KINDS.get(str(field.type), "") for field in dataclasses.fields(Recipe) if field.init}
    if name.replace("-", "_") in kinds and not kinds.get(name):
        raise ConfigError(f"{name} is a list or a table: change it in the file")
    if name not in kinds:
        known = [known for known, kind in kinds.items() if kind]
        meant = did_you_mean(name, known, CALLED_OTHERWISE)
        raise ConfigError(f"a recipe has no field {name!r}{meant}: change {', '.join(known)}")
    if kinds[name] == "text":
        return text
    if text.lower() in ("true", "false") and (kinds[name] == "boolean" or text.lower() == "false"):
        return text.lower() == "true"
    if kinds[name] == "boolean":
        raise ConfigError(f"{name} is true or false")
    past, _, future = text.partition(",")
    try:
        return {"past": int(past), "future": int(future)}
    except ValueError:
        raise ConfigError(_WINDOW) from None
