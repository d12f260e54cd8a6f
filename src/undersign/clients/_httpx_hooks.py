"""A request hook that runs behind all others of a client of httpx or httpx2, those that are added later too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Hook = Callable[[Any], Any]


def keep_behind(client: Any, hook: Hook) -> None:
    """Add the hook to the client, once, behind its other request hooks, and keep it there whatever is set later."""
    if isinstance(client, _KeepsHook):
        return
    hooks = client.event_hooks
    client.__class__ = _keeping(type(client), hook)
    client.event_hooks = hooks


class _KeepsHook:
    """Marks the clients that keep a hook."""


class _Behind(list[Hook]):
    """A list of hooks, of which one runs last wherever it stands."""

    def __init__(self, hooks: Iterable[Hook], last: Hook) -> None:
        super().__init__([*(hook for hook in hooks if hook is not last), last])
        self._last = last

    def __iter__(self) -> Iterator[Hook]:
        yield from sorted(super().__iter__(), key=lambda hook: hook is self._last)


def _keeping(kind: Any, hook: Hook) -> type:
    """The class of clients, with `event_hooks` that keep the hook when others are set in their place."""

    def get(client: Any) -> dict[str, list[Hook]]:
        hooks: dict[str, list[Hook]] = kind.event_hooks.fget(client)
        return hooks

    def replace(client: Any, hooks: dict[str, list[Hook]]) -> None:
        kind.event_hooks.fset(client, hooks)
        get(client)["request"] = _Behind(get(client)["request"], hook)

    return type(kind.__name__, (_KeepsHook, kind), {"event_hooks": property(get, replace)})
