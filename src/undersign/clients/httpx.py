"""httpx and httpx2, sync and async: `httpx.get(url, auth=SignatureAuth(GoTom(), key_id, secret))`.

httpx runs auth outside its redirect loop, so `auth=` signs the first hop alone. `sign_every_hop(client)` has each
hop signed, or stripped of the credential where it leaves the credential's origins. Retries and caches that are
transports stand below all that: `sign_every_try(transport)` signs below them. Starlette's and FastAPI's TestClient are
httpx2 clients; the same objects serve both libraries.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ref

from ..bodies import Spool, is_seekable, pieces_of, read_file, spool
from ..core.message import BodyDigest, Request, body_length, headers_as_text
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed
from ._hop import HopAuth, Hops, HopSigner, origin_of, other_client
from ._httpx_hooks import keep_behind
from ._httpx_libraries import BYTES, Auth, Stream
from ._httpx_retries import asend_with_retries, send_with_retries
from ._httpx_tries import settle_before

if TYPE_CHECKING:
    import httpx

    from ._httpx_libraries import Client, Transport

__all__ = ["SignatureAuth", "asend_with_retries", "send_with_retries", "sign_every_hop", "sign_every_try"]

_EXTENSION = "undersign"  # httpx hands a request's extensions on to every hop
_ASYNC_FLOW = "an auth around this one has to take its async_auth_flow, for async clients"


class SignatureAuth(HopAuth, Auth):
    """Signs the request; with `sign_every_hop(client)`, every redirect within the credential's origins too.

    One object serves any number of clients, threads and tasks.

    - `origins`: where the credential may go, each as `https://host[:port]`. With none named that is the origin of the
      call itself.
    - `clock`: returns Unix seconds.
    - `adjust_clock`: a refusal over https whose Date lies outside the scheme's window is answered by signing once more,
      with the server's time. That time is remembered for its origin. More than a day is not followed.
    - `older`: secrets that are being replaced, for a scheme that sends several signatures. Each makes one too.
    - `extra`: what else the credential has, by name.
    - `nonce`: returns a text that no request had before. Where it is not given and the scheme wants one, it is a new
      UUID.
    - `check_response`: for a scheme that signs answers. Each answer is read whole, a stream too. ResponseRejected is
      raised where its signature is absent or wrong. Redirects need `sign_every_hop(client)` then.

    Raises ConfigError for a credential that cannot work. Sending raises CannotSign for a request that cannot be signed.
    Files are hashed from where they stand. Other streams are spooled, to disk beyond 1 MiB.
    """

    _own = "httpx"

    def __call__(self, request: object, *others: object) -> NoReturn:
        """Called by other clients, since httpx has `sync_auth_flow` and `async_auth_flow` for it."""
        raise other_client(self._own, request) or ConfigError(
            "this is the SignatureAuth of undersign.clients.httpx, and this is no request of it"
        )

    def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Called by an auth of another's that wraps this one, and serves sync and async clients by one generator."""
        return self.sync_auth_flow(request)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Called by the client."""
        hop, head = self._hop(request)
        hop.settle(request, head, _read(request, hop.need(head)))
        response = yield request
        if self._should_sign_again(response):
            hop, head = self._hop(request)
            hop.settle(request, head, _read(request, hop.need(head)))
            response = yield request
        if self._signer.check:
            for answer in (*response.history, response):
                if not answer.is_stream_consumed and not hasattr(answer.stream, "__iter__"):
                    raise ConfigError(f"the answer is an async stream: {_ASYNC_FLOW}")
                self._check(answer, answer.read())

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Called by the client."""
        hop, head = self._hop(request)
        hop.settle(request, head, await _aread(request, hop.need(head)))
        response = yield request
        if self._should_sign_again(response):
            hop, head = self._hop(request)
            hop.settle(request, head, await _aread(request, hop.need(head)))
            response = yield request
        if self._signer.check:
            for answer in (*response.history, response):
                self._check(answer, await answer.aread())

    def _check(self, response: httpx.Response, body: bytes) -> None:
        check, status = self._signer.check, response.status_code
        if check and check.needs_body(response.request.method, status):
            check.check(_as_request(response.request), status, response.headers.multi_items(), body)

    def _hop(self, request: httpx.Request) -> tuple[_Hops, Request]:
        """The call that the request is a hop of, and the request's head."""
        head = _as_request(request)
        hops = request.extensions.get(_EXTENSION)
        # A redirect that the user follows by hand, `client.send(answer.next_request)`, is a hop of the same call.
        if not isinstance(hops, _Hops) or hops.signer is not self._signer or hops.begins_with(request):
            hops = _Hops(self._signer, request, head.origin)
        return hops, head

    def _should_sign_again(self, response: httpx.Response) -> bool:
        hops = response.request.extensions.get(_EXTENSION)
        if self._signer.correction is None or not isinstance(hops, _Hops):
            return False
        return hops.should_sign_again(_origin(response.request), response.status_code, response.headers.multi_items())


