"""A plain WSGI app. Run: gunicorn wsgi_app:app, or waitress-serve wsgi_app:app"""

from __future__ import annotations

from typing import Any

from undersign import GoTom, Verifier
from undersign.servers.wsgi import SignatureMiddleware


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    text = f"Hello, {environ['undersign'].key_id if environ['undersign'] else 'anyone'}\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]


app = SignatureMiddleware(
    hello,
    Verifier(GoTom(), {"user": "secret"}),
    origin="https://api.example.com",
    public=["/health"],
)
