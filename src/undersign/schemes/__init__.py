"""The built-in schemes: two families, recipes as documents, and in `undersign.schemes.presets` those of other APIs."""

from typing import TYPE_CHECKING

from ..core.later import later

if TYPE_CHECKING:
    from .http_hmac import GoTom, HttpHmac
    from .keyed_timestamp import GoGrid, KeyedTimestamp

__all__ = ["GoGrid", "GoTom", "HttpHmac", "KeyedTimestamp"]

__getattr__ = later(
    __name__,
    {
        "GoGrid": ".keyed_timestamp",
        "GoTom": ".http_hmac",
        "HttpHmac": ".http_hmac",
        "KeyedTimestamp": ".keyed_timestamp",
    },
)
