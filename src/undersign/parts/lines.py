"""Headers as lines of a string to sign: those that are named or begin with a prefix, sorted or in order, and the
request line among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..core.grammar import TOKEN
from ..core.message import Component, Request, signed_header
from ..errors import ConfigError
from .message import Part, Values, boolean, text_list

_REQUEST_LINES = ("@request-target", "request-line")


def headers_part(options: Mapping[str, Any], field: str) -> Part:
    """The part `headers`. Raises ConfigError."""
    names = text_list(options.get("names", ()), f"{field}.names")
    drop_blank = boolean(options.get("drop_blank", False), f"{field}.drop_blank")
    ended = boolean(options.get("ended", False), f"{field}.ended")
    sort, prefix = options.get("sort", "name"), options.get("prefix", "")
    pair, item, between = options.get("pair", ": "), options.get("item", "\n"), options.get("between", " ")
    if sort not in ("name", "none"):
        raise ConfigError(f"{field}: headers have sort = 'name' or 'none'")
    if not all(isinstance(text, str) for text in (pair, item, between, prefix)):
        raise ConfigError(f"{field}: pair, item, between and prefix are text")
    if prefix and (names or not TOKEN.fullmatch(prefix)):
        raise ConfigError(f"{field}: headers have names or a prefix such as 'X-Api-', not both")
    for name in names:
        if name not in _REQUEST_LINES and not TOKEN.fullmatch(name):
            raise ConfigError(f"{field}: {name!r} is no name of a header")
    if options.get("http_version", "1.1") not in ("1.0", "1.1", "2", "2.0", "3"):
        raise ConfigError(f"{field}: http_version is that of the request line, '1.1' where it is not given")
    version = f" HTTP/{options.get('http_version', '1.1')}"
    title = boolean(options.get("title", False), f"{field}.title")
    # A name that is there in two spellings makes two lines, and one that is repeated in the same spelling makes one.
    folded = tuple(name.lower() for name in dict.fromkeys(names))

    def text(request: Request, _: Values) -> str:
        lines: list[str] = []
        for name in _with_prefix(request, prefix.lower()) if prefix else folded:
            if name in _REQUEST_LINES:
                lines.append(f"{request.method} {request.target}{version if name == 'request-line' else ''}")
                continue
            value = signed_header(request, name)
            if value is not None and not (drop_blank and value in ("", "0")):
                lines.append(f"{_in_title_case(name) if title else name}{pair}{value}")
        if sort == "name":
            lines.sort()
        block: str = item.join(lines)
        return block + (item if ended and lines else "")

    if not folded and not prefix:
        return Part("custom headers", "empty: the scheme signs none", constant="", names_in=lambda _: "")
    bound = {Component.HEADERS} if ":" in pair and item == "\n" else set[Component]()
    requests = bool({"request-line", "@request-target"} & set(folded))
    if bound and requests:
        bound |= {Component.METHOD, Component.TARGET}
    those = f"that begins with {prefix}" if prefix else f"of {', '.join(names)}"
    return Part(
        "custom headers",
        f"empty: the request has none {those}",
        text,
        binds=frozenset(bound),
        separators=pair + item,
        headers=tuple(name for name in folded if name not in _REQUEST_LINES),
        query_without=frozenset() if requests else None,
        names_in=lambda there: between.join(name for name in folded if name in _REQUEST_LINES or name in there),
    )


def _with_prefix(request: Request, prefix: str) -> Sequence[str]:
    found = dict.fromkeys(name.lower() for name, _ in request.headers if name.lower().startswith(prefix))
    return [name for name in found if len(name) > len(prefix)]


def _in_title_case(name: str) -> str:
    # What stands between hyphens begins with a capital; str.title would write one behind a digit too.
    return "-".join(word[:1].upper() + word[1:] for word in name.split("-"))


def names_there(request: Request, names: Collection[str], also: Collection[str]) -> frozenset[str]:
    """Those of the names (lower case) of which the request has a header, or which stand in `also`."""
    return frozenset(name for name in names if name in also or signed_header(request, name) is not None)
