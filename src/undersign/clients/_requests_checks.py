"""Checking the signature of answers that requests gets: a response hook, which runs on every hop."""

from __future__ import annotations

import weakref
from typing import Any

from requests import PreparedRequest, Response

from ._checks import ResponseCheck
from ._requests_signing import as_head


class CheckResponse:
    """A response hook that raises ResponseRejected where the answer is not signed as it should be.

    It holds the request, since mocks put a stand-in at `response.request`; weakly, since the request holds it.
    """

    def __init__(self, check: ResponseCheck, request: PreparedRequest) -> None:
        self._check = check
        self._request = weakref.ref(request)

    def __call__(self, response: Response, *_: Any, **__: Any) -> Response:
        request: Any = response.request
        if not isinstance(request, PreparedRequest):
            request = self._request()
        if not self._check.needs_body(request.method or "", response.status_code):
            return response
        try:
            body = response.content or b""
            self._check.check(as_head(request), response.status_code, response.headers.items(), body)
        except BaseException:
            response.close()
            raise
        return response


def add_response_check(check: ResponseCheck, request: PreparedRequest) -> None:
    """Have the request's answers checked, before hooks of the user's see them."""
    hooks: dict[str, list[Any]] = request.__dict__["hooks"]
    others = [hook for hook in hooks.get("response", ()) if not isinstance(hook, CheckResponse)]
    request.__dict__["hooks"] = {**hooks, "response": [CheckResponse(check, request), *others]}
