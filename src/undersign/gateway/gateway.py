"""The gateway: it verifies in front of any server, and forwards what verifies.

    client ──> names that are ours, and what belongs to one connection, are taken off
           ──> SignatureMiddleware: the verdict; what does not verify gets its scheme's refusal
           ──> Forwarder: X-Authenticated-Id, X-Authenticated-Scheme and X-Request-Id are set ──> the server behind

Headers are taken off before anything is verified, so that what has verified is what is forwarded.
"""

from __future__ import annotations

from functools import lru_cache

from typing_extensions import Unpack

from ..errors import ConfigError
from ..servers._common import Options
from ..servers._scope import Scope, normalise_headers
from ..servers.asgi import Message, Receive, Send, SignatureMiddleware
from ..servers.linger import LINGER, Linger
from ..verifying.verdict import Verified
from ..verifying.verifier import AsyncVerifier, Verifier
from ._identity import identity_as_bytes, is_identity, is_marked, marked_carriers, moves_path
from .awaited import AwaitedBody
from .exchange import Broken
from .forward_auth import peer_of
from .forwarding import Forwarder
from .heads import OF_ONE_CONNECTION, Fields, answer, raw_target
from .observing import UNSIGNED, WEBSOCKET, Observer, current_record

_BODY = "undersign.gateway.body"
_LONGEST_KEPT = 64
_FOR_THE_VERDICT = frozenset({b"connection", b"transfer-encoding", b"upgrade", b"te"})
"""What belongs to one connection and has a part in the verdict, or in what the answer may be. The forwarder takes it
off."""


class VerifyingGateway:
    """An ASGI app in front of the server at `upstream`, `http(s)://host[:port]`.

    What verifies is forwarded with X-Authenticated-Id, the key id (percent-encoded where it is not visible ASCII), and
    X-Authenticated-Scheme. They are taken off what comes in, in every spelling that servers fold into one name. Headers
    with anything but letters, digits and hyphens in their names are dropped, as nginx does, since many servers take
    X_Name or X.Name for X-Name; those stay that a scheme carries its credentials in. So are those for which servers run
    another path, such as X-Original-URL. Websockets are refused (501).

    `forwarder` has the connections to the upstream and their time limits. `observer` keeps a record of each request.
    The other options are those of SignatureMiddleware.

    Raises ConfigError for an option that cannot work.
    """

    def __init__(
        self,
        verifier: Verifier | AsyncVerifier,
        upstream: str,
        *,
        forwarder: Forwarder | None = None,
        observer: Observer | None = None,
        linger: Linger = LINGER,
        **options: Unpack[Options],
    ) -> None:
        self._upstream = upstream_origin(upstream)
        self._forwarder = forwarder or Forwarder()
        self._observer = observer or Observer()
        self._protected = SignatureMiddleware(
            self._forward, verifier, linger=linger, **self._observer.among(options, verifier)
        )
        self._marked_carriers = marked_carriers(verifier.schemes)
        self._goes_on = lru_cache(maxsize=1024)(self._may_go_on)  # clients send the same names each time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._forwarder.lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ConfigError("websockets do not go through the gateway: serve it without them, as with --ws none")
        normalise_headers(scope)
        fields = Fields(scope["headers"])
        given = fields.values(b"x-request-id")
        scope["headers"] = self._kept(fields)
        target = raw_target(scope).decode("latin-1")
        request_id = given[0].decode("latin-1") if len(given) == 1 else ""
        with self._observer.request(scope["method"], target, peer_of(scope), request_id) as record:
            body = AwaitedBody(receive, self._forwarder.client_timeout)
            scope[_BODY] = body

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    record.status = message["status"]
                    body.end()
                await send(message)

            async def judged(message: Message) -> None:
                if not body.is_late:
                    await noted(message)
                elif message["type"] == "http.response.start":
                    record.failure = f"No more of the request came in for {self._forwarder.client_timeout:g} seconds"
                    await answer(noted, 408, record.failure, close=True)

            if any(b"websocket" in value.lower() for value in fields.values(b"upgrade")):
                record.verdict = WEBSOCKET
                await answer(noted, 501, "Websockets do not go through here", close=True)
                return
            await self._protected(scope, body, judged)

    def _kept(self, fields: Fields) -> list[tuple[bytes, bytes]]:
        """What of the client's headers is verified, and then forwarded."""
        usual, any_other, named = self._goes_on, self._may_go_on, fields.named_by_connection() - _FOR_THE_VERDICT
        # A client that nobody knows must not fill memory with names as long as a head.
        return [
            pair
            for pair in fields.pairs
            if (usual if len(pair[0]) <= _LONGEST_KEPT else any_other)(pair[0]) and pair[0] not in named
        ]

    def _may_go_on(self, name: bytes) -> bool:
        if name in OF_ONE_CONNECTION:
            return name in _FOR_THE_VERDICT
        text = name.decode("latin-1")
        if is_identity(text) or moves_path(text):
            return False
        return not is_marked(text) or text in self._marked_carriers

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        verified: Verified | None = scope["undersign"]
        body: AwaitedBody = scope.pop(_BODY)
        body.end()
        record = current_record()
        assert record is not None  # noqa: S101 - the middleware is called within its time alone
        own: list[tuple[bytes, bytes]] = []
        if verified is None:
            record.verdict = UNSIGNED
        else:
            own += identity_as_bytes(verified.key_id, verified.scheme)
        own.append((b"x-request-id", record.request_id.encode()))
        try:
            exchange = await self._forwarder.forward(scope, receive, send, self._upstream, add=own)
            if exchange.failure is not None:
                record.failure = exchange.failure.reason
        except Broken as broken:
            record.failure = str(broken)
            raise


def upstream_origin(upstream: str) -> str:
    """`http(s)://host[:port]`. Raises ConfigError for what is none: targets go through as they are, below no path."""
    scheme, mark, authority = upstream.partition("://")
    if scheme not in ("http", "https") or not mark or not authority or any(c in authority for c in "/?#@ "):
        raise ConfigError(f"upstream {upstream!r} is not http://host:port: leave out path, query and password")
    return upstream
