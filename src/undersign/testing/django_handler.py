"""What Django's test client calls, for a project behind its wsgi.py.

Django's own ClientHandler makes the request itself, and middlewares around the application never see it. Templates and
contexts still reach the client, since Django tells those by signals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse


class ProjectHandler:
    """Signs the environ, runs the WSGI application, and gives its answer as an HttpResponse."""

    def __init__(self, application: Any, sign: Callable[[dict[str, Any]], None]) -> None:
        self._application = application
        self._sign = sign

    def __call__(self, environ: dict[str, Any]) -> HttpResponse:
        self._sign(environ)
        asked = WSGIRequest(dict(environ))  # before the body is read; the client resolves the path by it
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return written.append

        written: list[bytes] = []
        # A test's transaction lives in its connection, which a request must not close.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        try:
            answer = self._application(environ, start_response)
            try:
                content = b"".join([*answer])
            finally:
                getattr(answer, "close", lambda: None)()
        finally:
            for signal in (request_started, request_finished):
                signal.connect(close_old_connections)
        status, headers = started
        response = HttpResponse(b"".join(written) + content, status=int(status.split()[0]))
        del response["Content-Type"]
        for name, value in headers:
            if name.lower() == "set-cookie":
                response.cookies.load(value)
            else:
                response[name] = value
        if "Location" in response:
            response.url = response["Location"]  # type: ignore[attr-defined]  # the client follows it by this
        response.wsgi_request = asked  # type: ignore[attr-defined]
        return response
