"""Django and its REST framework in one file. Run: gunicorn django_app:application, or uvicorn django_app:asgi"""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-this-example",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={},
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["undersign.servers.django.SignatureMiddleware"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=2_500_000,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["undersign.servers.rest_framework.SignatureAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - these need the settings
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view  # type: ignore[import-untyped]  # noqa: E402
from rest_framework.response import Response  # type: ignore[import-untyped]  # noqa: E402

from undersign import GoGrid, GoTom, Verifier  # noqa: E402
from undersign.servers import asgi as asgi_servers  # noqa: E402
from undersign.servers import wsgi as wsgi_servers  # noqa: E402

VERIFIER = Verifier([GoTom(), GoGrid()], {"user": "secret"})
ORIGIN = "https://api.example.com"
PUBLIC = ["/health", "/health/rest"]


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"verified": request.undersign is not None})  # type: ignore[attr-defined]


def upload(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "key_id": request.undersign.key_id,  # type: ignore[attr-defined]
            "fields": dict(request.POST.items()),
            "files": {name: file.size for name, file in request.FILES.items()},  # type: ignore[union-attr]
        }
    )


def body(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"bytes": len(request.body)})


async def body_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"bytes": len(request.body)})


@api_view(["GET", "POST"])  # type: ignore[untyped-decorator]
def rest(request: Any) -> Any:
    return Response({"user": str(request.user), "scheme": request.auth.scheme, "data": request.data})


urlpatterns = [
    path("health", health),
    path("health/rest", rest),
    path("upload", upload),
    path("body", body),
    path("body-async", body_async),
    path("rest", rest),
]

application = wsgi_servers.SignatureMiddleware(get_wsgi_application(), VERIFIER, origin=ORIGIN, public=PUBLIC)
asgi = asgi_servers.SignatureMiddleware(get_asgi_application(), VERIFIER, origin=ORIGIN, public=PUBLIC)
