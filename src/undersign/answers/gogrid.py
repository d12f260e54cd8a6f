"""GoGrid's answers, success and error, in JSON, XML and CSV, as one result and one family of errors.

The format is told by the first character, never by Content-Type: GoGrid sends JSON as `text/html`, and the gateway in
front of it answers in a form of its own, whatever `format` was asked for.

Sources: the API's wiki, recorded answers, and the gateway's documentation. No CSV failure was found among them; it is
read in the shape of the success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..errors import UndersignError
from ._reading import LIMIT, HttpResponse, NotReadable, clean, decode, header, load_json

__all__ = [
    "AuthenticationFailed",
    "BadRequest",
    "GatewayRefused",
    "GoGridError",
    "GoGridResult",
    "NotFound",
    "NotPermitted",
    "ServerError",
    "ServiceNotFound",
    "Summary",
    "UnreadableAnswer",
    "parse",
    "raise_for_error",
]

_CSV_SUMMARY = re.compile(
    r"# ?(SUCCESS|FAILURE), ?([^\r\n]*), ?TOTAL, ?([0-9]{1,9}), ?START, ?([0-9]{1,9}), ?RETURNED, ?([0-9]{1,9})[ \t]*"
)
_HEADING = re.compile(r"<h1>([^<]{0,200})</h1>")
_ERROR_NAMES = ("errorcode", "message")
# The wiki and the answers spell the codes differently: Unauthorized, UnauthorizedException.
_SUFFIX = re.compile(r"exception$|error$|[^a-z]")


@dataclass(frozen=True)
class Summary:
    """How many objects there are in all, the place of the first one returned, and how many are returned."""

    total: int
    start: int
    returned: int


@dataclass(frozen=True)
class GoGridResult:
    """What GoGrid answers: whether it succeeded, of which method, and a list of objects.

    Each object is a mapping of names to values, with its kind at `object` where the format tells it. From JSON the
    values are as they stand; XML and CSV know text alone, where XML may nest objects and lists.
    """

    success: bool
    method: str
    summary: Summary
    objects: tuple[Mapping[str, Any], ...]

    @property
    def status(self) -> str:
        """`success` or `failure`, as it is sent."""
        return "success" if self.success else "failure"


class GoGridError(UndersignError):
    """An answer that is an error.

    `status` is the HTTP status, `errorcode` GoGrid's name of the error or the gateway's, `message` one line for a log.
    `result` is the whole answer, None where it is not in GoGrid's form.
    """

    def __init__(
        self, message: str = "", *, status: int = 0, errorcode: str = "", result: GoGridResult | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.errorcode = errorcode
        self.result = result

    def __str__(self) -> str:
        if not self.status:
            return self.message
        code = f" {self.errorcode}" if self.errorcode else ""
        return f"GoGrid answered {self.status}{code}: {self.message}"


class BadRequest(GoGridError):
    """400, IllegalArgumentException: a parameter is missing or not valid."""


class NotPermitted(GoGridError):
    """401: the role of this key may not do this; a read-only key that writes, for one."""


class AuthenticationFailed(GoGridError):
    """403: the key is unknown, the signature is wrong, or a clock is off."""


class GatewayRefused(AuthenticationFailed):
    """403 from the gateway, before GoGrid saw the request; `errorcode` is its X-Mashery-Error-Code."""


class NotFound(GoGridError):
    """404: there is no such object, or no such method."""


class ServerError(GoGridError):
    """500 and above, UnexpectedError."""


class ServiceNotFound(ServerError):
    """596, from the gateway: it knows no service of that host and path."""


class UnreadableAnswer(GoGridError):
    """A success by its status, with a body that is not in GoGrid's form: truncated, too large, or something else."""


_BY_STATUS: dict[int, type[GoGridError]] = {
    400: BadRequest,
    401: NotPermitted,
    403: AuthenticationFailed,
    404: NotFound,
    500: ServerError,
    596: ServiceNotFound,
}
_BY_ERRORCODE: dict[str, type[GoGridError]] = {
    "illegalargument": BadRequest,
    "unauthorized": NotPermitted,
    "authenticationfailed": AuthenticationFailed,
    "notfound": NotFound,
    "unexpected": ServerError,
}


def parse(content: bytes, *, limit: int = LIMIT) -> GoGridResult:
    """The answer that the bytes hold, a failure too.

    Raises UnreadableAnswer for what is not in GoGrid's form, breaks off, is larger than `limit` bytes, or may do harm:
    a DTD, entities, nesting without end, a name that is there twice. CSV that breaks off after a row is found by
    its summary; within the last value nobody can tell.
    """
    try:
        return _parse(content, limit)
    except NotReadable as error:
        raise UnreadableAnswer(f"the answer cannot be read: {error}") from None


