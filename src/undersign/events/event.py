"""One judged request as text that may be shown, and the calling of hooks with it.

A client chooses its method, path and key id, so all three are shortened, on one line and without a query: signatures
and secrets travel there. A hook must not turn a verdict into anything else, so what it raises stops here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..core.text import printable as shown
from ..core.text import shortened
from ..errors import ConfigError

# Where a query may begin: some clients escape the question mark too, and the signature is in what they take for the
# path. RFC 3986, section 3.3, has parameters in a path as well.
_QUERY = re.compile(r"[?&;=#]|%(?:25)*(?:3f|26|3b|3d|23)", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """A request that was judged. All text has a bounded length, and no control character, secret or signature.

    `method` and `path` are the request's; the path ends where a query may begin, with `…` for what is left out. `peer`
    is the address of the connection, which may be a proxy's; a Verifier that is called directly knows none, and has "".
    `scheme` and `key_id` are what the request claims, verified only where `reason` is empty; both are empty where
    nothing is claimed. `reason` is empty where the request is let in, else a value of `undersign.Reason`, or
    `forbidden`. `duration` is the seconds from the request's head to the verdict, with the time that its body took.

    Example::

        def count(event: Event) -> None:
            print(event.reason or "verified", event.method, event.path, f"{event.duration:.3f} s")
    """

    method: str
    path: str
    peer: str
    scheme: str
    key_id: str
    reason: str
    duration: float

    @property
    def is_verified(self) -> bool:
        """Whether the request was let in."""
        return not self.reason

    def __str__(self) -> str:
        source = f" from {self.peer}" if self.peer else ""
        scheme = f", scheme {self.scheme}" if self.scheme else ""
        return (
            f"{self.reason or 'verified'}, {self.method} {self.path}{source}{scheme}, key id {self.key_id!r}, "
            f"{self.duration * 1000:.1f} ms"
        )


Hook: TypeAlias = Callable[[Event], object]
Events: TypeAlias = "Hook | Sequence[Hook] | None"


def event_hooks(events: Any) -> tuple[Hook, ...]:
    """The hooks, checked. Raises ConfigError for what cannot be called with one Event, and for a coroutine."""
    if events is None:
        return ()
    hooks: tuple[Any, ...] = tuple(events) if isinstance(events, (list, tuple)) else (events,)
    for hook in hooks:
        if isinstance(hook, type):
            raise ConfigError(f"events names the class {hook.__name__} itself: make an object of it, {hook.__name__}()")
        if not callable(hook):
            raise ConfigError(f"events is a callable that takes one Event, or a list of them; not {_name(hook)}")
        if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004
            raise ConfigError(f"the hook {_name(hook)} is a coroutine, and nobody awaits it: pass a plain function")
    return hooks


def tell(hooks: Sequence[Hook], event: Event) -> None:
    """Call each hook. Raises nothing that is an Exception."""
    for hook in hooks:
        try:
            hook(event)
        except Exception as error:
            import logging  # for this alone, so that verifying needs none

            # Its type alone: its text may hold anything.
            logging.getLogger("undersign").error("the events hook %s has raised %s", _name(hook), type(error).__name__)


def event_of(method: str, target: str, peer: str, *, scheme: str, key_id: str, reason: str, duration: float) -> Event:
    """The event of a request, whatever its bytes are."""
    return Event(
        printable(method, 30), shown_path(target), printable(peer, 50), scheme, printable(key_id), reason, duration
    )


def shown_path(target: str) -> str:
    """The target's path for a log, without what may be a query."""
    found = _QUERY.search(target)
    if found is None or found[0] == "?":
        return printable(target if found is None else target[: found.start()])
    return printable(target[: found.start()]).removesuffix("…") + "…"


def printable(text: str, longest: int = 200) -> str:
    """The text on one line and of bounded length, since clients choose what stands in it."""
    return shown(shortened(text, longest), "?")


def _name(hook: object) -> str:
    return str(getattr(hook, "__name__", type(hook).__name__))
