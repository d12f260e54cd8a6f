"""The classes of httpx and httpx2 that ours derive from: each library looks for its own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import httpx
    import httpx2

    class Auth(httpx.Auth, httpx2.Auth): ...  # type: ignore[misc]  # what they disagree on is overridden

    class Stream(httpx.SyncByteStream, httpx.AsyncByteStream, httpx2.SyncByteStream, httpx2.AsyncByteStream): ...

    BYTES = (httpx.ByteStream, httpx2.ByteStream)
    NO_ANSWER = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
    Transport = TypeVar(
        "Transport",
        bound="httpx.BaseTransport | httpx.AsyncBaseTransport | httpx2.BaseTransport | httpx2.AsyncBaseTransport",
    )
    Client = TypeVar("Client", bound="httpx.Client | httpx.AsyncClient | httpx2.Client | httpx2.AsyncClient")
else:

    def _installed() -> list[Any]:
        found = []
        for name in ("httpx", "httpx2"):
            try:
                found.append(importlib.import_module(name))
            except ImportError:
                continue
        if not found:
            raise ImportError("undersign.clients.httpx needs httpx or httpx2: pip install 'undersign[httpx]'")
        return found

    _libraries = _installed()
    Auth = type("Auth", tuple(library.Auth for library in _libraries), {})
    Stream = type(
        "Stream",
        tuple(base for library in _libraries for base in (library.SyncByteStream, library.AsyncByteStream)),
        {},
    )
    BYTES = tuple(library.ByteStream for library in _libraries)
    NO_ANSWER = tuple(
        error
        for library in _libraries
        for error in (library.NetworkError, library.TimeoutException, library.RemoteProtocolError)
    )
