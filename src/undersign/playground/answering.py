"""`answer`: JSON in, JSON out. It is pure, and raises nothing, whatever comes in and whatever a scheme does."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..core.text import one_line
from ..diagnosing import diagnose
from ..errors import UndersignError
from ..registry import schemes_described
from ..schemes import presets
from .examples import example, names
from .looking import look, looked, scheme_shown
from .question import Flaw, read, scheme_of, sentence, text_of


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What the page asks, answered.

    `action` is one of `start` (the schemes that there are), `look` (what is pasted, what is signed of it, the verdict,
    what signs it anew, and how one's own string differs), `diagnose` (why it does not verify) and `example`. The fields
    are those of `undersign.playground.question`. The answer has `problems`, {field: sentence}, where a field cannot be
    used, and `error` where nothing can be said at all.
    """
    try:
        if not isinstance(question, Mapping):
            return {"error": "The question is no object."}
        action = question.get("action")
        if not isinstance(action, str) or action not in _ACTIONS:
            return {"error": f"The action is one of {', '.join(_ACTIONS)}."}
        return _ACTIONS[action](question)
    except Flaw as flaw:
        return flaw.as_json()
    except UndersignError as error:
        return {"error": sentence(str(error))}
    except Exception as error:
        # Its message may hold anything, a secret too; the place is what a report of it needs.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        return {"error": f"A fault of undersign or of a scheme: {type(error).__name__} in {where}."}


def _start(question: Mapping[str, Any]) -> dict[str, Any]:
    own = set(presets.names())
    described = schemes_described()
    built_in = {name for name, _ in schemes_described(with_presets=False)}
    announced = {name for name, text in described if name in built_in and ("From " in text or "cannot be used" in text)}
    return {
        "version": __version__,
        "examples": names(),
        "schemes": [
            {
                "name": name,
                "sentence": one_line(text),
                "group": "api" if name in own else "installed" if name in announced else "own",
            }
            for name, text in described
        ],
    }


def _look(question: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"problems": {}}
    try:
        scheme = scheme_of(question)
    except Flaw as flaw:
        return {**found, **flaw.as_json()}
    name = text_of(question, "scheme") or "gotom"
    found["scheme"] = scheme_shown(scheme, name, is_recipe=bool(text_of(question, "recipe").strip()))
    try:
        return {**found, **look(looked(read(question)))}
    except Flaw as flaw:
        return {**found, **flaw.as_json()}


def _diagnose(question: Mapping[str, Any]) -> dict[str, Any]:
    found = looked(read(question))
    if found.question.secret is None:
        raise Flaw("secret", "Type a secret.")
    causes = diagnose(found.received.request, found.question.scheme, found.keys, found.at)
    if not found.is_signed:  # that it is not signed is seen; what hides a signature is worth a word
        causes = tuple(cause for cause in causes if cause.code not in ("header-missing", "unexplained"))
    return {"causes": [{"code": cause.code, "detail": cause.detail} for cause in causes]}


def _example(question: Mapping[str, Any]) -> dict[str, Any]:
    return {"fields": example(text_of(question, "name"))}


_ACTIONS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "start": _start,
    "look": _look,
    "diagnose": _diagnose,
    "example": _example,
}
