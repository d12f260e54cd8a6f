"""What the log and the hook `on_rejected` are told of a refused request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import ConfigError

__all__ = ["Refusal"]


@dataclass(frozen=True)
class Refusal:
    """A refused request: all of it is text of bounded length without control characters, secrets or signatures.

    - `reason`: one of `undersign.Reason`, or `forbidden`.
    - `detail`: one sentence that says what is wrong.
    - `scheme`, `key_id`: what the request claims. They are empty where it did not come that far.
    - `path`: ends where a query or a parameter may begin, with `…` for what is left out.
    - `peer`: the address that the server has the connection from, which may be a proxy's. It is empty where the server
      does not say.
    """

    reason: str
    key_id: str
    detail: str
    scheme: str
    method: str
    path: str
    peer: str

    def __str__(self) -> str:
        source = f" from {self.peer}" if self.peer else ""
        return f"{self.reason}, {self.method} {self.path}{source}, key id {self.key_id!r}: {self.detail}"


OnRejected: TypeAlias = Callable[[Refusal], object] | Callable[[str, str, str], object]


def refusal_hook(hook: Any) -> Callable[[Refusal], object]:
    """The hook, as one that takes a Refusal: it may take its reason, key id and detail as three strings too.

    Raises ConfigError for what takes neither.
    """
    if not callable(hook):
        raise ConfigError(f"on_rejected is a callable that takes one Refusal; this is {type(hook).__name__}")
    try:
        signature = inspect.signature(hook)
    except (TypeError, ValueError):  # written in another language, and it does not say
        return lambda refusal: hook(refusal.reason, refusal.key_id, refusal.detail)
    if _takes(signature, 3):
        return lambda refusal: hook(refusal.reason, refusal.key_id, refusal.detail)
    if _takes(signature, 1):
        return hook  # type: ignore[no-any-return]
    raise ConfigError("on_rejected takes one Refusal, or the three strings reason, key_id and detail")


def _takes(signature: inspect.Signature, number: int) -> bool:
    try:
        signature.bind(*(None,) * number)
    except TypeError:
        return False
    return True
