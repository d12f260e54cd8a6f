"""Acquia's HTTP HMAC 1.0: goTom's formula with the provider `Acquia` and HTTP dates.

Source: https://github.com/acquia/http-hmac-php (1.0) and https://github.com/acquia/http-hmac-go (version 1)
Window: 15 minutes, as the README of the libraries says.
Refusal: 401 (unchecked).
Mistakes: a date that is not the one which was signed; headers that are signed and not named to the verifier; the
    signature of version 2.0, which is another scheme.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...core.dates import Window
from ...errors import ConfigError
from ..http_hmac import HttpHmac


@dataclass(frozen=True, kw_only=True)
class Acquia(HttpHmac):
    """HTTP HMAC 1.0 as Acquia's libraries speak it: provider `Acquia`, HMAC-SHA1, 15 minutes as in their README.

    Version 2.0 of that specification is another scheme. Its libraries take any header as `signed_headers`, empty ones
    included; name what the API names. They write the date as HTTP does, `Fri, 19 Mar 1982 00:00:04 GMT`, which has
    whole seconds alone.

    Example::

        Signer(Acquia(signed_headers=["X-Custom-1"]), Credential("user", "secret")).sign(request)
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


acquia = Acquia
