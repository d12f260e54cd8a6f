"""httpx and httpx2, sync and async: `httpx.get(url, auth=SignatureAuth(GoTom(), key_id, secret))`.

httpx runs auth outside its redirect loop, so `auth=` signs the first hop alone. `sign_every_hop(client)` has each
hop signed, or stripped of the credential where it leaves the credential's origins. Starlette's and FastAPI's
TestClient are httpx2 clients; the same objects serve both libraries.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..core.message import BodyDigest, Patch, Request, body_length
from ..errors import CannotSign
from ..scheme import BodyNeed
from ._auth import HopAuth
from ._bodies import OnDisk, Spool, is_seekable, pieces_of, read_file, spool
from ._hops import HopSigner, origin_of
from ._httpx_hooks import keep_behind
from ._httpx_libraries import BYTES, Auth, Stream
from ._httpx_retries import asend_with_retries, send_with_retries

if TYPE_CHECKING:
    import httpx

    from ._httpx_libraries import Client

__all__ = ["SignatureAuth", "asend_with_retries", "send_with_retries", "sign_every_hop"]

_EXTENSION = "undersign"  # httpx hands a request's extensions on to every hop


class SignatureAuth(HopAuth, Auth):  # type: ignore[misc]  # as of Auth itself
    """Signs the request; with `sign_every_hop(client)`, every redirect within the credential's origins too.

    `origins` are where the credential may go (`https://host[:port]`); with none named that is the origin of the
    call itself. `clock` returns Unix seconds. With `adjust_clock` a refusal over https whose Date shows that our
    clock is off by more than the scheme's window is answered by signing once more with the server's time, which is
    remembered for its origin; a day at most. `older` are secrets that are being replaced, for a scheme that sends
    several signatures: each makes one too. One object serves any number of clients, threads and tasks.

    Raises ConfigError for a credential that cannot work; sending raises CannotSign for a request that cannot be
    signed. Files are hashed from where they stand; other streams are spooled, to disk beyond 1 MiB.
    """

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Called by the client."""
        response = yield self._signed(request, _read(request, self._need(request)))
        if self._should_sign_again(response):
            yield self._signed(request, _read(request, self._need(request)))

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Called by the client."""
        response = yield self._signed(request, await _aread(request, self._need(request)))
        if self._should_sign_again(response):
            yield self._signed(request, await _aread(request, self._need(request)))

    def _should_sign_again(self, response: httpx.Response) -> bool:
        origin = _origin(response.request)
        signing = response.request.extensions.get(_EXTENSION)
        if not isinstance(signing, _Signing) or not self._hops.allows(origin, signing.home):
            return False
        return self._hops.should_sign_again(origin, response.status_code, response.headers.multi_items())

    def _need(self, request: httpx.Request) -> BodyNeed:
        return self._hops.scheme.body_need(_as_request(request, b""))

    def _signed(self, request: httpx.Request, body: _Body) -> httpx.Request:
        signing = request.extensions.get(_EXTENSION)
        if isinstance(signing, _Signing) and signing.hops is self._hops and signing.first is not request:
            signing.settle(
                request, body
            )  # a redirect that the user follows by hand: `client.send(answer.next_request)`
        else:
            signing = _Signing(self._hops, request)
            signing.sign(request, body)
            request.extensions[_EXTENSION] = signing
        return request


def sign_every_hop(client: Client) -> Client:
    """The client, with every hop of a redirect signed afresh, or stripped where it leaves the credential's origins.

    For requests whose auth is a SignatureAuth; others stay as they are. It adds a request hook, which runs behind all
    others, those that are added later too: what they change is signed. Proxies, transports and cookies stay.
    """
    keep_behind(client, _asign_hop if hasattr(client, "aclose") else _sign_hop)
    return client


class _Body:
    """A request's body: what is signed of it, and the stream that sends just that, where it must be replaced."""

    def __init__(self, signed: bytes | BodyDigest, stream: Stream | None = None) -> None:
        self.signed = signed
        self.stream = stream


