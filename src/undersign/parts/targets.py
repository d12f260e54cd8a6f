"""Parts of a target that is cut: one segment of the path, and the query without some of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.fields import decode_field
from ..core.message import Request
from ..errors import CannotSign, ConfigError
from .message import Part, Values, text_list


def path_segment(options: Mapping[str, Any], field: str) -> Part:
    """One segment of the path as it is on the wire, counted from 0, or from the end with -1. Raises ConfigError."""
    segment = options["segment"]
    if type(segment) is not int:
        raise ConfigError(f"{field}: segment is a number: 0 is the first segment of the path, -1 the last")
    which = {0: "first segment", -1: "last segment"}.get(segment, f"segment {segment}, of which 0 is the first")

    def text(request: Request, _: Values) -> str:
        segments = request.target.partition("?")[0][1:].split("/")
        try:
            return segments[segment]
        except IndexError:
            raise CannotSign(f"the path has no {which}, and it is signed") from None

    return Part("path segment", f"the request line, the path's {which}", text, is_whole=False)


def query_without(options: Mapping[str, Any], field: str) -> Part:
    """The query as it is on the wire, without some parameters and the & that joins each. Raises ConfigError."""
    names = text_list(options["without"], f"{field}.without")
    without = frozenset(names)

    def text(request: Request, _: Values) -> str:
        query = request.target.partition("?")[2]
        return "&".join([pair for pair in query.split("&") if decode_field(pair.partition("=")[0]) not in without])

    source = f"the request line, the query without {' and '.join(names)}, else as it is on the wire"
    return Part("query", source, text, query_without=without, delimits=True, is_whole=False)
