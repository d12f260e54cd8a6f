"""Schemes by name: the built-in ones, and those that other distributions announce.

A distribution announces a scheme with an entry point in the group `undersign.schemes`: its name is the scheme's,
its object the scheme class (or any callable that takes the options as keywords).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args, get_origin, get_type_hints

from .core.dates import Window
from .core.grammar import did_you_mean
from .errors import ConfigError
from .scheme import Scheme
from .schemes import GoGrid, GoTom, HttpHmac, KeyedTimestamp, presets
from .schemes.options import alternatives, is_list

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

__all__ = ["build_scheme", "option_types", "parse_option", "scheme_names", "schemes_described"]

GROUP = "undersign.schemes"

_BUILT_IN: dict[str, Callable[..., Scheme]] = {
    "gotom": GoTom,
    "gogrid": GoGrid,
    "http-hmac": HttpHmac,
    "keyed-timestamp": KeyedTimestamp,
}


def scheme_names() -> list[str]:
    """The names of all schemes that are there, built-in ones first."""
    own = [*_BUILT_IN, *presets.names()]
    return [*own, *sorted(set(_announced()) - set(own))]


def schemes_described(*, with_presets: bool = True) -> list[tuple[str, str]]:
    """The names of all schemes that are there, each with a sentence: what it is, or why it cannot be used.

    Loads what other distributions announce, and says from which it comes; and every preset, unless they are left out.
    """
    announced = _announced()
    own = presets.names()
    others = sorted(set(announced) - set(_BUILT_IN) - set(own))
    return [
        *((name, _sentence(factory)) for name, factory in _BUILT_IN.items()),
        *((name, presets.described(name).sentence) for name in own if with_presets),
        *((name, _described(name, announced[name])) for name in others),
    ]


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
        _check_option(name, option, known)
    if name == "keyed-timestamp":
        given.setdefault("name", name)
    needed = [option for option in _required(factory) if option not in given]
    if needed:
        raise ConfigError(f"{name} needs the option {' and '.join(needed)}")
    scheme: object = factory(**{option: _from_json(option, value, known[option]) for option, value in given.items()})
    if not isinstance(scheme, Scheme):
        raise ConfigError(f"the scheme {name!r} is announced as something that makes no undersign.Scheme")
    return scheme


def option_types(name: str) -> dict[str, Any]:
    """The options of the scheme of that name, with their types."""
    factory = _factory(name)
    names = [field.name for field in _fields(factory)] or list(_keywords(factory))
    hints = _hints(factory)
    return {option: hints.get(option, Any) for option in names}


class Option(NamedTuple):
    """An option of a scheme, with its type and its default as text. `needed` ones have none."""

    name: str
    type: str
    default: str
    needed: bool


def options_described(name: str) -> list[Option]:
    """The options of the scheme of that name, in words, for people."""
    factory = _factory(name)
    needed, known = _required(factory), option_types(name)
    defaults = _defaults(factory)
    if name == "keyed-timestamp":
        needed = [option for option in needed if option != "name"]
        defaults["name"] = name
    return [
        Option(option, _type_in_words(kind), _default_in_words(defaults.get(option)), option in needed)
        for option, kind in known.items()
    ]


def parse_option(name: str, option: str, text: str) -> Any:
    """The value of a scheme's option written as text, as `build_scheme` takes it.

    Booleans are `true` and `false`, lists are comma-separated or JSON, a window is `PAST,FUTURE` or a JSON object,
    `none` stands for None where an option may be that; other text is taken as it is. Raises ConfigError for an unknown
    scheme or option, and for text that is none of these.
    """
    known = option_types(name)
    _check_option(name, option, known)
    kinds = alternatives(known[option])
    if text == "none" and types.NoneType in kinds:
        return None
    if Window in kinds:
        return _parse_window(option, text)
    if any(is_list(kind) for kind in kinds):
        return _parse_json(option, text) if text.startswith("[") else [item for item in text.split(",") if item]
    if bool in kinds:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{option} is true or false")
        return text.lower() == "true"
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                raise ConfigError(f"{option} is a number") from None
    chosen = [each for kind in kinds if get_origin(kind) is Literal for each in get_args(kind) if str(each) == text]
    return chosen[0] if chosen else text


def _check_option(name: str, option: str, known: Mapping[str, Any]) -> None:
    if option not in known:
        having = f"it has {', '.join(known)}" if known else "it has none"
        raise ConfigError(f"{name} has no option {option!r}{did_you_mean(option, known)}; {having}")


def _fields(factory: Callable[..., Any]) -> list[dataclasses.Field[Any]]:
    if not isinstance(factory, type) or not dataclasses.is_dataclass(factory):
        return []
    return [field for field in dataclasses.fields(factory) if field.init]


def _keywords(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options of a factory that is no dataclass: its parameters."""
    parameters = inspect.signature(factory).parameters
    takes = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: parameter for name, parameter in parameters.items() if parameter.kind in takes}


