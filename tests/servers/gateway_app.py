"""The app behind uWSGI, FastCGI, SCGI, CGI and mod_wsgi: it answers with the path it runs, or why it does not.

One of them runs it with the system's Python, so it imports the library and nothing else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from undersign import GoGrid, GoTom, Verifier
from undersign.servers.wsgi import SignatureMiddleware

KEY_ID = "user:1"
SECRET = "thepasswordyoureceived"
ORIGIN = "https://api.example.com"

_local = threading.local()


def _app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    found = {
        "path": environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        "key_id": environ["undersign"].key_id if environ["undersign"] else None,
        "content_type": environ.get("CONTENT_TYPE", ""),
        "body": environ["wsgi.input"].read(length).decode() if length else "",
    }
    content = json.dumps(found).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


def _on_rejected(reason: str, key_id: str, detail: str) -> None:
    _local.refused = f"{reason}: {detail}"


_protected = SignatureMiddleware(
    _app,
    Verifier([GoTom(), GoGrid()], {KEY_ID: SECRET}),
    origin=ORIGIN,
    public=["/open/*"],
    on_rejected=_on_rejected,
)


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    _local.refused = ""

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Refused", _local.refused)], *rest)

    return _protected(environ, start)