def sign_every_hop(client: Client) -> Client:
    """The client, with every hop of a redirect signed afresh, or stripped where it leaves the credential's origins.

    For requests whose auth is a SignatureAuth; others stay as they are. It adds a request hook, which runs behind all
    others, also those that are added later. So what they change is signed. Proxies, transports and cookies stay.
    """
    keep_behind(client, _asign_hop if hasattr(client, "aclose") else _sign_hop)
    return client


def sign_every_try(transport: Transport) -> Transport:
    """The transport, with every request signed afresh that is given to it again, or otherwise than it was signed.

    For transports that others wrap, to try again, to cache or to change the request:
    `Client(auth=…, transport=RetryTransport(transport=sign_every_try(HTTPTransport())))`. For requests whose auth is a
    SignatureAuth; others stay as they are. It signs the hops of redirects too, and strips those which leave the
    credential's origins.
    """
    settle_before(transport, _sign_try, _asign_try)
    return transport


class _Body:
    """A request's body: what is signed of it, and the stream that sends just that, where it must be replaced."""

    def __init__(self, signed: bytes | BodyDigest, stream: Stream | None = None) -> None:
        self.signed = signed
        self.stream = stream


class _Hops(Hops):
    """A call's hops. The requests of redirects are made from `first`, the user's own, which holds this itself."""

    def __init__(self, signer: HopSigner, first: httpx.Request, home: str) -> None:
        super().__init__(signer, home)
        self._first = self._last = ref(first)
        self._settled: tuple[object, ...] = ()
        self.is_tried = False
        """Whether a transport has sent the request as it was settled."""

    def begins_with(self, request: httpx.Request) -> bool:
        """Whether that is the user's own request."""
        return self._first() is request

    def is_settled(self, request: httpx.Request) -> bool:
        """Whether the request stands as it was signed or stripped, so that no hook has changed it since."""
        return self._last() is request and self._settled == _state(request)

    def settle(self, request: httpx.Request, head: Request, body: _Body) -> None:
        """Sign the request, or raise CannotSign and leave it as it was; or strip it where it goes elsewhere."""
        unsigned = head if body.signed == b"" else head.with_body(body.signed)
        if self.allows(head.origin):
            self._sign(request, unsigned, body)
        else:
            self._strip(request, unsigned, body)
        self._last, self._settled, self.is_tried = ref(request), _state(request), False
        request.extensions[_EXTENSION] = self

    def _sign(self, request: httpx.Request, unsigned: Request, body: _Body) -> None:
        patch, url = self.signer.sign(unsigned), None
        if patch.query or patch.form:
            signed = patch.apply(unsigned)
            if signed.target != unsigned.target:
                url = request.url.copy_with(raw_path=signed.target.encode("ascii"))
                if url.raw_path != signed.target.encode("ascii"):
                    raise CannotSign("the client would rewrite the signed target: percent-encode it before")
            if patch.form and isinstance(signed.body, bytes):
                body = _Body(signed.body, _Bytes(signed.body))
        _write(request, url, patch.headers, body)
        self.signed_with(patch)

    def _strip(self, request: httpx.Request, unsigned: Request, body: _Body) -> None:
        gone, after = self.strip(unsigned)
        for name in gone:
            del request.headers[name]
        if isinstance(after.body, bytes) and after.body != unsigned.body:
            body = _Body(after.body, _Bytes(after.body))
        is_same = after.target == unsigned.target
        _write(request, None if is_same else request.url.copy_with(raw_path=after.target.encode("ascii")), (), body)
        self.tell_unsigned(unsigned.origin)


def _state(request: httpx.Request) -> tuple[object, ...]:
    # Of the headers their hash alone, since httpx keeps its requests until the garbage is collected.
    return request.method, request.url, hash(tuple(request.headers.raw)), request.stream


def _due(request: httpx.Request) -> tuple[_Hops, Request] | None:
    """The call of a request that a hook has changed, or that is a redirect, and the request's head."""
    hops = request.extensions.get(_EXTENSION)
    if not isinstance(hops, _Hops) or hops.is_settled(request):
        return None
    head = _as_request(request)
    if hops.begins_with(request):
        hops.home = head.origin  # where a hook of the user's has sent their call
    return hops, head


