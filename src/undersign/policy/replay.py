"""Replay guards: a signature that verified once is refused for as long as its window lasts."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from ..errors import ConfigError

BEFORE_BIRTH = "the signature may have verified before the replay guard began to remember: later ones will be let in"
_COUNTS_NOTHING = "this replay guard does not count uses: define admit, or leave max_uses at 1"


class ReplayGuard(ABC):
    """Remembers what verified. One guard may serve several threads, processes or machines."""

    @abstractmethod
    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """Record `replay_id` until `expires` (Unix seconds, still included). False = it was there already.

        Checking and recording are one step. A guard that cannot answer raises Rejected(unavailable).
        """

    def admit(self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1) -> bool:
        """What a verifier asks: `remember`, for a signature that may have verified from `since` on.

        A guard whose memory begins later than `since` cannot know whether it did, and raises Rejected(unavailable).
        False = it was there `max_uses` times. The default asks `remember` alone, which is right for a guard that
        never loses its memory. Raises ConfigError where it should count.

        A guard may have one parameter more, `owner=""`, and is told whose signature it is: whatever text is the same
        for all of one key, so that no key takes the place of the others.
        """
        if max_uses != 1:
            raise ConfigError(_COUNTS_NOTHING)
        return self.remember(replay_id, expires, now)


class AsyncReplayGuard(ABC):
    """The same for AsyncVerifier."""

    @abstractmethod
    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        """See ReplayGuard.remember."""

    async def admit(self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1) -> bool:
        """See ReplayGuard.admit."""
        if max_uses != 1:
            raise ConfigError(_COUNTS_NOTHING)
        return await self.remember(replay_id, expires, now)


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """How one scheme's signatures are guarded.

    - `methods`: "all", or "unsafe" for all but GET, HEAD, OPTIONS and TRACE (RFC 9110, section 9.2.1). The handshake of
      a websocket is guarded all the same, since writes may follow it. None is "unsafe" where the signature covers the
      method and dates have whole seconds: two equal GETs of one second have one signature then. Else None is "all".
    - `max_uses`: how often a signature may verify.
    - `ahead`: by how many seconds clients' clocks may have been ahead of ours when a guard lost its memory. What is
      dated up to so long after it began anew is refused too, since it may have verified before.
    - `lifetime`: for how many seconds a signature is remembered that has no time, and so never expires. Later it
      verifies once more, and so does one that verified before the guard began.

    Raises ConfigError for an option that cannot work.
    """

    guard: ReplayGuard | AsyncReplayGuard
    methods: Literal["unsafe", "all"] | None = None
    max_uses: int = 1
    ahead: int = 0
    lifetime: int | None = None
    tells_owner: bool = field(init=False, default=False, repr=False)
    """Whether the guard asks whose a signature is."""

    def __post_init__(self) -> None:
        if not isinstance(self.guard, (ReplayGuard, AsyncReplayGuard)):
            raise ConfigError(f"a replay guard is a ReplayGuard or an AsyncReplayGuard, not {self.guard!r}")
        if self.methods not in (None, "unsafe", "all"):
            raise ConfigError(f"methods {self.methods!r} is unknown: use 'unsafe' or 'all'")
        if type(self.max_uses) is not int or self.max_uses < 1:
            raise ConfigError(f"max_uses is 1 or more, not {self.max_uses!r}")
        if type(self.ahead) is not int or self.ahead < 0:
            raise ConfigError(f"ahead is whole seconds, 0 or more, not {self.ahead!r}")
        if self.lifetime is not None and (type(self.lifetime) is not int or self.lifetime < 1):
            raise ConfigError(f"lifetime is whole seconds, 1 or more, not {self.lifetime!r}")
        if self.max_uses > 1 and type(self.guard).admit in (ReplayGuard.admit, AsyncReplayGuard.admit):
            raise ConfigError(_COUNTS_NOTHING)
        parameters = inspect.signature(self.guard.admit).parameters.values()
        tells_owner = any(p.name == "owner" or p.kind is p.VAR_KEYWORD for p in parameters)
        object.__setattr__(self, "tells_owner", tells_owner)
