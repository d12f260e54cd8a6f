"""The built-in schemes: two families, and the APIs that are presets of them."""

from .http_hmac import GoTom, HttpHmac
from .keyed_timestamp import GoGrid, KeyedTimestamp
from .presets import Acquia, Mashery, Tyk

__all__ = ["Acquia", "GoGrid", "GoTom", "HttpHmac", "KeyedTimestamp", "Mashery", "Tyk"]
