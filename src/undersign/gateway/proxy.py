"""A proxy that signs: any client sends a plain request to it, and it goes on signed.

    the client's request
      │  who may use the proxy (access); where it goes: an origin of the credential's, and no other
      ▼
    without what belongs to one connection, and without what is the scheme's own
      │  the body as the scheme needs it: passed on untouched, or hashed and kept, in memory or on disk
      ▼
    signed ──> the upstream ──> its answer, checked where the scheme signs answers, and back as it came
      ▲            │ the connection was lost, or the answer shows that our clock is off
      └────────────┘ signed anew, once each

What the client names (the target, Host) never chooses another origin than those that are configured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..bodies import OnDisk, Spool
from ..clients._hop import HopSigner
from ..core.credentials import Secret, as_secret, parse_origin, secrets_of
from ..core.message import BodyDigest, Request, headers_as_text, is_plain_target, origin_form
from ..errors import CannotSign, ConfigError, ResponseRejected
from ..scheme import Scheme, window_of
from .access import TOKEN_HEADER, Access
from .exchange import Exchange, Failure
from .forwarding import NOT_FORWARDED, Forwarder
from .heads import Receive, Scope, Send, host_problem, raw_target
from .own_fields import OwnFields
from .trailers import fold
from .transport import Answer, Body, Outgoing, content_length
from .tunnels import TUNNEL

if TYPE_CHECKING:
    from ..profiles import Profile

_DROPPED = NOT_FORWARDED - {b"content-length"} | {b"host", TOKEN_HEADER}
_MOST_CHECKED = 16 * 1024 * 1024
_CONNECT = (
    "CONNECT hides the request from this proxy, and nothing could sign it: call http:// instead of https://, "
    "and the proxy speaks https to where it goes; or take the proxy's address as the base URL"
)


class SigningProxy:
    """An ASGI application that signs what it gets, and sends it to `origins`, of which the first takes bare paths.

    `https://host[:port]` each; a client names another of them by an absolute target, as it does of an HTTP proxy, and
    may write http:// there for an origin on https. `secret`, `older`, `extra`, `nonce`, `clock` and `adjust_clock` are
    as in the clients' SignatureAuth. Answers are checked where the scheme signs them, unless `check_response` is False.

    With a `token` every request has to carry it, as `Proxy-Authorization: Bearer` or `Basic`, or as
    `X-Undersign-Token`. Without one, what shows that a browser's page has sent it is refused, and so are a browser that
    does not tell of its page, and a Host that is neither localhost, nor an address of loopback, nor of `origins` or
    `hosts`; `*` in these lets in any, which is safe where the clients speak TLS, as a browser holds the name to the
    certificate. `forwarder` has the timeouts and connections. `on_failure(exchange)` is told each request that the
    proxy itself has answered, or broken off.

    Raises ConfigError for a credential or an origin that cannot work.
    """

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret | str | bytes,
        *,
        origins: Sequence[str],
        clock: Callable[[], float] = time.time,
        adjust_clock: bool = False,
        older: Sequence[Secret | str | bytes] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
        nonce: Callable[[], str] | None = None,
        check_response: bool | None = None,
        token: Secret | str | bytes | None = None,
        hosts: Sequence[str] = (),
        forwarder: Forwarder | None = None,
        on_failure: Callable[[Exchange], object] | None = None,
    ) -> None:
        secrets = secrets_of(secret, older)
        hidden = None if token is None else as_secret(token)
        del secret, older, token  # so that no frame which raises below holds a plain one
        if isinstance(hidden, ConfigError):
            raise hidden
        if isinstance(origins, str) or not origins:
            raise ConfigError('a proxy has to know where it may send: write origins=["https://api.example.com"]')
        self._signer = HopSigner(
            scheme,
            key_id,
            secrets,
            origins,
            clock,
            adjust_clock=adjust_clock and window_of(scheme) is not None,
            extra=extra,
            check_response=scheme.signs_responses if check_response is None else check_response,
            nonce=nonce,
        )
        self.origins = self._signer.credential.origins
        self._hosts = {origin: ("host", origin.partition("://")[2]) for origin in self.origins}
        self._own = OwnFields(scheme, self._signer.credential, self.origins[0])
        own = {name.encode("ascii") for name in self._own.headers}
        self._dropped = _DROPPED | own
        self._not_in_trailers = frozenset(map(fold, own | {TOKEN_HEADER}))
        self._access = Access(hidden, [*hosts, *(_host(origin) for origin in self.origins)])
        self._forwarder = forwarder or Forwarder()
        self._on_failure = on_failure

    @classmethod
    def from_profile(cls, profile: Profile, **options: Any) -> SigningProxy:
        """The proxy of a profile, which has to name origins. Raises ConfigError."""
        if not profile.origins:
            raise ConfigError(f"the profile {profile.name} names no origins, and a proxy has to: add origins = [...]")
        return profile.auth(cls, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the ASGI server. Raises Broken where an answer that has begun cannot be completed."""
        if scope["type"] == "lifespan":
            await self._forwarder.lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "websockets do not go through a proxy"})
            return
        exchange = self._forwarder.exchange(scope, receive, send)
        try:
            await exchange.run(self._work)
        finally:
            if self._on_failure is not None and exchange.failure is not None:
                self._on_failure(exchange)

    async def _work(self, exchange: Exchange) -> None:
        through = exchange.through
        if through is None:  # the tunnel was opened with the token, and clients send it with CONNECT alone
            self._access.check_token(exchange.fields)
        if exchange.scope["method"] == "CONNECT":  # which no page can send
            await exchange.open_tunnel(self._end_of_tunnel(exchange))
            return
        self._access.check_page(exchange.fields)
        head = self._head(exchange, through or self.origins[0])
        try:
            request, body, length = await self._read(exchange, head)
            request = _with_length(request, content_length(request.method, body, length))
            answer, request = await self._ask(request, body, length, exchange)
        except CannotSign as error:
            raise Failure(400, f"The request cannot be signed: {error}") from None
        checked = self._signer.check
        if checked and checked.needs_body(request.method, answer.status):
            await self._relay_checked(answer, request, exchange)
        else:
            await self._forwarder.relay(answer, exchange)

    def _end_of_tunnel(self, exchange: Exchange) -> str:
        """The origin to which a CONNECT leads whose client calls http://. One that calls https:// would hide what it
        sends, and port 443 is none on which it calls the other. RFC 9110, section 9.3.6."""
        scope, fields = exchange.scope, exchange.fields
        if problem := host_problem(fields):
            raise Failure(400, problem)
        # What one in front takes for a body would be requests here.
        if fields.values(b"transfer-encoding") or any(length != b"0" for length in fields.values(b"content-length")):
            raise Failure(400, "CONNECT has no body: leave Content-Length and Transfer-Encoding out")
        authority = raw_target(scope).decode("latin-1")
        try:
            asked = parse_origin(f"http://{authority}")
        except ConfigError:
            asked = ""
        if not asked or not authority.rpartition(":")[2].isdecimal():
            raise Failure(400, "The target of CONNECT is not host:port")
        is_on_port_80 = asked == f"http://{_host(asked)}"
        if TUNNEL not in (scope.get("extensions") or ()) or not (is_on_port_80 or asked in self.origins):
            raise Failure(501, _CONNECT)
        return self._origin_of(asked)

    def _head(self, exchange: Exchange, usual: str) -> Request:
        """The request without its body, as it goes on, still to be signed: none of its headers is the scheme's own. A
        bare path goes to the origin `usual`."""
        method: str = exchange.scope["method"]
        raw = raw_target(exchange.scope).decode("latin-1")
        origin = usual if raw.startswith("/") or raw == "*" else self._origin_of(raw)
        target = origin_form(raw)
        if not is_plain_target(target):
            raise Failure(400, "The target is not /path?query in printable ASCII without '#'")
        headers = self._own.without_respelled(self._forwarder.incoming_headers(exchange, self._dropped))
        return Request(method, target, (self._hosts[origin], *headers), b"", origin)

    def _origin_of(self, url: str) -> str:
        """The origin of ours that a URL leads to; http:// may stand for https://."""
        scheme, mark, rest = url.partition("://")
        authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
        try:
            asked = parse_origin(f"{scheme}{mark}{authority}")
        except ConfigError:
            raise Failure(400, "The target is neither a path nor a URL of http or https without a user") from None
        for origin in (asked, parse_origin(f"https://{asked.partition('://')[2]}")):
            if origin in self.origins:
                return origin
        raise Failure(403, f"This proxy forwards to {' and '.join(self.origins)} alone, and the target is elsewhere")

    async def _read(self, exchange: Exchange, head: Request) -> tuple[Request, Body, int | None]:
        """The request without parameters of the scheme's own, with what is signed of its body; what is sent; and the
        length that the client has declared."""
        need = self._signer.scheme.body_need(head)
        body, length = await exchange.body()
        if not body or not need:
            return self._own.without_fields(head.with_body(BodyDigest({}, length or 0) if body else b"")), body, length
        spool = Spool(need)
        try:
            if isinstance(body, bytes):
                spool.write(body)
            else:
                while piece := await body.read():
                    spool.write(piece)
        except CannotSign as error:
            raise Failure(413, f"The request cannot be signed: {error}") from None
        content = spool.content()
        request = self._own.without_fields(head.with_body(spool.signed()))
        if isinstance(content, bytes) and isinstance(request.body, bytes):
            return request, request.body, len(request.body)
        return request, content, spool.length

    async def _ask(
        self, request: Request, body: Body, length: int | None, exchange: Exchange
    ) -> tuple[Answer, Request]:
        """Sign and send; sign anew where that is called for. Returns the request as it was signed, too."""
        applied = request

        def signed() -> Outgoing:
            nonlocal applied
            applied = self._signer.sign(request).apply(request)
            sent = applied.body if isinstance(body, bytes) and isinstance(applied.body, bytes) else body
            declared = len(sent) if isinstance(sent, bytes) and length is not None else length
            return Outgoing(
                *(applied.method, applied.origin, applied.target, applied.headers, sent, declared),
                trailers=exchange.trailers(applied.headers, self._not_in_trailers),
                takes_trailers=exchange.takes_trailers,
            )

        answer = await self._forwarder.ask_prepared(signed)
        correction = self._signer.correction
        if correction is None or not isinstance(body, (bytes, OnDisk)):
            return answer, applied
        if correction.learn(request.origin, answer.status, headers_as_text(answer.headers), self._signer.clock()):
            answer.close()
            answer = await self._forwarder.ask(signed())
        return answer, applied

    async def _relay_checked(self, answer: Answer, request: Request, exchange: Exchange) -> None:
        """Send the answer on once all of it is here and its signature is good."""
        assert self._signer.check is not None  # noqa: S101 - it was asked before
        body = bytearray()
        try:
            while piece := await answer.read():
                body += piece
                if len(body) > _MOST_CHECKED:
                    raise Failure(502, f"The answer is over {_MOST_CHECKED} bytes, and its signature covers all of it")
        finally:
            answer.close()
        try:
            self._signer.check.check(request, answer.status, headers_as_text(answer.headers), bytes(body))
        except ResponseRejected as error:
            raise Failure(502, f"The upstream's answer was not passed on: {error}") from None
        await exchange.begin(answer.status, answer.headers)
        await exchange.put(bytes(body), more=False)


def _with_length(request: Request, length: int | None) -> Request:
    """The request with the Content-Length that it is sent with, for some schemes sign that one."""
    told = () if length is None else (str(length),)  # over HTTP/2 one of 0 may come, and none is sent
    if tuple(request.values("content-length")) == told:
        return request
    headers = [pair for pair in request.headers if pair[0].lower() != "content-length"]
    headers += [("content-length", value) for value in told]
    return Request(request.method, request.target, tuple(headers), request.body, request.origin)


def _host(origin: str) -> str:
    host = origin.partition("://")[2]
    return host if host.endswith("]") else host.partition(":")[0] if "[" not in host else host.rpartition(":")[0]
