"""What the page asks, as JSON: read field by field, and wrong in one field at a time.

A field that cannot be used is a `Flaw` with its name, which the page shows beside that field.
"""

from __future__ import annotations

import binascii
import math
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..core.credentials import parse_origin
from ..core.dates import parse_date
from ..errors import ConfigError
from ..registry import build_scheme, parse_option, scheme_names
from ..scheme import Scheme
from ..schemes.documents import recipe_of

CLOCKS = ("request", "now", "at")


class Flaw(Exception):
    """A field of the question that cannot be used, and why, in a sentence that the user reads."""

    def __init__(self, field: str, sentence: str, choices: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(field, sentence)
        self.field, self.sentence, self.choices = field, sentence, list(choices)

    def as_json(self) -> dict[str, Any]:
        """As the page gets it; an empty sentence says nothing."""
        choices = {"choices": self.choices} if self.choices else {}
        return {"problems": {self.field: self.sentence} if self.sentence else {}, **choices}


class Question(NamedTuple):
    """What is asked of a request. `secret` is None where none is typed; `at` belongs to the clock `at` alone.

    `now` is the clock of whoever asks, `nonce` a new one that may be signed with.
    """

    content: bytes
    kind: str | None
    entry: str | None
    origin: str | None
    scheme: Scheme
    key_id: str
    secret: bytes | None
    extra: Mapping[str, str]
    nonce: str
    clock: str
    at: float | None
    now: float
    own: str


def text_of(question: Mapping[str, Any], field: str) -> str:
    """A field that is text; empty where it is not there."""
    found = question.get(field)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Flaw(field, f"{field} is text")
    return found


def read(question: Mapping[str, Any]) -> Question:
    """All fields of it. Raises Flaw for the first that cannot be used."""
    now = question.get("now")
    if isinstance(now, bool) or not isinstance(now, (int, float)) or not math.isfinite(now):
        raise Flaw("now", "now is the clock of whoever asks, in Unix seconds")
    clock, at = _clock(question)
    secret = text_of(question, "secret")
    extra = question.get("extra") or {}
    if not isinstance(extra, Mapping) or not all(isinstance(value, str) for value in extra.values()):
        raise Flaw("extra", "extra is an object of texts")
    return Question(
        content=_content(question),
        kind=text_of(question, "kind") or None,
        entry=text_of(question, "entry").strip() or None,
        origin=_origin(text_of(question, "origin").strip()),
        scheme=scheme_of(question),
        key_id=text_of(question, "key_id"),
        secret=_utf8("secret", secret) if secret else None,
        extra={str(name): value for name, value in extra.items() if value},
        nonce=text_of(question, "nonce"),
        clock=clock,
        at=at,
        now=float(now),
        own=text_of(question, "signed_string"),
    )


def scheme_of(question: Mapping[str, Any]) -> Scheme:
    """The scheme that is chosen, with its options as text, or the recipe that is pasted."""
    recipe = text_of(question, "recipe")
    name = text_of(question, "scheme") or "gotom"
    options = question.get("options") or {}
    if not isinstance(options, Mapping) or not all(isinstance(value, str) for value in options.values()):
        raise Flaw("options", "options is an object of texts")
    if recipe.strip():
        try:
            return recipe_of(recipe)
        except ConfigError as error:
            raise Flaw("recipe", f"The recipe cannot be used: {error}.") from None
    try:
        if name not in scheme_names():
            build_scheme(name)  # raises, with what may have been meant
        given = {str(option): parse_option(name, str(option), text) for option, text in options.items() if text}
        return build_scheme(name, given)
    except ConfigError as error:
        raise Flaw("options", sentence(str(error))) from None


def sentence(text: str) -> str:
    """A message as a sentence."""
    text = text.strip()
    end = "" if text.endswith((".", "?", "!")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def _content(question: Mapping[str, Any]) -> bytes:
    encoded = text_of(question, "pasted_b64")
    if encoded:
        try:
            return b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Flaw("pasted_b64", "pasted_b64 is not base64") from None
    return _utf8("pasted", text_of(question, "pasted"))


def _origin(text: str) -> str | None:
    if not text:
        return None
    try:
        return parse_origin(text)
    except ConfigError as error:
        raise Flaw("origin", sentence(str(error))) from None


def _clock(question: Mapping[str, Any]) -> tuple[str, float | None]:
    clock = text_of(question, "clock") or "request"
    if clock not in CLOCKS:
        raise Flaw("clock", f"the clock is one of {', '.join(CLOCKS)}")
    if clock != "at":
        return clock, None
    text = text_of(question, "at").strip()
    at = parse_date(text)
    if at is None:
        try:
            at = float(text)
        except ValueError:
            at = math.nan
    if not math.isfinite(at):
        raise Flaw("at", "Write Unix seconds, such as 1730974875, or a date, such as 2024-11-07T10:21:15Z.")
    return clock, at


def _utf8(field: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Flaw(field, "It holds half of a character, which no bytes stand for.") from None
