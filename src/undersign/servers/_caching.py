"""Cache-Control on answers to signed requests, so that no cache answers a replay in the server's place."""

from __future__ import annotations

import re
from collections.abc import Container

from ..core.message import Pairs

NEVER_STORED = ("Cache-Control", "no-store")
"""For refusals: what is refused now may be let in when it comes again."""

_DIRECTIVE = re.compile(r'([^\s,="]+)(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]*))?\s*(?:,|\Z)')
_UNQUALIFIED = re.compile(r"(?:no-store|private|public)\s*(?:,|\Z)|s-maxage\s*=", re.IGNORECASE)


def is_guarded(names: Container[str]) -> bool:
    """Whether caches keep away on their own from a request with headers of these lower-case names.

    RFC 9111, section 3.5: shared caches do not store what answers a request with Authorization. They know of no
    other place for a signature.
    """
    return "authorization" in names


def for_the_client_alone(headers: Pairs) -> Pairs:
    """The headers of an answer that no shared cache may store, unless they say themselves what it may do.

    They do with `no-store` and `private`, and with `public` and `s-maxage`, which release the answers to requests with
    Authorization just so (RFC 9111, section 3.5). It is one field in the end, since some caches read the first alone.
    """
    said = [value for name, value in headers if name.lower() == "cache-control"]
    if any(_settles(value) for value in said):
        return headers
    kept = tuple(pair for pair in headers if pair[0].lower() != "cache-control")
    return (*kept, ("Cache-Control", ", ".join(("private", *(value for value in said if value.strip())))))


def _settles(value: str) -> bool:
    return any(_UNQUALIFIED.match(found[0]) for found in _DIRECTIVE.finditer(value))
