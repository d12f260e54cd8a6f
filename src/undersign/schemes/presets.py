"""Presets of the two families for APIs and gateways besides goTom and GoGrid. What differs are the options alone.

Sources: Acquia's http-hmac libraries (PHP 1.0 and Go, version 1), Mashery's support pages, Tyk's signature validator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..core.dates import Window
from ..errors import ConfigError
from .http_hmac import HttpHmac
from .keyed_timestamp import KeyedTimestamp

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_FIVE_MINUTES = Window(past=300, future=300)


@dataclass(frozen=True, kw_only=True)
class Acquia(HttpHmac):
    """HTTP HMAC 1.0 as Acquia's libraries speak it: provider `Acquia`, HMAC-SHA1, 15 minutes as in their README.

    Version 2.0 of that specification is another scheme. Its libraries take any header as `signed_headers`, empty ones
    included; name what the API names. They write the date as HTTP does, `Fri, 19 Mar 1982 00:00:04 GMT`, which has
    whole seconds alone.
    """

    provider: str = "Acquia"
    name: str = "acquia"
    window: Window = Window(past=900, future=900)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.date_precision != "seconds":
            raise ConfigError("date_precision is seconds: the dates of acquia are those of HTTP")

    def _time_form(self) -> str:
        return "http"


@dataclass(frozen=True, kw_only=True)
class Mashery(KeyedTimestamp):
    """The signature that Mashery's gateway checks: `apikey` and `sig` in the query, five minutes either side.

    `algorithm` is md5, or sha256 where the gateway is set so. Its verifier, like every one of the family, takes the
    parameters from a form as well.
    """

    key_param: str = "apikey"
    name: str = "mashery"
    placement: Literal["auto", "query", "form"] = "query"
    methods: tuple[str, ...] = _METHODS
    window: Window = _FIVE_MINUTES


@dataclass(frozen=True, kw_only=True)
class Tyk(Mashery):
    """Mashery's formula as Tyk's gateway checks it, where its settings say `use_param`.

    They also name both parameters and the clock skew; here they are those of Mashery. `algorithm` is sha256 for
    MasherySHA256, md5 for MasheryMD5. Without `use_param` that gateway wants a header, which this scheme does not set.
    """

    name: str = "tyk"
    algorithm: str = "sha256"
