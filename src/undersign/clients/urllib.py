"""urllib.request, with the standard library alone: `build_opener(SignatureHandler(GoTom(), key_id, secret))`.

An opener runs its request handlers for every hop of a redirect, so each is signed afresh, or stripped of the
credential where it leaves the credential's origins.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import urlsplit
from urllib.request import BaseHandler, OpenerDirector
from urllib.request import Request as UrllibRequest

from ..bodies import is_seekable, pieces_of, read_file, spool
from ..core.credentials import Secret, secrets_of
from ..core.message import BodyDigest, Request, body_length
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed, Scheme
from ._hop import Hops, HopSigner, origin_of, other_client
from ._urllib_checks import ResponseChecker

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from ..profiles import Profile

__all__ = ["SignatureAuth", "SignatureHandler"]

_RECORD = "redirect_dict"


class SignatureHandler(BaseHandler):
    """Signs every request of an opener, and every redirect within the credential's origins afresh.

    A redirect elsewhere goes without signature, Date, signed headers and parameters. The caller's Request is left
    alone. One object serves any number of openers and threads.

    - `origins`: where the credential may go, each as `https://host[:port]`. With none named that is the origin of each
      call itself.
    - `clock`: returns Unix seconds.
    - `older`: secrets that are being replaced, for a scheme that sends several signatures. Each makes one too.
    - `extra`: what else the credential has, by name.
    - `nonce`: returns a text that no request had before. Where it is not given and the scheme wants one, it is a new
      UUID.
    - `check_response`: for a scheme that signs answers. The answer to each hop is read whole. ResponseRejected is
      raised where its signature is absent or wrong.

    Raises ConfigError for a credential that cannot work. Opening raises CannotSign for a request that cannot be signed.
    Files are hashed from where they stand. Other streams are spooled, to disk beyond 1 MiB.
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
        extra: Mapping[str, str] = MappingProxyType({}),
        check_response: bool = False,
        nonce: Callable[[], str] | None = None,
    ) -> None:
        secrets = secrets_of(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        self._signer = HopSigner(
            scheme, key_id, secrets, origins, clock, extra=extra, check_response=check_response, nonce=nonce
        )

    @classmethod
    def from_profile(
        cls,
        profile: str | Profile,
        *,
        config: str | Path | None = None,
        clock: Callable[[], float] = time.time,
        check_response: bool = False,
        nonce: Callable[[], str] | None = None,
    ) -> Self:
        """The same for a profile of the user's: its scheme, key id, secret, origins and extras. See
        `undersign.profiles.load_profile` for `config`, which is the file that it is in.

        Raises ConfigError where the profile is not there or not in form, and where its secret cannot be had now.
        """
        from ..profiles import load_profile  # most programs have no profiles, and need no reader of them

        return load_profile(profile, config).auth(cls, clock=clock, check_response=check_response, nonce=nonce)

    def __call__(self, request: object, *others: object) -> NoReturn:
        """Called by other clients, which take no handlers."""
        raise other_client("urllib", request) or ConfigError(
            "this is the SignatureAuth of undersign.clients.urllib, a handler: give it to build_opener"
        )

    def add_parent(self, parent: OpenerDirector) -> None:
        super().add_parent(parent)
        if self._signer.check:
            parent.add_handler(ResponseChecker(self._signer.check, _as_request))

    def http_request(self, request: UrllibRequest) -> UrllibRequest:
        """Called by the opener, for every hop: what is to be sent in the request's place."""
        hop = copy.copy(request)
        hop.headers = dict(request.headers)
        hop.unredirected_hdrs = dict(request.unredirected_hdrs)
        head = _as_request(hop)
        record = request.__dict__.get(_RECORD)
        if not isinstance(record, _Record) or record.hops.signer is not self._signer:
            record = hop.__dict__[_RECORD] = _Record(Hops(self._signer, head.origin))
        if record.hops.allows(head.origin):
            _sign(hop, head, record)
        else:
            _strip(hop, head, record.hops)
        return hop

    https_request = http_request


SignatureAuth: TypeAlias = SignatureHandler
"""The name that it has in the modules of the other clients."""


class _Record(dict[str, int]):
    """urllib's record of the URLs that a redirect has come by.

    urllib hands it from hop to hop, so what must be known of the user's own call travels on it.
    """

    def __init__(self, hops: Hops) -> None:
        super().__init__()
        self.hops = hops
        self.file: Any = None
        self.position = 0


def _sign(request: UrllibRequest, head: Request, record: _Record) -> None:
    hops = record.hops
    body, to_send = _body(request, hops.need(head), record)
    unsigned = head.with_body(body)
    patch = hops.signer.sign(unsigned)
    if patch.form:
        body = to_send = patch.apply(unsigned).body
    if to_send is not None:
        _set_body(request, to_send, body_length(body))
    for name, value in patch.headers:
        _remove_header(request, name)
        request.add_unredirected_header(name, value)
    if patch.query:
        _set_url(request, patch.url(request.full_url))
    hops.signed_with(patch)


def _strip(request: UrllibRequest, head: Request, hops: Hops) -> None:
    """Take the credential off a request that goes elsewhere."""
    before = head.with_body(request.data if isinstance(request.data, bytes) else b"")
    gone, after = hops.strip(before)
    for name in gone:
        _remove_header(request, name)
    if after.target != before.target:
        url = urlsplit(request.full_url)
        _set_url(request, f"{url.scheme}://{url.netloc}{after.target}")
    if after.body != before.body:
        _set_body(request, after.body, body_length(after.body))
    hops.tell_unsigned(head.origin)


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
            spooled = spool(data, need)
        else:
            _check_length(request, len(body))
            return body, None
    elif is_seekable(data):
        if record.file is data:
            data.seek(record.position)  # it was sent already, and another handler has it sent again
        else:
            record.file, record.position = data, data.tell()
        return read_file(data, need), data
    else:
        spooled = spool(pieces_of(data.read), need)
    record.file, record.position = spooled.content(), 0
    return spooled.signed(), record.file


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


def _as_request(request: UrllibRequest) -> Request:
    origin, target = _where(request)
    return Request(request.get_method(), target, tuple(_headers(request)), b"", origin)


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
