"""Flask. Run: waitress-serve flask_app:app, or flask --app flask_app run"""

from __future__ import annotations

import flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from undersign import GoGrid, GoTom, Verifier
from undersign.servers.flask import Signature, signed, verified

app = flask.Flask(__name__)
signature = Signature(
    Verifier([GoTom(), GoGrid()], {"user": "secret"}),
    origin="https://api.example.com",
    public=["/health"],
    max_body=8 * 1024 * 1024,
    mounts=["/shop"],
)
signature.init_app(app)


@app.get("/health")
def health() -> str:
    return "ok"


@app.route("/who", methods=["GET", "POST"])
@signed
def who() -> dict[str, object]:
    found = verified()
    return {
        "key_id": found.key_id if found else None,
        "form": flask.request.form.to_dict(),
        "files": {name: len(file.read()) for name, file in flask.request.files.items()},
        "bytes": flask.request.content_length,
    }


def elsewhere(environ: object, start_response: object) -> list[bytes]:
    raise LookupError("nothing is here")


# The same app below /shop: what is signed is the whole path, /shop/who.
mounted = DispatcherMiddleware(elsewhere, {"/shop": app})
