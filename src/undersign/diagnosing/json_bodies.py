"""JSON as programs write it: the same values in other bytes, and as a form."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, quote, quote_plus

LARGEST = 256 * 1024
"""How long a body may be, in bytes, to be written again."""
_SMALL = 4096
_LETTERS = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def rewritten(body: bytes) -> Iterator[bytes]:
    """The JSON in other spellings, the usual ones first; nothing where it is none."""
    if body.lstrip()[:1] not in (b"{", b"[", b'"'):
        return
    try:
        text = body.decode()
        if body[:2] in (b"{'", b"['", b"[{") and len(body) <= _SMALL and b"'" in body and b'"' not in body:
            text = json.dumps(ast.literal_eval(text), ensure_ascii=False)  # what Python's str() made
        parsed = [json.loads(text)]
        if "." in text or "e" in text.lower():
            parsed.append(json.loads(text, parse_float=_as_javascript))
        yield from _written(body, text, parsed)
    except (ValueError, RecursionError, SyntaxError, MemoryError, TypeError):
        return


def _written(body: bytes, text: str, parsed: list[Any]) -> Iterator[bytes]:
    seen = {body}

    def new(texts: Iterator[str]) -> Iterator[bytes]:
        for text in texts:
            found = text.encode("utf-8", "surrogatepass")
            if found not in seen:
                seen.add(found)
                yield found

    # Indented JSON is written by Python code and slowly, so a large body is written without the rarer combinations.
    large = len(body) > _SMALL
    for value in parsed:
        orders: list[Any] = [value]
        if not large and isinstance(value, dict) and 1 < len(value) <= 4:
            orders += [dict(items) for items in itertools.permutations(value.items())][1:]
        for place, ordered in enumerate(orders):
            yield from new(_layouts(body, ordered, usual=place == 0, large=large))
    # The same layout with other escapes, whatever it is.
    yield from new(_escaped_otherwise(text))
    yield from new(iter((json.dumps(text, ensure_ascii=False), json.dumps(text))))
    for value in parsed[:1]:
        yield from new(_of_other_languages(value))
        if not large:
            yield from new(iter((_jackson(value), _jackson(value, "    ", inline=False))))


def _layouts(body: bytes, value: Any, *, usual: bool, large: bool) -> Iterator[str]:
    layouts: list[tuple[Any, Any]] = [(None, (",", ":")), (None, (", ", ": "))]
    if usual:
        layouts += [(None, (",", ": ")), (None, (", ", ":")), (2, None), (4, None)] + ([] if large else [("\t", None)])
    has_letters = not body.isascii() or b"\\u" in body
    for indent, separators in layouts:
        for sort in (False, True) if usual else (False,):
            for ascii_only in (False, True) if has_letters else (False,):
                text = json.dumps(value, indent=indent, separators=separators, sort_keys=sort, ensure_ascii=ascii_only)
                yield text
                if "/" in text:
                    yield text.replace("/", "\\/")
                if any(letter in text for letter in _LETTERS):
                    yield _html_safe(text)


def _html_safe(text: str) -> str:
    """As Go and .NET write it."""
    for letter, escape in _LETTERS.items():
        text = text.replace(letter, escape)
    return text


def _escaped_otherwise(text: str) -> Iterator[str]:
    yield text.replace("\\/", "/")
    yield re.sub(r"(?<!\\)/", r"\\/", text)
    yield _html_safe(text)
    yield _html_safe(text).replace("'", "\\u0027").replace("+", "\\u002B")
    for escape in ("%04x", "%04X"):
        units = "".join(
            character
            if character < "\x80"
            else "".join(f"\\u{escape % int.from_bytes(pair, 'big')}" for pair in _units(character.encode("utf-16-be")))
            for character in text
        )
        yield units
        yield _html_safe(units)
    yield (
        _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )
    yield _ESCAPE.sub(lambda match: match[0].lower(), text)
    yield "\\u".join(piece[:4].upper() + piece[4:] if place else piece for place, piece in enumerate(text.split("\\u")))


def _units(data: bytes) -> Iterator[bytes]:
    return (data[place : place + 2] for place in range(0, len(data), 2))


def _of_other_languages(value: Any) -> Iterator[str]:
    """What str(), toString() and inspect make of it, and JSON of the JSON."""
    yield str(value)
    yield json.dumps(json.dumps(value, separators=(",", ":")))
    yield json.dumps(json.dumps(value))
    if isinstance(value, str):
        yield value
    yield json.dumps(value, separators=(",", ":")).replace('"', "'")
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        pairs = list(found.items())
        yield "{" + ", ".join(f"{name}={item}" for name, item in pairs) + "}"  # Java's maps
        yield "{" + ", ".join(f'"{name}"=>{json.dumps(item)}' for name, item in pairs) + "}"  # Ruby's
        yield "map[" + " ".join(f"{name}:{item}" for name, item in sorted(pairs)) + "]"  # Go's
        filled = {name: item for name, item in pairs if item is not None}
        yield json.dumps(filled, separators=(",", ":"), ensure_ascii=False)
        yield json.dumps({name: item for name, item in pairs if item not in (None, "")}, separators=(",", ":"))
        for layout in ((",", ":"), (", ", ": ")):
            yield json.dumps(_as_texts(found), separators=layout)
    yield "".join(json.dumps(value, indent=2).split())


def _jackson(value: Any, indent: str = "  ", depth: int = 1, *, inline: bool = True) -> str:
    """As Java's pretty printers write it: a space before the colon, and lists on one line."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        if not items:
            return "{ }"
        lines = [f"{indent * depth}{json.dumps(name, ensure_ascii=False)} : " for name, _ in items]
        written = [_jackson(item, indent, depth + 1, inline=inline) for _, item in items]
        return "{\n" + ",\n".join(map(str.__add__, lines, written)) + f"\n{indent * (depth - 1)}}}"
    if isinstance(value, list):
        inner = [_jackson(item, indent, depth, inline=inline) for item in value]
        return f"[ {', '.join(inner)} ]" if inner else "[ ]"
    return json.dumps(value, ensure_ascii=False)


