"""A header's template read more leniently than a verifier reads it: other literals, other separators, another order."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from ..parts.lists import ListTemplate
from ..parts.templates import Template
from .cause import Cause, difference
from .dates import instant
from .heads import wire
from .signatures import is_signature

_LONGEST = 16384
_FOREIGN = ("basic", "bearer", "digest", "negotiate", "aws4-hmac-sha256")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[^{}]+")
_HEADER_LINE = re.compile(r"[A-Za-z][A-Za-z-]*: +(?=\S+ )")
_ITEM_LABEL = re.compile(r"[\"']?[A-Za-z0-9_-]{1,24}[\"']?\s*[=:,]\s*")
_BEGINNING = re.compile(r"[A-Za-z0-9_-]+(?: +|: *)(?=\S)")
_MARKS = (",", ";", "&", " ", "|", "\n")

Literals = tuple[str, str] | tuple[()]
"""The literals that were sent and those that are right, where they differ; nothing where they are the same."""


def is_foreign(template: Template | None, text: str) -> bool:
    """Whether the text is one of another way to authenticate."""
    word = text.partition(" ")[0].lower()
    return template is not None and word in _FOREIGN and not template.literals.lower().startswith(word)


def looks_signed(template: Template, text: str) -> bool:
    """Whether the text may be of the template, with a signature in it."""
    found: dict[str, str] = {}
    return loosely(template, text, found) is not None and is_signature(found.get("signature", ""))


def read(template: Template, text: str, what: str, provider: str | None, found: dict[str, str]) -> Cause | None:
    """Put the values in the text into `found`; what had to be mended."""
    values: dict[str, str] = {}
    if template.read(text, values):
        found.update(values)
        return None
    if is_foreign(template, text) and not template.is_basic and not looks_signed(template, text):
        return None
    literal = loosely(template, text, found)
    if literal is None:
        if not template.names:
            detail = f"The client sent the {what} with another value: send {template.text!r}."
            return Cause("carrier", detail)
        return None
    if not literal:
        return None
    sent, right = literal
    if template.literal.partition(" ")[0] == provider:
        where = difference(wire(sent), wire(right), "provider", second="as it should be")
        detail = (
            f"The client sent another provider in the {what.removeprefix('header ')} header: send "
            f"{right.rstrip()!r}, which it is here ({where})."
        )
        return Cause("provider", detail)
    return Cause("carrier", f"The client wrote the {what} in another form: write it as {template.text}.")


def loosely(template: Template, text: str, found: dict[str, str]) -> Literals | None:
    """Read a text that may be of the template; None where it cannot be read."""
    if len(text) > _LONGEST or not template.names:
        return None
    if isinstance(template, ListTemplate):
        return _items(template, text, found)
    pieces = [
        (match[1], match[0][0] if match[0] in ("{{", "}}") else match[0]) for match in _PIECE.finditer(template.text)
    ]
    # A key id that holds marks of the template may be one of another form, so it comes last.
    for value in (_value, _narrow_value, _loose_value):
        for candidate, as_sent in _unwrapped(template, text):
            literal = _matched(template, pieces, candidate, value, found)
            if literal is not None:
                return literal if as_sent else (text, template.literal)
    return _labelled(template, pieces, text, found)


def _unwrapped(template: Template, text: str) -> Iterator[tuple[str, bool]]:
    """The text, and what it may hide: credentials that were encoded whole, as those of Basic are, or in quotes."""
    yield text, True
    if line := _HEADER_LINE.match(text.strip()):
        yield text.strip()[line.end() :], False
    word, space, rest = text.strip().rpartition(" ")
    if not template.is_basic and (inside := _unbase64(rest)) is not None and inside.isascii() and inside.isprintable():
        yield word + space + inside, False
        yield inside, False
    bare = text.strip().strip("\"'")
    if bare != text.strip():
        yield bare, False
    if unquote(text) != text:
        yield unquote(text), False


def _matched(
    template: Template,
    pieces: list[tuple[str | None, str]],
    text: str,
    value: Callable[[str], str],
    found: dict[str, str],
) -> Literals | None:
    names = [name for name, _ in pieces if name is not None]
    loose = value is not _value
    expression = ""
    for place, (name, literal) in enumerate(pieces):
        if name is None:
            expression += _pattern(literal, first=place == 0, last=place == len(pieces) - 1, loose=loose)
        else:
            expression += f"(?P<v{names.index(name)}>{value(name)})"
    match = re.fullmatch(expression, text.strip(), re.DOTALL)
    if match is None:
        return None
    values = {name.rstrip("?").removeprefix("mac:"): match[f"v{place}"] for place, name in enumerate(names)}
    if "basic" in values:
        inside = _inside(values.pop("basic"))
        if inside is None:
            return None
        values["key_id"], values["signature"] = inside
    found.update(values)
    if not loose:
        return () if "basic" not in names else ("", template.literal)
    return text[: match.start("v0")], template.literal


def _labelled(
    template: Template, pieces: list[tuple[str | None, str]], text: str, found: dict[str, str]
) -> Literals | None:
    """The same of a template with a label before each value, such as `keyId="…",signature="…"`, in any order."""
    labels: dict[str, str] = {}
    for (_, before), (name, _) in itertools.pairwise(pieces):
        if name is not None and (match := re.search(r"([A-Za-z0-9_-]+)\"?[=:]\s*\"?$", before)):
            labels[match[1]] = name
    if len(labels) < 2 or "signature" not in labels.values():
        return None
    values: dict[str, str] = {}
    for label, name in labels.items():
        sent = re.search(
            rf"(?i)(?<![A-Za-z0-9_-]){re.escape(label)}[\"']?\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,;&]+))", text
        )
        if sent is None:
            return None
        values[name.rstrip("?").removeprefix("mac:")] = next(value for value in sent.groups() if value is not None)
    found.update(values)
    return text, template.literal


def _items(template: ListTemplate, text: str, found: dict[str, str]) -> Literals | None:
    """The same of a list, whose items may have other labels, another order or another separator."""
    if not found.get("signature"):
        found.pop("signature", None)
    starts = {name: start for start, name in re.findall(r"([^\s,;{}]*[^\s{}]?)\{(\w+)\}", template.text)}
    joined = re.sub(r"([,:=])\s+", r"\1", text.strip().strip("\"'"))
    lists = [[joined], *(pieces for mark in _MARKS if len(pieces := joined.split(mark)) > 1)]
    if beginning := _BEGINNING.match(text):
        rest = text[beginning.end() :]
        lists += [[rest], *(pieces for mark in _MARKS if len(pieces := rest.split(mark)) > 1)]
    best: dict[str, str] = {}
    for pieces in lists:
        values = _labelled_items(pieces, starts) or {}
        if len(values) > len(best):
            best = values
    for pieces in lists if "signature" not in best else ():
        values = _bare_items(pieces, starts)
        if len(values) > len(best):
            best = values
    if "signature" not in best:
        return None
    for name, value in best.items():
        found.setdefault(name, value)
    pieces = [piece.strip(" \t") for piece in text.split(template.mark)]
    is_labelled = all(any(piece.startswith(start) for piece in pieces) for start in starts.values())
    return () if is_labelled else (text, template.literal)


def _labelled_items(pieces: list[str], starts: dict[str, str]) -> dict[str, str] | None:
    """The values of the pieces that begin as the template's items do, where one of them is a signature."""
    values: dict[str, str] = {}
    for name, start in starts.items():
        for piece in (piece.strip(" \t\"'{}") for piece in pieces):
            if piece.lower().startswith(start.lower()) and len(piece) > len(start):
                values.setdefault(name, piece[len(start) :])
    return values if is_signature(values.get("signature", "")) else None


