"""Habits of languages and their libraries, as mistakes of the port in `reference.py`: what a function of theirs does to
a value, at a place where the scheme wants something else.

Each is a function at a hook. The port hands the value over there, and goes on with what comes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from . import bodies, dates, fields, headers, targets, texts
from .habit import Habit

__all__ = ["HABITS", "SAME", "Habit"]


def _all() -> dict[str, Habit]:
    found: dict[str, Habit] = {}

    def add(kind: str, hook: str, table: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> None:
        for name, (language, does) in table.items():
            found[f"{kind}-{name}"] = Habit(language, hook, does)

    for hook in texts.TRIMMED:
        add(f"{hook.replace(' ', '-')}-by", hook, texts.TRIMS)
    for hook in texts.FOLDED:
        add(f"{hook.replace(' ', '-')}-by", hook, texts.FOLDS)
    for hook in texts.TEXTED:
        add(f"{hook.replace(' ', '-')}-by", hook, texts.TEXTS)
    add("custom-name-by", "custom name", texts.NAMED)
    add("target-by", "target", targets.TARGETS)
    add("query-by", "own query", targets.TARGETS_OF_QUERY)
    add("body-by", "body", bodies.BODIES)
    add("date-written-by", "date text", dates.WRITES)
    add("name-by", "name", fields.NAMES)
    add("fields-by", "fields", fields.FIELDS)
    add("quoted-by", "quoted", fields.QUOTES)
    add("compared-by", "compared", headers.COMPARES)
    add("lines-by", "lines", headers.SORTS)
    add("content-type-by", "content type line", headers.CONTENT_TYPES)
    add("authorization-by", "authorization", headers.AUTHORIZATIONS)
    add("version-by", "version", headers.VERSIONS)
    for name, (language, pattern) in dates.TAKES.items():
        found[f"date-{language.lower()}-takes-{name}"] = Habit(
            language, "date taken", re.compile(pattern, re.DOTALL).fullmatch
        )
    for name, (language, pattern) in dates.REFUSES.items():
        found[f"date-{language.lower()}-refuses-{name}"] = Habit(
            language, "date refused", re.compile(pattern, re.DOTALL).fullmatch
        )
    return {name: habit for name, habit in found.items() if name not in SAME}


SAME = frozenset(f"custom-name-by-{name}" for name in ("java-turkish-lower", "c-sharp-to-lower", "php-mb-strtolower"))
"""Habits that do no harm at their hook: the names are in lower case when they come there."""

HABITS = _all()
