"""Trailers: the fields behind a body that came in chunks. Here is which of them go on, and who takes them.

A recipient may put trailers among the headers, as uvicorn does, and then takes them for a part of the head that it has
judged already. So what says how a message is framed, where it goes, who sends it, what it asks for or how its body is
to be read ends here, as RFC 9110 has it (section 6.5.1), and so does what the head has already. Names are compared as
CGI-like servers fold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any, TypeAlias

from ._identity import MOVING

Pairs: TypeAlias = Sequence[tuple[bytes, bytes]]

RECEIVED = "undersign.trailers"
"""The ASGI extension in which a server gives the trailers of a request that came in chunks: {"headers": pairs}, a list
which is filled when the body has ended. They are never among the headers."""
ANSWERED = "http.response.trailers"
"""The extension of ASGI's own with which a server offers to send trailers, and the message that brings them."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FOLDED = re.compile(rb"[^0-9a-z]")
_NEVER = frozenset(
    # framing and routing, and what is of one connection
    b"content-length transfer-encoding trailer te connection keep-alive upgrade http2-settings proxy-connection host"
    b" max-forwards via forwarded x-real-ip x-request-id"
    # who sends it
    b" authorization www-authenticate realm proxy-authenticate proxy-authorization proxy-authentication-info cookie"
    b" set-cookie cookie2 set-cookie2"
    # what it asks for
    b" cache-control expect pragma prefer range x-http-method x-http-method-override x-method-override"
    b" origin referer"
    # what is done with an answer
    b" age allow alt-svc clear-site-data date expires location refresh retry-after vary warning"
    # how the body is read
    b" content-disposition content-encoding content-language content-location content-range content-type"
    b" mime-version".split()
).union(name.encode() for name in MOVING)
_NEVER_WITH = (
    *(b"accept", b"access-control-", b"content-security-", b"cross-origin-", b"if-", b"sec-", b"strict-transport-"),
    *(b"x-authenticated-", b"x-forwarded-"),
)
_NOTHING: frozenset[bytes] = frozenset()


def fold(name: bytes) -> bytes:
    """The name in lower case, with a - for each sign that is neither letter nor digit."""
    return _FOLDED.sub(b"-", name.lower())


def passing(trailers: Pairs, head: Iterable[bytes] = (), own: frozenset[bytes] = _NOTHING) -> list[tuple[bytes, bytes]]:
    """Those that may follow a head with these names, in their order, with their names in lower case.

    `own` holds more names that may not be there, each as `fold` makes it.
    """
    taken = own.union(map(fold, head))
    return [
        (name.lower(), value.strip(b" \t"))
        for name, value in trailers
        if _NAME.fullmatch(name) and not _CONTROL.search(value) and _may_pass(fold(name), taken)
    ]


def _may_pass(name: bytes, taken: frozenset[bytes]) -> bool:
    return name not in _NEVER and name not in taken and not name.startswith(_NEVER_WITH)


def announced(
    values: Iterable[bytes], head: Iterable[bytes], own: frozenset[bytes] = _NOTHING
) -> list[tuple[bytes, bytes]]:
    """The Trailer field that goes on, where one with these values came: it names what may pass. Or nothing."""
    names = [(name.strip(b" \t"), b"") for value in values for name in value.split(b",")]
    kept = passing(names, head, own)
    return [(b"trailer", b", ".join([name for name, _ in kept]))] if kept else []


class Trailers:
    """The trailers of a request that goes on with the head `sent`: `received` holds them when its body has ended, and
    `named` is the Trailer field that came. `own` is as in `passing`."""

    __slots__ = ("_named", "_own", "_received", "_sent")

    def __init__(
        self, received: Pairs, named: Sequence[bytes], sent: Iterable[tuple[str, str]], own: frozenset[bytes]
    ) -> None:
        self._received, self._named, self._sent, self._own = received, named, sent, own

    def announced(self) -> list[tuple[bytes, bytes]]:
        """The Trailer field that goes on, or nothing."""
        return announced(self._named, self._names(), self._own) if self._named else []

    def passing(self) -> list[tuple[bytes, bytes]]:
        """What goes on, once the body has ended."""
        return passing(self._received, self._names(), self._own) if self._received else []

    def _names(self) -> list[bytes]:
        return [name.encode("latin-1", "replace") for name, _ in self._sent]


def asks_for_trailers(te: Iterable[bytes], named_by_connection: frozenset[bytes] | None) -> bool:
    """Whether a client takes trailers (RFC 9110, section 10.1.4), where this is its TE, and what its Connection names.

    Connection has to name TE: one that it does not name may come from further away, through something that knows of
    neither. HTTP/2 has no Connection; that is None.
    """
    if named_by_connection is not None and b"te" not in named_by_connection:
        return False
    return any(token.strip(b" \t").lower() == b"trailers" for value in te for token in value.split(b","))


def received_trailers(scope: MutableMapping[str, Any]) -> Pairs | None:
    """The list that holds a request's trailers when its body has ended; None where the server gives none."""
    extension = (scope.get("extensions") or {}).get(RECEIVED)
    return None if extension is None else extension["headers"]


def last_chunk(trailers: Pairs) -> bytes:
    """The end of a body in chunks, with what `passing` has let through."""
    return b"0\r\n" + b"".join([b"%s: %s\r\n" % pair for pair in trailers]) + b"\r\n"
