"""Test clients that sign what they send, each the framework's own one, for the app behind its middleware.

All of them sign by the code that signs real requests, so what a test sends is what a client would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.credentials import Secret, as_secret
from ..errors import ConfigError
from ..scheme import Scheme
from .environ import EnvironSigner

if TYPE_CHECKING:
    import httpx
    from django.test import Client
    from flask import Flask
    from flask.testing import FlaskClient
    from starlette.testclient import TestClient

_NOTHING: Mapping[str, str] = MappingProxyType({})
Made = TypeVar("Made")
_ORIGIN = "https://testserver"


def signed_test_client(
    app: Any,
    scheme: Scheme,
    key_id: str,
    secret: Secret | str | bytes,
    *,
    origin: str = _ORIGIN,
    clock: Callable[[], float] = time.time,
    extra: Mapping[str, str] = _NOTHING,
) -> TestClient:
    """Starlette's and FastAPI's TestClient, which signs each request to `app`, redirects within `origin` included.

    `app` is the app behind its middleware, `origin` what that one is told, `clock` returns Unix seconds, `extra` is
    what the credential has besides.

    Example::

        client = signed_test_client(app, GoTom(), "user", "secret")
        assert client.post("/orders", json={"number": 7}).status_code == 200

    Raises ConfigError for a credential that cannot work; sending raises CannotSign.
    """
    hidden = as_secret(secret)
    del secret  # so that no frame which raises below holds a plain one
    from starlette.testclient import TestClient

    from ..clients.httpx import SignatureAuth, sign_every_hop

    client = TestClient(app, base_url=origin)
    client.auth = _signing(SignatureAuth, scheme, key_id, hidden, origin, clock, extra)
    sign_every_hop(client)
    return client


def signed_async_client(
    app: Any,
    scheme: Scheme,
    key_id: str,
    secret: Secret | str | bytes,
    *,
    origin: str = _ORIGIN,
    clock: Callable[[], float] = time.time,
    extra: Mapping[str, str] = _NOTHING,
) -> httpx.AsyncClient:
    """httpx's AsyncClient, which signs each request and hands it to the ASGI `app`; see `signed_test_client`.

    async with signed_async_client(app, GoTom(), "user", "secret") as client:
        assert (await client.get("/orders")).status_code == 200
    """
    hidden = as_secret(secret)
    del secret
    import httpx

    from ..clients.httpx import SignatureAuth, sign_every_hop

    auth = _signing(SignatureAuth, scheme, key_id, hidden, origin, clock, extra)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin, auth=auth)
    sign_every_hop(client)
    return client


def signed_flask_client(
    app: Flask,
    scheme: Scheme,
    key_id: str,
    secret: Secret | str | bytes,
    *,
    origin: str = _ORIGIN,
    clock: Callable[[], float] = time.time,
    extra: Mapping[str, str] = _NOTHING,
) -> FlaskClient:
    """Flask's test client, which signs each request; see `signed_test_client`.

    client = signed_flask_client(app, GoTom(), "user", "secret")
    assert client.get("/orders").status_code == 200
    """
    hidden = as_secret(secret)
    del secret
    sign = _signing(EnvironSigner, scheme, key_id, hidden, origin, clock, extra)
    client = app.test_client()
    run = client.run_wsgi_app

    def run_signed(environ: dict[str, Any], buffered: bool = False) -> Any:
        sign(environ)
        return run(environ, buffered)

    client.run_wsgi_app = run_signed  # type: ignore[method-assign]
    return client


def signed_django_client(
    application: Any,
    scheme: Scheme,
    key_id: str,
    secret: Secret | str | bytes,
    *,
    origin: str = _ORIGIN,
    clock: Callable[[], float] = time.time,
    extra: Mapping[str, str] = _NOTHING,
    client: Client | None = None,
) -> Client:
    """Django's test client, which signs each request and goes through the project's wsgi.py; see `signed_test_client`.

    `application` is the one of wsgi.py, behind its middleware: Django's own client goes past it. `client` is one of
    yours, of the REST framework, say. CSRF is checked as in production.

    Example::

        client = signed_django_client(application, GoTom(), "user", "secret")
        assert client.get("/orders/").status_code == 200
    """
    hidden = as_secret(secret)
    del secret
    from django.test import Client

    from .django_handler import ProjectHandler

    sign = _signing(EnvironSigner, scheme, key_id, hidden, origin, clock, extra)
    found = Client() if client is None else client
    found.handler = ProjectHandler(application, sign)  # type: ignore[assignment]
    return found


def _signing(
    made_by: Callable[..., Made],
    scheme: Scheme,
    key_id: str,
    hidden: Secret | ConfigError,
    origin: str,
    clock: Callable[[], float],
    extra: Mapping[str, str],
) -> Made:
    """What signs for a test client: httpx's auth or an EnvironSigner. Raises ConfigError for what cannot work."""
    if isinstance(hidden, ConfigError):
        raise hidden
    return made_by(scheme, key_id, hidden, origins=[origin], clock=clock, extra=extra)
