"""What a verifier asks for besides a good signature: what has to be covered, and that no request comes twice.

`undersign.policy.redis` has the replay guards of several processes.
"""

from .replay import AsyncReplayGuard, MemoryReplayGuard, ReplayGuard, ReplayPolicy
from .requirements import Requirements

__all__ = ["AsyncReplayGuard", "MemoryReplayGuard", "ReplayGuard", "ReplayPolicy", "Requirements"]
