"""requests: `requests.get(url, auth=SignatureAuth(GoTom(), key_id, secret))`.

requests runs auth once, after all else is prepared, and follows redirects with copies of the prepared request.
So the auth turns it into a prepared request that signs itself again whenever it was copied, at the last moment
before an adapter sends it. Hooks, cookies, `allow_redirects`, `max_redirects` and mounted adapters stay as they are.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from ..errors import CannotSign
from ..http import BodyDigest, Patch, Request
from ..scheme import BodyNeed
from ._auth import HopAuth
from ._bodies import OnDisk, is_seekable, pieces_of, read_file, spool
from ._hops import HopSigner, origin_of
from ._requests_adapter import SigningAdapter, retries

__all__ = ["SignatureAuth", "SigningAdapter", "retries"]


class SignatureAuth(HopAuth, AuthBase):
    """Signs every request, and every redirect within the credential's origins afresh.

    A redirect elsewhere goes without signature, Date, signed headers and parameters, and netrc never steps in.
    `origins` are where the credential may go (`https://host[:port]`); with none named that is the origin of the
    call itself. `clock` returns Unix seconds. With `adjust_clock` a refusal over https whose Date shows that our
    clock is off by more than the scheme's window is answered by signing once more with the server's time, which is
    remembered for its origin; a day at most. `older` are secrets that are being replaced, for a scheme that sends
    several signatures: each makes one too. One object serves any number of sessions and threads.

    Raises ConfigError for a credential that cannot work; sending raises CannotSign for a request that cannot be
    signed. Files are hashed from where they stand; other streams are spooled, to disk beyond 1 MiB.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        # urllib3 rewrites escapes while it sends; preparing the URL once more does so now, before it is signed.
        request.prepare_url(request.url or "", None)
        signing = _Signing(self._hops, _origin(request))
        _sign(request, signing)
        request.__class__ = _signed_class(type(request))
        request.__dict__[_SIGNING] = signing
        if self._hops.correction:
            request.hooks["response"] = [*request.hooks.get("response", ()), _sign_again_if_clock_is_off]
        return request


class _Signing:
    """Where a prepared request stands: who signs it, where the user's own call went, what was set on it."""

    def __init__(self, hops: HopSigner, home: str) -> None:
        self.hops = hops
        self.home = home
        self.patch = Patch()
        self.is_due = False
        self.signed_again = False

    def for_copy(self) -> _Signing:
        copied = _Signing(self.hops, self.home)
        copied.patch = self.patch
        copied.is_due = True
        return copied


class _SignedRequest(PreparedRequest):
    """A prepared request whose copies, which is what redirects are made of, sign themselves when they are sent."""

    def copy(self) -> PreparedRequest:
        copied = super().copy()
        copied.__class__ = type(self)
        copied.__dict__[_SIGNING] = self._signing().for_copy()
        return copied

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """Nothing: on a redirect requests comes with what netrc holds, and that never replaces the signature."""

    @property
    def path_url(self) -> str:
        """The target. Adapters ask for it right before they send, when all else about the hop is settled."""
        signing = self._signing()
        if signing.is_due:
            self.prepare_url(self.url or "", None)
            _check_resendable(self)
            if any(name == "Host" for name, _ in signing.patch.headers):
                self.headers.pop("Host", None)  # it was that of the last hop
            if signing.hops.allows(_origin(self), signing.home):
                _sign(self, signing)
            else:
                _strip(self, signing)
            signing.is_due = False
        return _target(super().path_url)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled responses hold their request. It stays readable there, and cannot sign any more.
        state = {name: value for name, value in self.__dict__.items() if name != _SIGNING}
        return PreparedRequest, (), state

    def _signing(self) -> _Signing:
        signing: _Signing = self.__dict__[_SIGNING]
        return signing


_SIGNING = "_undersign"


def _signed_class(kind: type[PreparedRequest]) -> type[PreparedRequest]:
    """The signed kind of a prepared request: a plain one as a rule, or another library's subclass of it."""
    if issubclass(kind, _SignedRequest):
        return kind
    return _SignedRequest if kind is PreparedRequest else type(kind.__name__, (_SignedRequest, kind), {})


