"""Checking the signature of answers that urllib gets, before it acts on their status."""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import HTTPResponse
from urllib.request import BaseHandler
from urllib.request import Request as UrllibRequest

from ..core.message import Request
from ._checks import ResponseCheck


class ResponseChecker(BaseHandler):
    """Raises ResponseRejected where an answer is not signed as it should be. It is added with a SignatureHandler."""

    handler_order = 500  # before those that follow a redirect, or raise an HTTPError, at 1000

    def __init__(self, check: ResponseCheck, as_head: Callable[[UrllibRequest], Request]) -> None:
        self._check = check
        self._as_head = as_head

    def http_response(self, request: UrllibRequest, response: HTTPResponse) -> HTTPResponse:
        """Called by the opener, for every hop: the answer, whose body can be read as if nobody had."""
        if not self._check.needs_body(request.get_method(), response.status):
            return response
        try:
            body = response.read()
            self._check.check(self._as_head(request), response.status, response.headers.items(), body)
        except BaseException:
            response.close()
            raise
        response.fp = io.BufferedReader(io.BytesIO(body))
        response.length = len(body)
        response.chunked = False  # pyright: ignore[reportAttributeAccessIssue]
        return response

    https_response = http_response
