"""The hosts that the documentation names, on loopback: they verify what they get, and nothing else can be reached."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp.connector
import pytest
import trustme

from tests.clients.wire import WireServer
from undersign import GoGrid, GoTom, Rejected, Request, Response, Verifier
from undersign.schemes.gogrid_envelope import success

HOSTS = ("demo.gotom.io", "api.gogrid.com")
PORTS = (8000, 8001)
"""Where the pages let something run on this machine. Tests run side by side, so it runs on a free port there."""
KEYS = {"your-user": "your-secret", "your-key": "your-secret"}


@dataclass
class Hosts:
    """What was made of each request, and where what runs on a documented port really runs."""

    authority: Path
    verdicts: list[str] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)
    verifier: Verifier = field(default_factory=lambda: Verifier([GoTom(), GoGrid()], KEYS))

    def respond(self, raw: bytes) -> bytes:
        """Answer as goTom or GoGrid would."""
        (host,) = Request.from_http(raw).values("host")
        request = Request.from_http(raw, f"https://{host}")
        try:
            verified = self.verifier.verify(request)
        except Rejected as rejected:
            self.verdicts.append(str(rejected))
            return _as_bytes(self.verifier.refusal(rejected, request))
        self.verdicts.append("valid")
        if verified.scheme == "gogrid":
            return _as_bytes(success(request.target))
        return _as_bytes(Response(200, (("Content-Type", "application/json"),), b'{"key_id": "your-user"}'))


@contextmanager
def hosts_on_loopback(authority: trustme.CA, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    """Have the documented hosts and ports found on loopback, and their certificates trusted."""
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    found = Hosts(bundle)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        patch.setenv(name, str(bundle))
    # aiohttp reads the environment once, when it is imported.
    patch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=str(bundle)))
    with WireServer(found.respond, context) as server:
        patch.setattr(socket, "getaddrinfo", _resolver(socket.getaddrinfo, found, server.port))
        # anyio takes the address that was found, and connects to the port that it was asked for.
        connect = _connector(asyncio.BaseEventLoop.create_connection, server.port)
        patch.setattr(asyncio.BaseEventLoop, "create_connection", connect)
        yield found


def _resolver(real: Callable[..., Any], hosts: Hosts, tls_port: int) -> Callable[..., Any]:
    def resolve(host: Any, port: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in HOSTS:
            assert int(port or 0) == 443, f"{name} is called on port {port}"
            return real("127.0.0.1", tls_port, *arguments, **keywords)
        assert name in (None, "localhost") or ipaddress.ip_address(name).is_loopback, f"{name} is no documented host"
        return real(name, hosts.ports.get(port, port), *arguments, **keywords)

    return resolve


def _connector(real: Callable[..., Any], tls_port: int) -> Callable[..., Any]:
    async def connect(loop: Any, factory: Any, host: Any = None, port: Any = None, **keywords: Any) -> Any:
        return await real(loop, factory, host, tls_port if port == 443 else port, **keywords)

    return connect


def _as_bytes(response: Response) -> bytes:
    headers = (*response.headers, ("Content-Length", str(len(response.body))), ("Connection", "close"))
    lines = [f"HTTP/1.1 {response.status} Status", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + response.body
