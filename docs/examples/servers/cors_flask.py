"""Flask with Flask-CORS, called from pages of another origin. Run: gunicorn cors_flask:app"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flask
from flask_cors import CORS  # type: ignore[import-untyped, unused-ignore]

from undersign import GoTom, Verifier
from undersign.servers.flask import Signature

ORIGINS = ["https://app.example.com"]

app = flask.Flask(__name__)
CORS(app, origins=ORIGINS, allow_headers=["Authorization", "Content-Type", "Date"])
Signature(Verifier(GoTom(), {"user": "secret"}), app, preflights=True)


class ReadableRefusals:
    """Lets pages of these origins read what Flask-CORS never sees: the refusals of the middleware below."""

    def __init__(self, app: Any, origins: Iterable[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        origin = environ.get("HTTP_ORIGIN")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if not any(name.lower() == "access-control-allow-origin" for name, _ in headers):
                headers = [*headers, ("Vary", "Origin")]
                if origin in self.origins:
                    headers.append(("Access-Control-Allow-Origin", origin))
            return start_response(status, headers, *rest)

        return self.app(environ, start)


app.wsgi_app = ReadableRefusals(app.wsgi_app, ORIGINS)  # type: ignore[method-assign]


@app.get("/orders")
def orders() -> list[str]:
    return ["first"]