def raise_for_error(response: HttpResponse, *, limit: int = LIMIT) -> GoGridResult:
    """The answer where it is a success, else raise the error that it is; see the classes of this module.

    `response` is one of requests, httpx or a library like them; `limit` is as in `parse`. The status decides on the
    class, and where it says success, the errorcode. A body that cannot be read does not hide the status. Raises
    GoGridError.
    """
    status = response.status_code
    succeeded = 200 <= status < 300
    gateway_code = clean(header(response, "x-mashery-error-code"))
    try:
        result = _parse(response.content, limit)
    except NotReadable as error:
        kind = UnreadableAnswer if succeeded else _kind(status, "", gateway_code)
        heading = _HEADING.search(response.content[:1000].decode("utf-8", "replace"))
        message = clean(heading[1]) if heading else f"the answer cannot be read: {error}"
        raise kind(message, status=status, errorcode=gateway_code) from None
    if succeeded and result.success:
        return result
    errorcode, message = _error(result)
    raise _kind(status, errorcode, gateway_code)(
        message, status=status, errorcode=errorcode or gateway_code, result=result
    )


def _kind(status: int, errorcode: str, gateway_code: str) -> type[GoGridError]:
    if status == 403 and gateway_code:
        return GatewayRefused
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status > 500:
        return ServerError
    return _BY_ERRORCODE.get(_SUFFIX.sub("", errorcode.lower()), GoGridError)


def _error(result: GoGridResult) -> tuple[str, str]:
    """Errorcode and message of the first object that has either."""
    for entry in result.objects:
        errorcode, message = (value if isinstance(value, str) else "" for value in map(entry.get, _ERROR_NAMES))
        if errorcode or message:
            return clean(errorcode), clean(message)
    return "", "the answer names no error"


def _parse(content: bytes, limit: int) -> GoGridResult:
    text = decode(content, limit).lstrip(" \t\r\n")
    first = text[:1]
    if first == "{":
        return _from_json(text)
    if first == "<":
        from ._xml import from_xml

        return _checked(*from_xml(text))
    if first == "#":
        return _from_csv(text)
    raise NotReadable("it is neither GoGrid's JSON nor its XML nor its CSV" if first else "it is empty")


def _from_json(text: str) -> GoGridResult:
    envelope = load_json(text)
    entries = envelope.get("list")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NotReadable("its list is absent or not one of objects")
    size = len(entries)
    # The least that GoGrid's clients need is status and list.
    summary = envelope.get("summary", {"total": size, "start": 0, "returned": size})
    if not isinstance(summary, dict):
        raise NotReadable("its summary is not an object")
    return _checked(envelope.get("status"), envelope.get("method", ""), summary, entries)


def _from_csv(text: str) -> GoGridResult:
    import csv
    import io

    match = _CSV_SUMMARY.match(text)
    if match is None or text[match.end() : match.end() + 1] not in ("", "\r", "\n"):
        raise NotReadable("its first line is not GoGrid's CSV summary, or breaks off")
    outcome, method = match[1].lower(), match[2].strip()
    summary: dict[str, int] = {"total": int(match[3]), "start": int(match[4]), "returned": int(match[5])}
    entries: list[dict[str, Any]] = []
    columns: list[str] = []
    try:
        for row in csv.reader(io.StringIO(text[match.end() :], newline=""), strict=True):
            if not columns and row:
                columns = [name.strip() for name in row]
                columns[0] = columns[0].removeprefix("#").strip()
                if not row[0].startswith("#") or len(set(columns)) < len(columns):
                    raise NotReadable("its second line does not name the columns, or names one twice")
            elif row and len(row) != len(columns):
                raise NotReadable(f"a row has {len(row)} values for {len(columns)} columns, or it breaks off")
            elif row:
                entries.append(dict(zip(columns, row, strict=True)))
            if len(entries) > summary["returned"]:
                break
    except csv.Error as error:
        raise NotReadable(f"it is not CSV, or breaks off: {error}") from None
    if len(entries) != summary["returned"]:
        raise NotReadable(f"it says {summary['returned']} rows, and does not have as many: it may break off")
    return _checked(outcome, method, summary, entries)


def _checked(status: object, method: object, figures: Mapping[str, Any], entries: list[dict[str, Any]]) -> GoGridResult:
    """The result of parts that came from outside. Raises NotReadable for those of a wrong type."""
    if status not in ("success", "failure") or not isinstance(method, str):
        raise NotReadable("its status is neither success nor failure, or its method is no text")
    total, start, returned = (figures.get(name) for name in ("total", "start", "returned"))
    for figure in (total, start, returned):
        if type(figure) is not int or figure < 0:
            raise NotReadable("its summary is not three whole numbers: total, start, returned")
    summary = Summary(cast("int", total), cast("int", start), cast("int", returned))
    return GoGridResult(status == "success", method, summary, tuple(entries))
