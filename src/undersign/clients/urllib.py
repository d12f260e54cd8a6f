"""urllib.request, with the standard library alone: `build_opener(SignatureHandler(GoTom(), key_id, secret))`.

An opener runs its request handlers for every hop of a redirect, so each is signed afresh, or stripped of the
credential where it leaves the credential's origins.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import BaseHandler
from urllib.request import Request as UrllibRequest

from ..core.credentials import Secret, seal_all
from ..core.message import BodyDigest, Patch, Request, body_length
from ..errors import CannotSign
from ..scheme import BodyNeed, Scheme
from ._bodies import is_seekable, pieces_of, read_file, spool
from ._hops import HopSigner, origin_of

_RECORD = "redirect_dict"


class SignatureHandler(BaseHandler):
    """Signs every request of an opener, and every redirect within the credential's origins afresh.

    A redirect elsewhere goes without signature, Date, signed headers and parameters. `origins` are where the
    credential may go (`https://host[:port]`); with none named that is the origin of each call itself. `clock`
    returns Unix seconds. `older` are secrets that are being replaced, for a scheme that sends several signatures: each
    makes one too. The caller's Request is left alone. One object serves any number of openers and threads.

    Raises ConfigError for a credential that cannot work; opening raises CannotSign for a request that cannot be
    signed. Files are hashed from where they stand; other streams are spooled, to disk beyond 1 MiB.
    """

    handler_order = 10_000  # behind those that complete a request: HTTPHandler adds Content-Type and Host at 500

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret | str | bytes,
        *,
        origins: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        older: Sequence[Secret | str | bytes] = (),
    ) -> None:
        secrets = seal_all(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        self._hops = HopSigner(scheme, key_id, secrets, origins, clock)

    def http_request(self, request: UrllibRequest) -> UrllibRequest:
        """Called by the opener, for every hop: what is to be sent in the request's place."""
        hop = copy.copy(request)
        hop.headers = dict(request.headers)
        hop.unredirected_hdrs = dict(request.unredirected_hdrs)
        origin, _ = _where(hop)
        record = request.__dict__.get(_RECORD)
        if not isinstance(record, _Record) or record.hops is not self._hops:
            record = hop.__dict__[_RECORD] = _Record(self._hops, origin)
            self._sign(hop, record)
        elif self._hops.allows(origin, record.home):
            self._sign(hop, record)
        else:
            self._strip(hop, record)
        return hop

    https_request = http_request

    def _sign(self, request: UrllibRequest, record: _Record) -> None:
        need = self._hops.scheme.body_need(_as_request(request, b""))
        body, to_send = _body(request, need, record)
        unsigned = _as_request(request, body)
        patch = self._hops.sign(unsigned)
        if patch.form:
            body = to_send = patch.apply(unsigned).body
        if to_send is not None:
            _set_body(request, to_send, body_length(body))
        for name, value in patch.headers:
            _remove_header(request, name)
            request.add_unredirected_header(name, value)
        if patch.query:
            _set_url(request, patch.url(request.full_url))
        record.patch += patch  # of all hops, since a server may come back with what it got on any of them

    def _strip(self, request: UrllibRequest, record: _Record) -> None:
        """Take the credential off a request that goes elsewhere."""
        data = request.data
        before = _as_request(request, data if isinstance(data, bytes) else b"")
        after = self._hops.strip(before, record.patch)
        for name in {name.lower() for name, _ in before.headers} - {name.lower() for name, _ in after.headers}:
            _remove_header(request, name)
        if after.target != before.target:
            url = urlsplit(request.full_url)
            _set_url(request, f"{url.scheme}://{url.netloc}{after.target}")
        if after.body != before.body:
            _set_body(request, after.body, body_length(after.body))
        self._hops.tell_unsigned(before.origin, record.home)


class _Record(dict[str, int]):
    """urllib's record of the URLs that a redirect has come by.

    urllib hands it from hop to hop, so what must be known of the user's own call travels on it.
    """

    def __init__(self, hops: HopSigner, home: str) -> None:
        super().__init__()
        self.hops = hops
        self.home = home
        self.patch = Patch()
        self.file: Any = None
        self.position = 0


def _body(request: UrllibRequest, need: BodyNeed, record: _Record) -> tuple[bytes | BodyDigest, Any]:
    """What is signed of the body; and what is to be sent with its length in place of what is there, or None."""
    data: Any = request.data
    if data is None:
        return b"", None
    if not need:
        return BodyDigest({}, 0), None
    if not hasattr(data, "read"):  # in http.client's order: a file, bytes of any kind, an iterable
        try:
            body = memoryview(data).tobytes()
        except TypeError:
            data = spool(data)
        else:
            _check_length(request, len(body))
            return body, None
    elif not is_seekable(data):
        data = spool(pieces_of(data.read))
    if isinstance(data, bytes):
        return data, data
    if record.file is data:
        data.seek(record.position)  # it was sent already, and another handler has it sent again
    else:
        record.file, record.position = data, data.tell()
    return read_file(data, need), data


def _check_length(request: UrllibRequest, length: int) -> None:
    declared = dict(_headers(request)).get("Content-Length")
    if declared not in (None, str(length)):
        raise CannotSign(f"Content-Length says {declared}, and the body has {length} bytes: leave it out")


def _set_body(request: UrllibRequest, body: Any, length: int) -> None:
    request.data = body
    _remove_header(request, "Transfer-Encoding")
    _remove_header(request, "Content-Length")
    request.add_unredirected_header("Content-Length", str(length))


def _set_url(request: UrllibRequest, url: str) -> None:
    """Set a URL that differs in its query alone, and keep the proxy that may be set."""
    host, kind, takes_whole_url = request.host, request.type, request.has_proxy()
    request.full_url = url
    request.host, request.type = host, kind
    if takes_whole_url:
        request.selector = request.full_url


def _remove_header(request: UrllibRequest, name: str) -> None:
    """Remove it however it is spelled; urllib itself looks for its own spelling alone."""
    for headers in (request.headers, request.unredirected_hdrs):
        for key in [key for key in headers if key.lower() == name.lower()]:
            del headers[key]


def _as_request(request: UrllibRequest, body: bytes | BodyDigest) -> Request:
    origin, target = _where(request)
    return Request(request.get_method(), target, tuple(_headers(request)), body, origin)


def _headers(request: UrllibRequest) -> list[tuple[str, str]]:
    """The headers as urllib and http.client put them on the wire."""
    given = dict(request.unredirected_hdrs)
    for name, value in request.headers.items():
        given.setdefault(name, value)
    headers = {"Accept-Encoding": "identity"}
    for name, value in given.items():
        headers[name.title()] = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    headers["Connection"] = "close"
    return list(headers.items())


def _where(request: UrllibRequest) -> tuple[str, str]:
    """Origin and target, as urllib itself reads the URL, whatever proxy may be set."""
    url = UrllibRequest(request.full_url)  # noqa: S310 - nothing is opened
    return origin_of(url.type or "", url.host or ""), url.selector or "/"
