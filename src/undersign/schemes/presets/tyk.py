"""Tyk's signature validation: Mashery's formula, with SHA-256.

Source: https://tyk.io/docs/ (signature validation) and https://github.com/TykTechnologies/tyk (signature_validator)
Window: five minutes either side; the gateway's own allowed_clock_skew says what it takes.
Refusal: 401 with a JSON error (unchecked).
Mistakes: the header that the gateway was set to is another; MD5 where it wants SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass

from .mashery import Mashery


@dataclass(frozen=True, kw_only=True)
class Tyk(Mashery):
    """Mashery's formula as Tyk's gateway checks it, where its settings say `use_param`.

    They also name both parameters and the clock skew; here they are those of Mashery. `algorithm` is sha256 for
    MasherySHA256, md5 for MasheryMD5. Without `use_param` that gateway wants a header, which this scheme does not set.
    """

    name: str = "tyk"
    algorithm: str = "sha256"


tyk = Tyk
