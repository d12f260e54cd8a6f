"""Signing below requests, where urllib3 sends: every attempt of a retry gets a signature of its own."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry

from ..bodies import is_seekable, pieces_of, read_file, spool
from ..core.credentials import Secret, secrets_of
from ..core.message import BodyDigest, Pairs, Request, origin_form
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed, Scheme
from ._hop import HopSigner, origin_of
from ._requests_signing import normalise_url, pairs_of
from ._retries import IDEMPOTENT, STATUSES

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from ..profiles import Profile

_REMEMBERED = 256  # requests: the hops of a good many redirects at once


def retries(attempts: int = 3, *, also: Iterable[str] = (), backoff: float = 0.5) -> Retry:
    """urllib3's Retry for a SigningAdapter: `attempts` more tries on connection errors, 429 and 503.

    Retry-After is honoured. Without one the waits start at `backoff` seconds and double. Idempotent methods are tried
    again. Others are only when `also` names them, since a server may have acted before the connection broke.
    """
    return Retry(
        total=attempts,
        allowed_methods=IDEMPOTENT | {method.upper() for method in also},
        status_forcelist=STATUSES,
        backoff_factor=backoff,
        respect_retry_after_header=True,
        raise_on_status=False,
    )


class SigningAdapter(HTTPAdapter):
    """A transport adapter that signs each attempt: `session.mount(origin, SigningAdapter(…, origins=[origin]))`.

    Take it for urllib3's retries, which repeat what `auth=` has signed. What it sets does not show on
    `response.request`. Requests to other origins than `origins` go unsigned, wherever else the adapter is mounted. They
    carry no private header of the scheme, and no parameter of ours that a redirect brings back.

    - `max_retries`: a Retry, such as `retries()` makes, or a number.
    - `older`: secrets that are being replaced, for a scheme that sends several signatures. Each makes one too.
    - `extra`: what else the credential has, by name.
    - `nonce`: returns a text that no request had before, for a scheme that sends one. Each attempt gets its own.

    Raises ConfigError for a credential that cannot work, or without origins. Sending raises CannotSign.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "_signer"]  # noqa: RUF012 - requests' own way to say what is pickled

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret | str | bytes,
        *,
        origins: Sequence[str],
        clock: Callable[[], float] = time.time,
        older: Sequence[Secret | str | bytes] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
        nonce: Callable[[], str] | None = None,
        max_retries: Retry | int | None = None,
        **keywords: Any,
    ) -> None:
        secrets = secrets_of(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        if not origins:
            raise ConfigError('an adapter does not see whose call it serves: name origins=["https://api.example.com"]')
        self._signer = HopSigner(scheme, key_id, secrets, origins, clock, extra=extra, nonce=nonce)
        super().__init__(max_retries=retries() if max_retries is None else max_retries, **keywords)

    @classmethod
    def from_profile(
        cls,
        profile: str | Profile,
        *,
        config: str | Path | None = None,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] | None = None,
        max_retries: Retry | int | None = None,
        **keywords: Any,
    ) -> Self:
        """The same for a profile of the user's, which names origins. See `SignatureAuth.from_profile`."""
        from ..profiles import load_profile

        return load_profile(profile, config).auth(cls, clock=clock, nonce=nonce, max_retries=max_retries, **keywords)

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        super().init_poolmanager(*arguments, **keywords)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._signer)

    def proxy_manager_for(self, proxy: Any, **keywords: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **keywords)
        manager.pool_classes_by_scheme = _pool_classes(self._signer)
        return manager

    def send(self, request: PreparedRequest, *arguments: Any, **keywords: Any) -> Response:
        normalise_url(request)
        need = self._signer.scheme.body_need(Request(request.method or "", "/", pairs_of(request.headers)))
        body: Any = request.body
        if isinstance(body, str):
            request.body = body.encode()
        elif isinstance(body, (bytearray, memoryview)):
            request.body = bytes(body)
        elif need and body is not None and not isinstance(body, bytes) and not is_seekable(body):
            content = spool(pieces_of(body.read) if hasattr(body, "read") else body, need).content()
            request.__dict__["body"] = content
            request.headers.pop("Transfer-Encoding", None)
            request.headers["Content-Length"] = str(len(content) if isinstance(content, bytes) else content.length)
        response = super().send(request, *arguments, **keywords)
        if response.is_redirect and not self._signer.allows(_led_to(response.url, response.headers["Location"]), ""):
            # The next hop is a copy of this request, and another adapter may be there to send it.
            for name in [name for name in request.headers if name.lower() in self._signer.scheme.private_headers()]:
                del request.headers[name]
        return response


