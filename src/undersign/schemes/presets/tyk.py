"""Tyk's signature validation: Mashery's formula, with SHA-256.

Source: https://tyk.io/docs/ (signature validation) and https://github.com/TykTechnologies/tyk (signature_validator)
Window: five minutes either side; the gateway's own allowed_clock_skew says what it takes.
Refusal: 401 "Request signature verification failed"; the gateway's settings may name another status and message.
Mistakes: allowed_clock_skew left at 0; the hash in another header or parameter than the gateway was set to; MD5 where
    it wants SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...errors import ConfigError
from ...parts.carriers import Carriers
from .mashery import Mashery


@dataclass(frozen=True, kw_only=True)
class Tyk(Mashery):
    """Mashery's formula as Tyk's gateway checks it. `algorithm` is sha256 for MasherySHA256, md5 for MasheryMD5.

    Without `sig_header` key and hash are the parameters `key_param` and `sig_param`, for a gateway whose settings say
    `use_param`. With it they are headers: the hash in `sig_header`, which the settings name, and the key in
    `key_header`. The gateway decodes the hash, so its hex is taken in either case. Raises ConfigError for an option
    that cannot work.

    Example::

        patch = sign(Tyk(sig_header="X-Signature"), request, Credential("key", "secret"), now=now)
    """

    name: str = "tyk"
    algorithm: str = "sha256"
    sig_header: str | None = None
    key_header: str = "Authorization"
    _any_case: ClassVar[bool] = True

    def _carriers(self, patterns: Mapping[str, str]) -> Carriers:
        if self.sig_header is None:
            return super()._carriers(patterns)
        if self.placement != "query" or self.version_param is not None:
            raise ConfigError("placement and version_param are of parameters, and sig_header sends none: leave one out")
        if self.key_header == self.sig_header:
            raise ConfigError(f"key_header and sig_header are both {self.key_header}: key and hash go into two headers")
        return Carriers({self.key_header: "{key_id}", self.sig_header: "{signature}"}, {}, "query", patterns)


tyk = Tyk