def _sign_hop(request: httpx.Request) -> None:
    if due := _due(request):
        hops, head = due
        hops.settle(request, head, _read(request, hops.need(head)))


async def _asign_hop(request: httpx.Request) -> None:
    if due := _due(request):
        hops, head = due
        hops.settle(request, head, await _aread(request, hops.need(head)))


def _due_try(request: httpx.Request) -> tuple[_Hops, Request] | None:
    """The call of a request that goes to the wire otherwise than it was signed, or once more; and its head."""
    hops = request.extensions.get(_EXTENSION)
    if not isinstance(hops, _Hops) or (hops.is_settled(request) and not hops.is_tried):
        return None
    return hops, _as_request(request)


def _sign_try(request: httpx.Request) -> None:
    if due := _due_try(request):
        hops, head = due
        hops.settle(request, head, _read(request, hops.need(head)))
    _tried(request)


async def _asign_try(request: httpx.Request) -> None:
    if due := _due_try(request):
        hops, head = due
        hops.settle(request, head, await _aread(request, hops.need(head)))
    _tried(request)


def _tried(request: httpx.Request) -> None:
    hops = request.extensions.get(_EXTENSION)
    if isinstance(hops, _Hops):
        hops.is_tried = True


class _Bytes(Stream):
    """A body in memory, which can be sent any number of times."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


_IN_MEMORY = (_Bytes, *BYTES)


class _File(Stream):
    """The rest of a file from a position on, which can be sent any number of times."""

    def __init__(self, file: Any, position: int) -> None:
        self.file = file
        self.position = position

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.position)
        yield from pieces_of(self.file.read)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def _read(request: httpx.Request, need: BodyNeed) -> _Body:
    body = _at_hand(request, need)
    if body is not None:
        return body
    stream: Any = request.stream
    if not hasattr(stream, "__iter__"):
        raise CannotSign(f"the body is an async stream: {_ASYNC_FLOW}, or to say requires_request_body")
    return _spooled(spool(stream, need))


async def _aread(request: httpx.Request, need: BodyNeed) -> _Body:
    stream: Any = request.stream
    body = _at_hand(request, need)
    if body is not None or not hasattr(stream, "__aiter__"):
        return body or _read(request, need)
    spooled = Spool(need)
    async for piece in stream:
        spooled.write(piece)
    return _spooled(spooled)


def _at_hand(request: httpx.Request, need: BodyNeed) -> _Body | None:
    """The body, where it can be signed without being used up."""
    # The stream is what is sent: a hook that has changed it leaves `request.content` as it was.
    stream: Any = request.stream
    if isinstance(stream, _IN_MEMORY):
        return _Body(b"".join(stream))
    if not need:
        return _Body(BodyDigest({}, 0))
    if isinstance(stream, _File):
        stream.file.seek(stream.position)
        return _Body(read_file(stream.file, need), stream)
    file: Any = getattr(stream, "_stream", None)  # httpx keeps the file of `content=file` there
    if is_seekable(file):
        position = file.tell()
        return _Body(read_file(file, need), _File(file, position))
    return None


def _spooled(spooled: Spool) -> _Body:
    content = spooled.content()
    return _Body(spooled.signed(), _Bytes(content) if isinstance(content, bytes) else _File(content, 0))


def _write(request: httpx.Request, url: httpx.URL | None, headers: Sequence[tuple[str, str]], body: _Body) -> None:
    """Set the headers and, where they change, URL and body."""
    if url is not None:
        request.url = url
    if body.stream is not None:
        request.stream = body.stream
        request.headers.pop("Transfer-Encoding", None)
        headers = (*headers, ("Content-Length", str(body_length(body.signed))))
    if all(value.isascii() for _, value in headers):
        for name, value in headers:
            request.headers[name] = value
    else:  # httpx would encode them as UTF-8, and they are the wire's bytes
        gone = {name.lower().encode("ascii") for name, _ in headers}
        kept = [(name, value) for name, value in request.headers.raw if name.lower() not in gone]
        written = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        request.headers = type(request.headers)(kept + written)
    if isinstance(body.signed, bytes):
        # `request.content` is what the stream holds: httpx reads it once, and keeps it here.
        request.__dict__["_content"] = body.signed


def _as_request(request: httpx.Request) -> Request:
    headers = headers_as_text(request.headers.raw)
    return Request(request.method, request.url.raw_path.decode("ascii"), headers, b"", _origin(request))


def _origin(request: httpx.Request) -> str:
    return origin_of(request.url.scheme, request.url.netloc.decode("ascii"))
