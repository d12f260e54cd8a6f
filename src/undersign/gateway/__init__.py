"""Requests on their way between a client and a server: ASGI applications that sign them, or verify them, and forward.

The extra `gateway` brings what they run on: aiohttp, and uvicorn for the processes.
"""

from typing import TYPE_CHECKING

from ..core.later import later

if TYPE_CHECKING:
    from .forwarding import Forwarder, Outgoing
    from .proxy import SigningProxy

__all__ = ["Forwarder", "Outgoing", "SigningProxy"]

__getattr__ = later(__name__, {"Forwarder": ".forwarding", "Outgoing": ".forwarding", "SigningProxy": ".proxy"})
