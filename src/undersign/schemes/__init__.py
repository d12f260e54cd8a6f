"""The built-in schemes: two families, recipes as documents, and in `undersign.schemes.presets` those of other APIs."""

from .http_hmac import GoTom, HttpHmac
from .keyed_timestamp import GoGrid, KeyedTimestamp

__all__ = ["GoGrid", "GoTom", "HttpHmac", "KeyedTimestamp"]
