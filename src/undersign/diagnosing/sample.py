"""What an example that an API has published says of the time and the nonce that it was signed with.

The recipe says where they travel, and may be wrong about the rest, as a draft is: so a template is read for its
literals alone, and a time in whatever form it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ..core.fields import FORM, decode_field, fields
from ..core.message import Request
from ..parts.times import time_form
from ..recipe import Recipe

TIMES = (
    *("unix", "unix-ms", "iso", "iso-ms", "http"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%SZ", "%Y%m%d%H%M%S"),
)
"""The forms of a time that pages have."""

_PLACEHOLDER = re.compile(r"\{([^{}?]*)\??\}")
_HEADER = re.compile(r"([A-Za-z0-9_-]+):[ \t]+(.*)|([A-Za-z0-9_-]+):(?!//)(.*)")


def told(recipe: Recipe, request: Request, published: str) -> dict[str, str]:
    """The values by name (`time`, `nonce`) that travel where the recipe sends them, in the request or in what is
    published: a header, the lines of several, a URL, or its parameters. Of what is in both, that of the request."""
    headers = {name.lower(): text for name, text in recipe.headers.items()}
    parameters = {**recipe.query, **recipe.form, **recipe.query_or_form}
    found: dict[str, str] = {}
    for name, value in (*_headers_of(published), *request.headers):
        found.update(_values(headers.get(name.lower(), ""), value, recipe.list_separator))
    for encoded in (_query_of(published), *_encoded(request)):
        for name, value in fields(encoded, parameters) if parameters else ():
            found.update(_values(parameters[name], decode_field(value), ""))
    return {name: value for name, value in found.items() if name in ("time", "nonce") and value}


def seconds_of(recipe: Recipe, text: str) -> float | None:
    """Unix seconds of a time in the recipe's form or in another that pages have; None where it is in none."""
    read = (time_form(name).read(text) for name in (recipe.time, *TIMES))
    return next((at for at in read if at is not None), None)


def _headers_of(published: str) -> Iterator[tuple[str, str]]:
    for line in published.splitlines():
        if match := _HEADER.fullmatch(line.strip()):
            yield match[1] or match[3], (match[2] or match[4] or "").strip()


def _query_of(published: str) -> str:
    text = published.strip()
    return urlsplit(text).query if "?" in text else text


def _encoded(request: Request) -> Iterator[str]:
    yield request.target.partition("?")[2]
    if FORM in request.media_types() and isinstance(request.body, bytes):
        yield request.body.decode("latin-1")


def _values(template: str, value: str, separator: str) -> Mapping[str, str]:
    """What stands in a value where its template has placeholders."""
    if not template:
        return {}
    found: dict[str, str] = {}
    items = value.split(separator) if separator else [value]
    for piece in template.split(separator) if separator else [template]:
        names = _PLACEHOLDER.findall(piece)
        literals = map(re.escape, _PLACEHOLDER.sub("\0", piece).split("\0"))
        expression = "(.*?)".join(literals)
        match = next(filter(None, (re.fullmatch(expression, item.strip(), re.DOTALL) for item in items)), None)
        if match is not None:
            found.update(zip(names, match.groups(), strict=True))
    return found
