"""What the example of keys in Django's database is held against: other lookups of the same table."""

from __future__ import annotations

import importlib
from typing import Any

from undersign import AsyncVerifier, GoTom, Verifier
from undersign.keys import CachedKeys
from undersign.keys.django import DjangoKeys
from undersign.servers import asgi as asgi_servers
from undersign.servers import wsgi as wsgi_servers

EXAMPLE: Any = importlib.import_module("django_keys")
ORIGIN = "https://api.example.com"

# By itself: what Django's connections are without Django's requests.
alone = wsgi_servers.SignatureMiddleware(
    EXAMPLE.get_wsgi_application(), Verifier(GoTom(), EXAMPLE.secrets_of), origin=ORIGIN
)
# A function in an event loop, behind a cache that is always too old.
function = asgi_servers.SignatureMiddleware(
    EXAMPLE.get_asgi_application(),
    AsyncVerifier(GoTom(), CachedKeys(DjangoKeys(EXAMPLE.secrets_of), max_age=1e-9)),
    origin=ORIGIN,
)