def _required(factory: Callable[..., Any]) -> list[str]:
    fields = _fields(factory)
    if not fields:
        return [name for name, parameter in _keywords(factory).items() if parameter.default is parameter.empty]
    nothing = dataclasses.MISSING
    return [field.name for field in fields if field.default is nothing and field.default_factory is nothing]


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in _fields(factory):
        if field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
        elif field.default is not dataclasses.MISSING:
            found[field.name] = field.default
    if not _fields(factory):
        parameters = _keywords(factory).items()
        found = {name: each.default for name, each in parameters if each.default is not each.empty}
    return found


def _type_in_words(kind: Any) -> str:
    """What `-o` takes for it."""
    words: list[str] = []
    for each in alternatives(kind):
        origin = get_origin(each)
        if each is Window:
            words.append("window PAST,FUTURE in seconds")
        elif is_list(each):
            words.append("list A,B")
        elif origin is Literal:
            words.append(" or ".join(map(str, get_args(each))))
        elif each is not types.NoneType:
            words.append({bool: "true or false", str: "text", int: "number", float: "number"}.get(each, "value"))
    return " or ".join(dict.fromkeys(words)) or "value"


def _default_in_words(value: Any) -> str:
    if value is None or value == "" or value == () or value == frozenset():
        return "none"
    if isinstance(value, Window):
        return f"{value.past},{value.future}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list, set, frozenset)):
        return ",".join(sorted(map(str, cast("Iterable[Any]", value))))
    return str(value)


def _factory(name: str) -> Callable[..., Any]:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name in presets.names():
        return presets.preset(name)
    announced = _announced()
    if name not in announced:
        meant = did_you_mean(name, scheme_names())
        if meant:
            raise ConfigError(f"there is no scheme {name!r}{meant}; undersign schemes lists all")
        if name.endswith((".toml", ".json")):
            raise ConfigError(f"there is no scheme {name!r}: a file with a recipe is given with --recipe")
        others = set(presets.names())
        own = ", ".join(known for known in scheme_names() if known not in others)
        raise ConfigError(
            f"there is no scheme {name!r}; there are {own} and those of {len(others)} APIs; one that is not "
            "there may be a recipe: see undersign recipe"
        )
    return _load(name, announced[name])


