"""Decisions for Envoy's ext_authz over HTTP: Envoy sends the request itself, as far as its configuration lets it.

Over HTTP Envoy joins header lines of one name and says nothing of the length that the client has announced. So its
configuration adds what was announced in a header of its own, without which nothing is let in: or else a client could
put a body on a signed request without one, where Envoy is not set to give bodies. Over gRPC both come as they are.
"""

from __future__ import annotations

import re

from ..core.message import Pairs, headers_as_text
from ..errors import ConfigError
from ..servers._scope import Scope, normalise_headers
from ..servers.asgi import Receive, Send
from ._deciding import Allowed, Decider, Described
from ._envoy import whole_body
from ._identity import identity
from .forward_auth import peer_of, send_decision
from .heads import path_and_query

ANNOUNCED = "x-original-body"
"""The header that Envoy is told to add: `length=%REQ(content-length)%`."""

_ANNOUNCED = re.compile(r"length=([0-9]{0,18})")
_FRAMING = frozenset({ANNOUNCED, "content-length", "transfer-encoding"})
_NO_ANNOUNCEMENT = (
    f"Envoy has to add the header {ANNOUNCED}: see headers_to_add in the gateway's configuration for Envoy over HTTP"
)


class ExtAuthz(Decider):
    """An ASGI app that answers 200 to what Envoy may send on, and the scheme's refusal to all else.

    The answer has X-Authenticated-Id and X-Authenticated-Scheme for `allowed_upstream_headers`, both empty on public
    paths and preflights. The options are those of SignatureMiddleware, and an `observer`.

    Raises ConfigError for an option that cannot work.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigError(f"Envoy asks over http, not {scope['type']}: serve this app without websockets")
        normalise_headers(scope)
        content = await self._read(receive)
        if content is not None:
            decided = await self.decide(self._described(scope, content))
            if isinstance(decided, Allowed):
                await send_decision(scope, send, 200, identity(decided.verified), b"")
            else:
                await send_decision(scope, send, decided.status, decided.headers, decided.body)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or as much of it as shows that it is too large; None where Envoy has gone."""
        content = b""
        more = True
        while more and len(content) <= self._authenticator.max_body:
            message = await receive()
            if message["type"] != "http.request":
                return None
            content += message.get("body", b"")
            more = message.get("more_body", False)
        return content

    def _described(self, scope: Scope, content: bytes) -> Described:
        """The request that Envoy asks about."""
        headers = headers_as_text(scope["headers"])
        announced = [value for name, value in headers if name.lower() == ANNOUNCED]
        rest: Pairs = tuple(pair for pair in headers if pair[0].lower() not in _FRAMING)
        target, problem = path_and_query(scope), ""
        if target is None:
            target, problem = "/", "the target is no path in printable ASCII"
        found = _ANNOUNCED.fullmatch(announced[0]) if len(announced) == 1 else None
        if found is None:
            problem = problem or _NO_ANNOUNCEMENT
        elif found[1]:
            rest += (("content-length", found[1]),)
        head = self._authenticator.request(scope["method"], target, rest)
        return Described(head, whole_body(head, content), problem, peer=peer_of(scope))
