"""Mashery's gateway: a hash of key, secret and Unix seconds, as `sig` beside `apikey`.

Source: Mashery's support pages on signed calls, and its published example
Window: five minutes either side, as the pages say.
Refusal: 403 with X-Mashery-Error-Code: ERR_403_NOT_AUTHORIZED (unchecked).
Mistakes: milliseconds for seconds; a clock that is off; secret before key; the hash in upper case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...core.dates import Window
from ..keyed_timestamp import KeyedTimestamp

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, kw_only=True)
class Mashery(KeyedTimestamp):
    """The signature that Mashery's gateway checks: `apikey` and `sig` in the query, five minutes either side.

    `algorithm` is md5, or sha256 where the gateway is set so. Its verifier, like every one of the family, takes the
    parameters from a form as well.

    Example::

        patch = sign(Mashery(algorithm="sha256"), request, Credential("key", "secret"), now=now)
    """

    key_param: str = "apikey"
    name: str = "mashery"
    placement: Literal["auto", "query", "form"] = "query"
    methods: tuple[str, ...] = _METHODS
    window: Window = Window(past=300, future=300)


mashery = Mashery
