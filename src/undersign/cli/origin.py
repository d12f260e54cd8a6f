"""The origin of a raw request that nobody has named one for."""

from __future__ import annotations

from ..core.credentials import parse_origin
from ..core.message import Request
from ..errors import ConfigError


def origin_of_host(request: Request) -> str:
    """`https://` and the Host header; nothing where that is none, and a scheme that cares refuses it then."""
    hosts = request.values("host")
    try:
        return parse_origin(f"https://{hosts[0]}") if len(hosts) == 1 else ""
    except ConfigError:
        return ""
