"""The app that servers run while their middleware is fuzzed: it answers with all that it sees of a request.

Run as `fuzz.echo:asgi` or `fuzz.echo:wsgi`. `SCHEMES` are those of the verifier in front of it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from undersign import GoGrid, GoTom, HttpHmac, Recipe, Verified, Verifier, Window
from undersign.servers import asgi as asgi_servers
from undersign.servers import wsgi as wsgi_servers

KEY_ID, SECRET = "user:1", "a secret of the fuzzed middlewares"
ORIGIN = "https://api.example.com"
# A small window, of which each second is hashed.
GOGRID = GoGrid(window=Window(past=30, future=2))
LINES = Recipe(
    name="lines",
    parts=["method", "target", "time", "content-type", "header:X-Name", "body:sha256"],
    joiner="\n",
    mac="hmac-sha256",
    headers={"X-Lines": "{key_id} {time} {signature}"},
)
FIELDS = Recipe(
    name="fields",
    parts=["method", "path", {"part": "params", "of": "both", "encode": "rfc3986", "without": ["fsig"]}],
    joiner="\n",
    mac="hmac-sha256",
    query_or_form={"fkey": "{key_id}", "fts": "{time}", "fsig": "{signature}"},
)
CUSTOM = HttpHmac(provider="custom_api", name="custom", signed_headers=("X-Name", "X-Other"))
SCHEMES = {scheme.name: scheme for scheme in (GoTom(), GOGRID, CUSTOM, LINES, FIELDS)}
VERIFIER = Verifier(list(SCHEMES.values()), {KEY_ID: SECRET})


def seen(verified: Verified, method: str, target: str, path: str, query: str, headers: Any, body: bytes) -> bytes:
    """What an app sees, as JSON; strings are Latin-1."""
    found = {"method": method, "target": target, "path": path, "query": query, "headers": headers}
    signed = {"scheme": verified.scheme, "key_id": verified.key_id, "signed": b64encode(verified.signed).decode()}
    return json.dumps({"seen": found, **signed, "body": b64encode(body).decode()}).encode()


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    target = scope["raw_path"].decode("latin-1") + ("?" + query if query else "")
    path = scope["path"].encode("utf-8", "surrogateescape").decode("latin-1")
    content = seen(scope["undersign"], scope["method"], target, path, query, headers, body)
    start = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    await send({"type": "http.response.body", "body": content})


def _wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    names = {key: key.removeprefix("HTTP_") for key in environ if key.startswith("HTTP_") or key == "CONTENT_TYPE"}
    headers = [[name.replace("_", "-").lower(), environ[key]] for key, name in names.items()]
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    path, query = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    content = seen(environ["undersign"], environ["REQUEST_METHOD"], target, path, query, headers, body)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


_signed = asgi_servers.SignatureMiddleware(_asgi, VERIFIER, origin=ORIGIN)
wsgi = wsgi_servers.SignatureMiddleware(_wsgi, VERIFIER, origin=ORIGIN)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await _signed(scope, receive, send)
