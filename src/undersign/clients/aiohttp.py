"""aiohttp, as a client middleware: `ClientSession(middlewares=(SignatureAuth(GoTom(), key_id, secret),))`.

aiohttp runs middlewares for every hop of a redirect, so each is signed afresh, or stripped of the credential where
it leaves the credential's origins.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from aiohttp import (
    BytesPayload,
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    IOBasePayload,
    Payload,
    ServerDisconnectedError,
)
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import TextIOPayload
from yarl import URL

from ..bodies import OnDisk, Spool, pieces_of
from ..core.message import BodyDigest, BodyHasher, Request, body_length
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed
from ._hop import HopAuth, Hops, HopSigner, origin_of, other_client

__all__ = ["SignatureAuth"]

_HTTP_OF = {"ws": "http", "wss": "https"}  # a WebSocket opens with a request of the HTTP origin
_NOTHING_OF_IT = BodyDigest({}, 0)
_WHOLE = BodyNeed(raw=True)
_NEVER_RESENT = ("POST", "PATCH")


class SignatureAuth(HopAuth):
    """Signs every request of a session, or of one call (`middlewares=`), and every redirect within the origins.

    A redirect elsewhere goes without signature, Date, signed headers and parameters. One object serves any number of
    sessions and tasks.

    - `origins`: where the credential may go, each as `https://host[:port]`. With none named that is the origin of each
      call itself.
    - `clock`: returns Unix seconds.
    - `adjust_clock`: a refusal over https whose Date lies outside the scheme's window is answered by signing once more,
      with the server's time. That time is remembered for its origin. More than a day is not followed.
    - `older`: secrets that are being replaced, for a scheme that sends several signatures. Each makes one too.
    - `extra`: what else the credential has, by name.
    - `nonce`: returns a text that no request had before. Where it is not given and the scheme wants one, it is a new
      UUID.
    - `check_response`: for a scheme that signs answers. The answer to each hop is read whole: `read()` has it, and
      `content` has nothing left. ResponseRejected is raised where its signature is absent or wrong.

    Raises ConfigError for a credential that cannot work. Sending raises CannotSign for a request that cannot be signed.
    Files are hashed from where they stand. Other streams are spooled, to disk beyond 1 MiB.
    """

    _own = "aiohttp"

    def _set_up(self) -> None:
        # By the timer, which aiohttp makes for each call of its user and hands to every hop of it.
        self._calls: WeakValueDictionary[int, _Call] = WeakValueDictionary()
        self._kept: WeakKeyDictionary[ClientResponse, _Call] = WeakKeyDictionary()

    def __call__(self, request: ClientRequest, *handler: ClientHandlerType) -> Coroutine[Any, Any, ClientResponse]:
        """Called by the session with one handler, for every hop. Other clients have none."""
        if problem := other_client(self._own, request):
            raise problem
        if not handler:
            raise ConfigError("this is the SignatureAuth of undersign.clients.aiohttp, a middleware: it has no handler")
        return self._send(request, handler[0])

    async def _send(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        call = self._call(request)
        spooled = await call.settle(request)
        try:
            response = await handler(request)
        except (ClientOSError, ServerDisconnectedError) as error:
            if spooled and request.method not in _NEVER_RESENT and not isinstance(error, ClientConnectorError):
                # aiohttp would send the request again, and before 3.14.5 with what is left of the stream: nothing.
                raise ClientPayloadError("the connection broke, and the body is a stream that is used up") from error
            raise
        # A call is known as long as one of its answers is, and aiohttp holds those of a redirect until its end.
        self._kept[response] = call
        if not _is_used_up(request) and call.should_sign_again(
            _origin(request.url), response.status, response.headers.items()
        ):
            response.release()
            await call.sign(request, _as_request(request))
            response = await handler(request)
            self._kept[response] = call
        await self._check(request, response)
        return response

    async def _check(self, request: ClientRequest, response: ClientResponse) -> None:
        check = self._signer.check
        if check and check.needs_body(request.method, response.status):
            try:
                body = await response.read()
                check.check(_as_request(request), response.status, response.headers.items(), body)
            except BaseException:
                response.close()
                raise

    def _call(self, request: ClientRequest) -> _Call:
        timer = getattr(request, "_timer", None)
        if timer is None:
            raise ConfigError("this version of aiohttp does not show which hops are of one call: use 3.12.15 to 3.x")
        call = self._calls.get(id(timer))
        if call is None:
            self._calls[id(timer)] = call = _Call(self._signer, timer)
        return call


class _Call(Hops):
    """A call's hops, which have one timer."""

    def __init__(self, signer: HopSigner, timer: object) -> None:
        super().__init__(signer)
        self.timer = timer  # held, so that no other gets its id
        self._has_begun = False

    async def settle(self, request: ClientRequest) -> bool:
        """Sign or strip this hop. True where its body was a stream, which is used up now and kept in our hands."""
        head = _as_request(request)
        if not self._has_begun:
            self.home, self._has_begun = head.origin, True
        elif _is_used_up(request):  # aiohttp itself says so since 3.14
            raise ClientPayloadError(
                "a redirect or a retry asks for the body again, and it is a stream that is used up"
            )
        if self.allows(head.origin):
            return await self.sign(request, head)
        await self._strip(request, head)
        self.tell_unsigned(head.origin)
        return False

    async def sign(self, request: ClientRequest, head: Request) -> bool:
        """Sign the request, or raise CannotSign. True as `settle` has it."""
        body, spooled = await _read(request, self.need(head))
        if spooled:  # it is sent with other headers
            head = _as_request(request)
        unsigned = head.with_body(body)
        patch = self.signer.sign(unsigned)
        signed = patch.apply(unsigned)
        url = request.url
        if signed.target != unsigned.target:
            url = _with_target(request.url, signed.target)
        if url.raw_path_qs != signed.target:
            raise CannotSign("the client would rewrite the signed target: percent-encode it before")
        headers = [(name, _as_text(name, value)) for name, value in patch.headers]
        if patch.form:
            await request.update_body(signed.body)
        for name, value in headers:
            request.headers[name] = value
        request.url = url
        self.signed_with(patch)
        return spooled

    async def _strip(self, request: ClientRequest, head: Request) -> None:
        """Take the credential off a request that goes elsewhere."""
        before = head.with_body((await _read(request, _WHOLE))[0] if self.patch.form else _NOTHING_OF_IT)
        gone, after = self.strip(before)
        for name in gone:
            request.headers.popall(name)
        if after.target != before.target:
            request.url = _with_target(request.url, after.target)
        if after.body != before.body:
            await request.update_body(after.body)


