"""Webhooks on Flask. Run: waitress-serve webhooks_flask:app"""

from __future__ import annotations

import flask
from webhook_schemes import VERIFIER, at_its_own_path
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from undersign.servers.flask import Signature

hooks = flask.Flask("hooks")
Signature(VERIFIER, hooks, authorize=at_its_own_path, max_body=1024 * 1024, mounts=["/hooks"])


@hooks.post("/<provider>")
def receive(provider: str) -> dict[str, object]:
    return {"received": provider, "bytes": len(flask.request.get_data())}


app = flask.Flask(__name__)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/hooks": hooks})  # type: ignore[method-assign]
