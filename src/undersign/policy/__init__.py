"""What a verifier asks for besides a good signature: what has to be covered, and that no request comes twice.

`undersign.policy.redis` has the replay guards of several processes.
"""

from typing import TYPE_CHECKING

from ..core.later import later

if TYPE_CHECKING:
    from .memory import MemoryReplayGuard
    from .replay import AsyncReplayGuard, ReplayGuard, ReplayPolicy
    from .requirements import Requirements

__all__ = ["AsyncReplayGuard", "MemoryReplayGuard", "ReplayGuard", "ReplayPolicy", "Requirements"]

__getattr__ = later(
    __name__,
    {
        "MemoryReplayGuard": ".memory",
        "Requirements": ".requirements",
        **dict.fromkeys(("AsyncReplayGuard", "ReplayGuard", "ReplayPolicy"), ".replay"),
    },
)