class _SigningPool:
    """A connection pool's mixin: urllib3 calls urlopen once for each attempt, and from within itself to try again."""

    scheme: str
    host: str
    port: int | None
    signer: HopSigner
    recent: deque[Pairs]
    """The parameters that the last requests were signed with: a later hop may bring those of an earlier one back."""

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, *rest: Any, **keywords: Any) -> Any:
        kept = type(headers)(headers or {}) if headers is not None else {}
        need = self.signer.scheme.body_need(Request(method, "/", pairs_of(kept)))
        body_pos = keywords.get("body_pos")
        if isinstance(body_pos, int) and is_seekable(body):
            body.seek(body_pos)  # urllib3 does so as well, after us
        unsigned = Request(method, origin_form(url), pairs_of(kept), _readable(body, need), self._origin(url))
        if not self.signer.allows(unsigned.origin, ""):
            for name in [name for name in kept if name.lower() in self.signer.scheme.private_headers()]:
                del kept[name]
            return self._urlopen(method, url, body, kept, *rest, **keywords)
        patch = self.signer.sign(unsigned)
        if patch.form:
            body = patch.apply(unsigned).body
            kept["Content-Length"] = str(len(body))
        for name, value in patch.headers:
            kept[name] = value
        response = self._urlopen(method, patch.url(url), body, kept, *rest, **keywords)
        if patch.query or patch.form:
            self.recent.append(patch.query + patch.form)
        self._forget(response, unsigned.origin)
        return response

    def _forget(self, response: Any, origin: str) -> None:
        """Take what requests were signed with out of a redirect that comes back with it and leads elsewhere."""
        location = response.headers.get("Location")
        if not location or self.signer.allows(_led_to(origin, location), ""):
            return
        base, hash_mark, fragment = location.partition("#")
        path, mark, query = base.partition("?")
        signed_with = tuple(pair for pairs in tuple(self.recent) for pair in pairs)
        kept = self.signer.strip_fields(query, signed_with)
        path, fragment = (self.signer.without_traces(text, signed_with) for text in (path, fragment))
        led_to = path + (mark + kept if kept or not query else "") + hash_mark + fragment
        if led_to != location:
            response.headers["Location"] = led_to

    def _urlopen(self, *arguments: Any, **keywords: Any) -> Any:
        return super().urlopen(*arguments, **keywords)  # type: ignore[misc]  # the pool that this is mixed into

    def _origin(self, url: str) -> str:
        if not url.startswith("/"):  # through a proxy, to which this pool leads, the target is absolute
            parts = urlsplit(url)
            return origin_of(parts.scheme, parts.netloc)
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return origin_of(self.scheme, f"{host}:{self.port}" if self.port else host)


def _led_to(url: str, location: str) -> str:
    """The origin that a redirect from the URL leads to; "" where it cannot be told, and so is no place to trust."""
    try:
        parts = urlsplit(urljoin(url, location))
        return origin_of(parts.scheme, parts.netloc)
    except (ValueError, CannotSign):
        return ""


def _pool_classes(signer: HopSigner) -> dict[str, type]:
    own = {"signer": signer, "recent": deque(maxlen=_REMEMBERED)}
    return {
        "http": type("SigningHTTPPool", (_SigningPool, HTTPConnectionPool), own),
        "https": type("SigningHTTPSPool", (_SigningPool, HTTPSConnectionPool), own),
    }


def _readable(body: Any, need: BodyNeed) -> bytes | BodyDigest:
    if body is None or isinstance(body, bytes):
        return body or b""
    return read_file(body, need) if need else BodyDigest({}, 0)
