"""Requests as Prometheus metrics, by scheme and reason. Run: waitress-serve prometheus_hook:app

The reasons are few and fixed, so they make good labels; key ids do not.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import make_wsgi_app
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from undersign import GoTom, Verifier
from undersign.events.prometheus import PrometheusEvents
from undersign.servers.wsgi import SignatureMiddleware


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]


verifier = Verifier(GoTom(), {"user": "secret"})
protected = SignatureMiddleware(hello, verifier, events=PrometheusEvents())

# Scraped from inside, unsigned: beside the protected app, and not behind a public path of it.
app = DispatcherMiddleware(protected, {"/metrics": make_wsgi_app()})