def _load(name: str, announced: list[EntryPoint]) -> Callable[..., Any]:
    """What makes the scheme. Raises ConfigError where nothing usable is announced under the name."""
    if len(announced) > 1:
        distributions = " and ".join(map(_distribution, announced))
        raise ConfigError(f"the scheme {name!r} is announced by {distributions}: uninstall all but one")
    try:
        factory: object = announced[0].load()
    except (Exception, SystemExit) as error:  # whatever another distribution's module raises
        raise ConfigError(f"the scheme {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(factory) or (isinstance(factory, type) and not issubclass(factory, Scheme)):
        raise ConfigError(f"the scheme {name!r} is announced as something that makes no undersign.Scheme")
    if missing := sorted(getattr(factory, "__abstractmethods__", ())):
        raise ConfigError(f"the scheme {name!r} is not complete: it has no {', '.join(missing)}")
    return cast("Callable[..., Any]", factory)


def _announced() -> dict[str, list[EntryPoint]]:
    """The entry points of other distributions by name; more than one where distributions are at odds."""
    from importlib.metadata import distributions  # slow to import, and needed for third-party schemes alone

    found: dict[str, dict[str, EntryPoint]] = {}
    for distribution in distributions():
        for entry_point in _entry_points(distribution):
            # A distribution that is on the path twice counts once, as it is imported once.
            found.setdefault(entry_point.name, {}).setdefault(distribution.metadata["Name"], entry_point)
    return {name: list(by_distribution.values()) for name, by_distribution in found.items()}


def _entry_points(distribution: Distribution) -> list[EntryPoint]:
    try:
        return [entry_point for entry_point in distribution.entry_points if entry_point.group == GROUP]
    except Exception:  # its metadata is broken, and may have nothing to do with schemes
        return []


def _described(name: str, announced: list[EntryPoint]) -> str:
    try:
        sentence = _sentence(_load(name, announced))
    except ConfigError as error:
        return f"cannot be used: {error}"
    return f"{sentence} From {_distribution(announced[0])}.".strip()


def _sentence(factory: Callable[..., Any]) -> str:
    """The first sentence of its docstring; none where that is the one which dataclass makes up."""
    text = inspect.getdoc(factory) or ""
    if text.startswith(f"{getattr(factory, '__name__', '')}("):
        return ""
    sentence = " ".join(text.split("\n\n")[0].split()).partition(". ")[0].rstrip(".")
    return sentence and f"{sentence}."


def _distribution(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist
    return f"{distribution.name} {distribution.version}" if distribution else entry_point.value


def _hints(factory: Callable[..., Any]) -> dict[str, Any]:
    """The types of what it takes, as far as they can be told.

    A third-party scheme may import types for type checkers alone, or write them wrongly: then each is looked at alone.
    """
    with suppress(Exception):
        return get_type_hints(factory)
    found: dict[str, Any] = {}
    for owner in reversed(factory.__mro__) if isinstance(factory, type) else (factory,):
        with suppress(Exception):
            names = vars(sys.modules[owner.__module__])
            for name, annotation in inspect.get_annotations(owner).items():
                with suppress(Exception):
                    alone = types.SimpleNamespace(__annotations__={name: annotation})
                    found.update(get_type_hints(alone, globalns=names))
    return found


def _parse_window(option: str, text: str) -> Any:
    if text.startswith("{"):
        return _parse_json(option, text)
    past, _, future = text.partition(",")
    try:
        return {"past": int(past), "future": int(future)}
    except ValueError:
        raise _no_window(option) from None


def _parse_json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigError(f"{option} is not JSON") from None


def _no_window(option: str) -> ConfigError:
    return ConfigError(f'{option} is a window in seconds: write {{"past": 600, "future": 600}} or 600,600')


def _from_json(option: str, value: Any, kind: Any) -> Any:
    kinds = alternatives(kind)
    if value is None and types.NoneType in kinds:
        return None
    for kind in kinds:
        if kind is Window:
            window = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
            if set(window) != {"past", "future"}:
                raise _no_window(option)
            return Window(window["past"], window["future"])
        container = get_origin(kind)
        if container in (tuple, frozenset):
            items = cast("Iterable[Any]", value) if isinstance(value, (list, tuple, set, frozenset)) else [None]
            if not all(isinstance(item, str) for item in items):
                raise ConfigError(f"{option} is a list of texts")
            return container(items)
        if kind is bool and not isinstance(value, bool):
            raise ConfigError(f"{option} is true or false")
        is_number = int in kinds and isinstance(value, int) and not isinstance(value, bool)
        is_text = kind is str or (container is Literal and all(isinstance(each, str) for each in get_args(kind)))
        if is_text and not isinstance(value, str) and not is_number:
            raise ConfigError(f"{option} is text")
    return value