def _as_texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_texts(item) for item in value]
    return value if isinstance(value, str) or value is None else _scalar(value)


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_form(body: bytes) -> Iterator[bytes]:
    """The members of a JSON object as a urlencoded form, as the languages write it."""
    if body.lstrip()[:1] != b"{":
        return
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    for pairs in (list(_php(found)), [(name, str(value)) for name, value in found.items()], list(_plain(found))):
        for ordered in (pairs, sorted(pairs)):
            for write in (quote_plus, lambda text: quote(text, safe=""), lambda text: quote_plus(text, safe="*"), str):
                yield "&".join(f"{write(name)}={write(value)}" for name, value in ordered).encode()


def _php(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    items = enumerate(value) if isinstance(value, list) else value.items()
    for key, item in items:
        inner = f"{name}[{key}]" if name else str(key)
        if isinstance(item, (dict, list)):
            yield from _php(item, inner)
        elif item is not None:
            yield inner, str(int(item)) if isinstance(item, bool) else str(item)


def _plain(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, list):
            yield from ((name, _scalar(item)) for item in value)
        else:
            yield name, _scalar(value) if value is not None else ""


def as_json(body: bytes) -> Iterator[bytes]:
    """A form's fields as a JSON object, as the languages write it."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except (ValueError, UnicodeError):
        return
    texts = dict(pairs)
    numbers = {name: int(value) if re.fullmatch("0|[1-9][0-9]{0,14}", value) else value for name, value in pairs}
    typed = {name: {"true": True, "false": False}.get(str(value), value) for name, value in numbers.items()}
    for found in (texts, numbers, typed):
        for separators in ((",", ":"), (", ", ": ")):
            for sort in (False, True):
                for ascii_only in (False, True):
                    text = json.dumps(found, separators=separators, sort_keys=sort, ensure_ascii=ascii_only)
                    yield text.encode()
                    if "/" in text:
                        yield text.replace("/", "\\/").encode()
        yield str(found).encode()


def _as_javascript(number: str) -> Any:
    value = float(number)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
