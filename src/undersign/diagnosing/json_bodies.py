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
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",:{}\[\]]+|\s+|.', re.DOTALL)
_MOST_PERMUTED = 4
_LONG_NUMBER = re.compile(r"(?<![\w.\"])-?[0-9]{16,}(?![\w.\"])")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ODD_LINES = "\u2028\u2029"


def rewritten_json(body: bytes) -> Iterator[bytes]:
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
        if _LONG_NUMBER.search(text):
            parsed.append(json.loads(text, parse_float=_as_javascript, parse_int=_as_double))
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
        yield from new(_layouts(value, large=large))
    # The same layout with other escapes, whatever it is.
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "\\u" in text and "\\u00" not in text else text
    for one in dict.fromkeys((text, plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))):
        yield from new(_escaped_otherwise(one))
    yield from new(_respaced(text))
    yield from new(iter((json.dumps(text, ensure_ascii=False), json.dumps(text))))
    for value in parsed[:1]:
        yield from new(_of_other_languages(value))
    for value in parsed if not large else ():
        yield from new(_pretty(value))
        for ordered in _orders(value):
            for separators in ((",", ":"), (", ", ": ")):
                yield from new(_escaped(json.dumps(ordered, separators=separators, ensure_ascii=False)))


def _layouts(value: Any, *, large: bool) -> Iterator[str]:
    layouts: list[tuple[Any, Any]] = [
        (None, (",", ":")),
        (None, (", ", ": ")),
        (None, (",", ": ")),
        (None, (", ", ":")),
    ]
    layouts += [(2, None), (4, None)] + ([] if large else [("\t", None), (3, None), (1, None)])
    texts: list[str] = []
    for sort in (False, True):
        for indent, separators in layouts:
            texts.append(json.dumps(value, indent=indent, separators=separators, sort_keys=sort, ensure_ascii=False))
    # What is usual in each layout, before what is rare in any.
    written = [list(_escaped(text)) for text in dict.fromkeys(texts)]
    for several in itertools.zip_longest(*written):
        yield from (text for text in several if text is not None)


def _respaced(text: str) -> Iterator[str]:
    """The same tokens with other spaces, so that each number and escape stays as it is."""
    tokens = [token for token in _TOKEN.findall(text) if not token.isspace()]
    yield "".join(tokens)
    yield "".join(f"{token} " if token in (",", ":") else token for token in tokens)


def _orders(value: Any) -> Iterator[Any]:
    """The object with its members in another order, and with some of its values as other languages have them."""
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
        yield dict(items[::-1])
        yield dict(sorted(items, key=lambda item: item[0].lower()))
        yield dict(sorted(items, reverse=True))
        if 2 < len(items) <= _MOST_PERMUTED:
            yield from map(dict, itertools.permutations(items))
        for place in range(len(items)):  # one that is put in later, or first
            rest = items[:place] + items[place + 1 :]
            yield dict([items[place], *rest])
            yield dict([*rest, items[place]])
        yield dict(items) | {name: [] for name, item in items if item == {}}  # PHP has one kind of both
        yield {name: _without_nothing(item) for name, item in items if item is not None}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {name: _without_nothing(item) for name, item in found.items() if item is not None}
    return value


def _escaped(text: str) -> Iterator[str]:
    """What the writers of languages escape in JSON that is written with no needless escape."""
    yield text
    ascii_only = _in_ascii(text, "%04x")
    yield ascii_only  # Python
    yield ascii_only.replace("/", "\\/")  # PHP
    yield text.replace("/", "\\/")
    yield from _html_safe(text)


def _html_safe(text: str) -> Iterator[str]:
    def escaped(letters: str, form: str, text: str = text) -> str:
        for letter in letters:
            text = text.replace(letter, "\\u" + form % ord(letter))
        return text

    yield escaped("<>&" + _ODD_LINES, "%04x")  # Go, Rails
    yield escaped("<>&'" + _ODD_LINES, "%04x")  # Windows PowerShell, Gson without its =
    yield escaped("<>&'=" + _ODD_LINES, "%04x")  # Gson
    # .NET, whose quotes inside of texts have numbers too.
    upper = escaped("<>&'+`", "%04X", _in_ascii(text, "%04X"))
    if '\\"' in upper:
        yield re.sub(r'(?<!\\)((?:\\\\)*)\\"', lambda match: match[1] + "\\u0022", upper)
    yield upper
    yield escaped("<>&'" + _ODD_LINES, "%04x", _in_ascii(text, "%04x"))
    yield escaped("<>&", "%04X", _in_ascii(text, "%04X").replace("/", "\\/"))  # PHP's JSON_HEX_TAG and JSON_HEX_AMP
    yield escaped("<>&'", "%04X", _in_ascii(text, "%04x").replace("/", "\\/"))


def _in_ascii(text: str, form: str) -> str:
    if text.isascii():
        return text
    return _NOT_ASCII.sub(
        lambda match: "".join(
            "\\u" + form % int.from_bytes(pair, "big") for pair in _units(match[0].encode("utf-16-be", "surrogatepass"))
        ),
        text,
    )


def _escaped_otherwise(text: str) -> Iterator[str]:
    yield from _escaped(text)
    unslashed = text.replace("\\/", "/")
    yield from _escaped(unslashed)
    if "/" in text:
        yield re.sub(r"(?<!\\)/", r"\\/", text)
    if "\\u" in text:
        letters = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        yield letters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield _ESCAPE.sub(lambda match: match[0].lower(), text)
        yield _ESCAPE.sub(lambda match: f"\\u{match[1].upper()}", text)


def _pretty(value: Any) -> Iterator[str]:
    """As printers that indent in their own ways write it."""
    yield _jackson(value)
    yield _jackson(value, "    ", inline=False)
    # Windows PowerShell indents what is inside a member from where its value begins.
    for column in (True, False):
        for text in _escaped(_convert_to_json(value, "", column=column)):
            yield text.replace("\n", "\r\n")
            yield text
    # Older versions of Ruby's json put line ends into what is empty.
    text = re.sub(r"(?m)^( *)(.*)\[\](,?)$", r"\1\2[\n\n\1]\3", json.dumps(value, indent=2, ensure_ascii=False))
    yield from _escaped(re.sub(r"(?m)^( *)(.*)\{\}(,?)$", r"\1\2{\n\1}\3", text))
    for indent in (2, 4):
        for text in _escaped(json.dumps(value, indent=indent, ensure_ascii=False)):
            yield text.replace("\n", "\r\n")  # .NET and PowerShell on Windows


def _convert_to_json(value: Any, indent: str, *, column: bool) -> str:
    inner = indent + "    "
    if isinstance(value, dict):
        lines: list[str] = []
        for name, item in cast("dict[str, Any]", value).items():
            start = f"{inner}{json.dumps(name, ensure_ascii=False)}:  "
            lines.append(start + _convert_to_json(item, " " * len(start) if column else inner, column=column))
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list):
        items = [inner + _convert_to_json(item, inner, column=column) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]" if items or column else "[]"
    return json.dumps(value, ensure_ascii=False)


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
    yield json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace('"', "'")


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


def _as_double(number: str) -> int:
    """A whole number as JavaScript has it: of 53 bits, and written by the fewest digits that tell it."""
    if abs(value := int(number)) < 1 << 53:
        return int(number)
    digits, _, exponent = repr(float(value)).replace(".", "").partition("e+")
    rounded = int(digits.ljust(int(exponent) + 1, "0")) if exponent else int(float(value))
    return -rounded if number.startswith("-") else rounded


def _as_javascript(number: str) -> Any:
    value = float(number)
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
