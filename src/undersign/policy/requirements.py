"""What signatures must cover, by method and path: for servers that speak a strong scheme and a weak one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..core.message import Component, Request, override_problem
from ..errors import ConfigError
from .paths import Paths, is_plain

# RFC 9110, section 9.2.1.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def is_handshake(head: Request) -> bool:
    """Whether a request asks for a websocket, whatever is said over that: RFC 6455, section 4.1."""
    return any("websocket" in value.lower() for value in head.values("upgrade"))


class Requirements:
    """The components that a request's signature must cover; pass it as `require` to a verifier.

    - `always`: holds for every request.
    - `writes`: holds for requests whose method is not safe (RFC 9110, section 9.2.1), and for those with an
      X-HTTP-Method-Override, which may run another.
    - `paths`: holds for those of a path, with or without a slash at its end: `/orders`, or `/orders/*` for it and all
      below. Paths are as clients sign them, with the prefix that a proxy takes off, and case counts.

    A path with escapes, `//`, dot segments or reserved characters may be any path to the framework behind. So all that
    `paths` names holds for it::

        Requirements(writes={Component.BODY}, paths={"/admin/*": {Component.TARGET}})

    Raises ConfigError for what is no component, and for paths that are not plain.
    """

    def __init__(
        self,
        *,
        always: Collection[Component] = (),
        writes: Collection[Component] = (),
        paths: Mapping[str, Collection[Component]] | None = None,
    ) -> None:
        self._always = components(always)
        self._writes = components(writes)
        self._paths = [(_with_itself(path), components(required)) for path, required in (paths or {}).items()]

    def __call__(self, head: Request) -> frozenset[Component]:
        """What the signature of this request must cover."""
        required = self._always
        if head.method not in SAFE_METHODS or override_problem(head):
            required |= self._writes
        path = head.target.partition("?")[0]
        is_certain = is_plain(path)
        for paths, wanted in self._paths:
            # Frameworks may take /orders/ for /orders, or the other way round.
            if not is_certain or path in paths or path.removesuffix("/") in paths:
                required |= wanted
        return required

    def named(self) -> frozenset[Component]:
        """All that is required of any request."""
        return self._always.union(self._writes, *(wanted for _, wanted in self._paths))


def components(required: Collection[Component]) -> frozenset[Component]:
    """The components as a set. Raises ConfigError for what is none."""
    if isinstance(required, str):
        raise ConfigError("require is a collection of components: write require={Component.BODY}")
    try:
        return frozenset(Component(component) for component in required)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"require: {error}; there are {', '.join(Component)}") from None


def _with_itself(path: str) -> Paths:
    bare = path.removesuffix("*").removesuffix("/")
    return Paths([path, bare] if bare else [path], "required")
