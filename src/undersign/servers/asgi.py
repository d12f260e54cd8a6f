"""Middleware for ASGI servers and apps. It needs the standard library alone."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from ..bodies import OnDisk, Spool, pieces_of
from ..core.message import Pairs, Request, Response, headers_as_bytes, headers_as_text, origin_form
from ..errors import ConfigError
from ..events.event import Events
from ..verifying.verdict import Pending, Verified
from ..verifying.verifier import AsyncVerifier, Verifier
from ._answers import signable, signing_send
from ._caching import for_the_client_alone, is_guarded
from ._common import (
    CHUNKED,
    MAX_BODY,
    Authenticator,
    Authorize,
    Received,
    finished_headers,
)
from ._exchange import Exchange
from ._mounts import VIRTUAL_ROOT, is_path_cut, is_root_forgeable
from ._scope import TARGET, AppScope, Scope, normalise_headers
from ._targets import (
    PATH_IS_DECODED,
    QUERY_IS_REWRITTEN,
    SAME,
    Comparison,
    Match,
    compare,
    decoded_as_text,
    is_query_rewritten,
    is_single_spelling,
    nearest_spelling,
    raw_path_of,
    spellings,
)
from .linger import LINGER, PAUSE, Dropping, Left, Linger
from .refusal import OnRejected

if TYPE_CHECKING:
    from .diagnosis import DiagnosisLog

__all__ = ["SignatureMiddleware"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# Frameworks type these three each in its own way (dict, Mapping, MutableMapping), so no narrower type takes them all.
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

_ANNOUNCE_BODIES = ("1.1", "1.0")  # HTTP/2 needs neither Content-Length nor Transfer-Encoding
_BARE_MARK = "ASGI does not say whether the target ended in a bare ?, which would be signed"


class SignatureMiddleware:
    """Lets in what verifies, and refuses all else in its scheme's own shape. The Verified is `scope["undersign"]`.

    Everything is protected, also websocket handshakes, unless its path is named in `public`. On public paths and for
    preflights `scope["undersign"]` is None.

    - `verifier`: an AsyncVerifier, or a Verifier whose keys and guard do not block.
    - `origin`: what clients call (`https://api.example.com`). Neither the connection nor an X-Forwarded header is
      asked.
    - `prefix`: what a proxy takes off the front of the target. Where the server's root path is the same and stands in
      the path already, it is not put there twice.
    - `public`: `/health`, `/static/*` for all below, or `GET /health` for one method. A path with escapes, `//` or dot
      segments is never public.
    - `preflights`: True lets CORS preflights in, which no browser signs.
    - `max_body`: how many bytes are read of a body that the signature covers (beyond: 413). It is kept on disk where it
      is over 1 MiB, and given to the app as it came. Any other body is not touched.
    - `linger`: bounds for what still comes in of a request that is refused before its body is read, as the stale and
      the malformed are. Without it the client would lose its answer.
    - `authorize(verified, head)`: anything but True refuses the request, and so does an exception. It may be a
      coroutine.
    - `on_verified(verified)`: is told each request that is let in, such as `undersign.keys.usage.KeyUsage().record`.
    - `on_rejected(refusal)`: is told each Refusal, as the logger `undersign` is. `on_rejected(reason, key_id, detail)`
      is told three strings of it. None gets a secret, a signature or a control character. The client never gets the
      reason.
    - `diagnosis`: a `undersign.servers.diagnosis.DiagnosisLog`, which finds out what the client did wrong.
    - `events(event)`, or a list of such hooks: is told an `undersign.events.Event` of each request that is let in or
      refused, and of its duration. Without it the hooks of the verifier are told.

    On a disconnect in mid-body the app is not called. Shared caches know of no signature but one in Authorization. So
    answers to others are `Cache-Control: private` unless the app says `no-store`, `public` or `s-maxage`. Refusals are
    `no-store`. Where the scheme signs answers too, the app's is held until it is whole, up to 16 MiB. A longer one goes
    out unsigned. The app is not offered to send trailers or files then.

    Raises ConfigError for an option that cannot work, and when called for anything but http, websocket or lifespan.
    """

    def __init__(
        self,
        app: App,
        verifier: Verifier | AsyncVerifier,
        *,
        origin: str = "",
        prefix: str = "",
        public: Collection[str] = (),
        preflights: bool = False,
        max_body: int = MAX_BODY,
        linger: Linger = LINGER,
        authorize: Authorize | None = None,
        on_rejected: OnRejected | None = None,
        on_verified: Callable[[Verified], object] | None = None,
        diagnosis: DiagnosisLog | None = None,
        events: Events = None,
    ) -> None:
        if not isinstance(verifier, (Verifier, AsyncVerifier)):
            raise ConfigError(
                "the verifier is a Verifier or an AsyncVerifier, not "
                f"{type(verifier).__name__}: write Verifier(GoTom(), keys)"
            )
        self._app = app
        self._authenticator = Authenticator(
            verifier,
            origin=origin,
            prefix=prefix,
            public=public,
            preflights=preflights,
            max_body=max_body,
            linger=linger,
            authorize=authorize,
            on_rejected=on_rejected,
            on_verified=on_verified,
            diagnosis=diagnosis,
            events=events,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            raise ConfigError(f"the scope type {kind!r} cannot be verified")
        normalise_headers(scope)
        received = _received(scope, self._authenticator)
        if self._authenticator.lets_unsigned:
            if self._authenticator.is_public(received):
                await self._app(_inner(scope, None), receive, send)
                return
            if kind == "http" and self._authenticator.is_preflight(received):
                await self._app(_inner(scope, None), _without_body(receive), send)
                return
        exchange = _Exchange(self._authenticator, received, scope, receive)
        try:
            is_admitted = await exchange.judge()
            if exchange.answer is not None:
                await self._answer(exchange.answer, scope, receive, send, unread=exchange.unread)
            if not is_admitted:
                return
            inner = _inner(scope, exchange.verified)
            if exchange.is_read and kind == "http":
                receive = _replay(exchange.spool, receive)
                if exchange.length == CHUNKED:
                    inner.change("headers", _with_length(scope["headers"], exchange.taken))
            if not is_guarded(received.head.by_name()):
                send = _for_the_client_alone(send)
            if kind == "http" and exchange.verified is not None and (signer := exchange.verified.response_signer):
                inner.change("extensions", signable(scope.get("extensions")))
                send = signing_send(signer, send)
            await self._app(inner, receive, send)
        finally:
            exchange.close()

    async def _answer(self, answer: Response, scope: Scope, receive: Receive, send: Send, *, unread: bool) -> None:
        kind = "http.response"
        if scope["type"] == "websocket":
            if (await receive())["type"] != "websocket.connect":
                return
            if "websocket.http.response" not in (scope.get("extensions") or {}):
                await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before accept, so a plain 403
                return
            kind = "websocket.http.response"
        headers = headers_as_bytes(finished_headers(answer))
        start = {"type": f"{kind}.start", "status": answer.status, "headers": headers}
        body = b"" if scope.get("method") == "HEAD" else answer.body
        if unread:
            await self._answer_early(start, body, scope, receive, send)
        else:
            await send(start)
            await send({"type": f"{kind}.body", "body": body, "more_body": False})

    async def _answer_early(self, start: Message, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer while the request's body may still come in: see Linger."""
        dropping = Dropping(self._authenticator.linger, receive)
        try:
            # A client that waits for 100 (Continue) must not be asked for a body that is dropped.
            expects = any(name.lower() == b"expect" for name, _ in scope["headers"])
            left = Left.SOMETHING if expects else await dropping.drop(PAUSE)
            if left is Left.SOMETHING:
                if _is_http1(scope):  # HTTP/2 has no such header
                    start["headers"].append((b"connection", b"close"))
                await send(start)
                await send({"type": "http.response.body", "body": body, "more_body": True})
                left, body = await dropping.drop(math.inf), b""
            else:  # nobody may be a chunk that is none, from a client that is still there
                await send(start)
                left = Left.NOTHING
            if left is not Left.NOBODY:
                await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            dropping.end()


