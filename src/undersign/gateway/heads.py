"""Heads of messages on their way through: the target that was sent, what belongs to one connection alone, and answers
of our own.

A header that belongs to a connection ends there (RFC 9110, section 7.6.1). `Connection` names more of them, so whoever
sends it chooses what is taken off: that happens before anything is signed, verified or added, and never after.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, TypeAlias

from ..core.message import is_plain_target, origin_form
from ..servers._scope import TARGET as TARGET

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Headers in their order, as the wire's bytes."""

_OF_ONE_CONNECTION = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade proxy-authenticate"
    b" proxy-authorization proxy-authentication-info http2-settings".split()
)
_NEVER_NAMED = frozenset({b"host", b"content-length"})  # framing and routing: Connection cannot take these off


def raw_target(scope: Scope) -> bytes:
    """What stands on the request line: `/path?query` byte for byte, or the absolute form with scheme and host."""
    extension = (scope.get("extensions") or {}).get(TARGET)
    if extension is not None:
        raw: bytes = extension["raw"]
        return raw
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope.get("query_string") or b""
    return path + b"?" + query if query else path


def path_and_query(scope: Scope) -> str | None:
    """The target without scheme and host; None where it cannot be passed on: it is no path, or not printable ASCII."""
    target = origin_form(raw_target(scope).decode("latin-1"))
    return target if is_plain_target(target) else None


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that go on to the other side, names in lower case and values without the spaces around them: without
    those of one connection, and those that `Connection` names."""
    lower = [(name.lower(), value.strip(b" \t")) for name, value in headers]
    dropped = _OF_ONE_CONNECTION
    named = [value for name, value in lower if name == b"connection"]
    if named:
        tokens = {token.strip(b" \t").lower() for value in named for token in value.split(b",")}
        dropped = dropped | (tokens - _NEVER_NAMED)
    return [pair for pair in lower if pair[0] not in dropped]


def values_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """The values of every header of that name (lower case), without the spaces and tabs around them."""
    return [value.strip(b" \t") for key, value in headers if key.lower() == name]


async def answer(
    send: Send, status: int, sentence: str, *, headers: Headers = (), close: bool = False, head: bool = False
) -> None:
    """Answer with a sentence, as a JSON string. `close` ends the connection, on which more of a body may come; `head`
    leaves the body out, as HEAD asks."""
    body = json.dumps(sentence).encode() + b"\n"
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    fields += [(b"cache-control", b"no-store"), *headers]
    if close:
        fields.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if head else body, "more_body": False})
