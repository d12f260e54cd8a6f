"""One request on the wire, through httpx, with the target's bytes as they were signed."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .. import __version__
from ..core.message import Request, body_length
from ..errors import UndersignError

if TYPE_CHECKING:
    import httpx


_PROXIES = "a proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used"


class NotDelivered(UndersignError):
    """The request did not reach the server, or its answer did not come back whole."""


def with_wire_headers(request: Request) -> Request:
    """The request with all the headers that will go out, so that a scheme may sign any of them."""
    present = {name.lower() for name, _ in request.headers}
    length = body_length(request.body)
    added = [
        ("Host", request.origin.partition("://")[2]),
        ("User-Agent", f"undersign/{__version__}"),
        ("Accept", "*/*"),
    ]
    if length or request.method in ("POST", "PUT", "PATCH"):
        added.append(("Content-Length", str(length)))
    headers = tuple(pair for pair in added if pair[0].lower() not in present) + request.headers
    return Request(request.method, request.target, headers, request.body, request.origin)


def head_of(request: Request) -> bytes:
    """The head as it goes on the wire."""
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _client(timeout: float) -> httpx.Client:
    """The client, with the proxies that the environment names; their URLs may hold passwords, and are not repeated."""
    import httpx

    try:
        return httpx.Client(timeout=timeout)
    except ImportError:
        raise NotDelivered(f"{_PROXIES}: SOCKS needs pip install 'httpx[socks]'") from None
    except (ValueError, httpx.InvalidURL):
        raise NotDelivered(f"{_PROXIES}: write http://host:port") from None


def _through(origin: str) -> str:
    """The proxy that the environment has for the origin, as the middle of a sentence; its URL may hold a password."""
    from urllib.request import getproxies, proxy_bypass

    scheme, _, host = origin.partition("://")
    named = [name for name in (scheme, "all") if name in getproxies()]
    return f" through the proxy of {named[0].upper()}_PROXY" if named and not proxy_bypass(host) else ""


@contextmanager
def sent(request: Request, pieces: Iterable[bytes], timeout: float) -> Generator[httpx.Response, None, None]:
    """The answer to the request, its body still to be read. No redirect is followed.

    Raises NotDelivered in words for whatever goes wrong on the way, while the answer is read as well.
    """
    import httpx

    class Url(httpx.URL):
        @property
        def raw_path(self) -> bytes:
            # httpx resolves dots and rewrites escapes in a URL; the target goes out as it was signed.
            return request.target.encode("ascii")

    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers]
    content = pieces if body_length(request.body) else None
    try:
        outgoing = httpx.Request(request.method, request.origin, headers=headers, content=content)
        outgoing.url = Url(request.origin)
        with _client(timeout) as client:
            response = client.send(outgoing, stream=True)
            try:
                yield response
            finally:
                response.close()
    except httpx.TimeoutException:
        raise NotDelivered(f"{request.origin} did not answer within {timeout:g} seconds") from None
    except httpx.LocalProtocolError:
        # Its message may quote a header.
        raise NotDelivered("a header cannot be sent: check what -H sets") from None
    except httpx.ConnectError as error:
        hint = "; what answers there does not speak TLS" if "WRONG_VERSION_NUMBER" in str(error) else ""
        raise NotDelivered(f"cannot connect to {request.origin}{_through(request.origin)}: {error}{hint}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDelivered(f"{request.origin} broke off: {error}") from None
