"""The envelope that GoGrid's answers come in, in the format that the request asks for: JSON, XML or CSV.

Source: recorded answers. No CSV failure was found among them; it has the shape of the success.
"""

from __future__ import annotations

import json
import re
from html import escape

from ..core.fields import decode_field, fields
from ..core.message import Response, origin_form
from ..scheme import refusal_message

_UNCLEAN = re.compile(r"[^!-~]|[,\"]")
_ERRORS = {
    400: ("IllegalArgumentException", "A required parameter is missing or not valid"),
    401: ("UnauthorizedException", "The role of this key may not do this"),
    403: ("AuthenticationFailedException", "Authentication Failed"),
}


def success(target: str) -> Response:
    """An empty list, as a success of the method that the target names."""
    return _envelope(200, "success", target, [])


def failure(status: int, target: str) -> Response:
    """A failure of that HTTP status; its one list entry names the kind of error and nothing of the cause."""
    errorcode, message = _ERRORS.get(status, ("UnexpectedError", ""))
    return _envelope(
        status, "failure", target, [("errorcode", errorcode), ("message", refusal_message(status, message))]
    )


def _envelope(status: int, outcome: str, target: str, error: list[tuple[str, str]]) -> Response:
    path, _, query = origin_form(target).partition("?")
    # What a hostile path could hold must not become markup, a column or a row.
    method = _UNCLEAN.sub("?", path.removeprefix("/api"))
    asked = [decode_field(value) for _, value in fields(query, ["format"])]
    total = 1 if error else 0
    if asked == ["xml"]:
        return Response(status, (("Content-Type", "text/xml; charset=utf-8"),), _xml(outcome, method, total, error))
    if asked == ["csv"]:
        return Response(status, (("Content-Type", "text/csv; charset=utf-8"),), _csv(outcome, method, total, error))
    content = {
        "summary": {"total": total, "start": 0, "returned": total},
        "status": outcome,
        "method": method,
        "list": [{"object": "error", **dict(error)}] if error else [],
    }
    return Response(status, (("Content-Type", "application/json"),), json.dumps(content).encode())


def _xml(outcome: str, method: str, total: int, error: list[tuple[str, str]]) -> bytes:
    attributes = "".join(f'<attribute name="{name}">{escape(value)}</attribute>' for name, value in error)
    entry = f'<object name="error">{attributes}</object>' if error else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><gogrid><response method="{escape(method)}" status="{outcome}">'
        f'<summary total="{total}" start="0" returned="{total}"/><list>{entry}</list></response></gogrid>'
    ).encode()


def _csv(outcome: str, method: str, total: int, error: list[tuple[str, str]]) -> bytes:
    lines = [f"# {outcome.upper()}, {method}, TOTAL, {total}, START, 0, RETURNED, {total}"]
    if error:
        lines += ["# " + ",".join(name for name, _ in error), ",".join(value for _, value in error)]
    return "".join(line + "\n" for line in lines).encode()
