"""Keys in Django's database. Run: gunicorn django_keys:application, or uvicorn django_keys:asgi"""

from __future__ import annotations

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-this-example",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": os.environ.get("PGPORT", "5432"),
            "CONN_MAX_AGE": 600,
        }
    },
    MIDDLEWARE=["undersign.servers.django.SignatureMiddleware"],
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - these need the settings
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from undersign import AsyncVerifier, GoTom, Verifier  # noqa: E402
from undersign.keys.django import DjangoKeys  # noqa: E402
from undersign.servers import asgi as asgi_servers  # noqa: E402
from undersign.servers import wsgi as wsgi_servers  # noqa: E402


class ApiKey(models.Model):
    """In a project of yours this is in models.py, and has a migration."""

    key_id = models.CharField(max_length=200, unique=True)
    secret = models.CharField(max_length=200)
    old_secret = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "keys"
        db_table = "api_keys"


def secrets_of(key_id: str, scheme: str) -> list[str]:
    key = ApiKey.objects.get(key_id=key_id)  # DoesNotExist is an unknown key
    return [key.secret, key.old_secret]  # an empty one is none


async def secrets_of_async(key_id: str, scheme: str) -> list[str]:
    key = await ApiKey.objects.aget(key_id=key_id)
    return [key.secret, key.old_secret]


def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"key_id": request.undersign.key_id})  # type: ignore[attr-defined]


urlpatterns = [path("who", who)]

application = wsgi_servers.SignatureMiddleware(
    get_wsgi_application(), Verifier(GoTom(), DjangoKeys(secrets_of)), origin="https://api.example.com"
)
asgi = asgi_servers.SignatureMiddleware(
    get_asgi_application(), AsyncVerifier(GoTom(), DjangoKeys(secrets_of_async)), origin="https://api.example.com"
)
