"""Django: what verified as an attribute of the request. The project stands behind the WSGI or ASGI middleware.

In the project's wsgi.py and asgi.py:

    application = undersign.servers.wsgi.SignatureMiddleware(get_wsgi_application(), verifier)

Django's own middleware comes too late to verify: a body that it has read cannot be parsed by the view any more, and
one of some megabytes cannot be had as bytes at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..verifying.verdict import Verified
from ._common import KEY, verified_in

if TYPE_CHECKING:
    from django.test import RequestFactory

__all__ = ["SignatureMiddleware", "signed_as", "verified"]

Client = TypeVar("Client", bound="RequestFactory")


class SignatureMiddleware:
    """Sets `request.undersign` to the Verified, or to None on a public path; name it first in MIDDLEWARE.

    Raises ConfigError for a request that has not come through undersign's WSGI or ASGI middleware. So a project that
    was not wrapped serves nobody. Works in sync and async projects.
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


def signed_as(client: Client, verified: Verified | None) -> Client:
    """Make a client of Django's for tests send what `verified` has signed; None is a request to a public path.

    For Client, AsyncClient, RequestFactory and AsyncRequestFactory, and for those of the REST framework, none of which
    goes through wsgi.py or asgi.py: `signed_as(AsyncClient(), Verified("gotom", "user"))`. Returns the client.
    """
    send = client.request

    def request(**values: Any) -> Any:
        return send(**{**values, KEY: verified})

    client.request = request  # type: ignore[method-assign]
    return client


def verified(request: HttpRequest) -> Verified | None:
    """Who signed the request; None on a public path. Raises ConfigError where the project is not wrapped."""
    scope: dict[str, Any] | None = getattr(request, "scope", None)
    return verified_in(request.META if scope is None else scope)
