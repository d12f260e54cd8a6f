"""undersign: sign and verify HTTP requests in the schemes that real APIs still ask for."""

from typing import TYPE_CHECKING

from .core.credentials import Credential, Secret
from .core.dates import Window
from .core.message import BodyDigest, Component, Patch, Request, Response
from .errors import CannotSign, ConfigError, Reason, Rejected, UndersignError
from .recipe import Recipe
from .scheme import BodyNeed, Claim, Scheme
from .schemes import Acquia, GoGrid, GoTom, HttpHmac, KeyedTimestamp, Mashery, Tyk
from .signing import Signer, sign
from .verifying import AsyncVerifier, Pending, Verified, Verifier, begin

if TYPE_CHECKING:
    from .diagnosing import diagnose
    from .explaining import Explanation, explain

__version__ = "0.1.0"

__all__ = [
    "Acquia",
    "AsyncVerifier",
    "BodyDigest",
    "BodyNeed",
    "CannotSign",
    "Claim",
    "Component",
    "ConfigError",
    "Credential",
    "Explanation",
    "GoGrid",
    "GoTom",
    "HttpHmac",
    "KeyedTimestamp",
    "Mashery",
    "Patch",
    "Pending",
    "Reason",
    "Recipe",
    "Rejected",
    "Request",
    "Response",
    "Scheme",
    "Secret",
    "Signer",
    "Tyk",
    "UndersignError",
    "Verified",
    "Verifier",
    "Window",
    "begin",
    "diagnose",
    "explain",
    "sign",
]


def __getattr__(name: str) -> object:
    # Whoever signs or verifies does not pay for what people ask at their desks.
    if name == "diagnose":
        from .diagnosing import diagnose

        return diagnose
    if name in ("Explanation", "explain"):
        from . import explaining

        return getattr(explaining, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