class _Exchange(Exchange):
    """A request of an ASGI server."""

    waits = True

    def __init__(self, authenticator: Authenticator, received: Received, scope: Scope, receive: Receive) -> None:
        super().__init__(authenticator, received)
        self._is_http = scope["type"] == "http"
        if not self._is_http or not _is_http1(scope):
            self.unread = self._is_http
        self._receive = receive

    async def read(self, pending: Pending) -> bool:
        more = self._is_http
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return False
            if piece := message.get("body", b""):
                self.take(piece, pending)
            more = message.get("more_body", False)
        # A server that takes a lost connection for the end of the body must not have us take it so.
        return not self._is_http or self.length is None or self.length == CHUNKED or self.length == self.taken


def _without_body(receive: Receive) -> Receive:
    """A `receive` for a request that announces no body: the app gets none that a server may bring all the same."""

    async def checked() -> Message:
        message = await receive()
        return {"type": "http.disconnect"} if message.get("body") else message

    return checked


def _is_http1(scope: Scope) -> bool:
    return scope.get("http_version", "1.1") in _ANNOUNCE_BODIES


def _for_the_client_alone(send: Send) -> Send:
    """A `send` that keeps shared caches from the answer."""

    async def kept(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = for_the_client_alone(headers_as_text(message.get("headers") or ()))
            message = {**message, "headers": headers_as_bytes(headers)}
        await send(message)

    return kept


def _received(scope: Scope, authenticator: Authenticator) -> Received:
    headers = headers_as_text(scope["headers"])
    method = scope["method"] if scope["type"] == "http" else "GET"  # RFC 6455, section 4.1
    if scope["type"] == "websocket" and not any(name.lower() == "upgrade" for name, _ in headers):
        headers += (("upgrade", "websocket"),)  # HTTP/2 asks by a pseudo-header, and a replay guard goes by this
    query = _query(scope)
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    raw_path = raw_path_of(scope)
    if raw_path is None:
        return _respelled(scope, authenticator, method, query, headers, peer)
    path = raw_path.decode("latin-1")
    doubt = "" if query or "?" in path else _BARE_MARK
    if "?" in path:  # some clients that call an app in-process put the query there too; a path has no ? otherwise
        path = path.partition("?")[0]
    reduced = origin_form(path)
    match, prefixed = _compare(scope, path, reduced, authenticator.prefix)
    if authenticator.prefix and not prefixed:
        prefixed = _is_prefixed(scope, reduced, authenticator)
    target = f"{reduced}?{query}" if query else reduced
    if sent := (scope.get("extensions") or {}).get(TARGET):
        target, doubt = origin_form(sent["raw"].decode("latin-1")), ""
    request = authenticator.request(method, target, headers, prefixed=prefixed)
    return Received(request, "", doubt, (), _with_root(match, scope, request, authenticator), "", peer)


def _with_root(match: Match, scope: Scope, head: Request, authenticator: Authenticator) -> Match:
    """How the path that the app runs goes with the one that was sent, where it takes a root path off."""
    if is_root_forgeable(scope, authenticator.prefix) or VIRTUAL_ROOT in head.by_name():
        return Match.OTHER
    return Match.MOUNTED if match is Match.EXACT and is_path_cut(scope) else match


def _query(scope: Scope) -> str:
    query: bytes | str = scope.get("query_string") or b""
    return query if isinstance(query, str) else query.decode("latin-1")  # Django's AsyncClient has text


def _compare(scope: Scope, path: str, reduced: str, prefix: str) -> Comparison:
    """How the path that the app runs goes with the one that was sent, which may be in absolute form still."""
    runs: str = scope["path"] or "/"
    if runs == reduced and "%" not in runs:
        return SAME
    decoded = decoded_as_text(reduced) | decoded_as_text(path)
    found = compare(decoded, runs, prefix)
    if found.match is Match.OTHER:
        # What mounts an app may take the mount off the path and put it into root_path, as WSGI does. The app routes
        # by the rest then, so nothing is public there.
        root: str = scope.get("root_path") or ""
        mounted = compare(decoded, root.rstrip("/") + runs, prefix)
        if root and mounted.match is Match.EXACT:
            return Comparison(Match.MOUNTED, mounted.prefixed)
    return found


def _respelled(
    scope: Scope, authenticator: Authenticator, method: str, query: str, headers: Pairs, peer: str
) -> Received:
    """A request of which the server has passed on the decoded path alone."""
    runs: str = scope["path"]
    paths, mark = spellings(runs), "?" if query else ""
    prefixed = bool(authenticator.prefix) and _is_prefixed(scope, runs, authenticator)
    heads = [
        authenticator.request(method, path + mark + query, headers, prefixed=prefixed)
        for path in paths or (nearest_spelling(runs),)
    ]
    lost = "" if is_single_spelling(runs or "/") else PATH_IS_DECODED
    if query and is_query_rewritten(scope):
        lost = QUERY_IS_REWRITTEN
    match = _with_root(Match.EXACT, scope, heads[0], authenticator)
    return Received(heads[0], lost, "" if query else _BARE_MARK, tuple(heads if paths else ()), match, peer=peer)


def _is_prefixed(scope: Scope, path: str, authenticator: Authenticator) -> bool:
    """Whether the path holds the prefix already, as uvicorn's does with --root-path.

    Frameworks read a path that starts with the root path in this way too, so the target that verifies is the one
    that they act on. A mount of Starlette's extends `root_path` and keeps the server's own as `app_root_path`.
    """
    root: str = (scope.get("app_root_path") or scope.get("root_path") or "").rstrip("/")
    under_prefix = root == authenticator.prefix or root.startswith(authenticator.prefix + "/")
    return under_prefix and (path == authenticator.prefix or path.startswith(authenticator.prefix + "/"))


def _inner(scope: Scope, verified: Verified | None) -> AppScope:
    """The scope as the app gets it."""
    raw_path = raw_path_of(scope)
    if raw_path is not None and not raw_path.startswith(b"/"):
        # Some servers leave a target in absolute form whole. RFC 9112, section 3.2.2.
        path = origin_form(raw_path.partition(b"?")[0].decode("latin-1"))
        return AppScope(scope, verified, path=unquote(path), raw_path=path.encode("latin-1"))
    return AppScope(scope, verified)


def _with_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """The headers of a body that no longer comes in chunks: Django reads none where no length is declared."""
    kept = [pair for pair in headers if pair[0].lower() != b"transfer-encoding"]
    return [*kept, (b"content-length", str(length).encode())]


def _replay(spool: Spool | None, receive: Receive) -> Receive:
    """A `receive` that gives the body once and is the server's own from then on.

    An app that streams its answer waits on it for the disconnect: more of the body would keep it spinning, a
    disconnect made up would cut the answer off.
    """
    content = b"" if spool is None else spool.content()
    messages: Iterator[Message]
    if isinstance(content, bytes):
        messages = iter([{"type": "http.request", "body": content, "more_body": False}])
    else:
        messages = _messages(content)

    async def replayed() -> Message:
        for message in messages:
            return message
        return await receive()

    return replayed


def _messages(file: OnDisk) -> Iterator[Message]:
    left = file.length
    for piece in pieces_of(file.read):
        left -= len(piece)
        yield {"type": "http.request", "body": piece, "more_body": left > 0}
