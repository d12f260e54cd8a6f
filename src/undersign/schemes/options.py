"""The options of schemes that functions make: each is held to the type that it is declared with.

A class checks its fields when it is made. A preset that is a function would otherwise take `version=5` for no version
that it knows, and sign in another one.
"""

from __future__ import annotations

import collections.abc
import functools
import types
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import ConfigError
from ..scheme import Scheme

_LISTS = (tuple, frozenset, collections.abc.Sequence)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a value may have: `str | None` is two."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def is_list(kind: Any) -> bool:
    """Whether values of the type are written as lists."""
    return get_origin(kind) in _LISTS


def checked(factory: Callable[..., Scheme]) -> Callable[..., Scheme]:
    """The function, which raises ConfigError for an option of another type than it declares."""

    @functools.wraps(factory)
    def made(**options: Any) -> Scheme:
        hints = get_type_hints(factory) if options else {}
        for name, value in options.items():
            if name in hints and not any(_fits(value, kind) for kind in alternatives(hints[name])):
                raise ConfigError(f"{name} is {_in_words(hints[name])}, not {value!r}")
        return factory(**options)

    return made


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(value == each and type(value) is type(each) for each in get_args(kind))
    if is_list(kind):
        return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(item, str) for item in value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return not isinstance(kind, type) or isinstance(value, kind)


def _in_words(kind: Any) -> str:
    words: list[str] = []
    for each in alternatives(kind):
        if get_origin(each) is Literal:
            words += map(repr, get_args(each))
        elif is_list(each):
            words.append('a list of names, such as ["X-Name"]')
        else:
            named = {bool: "True or False", str: "text", int: "a whole number", types.NoneType: "None"}
            words.append(named.get(each, f"a {getattr(each, '__name__', each)}"))
    return " or ".join(words)
