r"""Items of a request, as HTTPie has them: `name=value`, `name:=json`, `name==query` and `Name:value`.

The first separator decides, the longest where several begin there; a backslash takes its meaning away. `name=@FILE` and
`name:=@FILE` take what the file holds. Values never stand in an error, since one may be private.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ..core.grammar import TOKEN
from ..core.message import Pairs
from ..core.text import decoded, printable
from ..errors import ConfigError
from ..profiles.where import expanded

_SEPARATORS = (":=@", ":=", "=@", "==", "=", ":")
_ITEM = re.compile(rf"((?:[^\\=:]|\\.)+)({'|'.join(_SEPARATORS)})(.*)", re.DOTALL)
_BACKSLASHED = re.compile(r"\\([\\=:@])")
_FORMS = "write name=value, name:=JSON, name==VALUE or Name:value"
_FILES = "--data FILE sends a file as the body, name=@FILE as a text in it; there is no multipart"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class Items(NamedTuple):
    """What the items put on a request: parameters behind those of the URL, headers, and the body, or None."""

    query: Pairs
    headers: tuple[str, ...]
    body: bytes | None
    content_type: str


def items_of(given: Sequence[str], *, is_form: bool) -> Items:
    """What these items say; the body is a JSON object, or with `is_form` a form. Raises ConfigError, OSError."""
    query: list[tuple[str, str]] = []
    headers: list[str] = []
    data: list[tuple[str, Any]] = []
    for number, item in enumerate(given, 1):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ConfigError(f"item {number} is in no form of an item: {_FILES if '@' in item else _FORMS}")
        name, separator, value = _plain(match[1]), match[2], match[3]
        if separator == "==":
            query.append((name, _plain(value)))
        elif separator == ":":
            headers.append(_header(number, name, value))
        else:
            data.append((name, _value(number, name, separator, value, is_form=is_form)))
    if not data:
        return Items(tuple(query), tuple(headers), None, "")
    if is_form:
        body = _encoded(data).encode("ascii")
        return Items(tuple(query), tuple(headers), body, _FORM)
    fields = dict(data)
    if len(fields) < len(data):
        raise ConfigError("two items have one name: a JSON object has each name once; write a list as name:='[1, 2]'")
    return Items(tuple(query), tuple(headers), _as_json(fields), _JSON)


def with_query(url: str, query: Pairs) -> str:
    """The URL with these parameters behind its own, in front of a fragment."""
    if not query:
        return url
    base, mark, fragment = url.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return base + joint + _encoded(query) + mark + fragment


def _encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """As a patch writes them: a space is %20, and unreserved characters stay."""
    return urlencode(pairs, quote_via=quote, safe="", encoding="utf-8", errors="surrogateescape")


def _as_json(fields: Mapping[str, Any]) -> bytes:
    """The object, in UTF-8. What the locale could not decode of the arguments are bytes of it."""
    try:
        body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogateescape")
        body.decode()
    except UnicodeError:
        raise ConfigError("an item is no text in UTF-8: send its bytes with --data") from None
    return body


def _header(number: int, name: str, value: str) -> str:
    if not TOKEN.fullmatch(name) or not value.strip():
        raise ConfigError(f"item {number}: a header is written Name:value; a colon in another name is written \\:")
    return f"{name}: {value.strip()}"


def _value(number: int, name: str, separator: str, value: str, *, is_form: bool) -> Any:
    if separator.endswith("@"):
        if not value:
            raise ConfigError(f"item {number}, {printable(name)}: @ has no name of a file behind it; @ itself is \\@")
        content = expanded(value).read_bytes()
        try:
            value = decoded(content)
        except UnicodeDecodeError:
            raise ConfigError(f"item {number}, {printable(name)}: the file is no text: send it with --data") from None
    elif separator == "=":
        value = _plain(value)
    if not separator.startswith(":="):
        return value
    if is_form:
        raise ConfigError(f"item {number}, {printable(name)}: a form has no JSON: write name=value")
    try:
        found = json.loads(value)
        json.dumps(found, allow_nan=False)  # JSON has neither NaN nor infinity
        return found
    except (ValueError, RecursionError):
        raise ConfigError(
            f"item {number}, {printable(name)}: what follows := is not JSON; a text is written name=value"
        ) from None


def _plain(text: str) -> str:
    return _BACKSLASHED.sub(r"\1", text)
