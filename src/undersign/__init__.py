"""undersign: sign and verify HTTP requests in the schemes that real APIs still ask for."""

import importlib
from typing import TYPE_CHECKING

from .core.credentials import Credential, Secret
from .core.dates import Window
from .core.message import BodyDigest, Component, Patch, Request, Response
from .errors import CannotSign, ConfigError, Reason, Rejected, UndersignError
from .recipe import Recipe
from .scheme import BodyNeed, Claim, Scheme
from .schemes import GoGrid, GoTom, HttpHmac, KeyedTimestamp
from .signing import Signer, sign
from .verifying import AsyncVerifier, Pending, Verified, Verifier, begin

if TYPE_CHECKING:
    from . import presets
    from .diagnosing import diagnose
    from .explaining import Explanation, explain
    from .schemes.presets.acquia import Acquia
    from .schemes.presets.mashery import Mashery
    from .schemes.presets.tyk import Tyk

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
    "presets",
    "sign",
]

# Whoever signs or verifies does not pay for what people ask at their desks, nor for the schemes of other APIs.
_WHEN_USED = {
    "Acquia": "schemes.presets.acquia",
    "Explanation": "explaining",
    "Mashery": "schemes.presets.mashery",
    "Tyk": "schemes.presets.tyk",
    "diagnose": "diagnosing",
    "explain": "explaining",
    "presets": "presets",
}


def __getattr__(name: str) -> object:
    if name not in _WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_WHEN_USED[name]}", __name__)
    return module if name == "presets" else getattr(module, name)
