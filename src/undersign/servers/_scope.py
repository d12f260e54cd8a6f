"""ASGI scopes: as servers may give them, and as the app behind the middleware gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TypeAlias

from ..verifying.verdict import Verified
from ._common import KEY

Scope: TypeAlias = MutableMapping[str, Any]

TARGET = "undersign.target"
"""The ASGI extension in which a server says what stands on the request line: {"raw": bytes}. Without it a bare `?` at
the end of a target cannot be told, for ASGI has the query without its mark."""


def normalise_headers(scope: Scope) -> None:
    """Make the headers a list of pairs of bytes, and one that the server no longer has.

    ASGI asks for an iterable of two-item iterables of byte strings, and of some of these nothing is left once they are
    read. So the list takes their place, for whoever stands in front of the middleware too. uvicorn with httptools adds
    trailers to its own list when the body has ended: the app would take them for headers that have verified.
    """
    headers: Any = scope.get("headers")
    if type(headers) is list:
        first = headers[0] if headers else None
        # A server makes all of its pairs in one way.
        if first is None or (type(first) is tuple and type(first[0]) is bytes and type(first[1]) is bytes):
            scope["headers"] = headers.copy()
            return
    scope["headers"] = [(bytes(name), bytes(value)) for name, value in headers or ()]


class AppScope(dict[str, Any]):
    """The scope as the app gets it: with the Verified, and with `changes` of the middleware's.

    What the app writes in it is written in the middleware's own scope too. Routers put the route and its parameters
    there, and what measures or traces in front of the middleware reads them when the app is done. The Verified stays
    in here: another app that is given the same scope must not take it for its own.
    """

    __slots__ = ("_outer",)

    def __init__(self, outer: Scope, verified: Verified | None, **changes: Any) -> None:
        super().__init__(outer, **changes)
        dict.__setitem__(self, KEY, verified)
        self._outer = outer

    def change(self, key: str, value: Any) -> None:
        """Set what only the app gets to see."""
        super().__setitem__(key, value)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key != KEY:
            self._outer[key] = value

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        if key != KEY:
            self._outer.pop(key, None)

    def update(self, *others: Any, **values: Any) -> None:
        for key, value in dict(*others, **values).items():
            self[key] = value

    def __ior__(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> AppScope:  # type: ignore[override,misc]
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        if key != KEY and key in self:
            self._outer.pop(key, None)
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        for key in tuple(self):
            del self[key]
