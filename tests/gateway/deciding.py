"""Decisions in this process, for fronts that are real ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.servers.fronts.app import PROVIDER, SIGNED_HEADERS
from undersign import GoGrid, GoTom, HttpHmac, Verifier, presets
from undersign.gateway import ExtAuthz, ForwardAuth
from undersign.gateway.serving import with_lifespan
from undersign.policy import ReplayPolicy
from undersign.servers.refusal import Refusal

from .harness import PATIENCE, running
from .processes import KEY_ID, ORIGIN, SECRET

PUBLIC = ("/open/*",)


def verifier(*, signs_body: bool, guard: Any = None) -> Verifier:
    schemes = [presets.bokun(), GoGrid()]
    if signs_body:
        custom = HttpHmac(provider=PROVIDER, name="custom", signed_headers=SIGNED_HEADERS)
        schemes = [GoTom(), GoGrid(), custom, presets.bokun()]
    replay = None if guard is None else {"bokun": ReplayPolicy(guard)}
    return Verifier(schemes, {KEY_ID: SECRET}, replay=replay)


class Asked:
    """A gateway that decides, and what it has refused."""

    def __init__(self) -> None:
        self.port = 0
        self.refused: list[str] = []

    def on_rejected(self, refusal: Refusal) -> None:
        self.refused.append(f"{refusal.reason}: {refusal.detail}")


@contextmanager
def deciding(kind: str, *, guard: Any = None, preflights: bool = False) -> Iterator[Asked]:
    """A gateway that decides for a front of this kind."""
    asked = Asked()
    judge = verifier(signs_body=kind.startswith("envoy"), guard=guard)
    options: dict[str, Any] = {"origin": ORIGIN, "public": PUBLIC, "on_rejected": asked.on_rejected}
    options["preflights"] = preflights
    if kind == "envoy-grpc":
        with _over_grpc(judge, options) as asked.port:
            yield asked
        return
    app: Any = ExtAuthz(judge, **options) if kind == "envoy-http" else ForwardAuth(judge, kind, **options)
    with running(with_lifespan(app)) as asked.port:
        yield asked


@contextmanager
def _over_grpc(judge: Verifier, options: dict[str, Any]) -> Iterator[int]:
    grpc: Any = pytest.importorskip("grpc.aio")
    from undersign.gateway import ExtAuthzService

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Any, int]:
        service = ExtAuthzService(judge, **options)
        server = grpc.server(options=service.options)
        service.add_to(server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
