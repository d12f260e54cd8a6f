"""Refusals as a Prometheus counter. Run: waitress-serve prometheus_hook:app

The reasons are few and fixed, so they make good labels; key ids do not.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter, make_wsgi_app
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from undersign import GoTom, Verifier
from undersign.servers.wsgi import SignatureMiddleware

REFUSED = Counter("undersign_refused", "Requests that were refused, by reason", ["reason"])


def count(reason: str, key_id: str, detail: str) -> None:
    REFUSED.labels(reason).inc()


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]


protected = SignatureMiddleware(hello, Verifier(GoTom(), {"user": "secret"}), on_rejected=count)

# Scraped from inside, unsigned: beside the protected app, and not behind a public path of it.
app = DispatcherMiddleware(protected, {"/metrics": make_wsgi_app()})
