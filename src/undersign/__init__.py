"""undersign: sign and verify HTTP requests in the schemes that real APIs still ask for."""

from typing import TYPE_CHECKING

from .core.credentials import Credential, Secret
from .core.dates import Window
from .core.later import later
from .core.message import BodyDigest, Component, Patch, Request, Response
from .errors import CannotSign, ConfigError, Reason, Rejected, UndersignError
from .scheme import BodyNeed, Claim, Scheme
from .signing import Signer, sign
from .verifying import AsyncVerifier, Pending, Verified, Verifier, begin

if TYPE_CHECKING:
    from . import presets
    from .diagnosing import diagnose
    from .explaining import Explanation as Explanation
    from .explaining import explain
    from .recipe import Recipe
    from .schemes import GoGrid, GoTom, HttpHmac, KeyedTimestamp
    from .schemes.presets.acquia import Acquia
    from .schemes.presets.mashery import Mashery
    from .schemes.presets.tyk import Tyk

__version__ = "0.2.0"

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

# A program pays for the scheme that it uses alone, and not for what people ask at their desks.
__getattr__ = later(
    __name__,
    {
        "Acquia": ".schemes.presets.acquia",
        "Explanation": ".explaining",
        "GoGrid": ".schemes.keyed_timestamp",
        "GoTom": ".schemes.http_hmac",
        "HttpHmac": ".schemes.http_hmac",
        "KeyedTimestamp": ".schemes.keyed_timestamp",
        "Mashery": ".schemes.presets.mashery",
        "Recipe": ".recipe",
        "Tyk": ".schemes.presets.tyk",
        "diagnose": ".diagnosing",
        "explain": ".explaining",
        "presets": ".presets",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
