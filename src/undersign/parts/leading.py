"""The query or the body up to the signature, for APIs that take it behind all that is signed.

symbol=LTCBTC&timestamp=1499827319559&signature=c8db…
└────────── what is signed ─────────┘
"""

from __future__ import annotations

from typing import Any

from ..core.fields import FORM, decode_field
from ..core.message import Request
from ..errors import CannotSign, ConfigError
from .message import Body, Part, Values, raw_body


def leading_part(word: str, field_name: Any, field: str) -> Part:
    """The part `query` or `body` with `before`: what stands before that parameter, which has to be the last. A body
    that is no urlencoded form is signed whole. Raises ConfigError."""
    if not isinstance(field_name, str) or not field_name:
        raise ConfigError(f"{field}: before is the name of a parameter, the last one")
    without = frozenset({field_name})

    def query(request: Request, _: Values) -> str:
        return _before(request.target.partition("?")[2], field_name, "query")

    def body(request: Request, values: Values, sent: Body, second: int) -> str:
        text = raw_body(request, values, sent, second)
        return _before(text, field_name, "form") if FORM in request.media_types() else text

    source = f"as it is on the wire, up to {field_name}"
    if word == "query":
        return Part(
            "leading query", f"the request line, the query {source}", query, query_without=without, delimits=True
        )
    return Part("body", f"the body {source}", late=body, raw=True, form_without=without, delimits=True)


def _before(encoded: str, name: str, what: str) -> str:
    fields = encoded.split("&")
    places = [place for place, field in enumerate(fields) if decode_field(field.partition("=")[0]) == name]
    if places and places != [len(fields) - 1]:
        raise CannotSign(
            f"the parameter {name!r} is not the last of the {what}: remove it, or send it behind all others"
        )
    return "&".join(fields[: places[0]] if places else fields).rstrip("&")
