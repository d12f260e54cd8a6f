"""Django with django-cors-headers, called from pages of another origin. Run: gunicorn cors_django:application"""

from __future__ import annotations

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-this-example",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["corsheaders"],
    MIDDLEWARE=[
        "corsheaders.middleware.CorsMiddleware",
        "undersign.servers.django.SignatureMiddleware",
    ],
    CORS_ALLOWED_ORIGINS=["https://app.example.com"],
    CORS_ALLOW_HEADERS=["authorization", "content-type", "date"],
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - these need the settings
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from undersign import GoTom, Verifier  # noqa: E402
from undersign.servers import asgi as asgi_servers  # noqa: E402
from undersign.servers import wsgi as wsgi_servers  # noqa: E402


def orders(request: HttpRequest) -> JsonResponse:
    return JsonResponse(["first"], safe=False)


urlpatterns = [path("orders", orders)]

VERIFIER = Verifier(GoTom(), {"user": "secret"})
application = wsgi_servers.SignatureMiddleware(get_wsgi_application(), VERIFIER, preflights=True)
asgi = asgi_servers.SignatureMiddleware(get_asgi_application(), VERIFIER, preflights=True)
