"""Decisions for fronts that ask by a request of their own: nginx's auth_request, Caddy's and Traefik's forward auth.

Such a front sends the client's headers, without the body, and names method and target in headers that it sets itself.
Whoever may call this app directly may have any request judged, so it has a listener that the front alone gets to.
What is behind the front is never reached through here.
"""

from __future__ import annotations

from typing import NamedTuple

from typing_extensions import Unpack

from ..core.message import Component, Pairs, headers_as_bytes, headers_as_text
from ..core.text import printable
from ..errors import ConfigError
from ..servers._common import Options
from ..servers._scope import Scope, normalise_headers
from ..servers.asgi import Receive, Send
from ..verifying.verifier import AsyncVerifier, Verifier
from ._deciding import Allowed, Decider, Described
from ._identity import identity
from .observing import Observer


class Front(NamedTuple):
    """How a front names the request that it asks about.

    `method` and `target` are the names of its headers, in lower case. `passes` are the refusals' statuses that it
    passes on; it makes 500 of all others, so 403 stands for them. None = it passes on all.
    """

    name: str
    method: str
    target: str
    passes: frozenset[int] | None = None


FRONTS = {
    front.name: front
    for front in (
        Front("nginx", "x-original-method", "x-original-uri", frozenset({401, 403})),
        Front("caddy", "x-forwarded-method", "x-forwarded-uri"),
        Front("traefik", "x-forwarded-method", "x-forwarded-uri"),
    )
}
"""nginx's names are those that its documentation uses; the other two have these names built in."""


class ForwardAuth(Decider):
    """An ASGI app that answers 200 to requests which may be sent on, and the scheme's refusal to all others.

    The answer has X-Authenticated-Id and X-Authenticated-Scheme for the front to set on the request that it sends on.
    Both are empty on public paths and preflights, so that setting them takes a client's away. `front` is one of
    `FRONTS` by its name, or a Front. The other options are those of SignatureMiddleware, and an `observer`.

    Raises ConfigError for an option that cannot work, and for a scheme that signs the body: these fronts keep it.
    """

    def __init__(
        self,
        verifier: Verifier | AsyncVerifier,
        front: str | Front,
        *,
        observer: Observer | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(verifier, observer=observer, **options)
        found = FRONTS.get(front) if isinstance(front, str) else front
        if found is None:
            raise ConfigError(f"front {front!r} is unknown: use {', '.join(FRONTS)}, or a Front")
        self._front = found
        for scheme in verifier.schemes:
            if Component.BODY in scheme.could_cover():
                raise ConfigError(
                    f"{scheme.name} signs the body, which {found.name} keeps: "
                    "have the gateway forward the requests (upstream), or ask from Envoy, which gives the body"
                )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigError(f"a front asks over http, not {scope['type']}: serve this app without websockets")
        normalise_headers(scope)
        decided = await self.decide(self._described(scope))
        if isinstance(decided, Allowed):
            await send_decision(scope, send, 200, identity(decided.verified), b"")
        else:
            await send_decision(scope, send, self._status(decided.status), decided.headers, decided.body)

    def _described(self, scope: Scope) -> Described:
        """The request that the front asks about."""
        front, headers = self._front, headers_as_text(scope["headers"])
        own = {front.method, front.target}
        rest: Pairs = tuple(pair for pair in headers if pair[0].lower() not in own)
        sent = {name.lower() for name, _ in rest}
        if "sec-websocket-key" in sent and "upgrade" not in sent:  # which is of one connection, and may end here
            rest += (("upgrade", "websocket"),)  # a replay guard goes by this
        method, target = (_single(headers, name) for name in (front.method, front.target))
        problem = ""
        if method is None or target is None:
            names = f"{front.target} and {front.method}"
            problem = (
                f"{front.name} has to set {names}, each once, to the client's own: see the gateway's documentation"
            )
        elif not target.startswith("/"):
            problem = f"{front.target} is not a path with its query: {printable(target[:60], '?')}"
        head = self._authenticator.request(method or "GET", target if target and not problem else "/", rest)
        return Described(head, None, problem, peer=peer_of(scope))

    def _status(self, status: int) -> int:
        passes = self._front.passes
        if passes is None or status in passes or status >= 500:
            return status
        return 403


async def send_decision(scope: Scope, send: Send, status: int, headers: Pairs, body: bytes) -> None:
    """Answer a front; what it may send on has no body, and a refusal's headers have its length already."""
    if status == 200:
        headers = (*headers, ("Content-Length", "0"))
    body = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.start", "status": status, "headers": headers_as_bytes(headers)})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def peer_of(scope: Scope) -> str:
    """The address that the connection comes from; empty where the server does not say."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _single(headers: Pairs, name: str) -> str | None:
    """The value of a header that is there once."""
    values = [value for given, value in headers if given.lower() == name]
    return values[0] if len(values) == 1 else None