class _Signing:
    """Where a request stands: who signs it, where the user's own call went, what is signed and with what.

    `first` is the user's own request; those of the redirects are made from it.
    """

    def __init__(self, hops: HopSigner, first: httpx.Request) -> None:
        self.hops = hops
        self.first = first
        self.home = _origin(first)
        self.patch = Patch()
        self._settled: tuple[object, ...] = ()

    def __repr__(self) -> str:
        return f"<signed for {self.home}>"

    def sign(self, request: httpx.Request, body: _Body) -> None:
        """Sign the request, or raise CannotSign and leave it as it was."""
        unsigned = _as_request(request, body.signed)
        patch = self.hops.sign(unsigned)
        signed = patch.apply(unsigned)
        url = request.url.copy_with(raw_path=signed.target.encode("ascii"))
        if url.raw_path != signed.target.encode("ascii"):
            raise CannotSign("the client would rewrite the signed target: percent-encode it before")
        if patch.form and isinstance(signed.body, bytes):
            body = _Body(signed.body, _Bytes(signed.body))
        _write(request, url, patch.headers, body)
        self.patch += patch  # a redirect may carry what any earlier hop was signed with
        self._settled = _state(request)

    def strip(self, request: httpx.Request, body: _Body) -> None:
        """Take the credential off a request that goes elsewhere."""
        before = _as_request(request, body.signed)
        after = self.hops.strip(before, self.patch)
        gone = {name.lower() for name, _ in before.headers} - {name.lower() for name, _ in after.headers}
        for name in gone:
            del request.headers[name]
        if isinstance(after.body, bytes) and after.body != before.body:
            body = _Body(after.body, _Bytes(after.body))
        _write(request, request.url.copy_with(raw_path=after.target.encode("ascii")), (), body)
        self._settled = _state(request)
        self.hops.tell_unsigned(before.origin, self.home)

    def is_settled(self, request: httpx.Request) -> bool:
        """Whether the request stands as it was signed or stripped, so that no hook has changed it since."""
        return self._settled == _state(request)

    def need(self, request: httpx.Request) -> BodyNeed:
        """What is needed of this hop's body: what the scheme asks, or else the form that may hold its parameters."""
        need = self.hops.scheme.body_need(_as_request(request, b""))
        return need if need.raw or self._stays(request) else BodyNeed.NOTHING

    def settle(self, request: httpx.Request, body: _Body) -> None:
        if request is self.first:
            self.home = _origin(request)  # where a hook of the user's has sent their call
        if self._stays(request):
            self.sign(request, body)
        else:
            self.strip(request, body)

    def _stays(self, request: httpx.Request) -> bool:
        return request is self.first or self.hops.allows(_origin(request), self.home)


def _state(request: httpx.Request) -> tuple[object, ...]:
    return request, request.method, request.url, tuple(request.headers.raw), request.stream


def _due(request: httpx.Request) -> _Signing | None:
    signing = request.extensions.get(_EXTENSION)
    return signing if isinstance(signing, _Signing) and not signing.is_settled(request) else None


def _sign_hop(request: httpx.Request) -> None:
    if signing := _due(request):
        signing.settle(request, _read(request, signing.need(request)))


async def _asign_hop(request: httpx.Request) -> None:
    if signing := _due(request):
        signing.settle(request, await _aread(request, signing.need(request)))


class _Bytes(Stream):
    """A body in memory, which can be sent any number of times."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


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
    return body or _spooled(spool(request.stream), need)  # type: ignore[arg-type]  # a sync client's stream is sync


async def _aread(request: httpx.Request, need: BodyNeed) -> _Body:
    body = _at_hand(request, need)
    if body is not None:
        return body
    spooled = Spool()
    stream: Any = request.stream
    if hasattr(stream, "__aiter__"):
        async for piece in stream:
            spooled.write(piece)
    else:
        return _read(request, need)
    return _spooled(spooled.content(), need)


def _at_hand(request: httpx.Request, need: BodyNeed) -> _Body | None:
    """The body, where it can be signed without being used up."""
    # The stream is what is sent: a hook that has changed it leaves `request.content` as it was.
    stream: Any = request.stream
    if isinstance(stream, (_Bytes, *BYTES)):
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


def _spooled(content: bytes | OnDisk, need: BodyNeed) -> _Body:
    if isinstance(content, bytes):
        return _Body(content, _Bytes(content))
    return _Body(read_file(content, need), _File(content, 0))


def _write(request: httpx.Request, url: httpx.URL, headers: Sequence[tuple[str, str]], body: _Body) -> None:
    set_bytes = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    gone = {name.lower() for name, _ in set_bytes}
    if body.stream is not None:
        request.stream = body.stream
        gone |= {b"content-length", b"transfer-encoding"}
        set_bytes.append((b"Content-Length", b"%d" % body_length(body.signed)))
    kept = [(name, value) for name, value in request.headers.raw if name.lower() not in gone]
    request.headers = type(request.headers)(kept + set_bytes)
    request.url = url
    if isinstance(request.stream, (_Bytes, *BYTES)):
        # `request.content` is what the stream holds: httpx reads it once, and keeps it here.
        request.__dict__.pop("_content", None)
        request.read()


def _as_request(request: httpx.Request, body: bytes | BodyDigest) -> Request:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    return Request(request.method, request.url.raw_path.decode("ascii"), headers, body, _origin(request))


def _origin(request: httpx.Request) -> str:
    return origin_of(request.url.scheme, request.url.netloc.decode("ascii"))