def _bare_items(pieces: list[str], starts: dict[str, str]) -> dict[str, str]:
    """The values that can be told without their labels: a signature is one by its form, and so is a time."""
    values: dict[str, str] = {}
    for piece in (piece.strip(" \t\"'{}") for piece in pieces):
        for value in dict.fromkeys((_ITEM_LABEL.sub("", piece, count=1), piece)):
            if "time" in starts and instant(value) is not None:
                values.setdefault("time", value)
                break
            if is_signature(value):
                values.setdefault("signature", value)
                break
    return values


def _value(name: str) -> str:
    return ".+?" if name == "signature" else _loose_value(name)


def _loose_value(name: str) -> str:
    if name == "signature":
        return r"[^,;]+?"
    if name == "headers":
        return r"[^\",]+"
    return ".+" if name == "key_id" else r"[^\s,;&\"]+"


def _narrow_value(name: str) -> str:
    return r"[^\s:,;=\"']+" if name == "key_id" else _loose_value(name)


def _pattern(literal: str, *, first: bool, last: bool, loose: bool) -> str:
    if not loose:
        return re.escape(literal)
    _, space, tail = literal.rpartition(" ") if first else ("", "", literal)
    expression = r"(?:[^\s:,=]+[:,;]?[ \t]+)?" if space or first else ""
    inner = "".join(
        r"[\"']?" if mark in "\"'" else r"[,;&]?\s*" if mark in ",;& " else re.escape(mark) for mark in tail
    )
    inner = f"(?i:{inner})"
    if first:
        return expression + (rf"(?:{inner}|[\w.$-]{{0,12}}[=:,$])?" if tail else "")
    return f"(?:{inner})?" if last else inner


def _inside(token: str) -> tuple[str, str] | None:
    """Key id and signature of Basic credentials, encoded in any way or not at all."""
    text = _unbase64(token) or unquote(token)
    key_id, mark, signature = text.rpartition(":")
    return (key_id, signature.strip()) if mark else None


def _unbase64(token: str) -> str | None:
    standard = token.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return None
