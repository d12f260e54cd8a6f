"""Heads of messages on their way through: the target that was sent, what belongs to one connection alone, and answers
of our own.

A header that belongs to a connection ends there (RFC 9110, section 7.6.1). `Connection` names more of them, so whoever
sends it chooses what is taken off: that happens before anything is signed, verified or added, and never after.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, TypeAlias

from ..core.grammar import LENGTH
from ..core.message import is_plain_target, origin_form
from ..servers._scope import TARGET as TARGET

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Headers in their order, as the wire's bytes."""

OF_ONE_CONNECTION = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade proxy-authenticate"
    b" proxy-authorization proxy-authentication-info http2-settings".split()
)
_NOTHING: frozenset[bytes] = frozenset()
_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+;=:\[\]-]*")  # RFC 9110, section 7.2, without a comma: lines joined
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


class Fields:
    """The headers of a message, taken apart once: names in lower case, values without the spaces around them."""

    __slots__ = ("_by_name", "pairs")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.pairs = [(name.lower(), value.strip(b" \t")) for name, value in headers]
        self._by_name: dict[bytes, list[bytes]] = {}
        for name, value in self.pairs:
            self._by_name.setdefault(name, []).append(value)

    def values(self, name: bytes) -> Sequence[bytes]:
        """The values of every header of that name (lower case)."""
        return self._by_name.get(name, ())

    def end_to_end(self, dropped: frozenset[bytes] = OF_ONE_CONNECTION) -> list[tuple[bytes, bytes]]:
        """Those that go on to the other side: without those in `dropped`, which are to hold OF_ONE_CONNECTION, and
        those that `Connection` names."""
        if named := self.named_by_connection():
            dropped |= named
        return [pair for pair in self.pairs if pair[0] not in dropped]

    def named_by_connection(self) -> frozenset[bytes]:
        """The names of headers that `Connection` takes to be of this connection alone."""
        tokens = [token for value in self.values(b"connection") for token in value.split(b",")]
        return frozenset([token.strip(b" \t").lower() for token in tokens]) - _NEVER_NAMED if tokens else _NOTHING


def host_problem(fields: Fields) -> str | None:
    """Why nobody can tell for which host a request is, as a sentence. RFC 9112, section 3.2.

    Of two hosts servers take the first, the last, or both joined.
    """
    hosts = fields.values(b"host")
    if len(hosts) > 1:
        return "Host is there more than once"
    return None if not hosts or _HOST.fullmatch(hosts[0]) else "Host is not one host, with its port or without"


def framing_problem(scope: Scope, fields: Fields) -> tuple[int, str] | None:
    """Why two servers could find two ends of a request's body, or two bodies, as a status and a sentence. RFC 9112,
    section 6.

    Transfer-Encoding ends here: another coding would go on as if it were the body.
    """
    codings, lengths = fields.values(b"transfer-encoding"), fields.values(b"content-length")
    if codings and (lengths or scope.get("http_version", "1.1") == "1.0"):
        return (
            400,
            "Transfer-Encoding stands beside Content-Length, or in HTTP/1.0: send one length, or chunks in HTTP/1.1",
        )
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        return 501, "Transfer-Encoding is more than chunked: send the body without that coding"
    if lengths and (len(lengths) > 1 or not LENGTH.fullmatch(lengths[0].decode("latin-1"))):
        return 400, "Content-Length is not one number of at most 18 digits"
    return None


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """See Fields."""
    return Fields(headers).end_to_end()


def values_of(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Sequence[bytes]:
    """The values of every header of that name (lower case), without the spaces and tabs around them."""
    return Fields(headers).values(name)


def sentence_answer(
    status: int, sentence: str, *, headers: Headers = (), close: bool = False, head: bool = False
) -> tuple[Message, Message]:
    """The two ASGI messages of an answer that is a sentence, as a JSON string. `close` ends the connection, on which
    more of a body may come; `head` leaves the body out, as HEAD asks."""
    body = json.dumps(sentence).encode() + b"\n"
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    fields += [(b"cache-control", b"no-store"), *headers]
    if close:
        fields.append((b"connection", b"close"))
    start: Message = {"type": "http.response.start", "status": status, "headers": fields}
    return start, {"type": "http.response.body", "body": b"" if head else body, "more_body": False}


async def answer(
    send: Send, status: int, sentence: str, *, headers: Headers = (), close: bool = False, head: bool = False
) -> None:
    """Send a `sentence_answer`."""
    for message in sentence_answer(status, sentence, headers=headers, close=close, head=head):
        await send(message)
