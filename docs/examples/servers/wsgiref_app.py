"""wsgiref with the exact target: run `python wsgiref_app.py`, and call http://127.0.0.1:8000/v1/items with a signature.

wsgiref gives an app the decoded path alone. This handler adds the target as it stands on the request line, so that
paths of any spelling verify.
"""

from __future__ import annotations

from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from undersign import GoTom, Verifier
from undersign.servers.wsgi import SignatureMiddleware


class ExactHandler(WSGIRequestHandler):
    """Adds REQUEST_URI, and refuses what an environ cannot tell apart."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["REQUEST_URI"] = self.requestline.split()[1]  # self.path has lost a // at its beginning
        if "Content-Type" not in self.headers:
            environ["CONTENT_TYPE"] = ""  # it says text/plain otherwise
        return environ


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"Hello, {environ['undersign'].key_id}\n".encode()]


application = SignatureMiddleware(hello, Verifier(GoTom(), {"user": "secret"}))

if __name__ == "__main__":
    make_server("127.0.0.1", 8000, application, handler_class=ExactHandler).serve_forever()
