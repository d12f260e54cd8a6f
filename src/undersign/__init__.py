"""undersign: sign and verify HTTP requests in the schemes that real APIs still ask for."""

from .clock import Window
from .credentials import Credential, Secret
from .engine import Pending, Signer, Verified, begin, sign
from .errors import CannotSign, ConfigError, Reason, Rejected, UndersignError
from .explain import Explanation, explain
from .http import BodyDigest, Component, Patch, Request, Response
from .recipe import Recipe
from .scheme import BodyNeed, Claim, Scheme
from .schemes import Acquia, GoGrid, GoTom, HttpHmac, KeyedTimestamp, Mashery, Tyk
from .verifier import AsyncVerifier, Verifier

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
    "explain",
    "sign",
]
