"""Requests on their way between a client and a server: ASGI applications that sign them, or verify them, and forward;
and those that decide for a front which forwards by itself.

The extra `gateway` brings what they run on: aiohttp, prometheus-client, and uvicorn for the processes. The extra
`envoy` brings grpcio and xds-protos, for ExtAuthzService alone; the extra `http2` h2, for HTTP/2 to the upstream.
"""

from typing import TYPE_CHECKING

from ..core.later import later

if TYPE_CHECKING:
    from .ext_authz import ExtAuthz
    from .ext_authz_grpc import ExtAuthzService
    from .forward_auth import ForwardAuth, Front
    from .forwarding import Forwarder
    from .gateway import VerifyingGateway
    from .guards import open_guard
    from .metrics import Metrics
    from .observing import Observer
    from .proxy import SigningProxy
    from .transport import Outgoing

__all__ = [
    "ExtAuthz",
    "ExtAuthzService",
    "ForwardAuth",
    "Forwarder",
    "Front",
    "Metrics",
    "Observer",
    "Outgoing",
    "SigningProxy",
    "VerifyingGateway",
    "open_guard",
]

__getattr__ = later(
    __name__,
    {
        "ExtAuthz": ".ext_authz",
        "ExtAuthzService": ".ext_authz_grpc",
        "ForwardAuth": ".forward_auth",
        "Forwarder": ".forwarding",
        "Front": ".forward_auth",
        "Metrics": ".metrics",
        "Observer": ".observing",
        "Outgoing": ".transport",
        "SigningProxy": ".proxy",
        "VerifyingGateway": ".gateway",
        "open_guard": ".guards",
    },
)
