"""Webhooks on Django, a project in one file. Run: gunicorn webhooks_django:application"""

from __future__ import annotations

from typing import Any

from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="only-for-this-example")  # noqa: S106

from django.core.wsgi import get_wsgi_application  # noqa: E402 - these need the settings
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402
from webhook_schemes import VERIFIER, at_its_own_path  # noqa: E402

from undersign.servers.django import verified  # noqa: E402
from undersign.servers.wsgi import SignatureMiddleware  # noqa: E402


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str) -> JsonResponse:
    verified(request)  # raises where the request has come by another way than through the middleware
    return JsonResponse({"received": provider, "bytes": len(request.body)})


urlpatterns = [path("hooks/<provider>", receive)]
project = get_wsgi_application()
hooks = SignatureMiddleware(project, VERIFIER, authorize=at_its_own_path, max_body=1024 * 1024)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    return (hooks if environ["PATH_INFO"].startswith("/hooks/") else project)(environ, start_response)
