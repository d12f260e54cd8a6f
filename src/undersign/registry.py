"""Schemes by name: the built-in ones, and those that other distributions announce.

A distribution announces a scheme with an entry point in the group `undersign.schemes`: its name is the scheme's,
its object the scheme class (or any callable that takes the options as keywords).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from .clock import Window
from .errors import ConfigError
from .scheme import Scheme
from .schemes import GoGrid, GoTom, HttpHmac, KeyedTimestamp

GROUP = "undersign.schemes"

_BUILT_IN: dict[str, Callable[..., Scheme]] = {
    "gotom": GoTom,
    "gogrid": GoGrid,
    "http-hmac": HttpHmac,
    "keyed-timestamp": KeyedTimestamp,
}


def scheme_names() -> list[str]:
    """The names of all schemes that are there, built-in ones first."""
    return [*_BUILT_IN, *sorted(set(_announced()) - set(_BUILT_IN))]


def build_scheme(name: str, options: Mapping[str, Any] | None = None) -> Scheme:
    """The scheme of that name with its options, as JSON gives them.

    A list serves where the option is a tuple or a set, `{"past": …, "future": …}` where it is a window. Raises
    ConfigError for an unknown name or option, with the one that may have been meant, and for an option that cannot
    work.
    """
    factory = _factory(name)
    known = option_types(name)
    given = dict(options or {})
    for option in given:
        if option not in known:
            raise ConfigError(f"{name} has no option {option!r}{_meant(option, known)}; it has {', '.join(known)}")
    if name == "keyed-timestamp":
        given.setdefault("name", name)
    needed = [field.name for field in _fields(factory) if _is_required(field) and field.name not in given]
    if needed:
        raise ConfigError(f"{name} needs the option {' and '.join(needed)}")
    return factory(**{option: _from_json(option, value, known[option]) for option, value in given.items()})


def option_types(name: str) -> dict[str, Any]:
    """The options of the scheme of that name, with their types."""
    factory = _factory(name)
    hints = get_type_hints(factory)
    return {field.name: hints[field.name] for field in _fields(factory)}


def _fields(factory: Callable[..., Scheme]) -> list[dataclasses.Field[Any]]:
    if not isinstance(factory, type) or not dataclasses.is_dataclass(factory):
        return []
    return [field for field in dataclasses.fields(factory) if field.init]


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _factory(name: str) -> Callable[..., Scheme]:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    announced = _announced()
    if name not in announced:
        names = scheme_names()
        raise ConfigError(f"there is no scheme {name!r}{_meant(name, names)}; there are {', '.join(names)}")
    factory: Callable[..., Scheme] = announced[name].load()
    return factory


def _announced() -> dict[str, Any]:
    from importlib.metadata import entry_points  # slow to import, and needed for third-party schemes alone

    return {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}


def _meant(word: str, known: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _from_json(option: str, value: Any, kind: Any) -> Any:
    if kind is Window:
        if not isinstance(value, Mapping) or set(value) != {"past", "future"}:
            raise ConfigError(f'{option} is a window: write {{"past": 600, "future": 600}}')
        return Window(**value)
    container = get_origin(kind)
    if container in (tuple, frozenset):
        if not isinstance(value, (list, tuple, set, frozenset)) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{option} is a list of texts")
        return container(value)
    if kind is bool and not isinstance(value, bool):
        raise ConfigError(f"{option} is true or false")
    allowed = (str,) if kind is str else tuple(type(choice) for choice in get_args(kind) if isinstance(choice, str))
    if allowed and not isinstance(value, allowed):
        raise ConfigError(f"{option} is text")
    return value