def _sign(request: PreparedRequest, signing: _Signing) -> None:
    """Sign the request, or raise CannotSign and leave it as it was."""
    head = _as_request(request, b"")
    body, replacement = _body(request, signing.hops.scheme.body_need(head))
    unsigned = _as_request(request, body)
    patch = signing.hops.sign(unsigned)
    signed = patch.apply(unsigned)
    if patch.form:
        replacement = signed.body if isinstance(signed.body, bytes) else b""
    if replacement is not None:
        _replace_body(request, replacement)
    for name, value in patch.headers:
        request.headers[name] = value
    request.url = patch.url(request.url or "")
    signing.patch += patch  # a redirect may carry what any earlier hop was signed with


def _strip(request: PreparedRequest, signing: _Signing) -> None:
    """Take the credential off a request that goes elsewhere."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    before = _as_request(request, body if isinstance(body, bytes) else b"")
    after = signing.hops.strip(before, signing.patch)
    for name in {name.lower() for name, _ in before.headers} - {name.lower() for name, _ in after.headers}:
        del request.headers[name]
    if after.target != before.target:
        base, mark, fragment = (request.url or "").partition("#")
        request.url = base.removesuffix(before.target) + after.target + mark + fragment
    if isinstance(body, bytes) and after.body != before.body and isinstance(after.body, bytes):
        _replace_body(request, after.body)


def _sign_again_if_clock_is_off(response: Response, *_: Any, **keywords: Any) -> Response:
    """A response hook, which requests calls for every hop."""
    request = response.request
    signing: _Signing | None = request.__dict__.get(_SIGNING)
    if signing is None or signing.signed_again:
        return response
    if not signing.hops.should_sign_again(_origin(request), response.status_code, response.headers.get("Date")):
        return response
    response.content  # noqa: B018 - reading it frees the connection
    response.close()
    again = request.copy()
    again.__dict__[_SIGNING].signed_again = True
    _check_resendable(again)
    answer: Response = response.connection.send(again, **keywords)
    answer.history.append(response)
    answer.request = again
    return answer


def _body(request: PreparedRequest, need: BodyNeed) -> tuple[bytes | BodyDigest, bytes | OnDisk | None]:
    """What is signed of the body, and what is to be sent in its place, if that must change."""
    body: Any = request.body
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, None
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body), bytes(body)
    if isinstance(body, str):
        # urllib3 would encode it after us, as UTF-8 or Latin-1 by its version.
        return body.encode(), body.encode()
    if not need:
        return BodyDigest({}, 0), None
    if is_seekable(body):
        position = _body_position(request)
        if position is not None:  # requests sends from there, on every hop
            body.seek(position)
        return read_file(body, need), None
    content = spool(pieces_of(body.read) if hasattr(body, "read") else body)
    return (content, content) if isinstance(content, bytes) else (read_file(content, need), content)


def _check_resendable(request: PreparedRequest) -> None:
    """Raise CannotSign for a stream that an earlier hop has used up: requests would send nothing in its place."""
    body: Any = request.body
    if body is not None and not isinstance(body, (bytes, bytearray, memoryview, str)) and not is_seekable(body):
        raise CannotSign(
            "the body is a stream that was sent already, and a redirect asks for it again: pass bytes or a file"
        )


def _replace_body(request: PreparedRequest, body: bytes | OnDisk) -> None:
    length = len(body) if isinstance(body, bytes) else body.length
    request.body = body  # type: ignore[assignment]  # the stubs know no files
    request.__dict__["_body_position"] = None if isinstance(body, bytes) else 0
    request.headers.pop("Transfer-Encoding", None)
    request.headers["Content-Length"] = str(length)


def _body_position(request: PreparedRequest) -> int | None:
    position = request.__dict__.get("_body_position")
    return position if isinstance(position, int) else None


def _as_request(request: PreparedRequest, body: bytes | BodyDigest) -> Request:
    headers = tuple((name, _text(value)) for name, value in request.headers.items())
    target = _target(PreparedRequest.path_url.fget(request))  # type: ignore[attr-defined]
    return Request(request.method or "", target, headers, body, _origin(request))


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _target(path_url: str) -> str:
    """What goes on the wire: since 2.26 requests merges leading slashes, so that is signed, and sent by any version."""
    return "/" + path_url.lstrip("/") if path_url.startswith("//") else path_url


def _origin(request: PreparedRequest) -> str:
    parts = urlsplit(request.url or "")
    return origin_of(parts.scheme, parts.netloc)
