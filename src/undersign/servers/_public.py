"""What is public: paths, or paths with one method each."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..core.message import Request, override_problem
from ..errors import ConfigError
from ..policy.paths import Paths, is_plain

_METHOD = re.compile(r"[A-Z][A-Z-]*")


class Public:
    """Paths that need no signature: `/health`, `/static/*` for all below, or `GET /health` for that method alone.

    GET stands for HEAD too, as it does to frameworks. Raises ConfigError for what is in none of these forms, and where
    nothing is left to protect.
    """

    def __init__(self, entries: Collection[str]) -> None:
        if isinstance(entries, str):
            raise ConfigError('public is a collection of paths: write public=["/health"]')
        by_method: dict[str, list[str]] = {}
        for entry in entries:
            method, space, path = entry.rpartition(" ")
            if space and not _METHOD.fullmatch(method):
                raise ConfigError(f"the public path {entry!r} has no method in front of its space: write 'GET /health'")
            by_method.setdefault(method, []).append(path)
        by_method.setdefault("HEAD", []).extend(by_method.get("GET", ()))
        self._by_method = {method: Paths(paths, "public") for method, paths in by_method.items()}
        self._always = self._by_method.pop("", Paths((), "public"))
        if self._always.are_all:
            raise ConfigError("the public path '/*' leaves nothing to protect: name what is public")

    def __bool__(self) -> bool:
        return bool(self._always) or any(self._by_method.values())

    def lets(self, head: Request) -> bool:
        """Whether the request is for a public path that has one spelling alone, by a method that it is public for."""
        path = head.target.partition("?")[0]
        if not is_plain(path):
            return False
        if path in self._always:
            return True
        # Frameworks may run the method that such a header names.
        return path in self._by_method.get(head.method, ()) and not override_problem(head)
