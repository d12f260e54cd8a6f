"""The headers that tell the server behind who has signed, and what keeps clients from sending them, or any that was
signed, in another spelling, or one for which a server runs another path than the one that was verified or is public.

CGI, WSGI and PHP make one variable of `X-Authenticated-Id`, `x_authenticated_id` and `X.Authenticated.Id`; lighttpd's
CGI takes every mark for `_`. So names are compared as they fold them: a client's header of any such spelling never
reaches the server behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from ..core.message import Pairs
from ..scheme import Scheme
from ..servers._mounts import VIRTUAL_ROOT
from ..verifying.verdict import Verified

ID = "X-Authenticated-Id"
SCHEME = "X-Authenticated-Scheme"

_NAMES = frozenset({ID.lower(), SCHEME.lower()})
MOVING = frozenset({"x-original-url", "x-rewrite-url", VIRTUAL_ROOT, "daphne-root-path"})
"""Names of headers that are taken for another path, or a part of it, from anyone, where nothing was switched on for it:
by IIS, older Symfony and Laminas, by Pyramid's traversal, and by Daphne."""
_FOLDED = re.compile(r"[^0-9a-z]")
_MARKED = re.compile(r"[^0-9A-Za-z-]")
# All that is visible in ASCII, but for the percent sign.
_VISIBLE = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


def identity(verified: Verified | None) -> Pairs:
    """The headers for the server behind. They are empty where nobody has signed, so that they replace a client's."""
    if verified is None:
        return ((ID, ""), (SCHEME, ""))
    return ((ID, as_value(verified.key_id)), (SCHEME, as_value(verified.scheme)))


@lru_cache(maxsize=1024)
def identity_as_bytes(key_id: str, scheme: str) -> tuple[tuple[bytes, bytes], ...]:
    """The same headers as bytes, their names in lower case."""
    pairs = ((ID.lower(), as_value(key_id)), (SCHEME.lower(), as_value(scheme)))
    return tuple((name.encode(), value.encode()) for name, value in pairs)


def as_value(text: str) -> str:
    """A key id as a header's value: what is not visible ASCII, and the percent sign, is percent-encoded UTF-8.

    White space at the ends of a value gets lost on the way, and so two key ids could become one.
    """
    return quote(text, safe=_VISIBLE, errors="surrogatepass")


def _folded(name: str) -> str:
    return _FOLDED.sub("-", name.lower())


@lru_cache(maxsize=1024)
def is_identity(name: str) -> bool:
    """Whether a server may take a header of this name for one of ours."""
    return _folded(name) in _NAMES


def respelled(names: Iterable[str]) -> list[str]:
    """The names that a server may take for ours, and that a front which sets ours would leave beside them."""
    return [name for name in names if is_identity(name) and name.lower() not in _NAMES]


@lru_cache(maxsize=1024)
def moves_path(name: str) -> bool:
    """Whether a server may take a header of this name for the path that it is to run, or for a part of it."""
    return _folded(name) in MOVING


def is_marked(name: str) -> bool:
    """Whether there is anything in the name besides letters, digits and hyphens. nginx drops such headers."""
    return _MARKED.search(name) is not None


def marked_carriers(schemes: Iterable[Scheme]) -> frozenset[str]:
    """The names, in lower case, of headers that are marked, and that a scheme carries its credentials in."""
    carried = (name for scheme in schemes for name in getattr(scheme, "headers", ()))
    return frozenset(name.lower() for name in carried if isinstance(name, str) and is_marked(name))


def as_folded(headers: Pairs, kept: frozenset[str]) -> Pairs:
    """The headers with _ for each mark in their names, but for those in `kept`.

    A scheme refuses one with _ that would stand in for what it has signed, and servers may read any mark as _.
    """
    if not any(map(_MARKED.search, [name for name, _ in headers])):
        return headers
    return tuple((name if name.lower() in kept else _MARKED.sub("_", name), value) for name, value in headers)
