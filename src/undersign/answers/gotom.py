"""goTom's errors: a refusal is a JSON string, an error of the application is a problem object (RFC 7807).

Source: goTom's API documentation, and the public bundle that its server uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Reason, UndersignError
from ._reading import LIMIT, HttpResponse, NotReadable, clean, decode, load_json

__all__ = ["GoTomError", "GoTomProblem", "GoTomRefused", "raise_for_error"]

_REASONS = {
    "Authorization header required": Reason.MISSING,
    "Date header required": Reason.MALFORMED,
    "Request is too old": Reason.STALE,
    "Signature not valid": Reason.MISMATCH,
}


class GoTomError(UndersignError):
    """An answer that is an error, in neither of the two shapes: a proxy's page, a truncated or a hostile one.

    `status` is the HTTP status, `message` one line for a log.
    """

    def __init__(self, message: str = "", *, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"goTom answered {self.status}: {self.message}"


class GoTomRefused(GoTomError):
    """The request was refused before the application saw it: the answer is a JSON string, the status mostly 401.

    `reason` says what this library calls it, where the server's sentence is a known one; goTom says `Signature not
    valid` for an unknown user too. A clock that is off shows as STALE.
    """

    def __init__(self, message: str = "", *, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.reason = _REASONS.get(message)


class GoTomProblem(GoTomError):
    """The application's error, as RFC 7807 describes it.

    `type`, `title` and `detail` are empty where the answer has none; `status` is the HTTP status, whatever the object
    says. `members` is the whole object.
    """

    def __init__(self, message: str = "", *, status: int = 0, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, status=status)
        self.members: Mapping[str, Any] = dict(members or {})
        self.type, self.title, self.detail = (_text(self.members, name) for name in ("type", "title", "detail"))


def raise_for_error(response: HttpResponse, *, limit: int = LIMIT) -> None:
    """Raise what the answer says, where its status is no success; see the classes of this module.

    `response` is one of requests, httpx or a library like them. At most `limit` bytes of it are read, whatever its
    Content-Type says. Raises GoTomRefused, GoTomProblem, or GoTomError where the body has neither shape.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    try:
        value = load_json(decode(response.content, limit))
    except NotReadable as error:
        raise GoTomError(f"the body cannot be read: {error}", status=status) from None
    if isinstance(value, str):
        raise GoTomRefused(clean(value), status=status)
    if isinstance(value, dict):
        sentences = [clean(_text(value, name)) for name in ("title", "detail")]
        raise GoTomProblem(
            ": ".join(filter(None, sentences)) or "a problem without a title", status=status, members=value
        )
    raise GoTomError("the body is JSON and neither a string nor a problem object", status=status)


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
