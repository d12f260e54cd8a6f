"""Presets: one short file for each API, as a recipe where a recipe can say it.

The file `slack.py` defines `slack`, a function or a class whose parameters are the preset's options and which makes the
scheme. Nothing else names it: `undersign.presets.slack`, `--scheme slack`, the pages and the tests find the file. Its
docstring has a fixed form, which people read on the command line and in the pages:

    Slack's webhooks: HMAC-SHA256 of version, time and body.        what it is, in a sentence

    Source: https://docs.slack.dev/…                               where the rules are from
    Window: five minutes, as the page says.                        and whether it is known or a guess
    Refusal: the app decides.                                      what the API answers to a bad signature
    Mistakes: a parsed body that is serialised again; …            what people get wrong

Names have `_` in Python where they have `-` elsewhere.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from ...core.grammar import did_you_mean
from ...errors import ConfigError
from ...scheme import Scheme
from ..options import checked

FIELDS = ("Source", "Window", "Refusal", "Mistakes")


class Description(NamedTuple):
    """What the docstring of a preset says, each without a line break."""

    sentence: str
    source: str
    window: str
    refusal: str
    mistakes: str


def names() -> list[str]:
    """The names of all presets, sorted, as `--scheme` takes them."""
    return list(_names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


def preset(name: str) -> Callable[..., Scheme]:
    """What makes the scheme of that name: a function or a class, whose keywords are the options. Raises ConfigError."""
    if name not in names():
        raise ConfigError(f"there is no preset {name!r}{did_you_mean(name, names())}; there are {', '.join(names())}")
    word = name.replace("-", "_")
    return _made_by(word)


@cache
def _made_by(word: str) -> Callable[..., Scheme]:
    module = importlib.import_module(f"{__name__}.{word}")
    found: Callable[..., Scheme] = getattr(module, word)
    if not isinstance(found, type):
        found = checked(found)
        setattr(module, word, found)  # where pickle looks for it
    return found


def described(name: str) -> Description:
    """What the docstring of the preset says. Raises ConfigError for a name that is none."""
    preset(name)
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    first, *others = inspect.cleandoc(module.__doc__ or "").split("\n\n", 1)
    values = dict.fromkeys(FIELDS, "")
    field = FIELDS[0]
    for line in others[0].splitlines() if others else []:
        word, colon, text = line.partition(": ")
        if colon and word in FIELDS:
            field, line = word, text
        values[field] = f"{values[field]} {line.strip()}".strip()
    return Description(" ".join(first.split()), *values.values())
