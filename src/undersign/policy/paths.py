"""Sets of paths, named exactly or with all that is below, for what depends on where a request goes."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..errors import ConfigError

# RFC 3986, section 2.3: what needs no percent-encoding. A path of anything else has a second spelling, and a
# server or framework behind may read it as another path than the one that was named.
# Compiled where they are first used, since most verifiers have no need of them.
_PLAIN_PATH = r"(?:/[A-Za-z0-9._~-]+)*/?"
_DOT_SEGMENT = r"/\.+(?:/|\Z)"


def is_plain(path: str) -> bool:
    """Whether the path has one spelling alone: no escapes, no `//`, no dot segments, nothing reserved."""
    return re.fullmatch(_PLAIN_PATH, path) is not None and not has_dot_segment(path)


def has_dot_segment(path: str) -> bool:
    """Whether a segment is of dots alone, which servers and frameworks may resolve."""
    return re.search(_DOT_SEGMENT, path) is not None


class Paths:
    """Paths such as `/health`, or `/static/*` for all that is below.

    Raises ConfigError for a path that is not plain, and says that it is a `kind` path.
    """

    def __init__(self, paths: Collection[str], kind: str) -> None:
        self._exact = frozenset(path for path in paths if not path.endswith("/*"))
        self._below = tuple(path.removesuffix("*") for path in paths if path.endswith("/*"))
        for path in (*self._exact, *self._below):
            if not path or not is_plain(path):
                raise ConfigError(
                    f"the {kind} path {path!r} is not plain: begin it with /, and have letters, digits, '.', '_', '~' "
                    "and '-' between single slashes, without dot segments; /* at its end stands for all below"
                )

    def __bool__(self) -> bool:
        return bool(self._exact or self._below)

    def __contains__(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._below)

    @property
    def are_all(self) -> bool:
        """Whether every path is among them."""
        return "/" in self._below
