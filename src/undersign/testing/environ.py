"""Signing a WSGI environ, as test clients of Flask and Django make one: nothing of it has been on a wire.

An environ of a test client has no target as it was sent, or one without its query. So the target is made here, the
signature is over that one, and the environ says so in REQUEST_URI and RAW_URI, as a server does.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..clients.nonces import nonces_of
from ..core.credentials import Credential, Secret
from ..core.message import Request
from ..scheme import Scheme
from ..servers._environ import headers_of
from ..servers._targets import nearest_spelling
from ..signing import Signer

DEFAULT_HOSTS = frozenset({"localhost", "localhost:80", "testserver", "testserver:80"})
"""What test clients call the server unless they are told: Flask's, and Django's."""


class EnvironSigner:
    """Signs environs in place, as requests to the one of `origins`; one to another host is left as it is."""

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret,
        *,
        origins: Sequence[str],
        clock: Callable[[], float],
        extra: Mapping[str, str],
    ) -> None:
        credential = Credential(key_id, secret, origins, extra=extra)
        self._signer = Signer(scheme, credential, clock=clock, nonce=nonces_of(scheme))
        (self._origin,) = credential.origins

    def __call__(self, environ: dict[str, Any]) -> None:
        """Sign the request that the environ is, and put its body back to be read."""
        parts = urlsplit(self._origin)
        host: str = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
        if host != parts.netloc and host not in DEFAULT_HOSTS:
            return  # a redirect leads to somebody who may not have the credential
        environ["HTTP_HOST"], environ["wsgi.url_scheme"] = parts.netloc, parts.scheme
        environ["SERVER_SOFTWARE"] = "undersign.testing/1"  # it sends no header whose name has an underscore
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body: bytes = environ["wsgi.input"].read(length) if length else b""
        request = Request(environ["REQUEST_METHOD"], _target(environ), headers_of(environ), body, self._origin)
        patch = self._signer.sign(request)
        signed = patch.apply(request)
        for name, value in patch.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["RAW_URI"] = environ["REQUEST_URI"] = signed.target
        environ["QUERY_STRING"] = signed.target.partition("?")[2]
        content = signed.body if isinstance(signed.body, bytes) else body
        environ["wsgi.input"], environ["wsgi.input_terminated"] = io.BytesIO(content), True
        if content or "CONTENT_LENGTH" in environ:
            environ["CONTENT_LENGTH"] = str(len(content))


def _target(environ: dict[str, Any]) -> str:
    sent: str = environ.get("REQUEST_URI", "").partition("?")[0]
    is_whole = sent.startswith("/") and sent.isascii() and sent.isprintable() and " " not in sent
    path = sent if is_whole else nearest_spelling(_decoded(environ))
    query: str = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _decoded(environ: dict[str, Any]) -> str:
    """The path that the app runs, as text: PEP 3333 has its UTF-8 as Latin-1."""
    runs: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return runs.encode("latin-1").decode("utf-8", "surrogateescape")
