"""What the example of keys in Django's database is held against: other lookups of the same table."""

from __future__ import annotations

from django_keys import ApiKey, asgi_servers, get_asgi_application, get_wsgi_application, secrets_of, wsgi_servers

from undersign import AsyncVerifier, GoTom, Verifier
from undersign.keys import CachedKeys
from undersign.keys.django import DjangoKeys

ORIGIN = "https://api.example.com"

# By itself: what Django's connections are without Django's requests.
alone = wsgi_servers.SignatureMiddleware(get_wsgi_application(), Verifier(GoTom(), secrets_of), origin=ORIGIN)
# A function in an event loop, behind a cache that is always too old.
function = asgi_servers.SignatureMiddleware(
    get_asgi_application(),
    AsyncVerifier(GoTom(), CachedKeys(DjangoKeys(secrets_of), max_age=1e-9)),
    origin=ORIGIN,
)

assert ApiKey
