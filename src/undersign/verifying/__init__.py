"""Verifying: reading a request, looking its key up, and the verdict, in one step or in two for bodies that stream."""

from .verdict import Pending, Verified, begin
from .verifier import AsyncVerifier, Verifier
from .windows import RollingWindows

__all__ = ["AsyncVerifier", "Pending", "RollingWindows", "Verified", "Verifier", "begin"]
