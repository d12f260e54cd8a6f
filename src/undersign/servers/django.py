"""Django: what verified as an attribute of the request. The project stands behind the WSGI or ASGI middleware.

In the project's wsgi.py and asgi.py:

    application = undersign.servers.wsgi.SignatureMiddleware(get_wsgi_application(), verifier)

Django's own middleware comes too late to verify: a body that it has read cannot be parsed by the view any more, and
one of some megabytes cannot be had as bytes at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..engine import Verified
from ._common import verified_in


class SignatureMiddleware:
    """Sets `request.undersign` to the Verified, or to None on a public path; name it first in MIDDLEWARE.

    A request that has come by another way than through undersign's WSGI or ASGI middleware raises ConfigError, so a
    project that was not wrapped serves nobody. Works in sync and async projects.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.undersign = verified(request)  # type: ignore[attr-defined]
        response: HttpResponseBase = self._get_response(request)  # in an async project a coroutine, which Django awaits
        return response


def verified(request: HttpRequest) -> Verified | None:
    """Who signed the request; None on a public path. Raises ConfigError where the project is not wrapped."""
    scope: dict[str, Any] | None = getattr(request, "scope", None)
    return verified_in(request.META if scope is None else scope)
