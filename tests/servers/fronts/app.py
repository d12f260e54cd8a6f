"""The app behind the fronts, as ASGI and as WSGI: each answer says in X-Verdict what was made of the request.

An answer of the ASGI app also has a number in X-Number, so that one which comes from a cache shows.

It is run in processes of its own, one of them with the system's Python, so it imports the library and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from itertools import count
from typing import Any

from undersign import GoGrid, GoTom, HttpHmac, Verifier
from undersign.servers import asgi as asgi_servers
from undersign.servers import wsgi as wsgi_servers

KEY_ID = "user:1"
SECRET = "thepasswordyoureceived"
ORIGIN = "https://api.example.com"
PROVIDER = "custom_api"
SIGNED_HEADERS = ("X-Name", "X-Trace")

VERIFIED = "verified"
_SCHEMES = [GoTom(), GoGrid(), HttpHmac(provider=PROVIDER, name="custom", signed_headers=SIGNED_HEADERS)]
_VERIFIER = Verifier(_SCHEMES, {KEY_ID: SECRET})
_numbers = count()
_verdict: ContextVar[str] = ContextVar("verdict")


class _Noted(logging.Handler):
    """Takes the reason from what is logged of a refusal."""

    def emit(self, record: logging.LogRecord) -> None:
        if reason := getattr(record, "reason", ""):
            _verdict.set(reason)


logging.getLogger("undersign").addHandler(_Noted())


def _wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    _verdict.set(VERIFIED)
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"ok"]


# nginx, Apache and gunicorn drop headers with underscores.
_WSGI = wsgi_servers.SignatureMiddleware(_wsgi_app, _VERIFIER, origin=ORIGIN, drops_underscores=True)


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Verdict", _verdict.get())], *rest)

    return _WSGI(environ, start)


async def _asgi_app(scope: Any, receive: Any, send: Any) -> None:
    _verdict.set(VERIFIED)
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


_ASGI = asgi_servers.SignatureMiddleware(_asgi_app, _VERIFIER, origin=ORIGIN)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    async def told(message: Any) -> None:
        if message["type"] == "http.response.start":
            more = [(b"x-verdict", _verdict.get().encode()), (b"x-number", str(next(_numbers)).encode())]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    await _ASGI(scope, receive, told)