class _Sink(AbstractStreamWriter):
    """Takes what a payload writes, as the connection would."""

    def __init__(self, take: Callable[[Any], object]) -> None:
        self._take = take

    async def write(self, chunk: object, **_: object) -> None:
        self._take(chunk)

    async def write_eof(self, chunk: bytes = b"") -> None:
        await self.write(chunk)

    async def drain(self) -> None: ...

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None: ...

    def enable_chunking(self) -> None: ...

    async def write_headers(self, status_line: str, headers: object) -> None: ...


class _OnDiskPayload(Payload):
    """A spooled body, which can be sent any number of times."""

    def __init__(self, file: OnDisk) -> None:
        super().__init__(file)
        self._file = file

    @property
    def size(self) -> int:
        return self._file.length

    @property
    def autoclose(self) -> bool:
        return True

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        self._file.seek(0)
        return self._file.read().decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        self._file.seek(0)
        for piece in pieces_of(self._file.read):
            await writer.write(piece)


async def _read(request: ClientRequest, need: BodyNeed) -> tuple[bytes | BodyDigest, bool]:
    """What is signed of the body; and whether it was a stream, which is replaced then by what it has yielded."""
    payload = request.body
    if not isinstance(payload, Payload):
        return b"", False
    if not need:
        return _NOTHING_OF_IT, False
    if request.compress:
        raise CannotSign("compress= changes the body after it is signed: compress it before, and set Content-Encoding")
    if isinstance(payload, BytesPayload):
        body: bytes | BodyDigest = bytes(await payload.as_bytes())
    elif _is_replayable(payload) and not need.raw:
        hasher = BodyHasher(need.digests)
        await payload.write(_Sink(hasher.update))
        body = hasher.result()
    else:
        return await _spool(request, payload, need), True
    length = request.headers.get("Content-Length")
    if length is not None and length != str(body_length(body)):
        raise CannotSign(f"Content-Length says {length!r}, and the body has {body_length(body)} bytes: leave it out")
    return body, False


async def _spool(request: ClientRequest, payload: Payload, need: BodyNeed) -> bytes | BodyDigest:
    # Hashed as it comes in where it is large, which leaves the event loop its turns.
    spooled = Spool(need)
    await payload.write(_Sink(spooled.write))
    content = spooled.content()
    request.chunked = None  # it is sent with a length
    request.headers.pop("Transfer-Encoding", None)
    await request.update_body(content if isinstance(content, bytes) else _OnDiskPayload(content))
    return spooled.signed()


def _is_used_up(request: ClientRequest) -> bool:
    return isinstance(request.body, Payload) and request.body.consumed


def _is_replayable(payload: Payload) -> bool:
    """Whether the payload can be written any number of times, and with the length that it says."""
    if isinstance(payload, _OnDiskPayload):
        return True
    # The size of a text file is not that of its text in the payload's encoding.
    return isinstance(payload, IOBasePayload) and not isinstance(payload, TextIOPayload) and payload.size is not None


def _as_request(request: ClientRequest) -> Request:
    headers = tuple([(name, _on_the_wire(value)) for name, value in request.headers.items()])
    return Request(request.method, request.url.raw_path_qs, headers, b"", _origin(request.url))


def _on_the_wire(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "ignore").decode("latin-1")


def _as_text(name: str, value: str) -> str:
    """The text that aiohttp sends as these bytes, for it encodes headers as UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise CannotSign(f"the header {name} is not UTF-8, and aiohttp sends no other") from None


def _with_target(url: URL, target: str) -> URL:
    return URL(f"{url.origin()}{target}", encoded=True)


def _origin(url: URL) -> str:
    return origin_of(_HTTP_OF.get(url.scheme, url.scheme), url.raw_authority)
