"""Redis goes, halts or fills up while a server answers requests: 503, and neither an app nor a client is misled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.servers.echo_app import KEYS, ORIGIN
from tests.servers.wire import signed
from undersign import AsyncVerifier, GoTom, Request
from undersign.core.dates import Window
from undersign.policy import ReplayPolicy
from undersign.policy.redis import AsyncRedisReplayGuard
from undersign.servers.asgi import SignatureMiddleware

from .server import RedisServer

# Nobody may be ahead, so that a store which has begun anew takes what is signed from then on.
SCHEME = GoTom(window=Window(past=1800, future=0))


class Service:
    """An app behind the middleware and a guard, and what it was told to do."""

    def __init__(self, client: httpx.AsyncClient, ran: list[str], reasons: list[str]) -> None:
        self._client = client
        self.ran = ran
        self.reasons = reasons

    async def post(self, request: Request) -> int:
        assert isinstance(request.body, bytes)
        answer = await self._client.post(request.target, headers=list(request.headers), content=request.body)
        return answer.status_code


@asynccontextmanager
async def service(server: RedisServer, **options: Any) -> AsyncIterator[Service]:
    ran: list[str] = []
    reasons: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ran.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    guard = AsyncRedisReplayGuard(server.url, skew=0, **options)
    await guard.initialize()
    verifier = AsyncVerifier(SCHEME, KEYS, replay={"gotom": ReplayPolicy(guard)})
    middleware = SignatureMiddleware(
        app, verifier, origin=ORIGIN, on_rejected=lambda refusal: reasons.append(f"{refusal.reason}: {refusal.detail}")
    )
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(middleware), base_url=ORIGIN) as client:
            yield Service(client, ran, reasons)
    finally:
        await guard.close()


def post(target: str) -> Request:
    return signed(SCHEME, "POST", target, body=b"amount=1", age=1)


def test_a_server_lost_while_it_is_asked_lets_nothing_in_and_what_was_let_in_stays_used(
    own_server: RedisServer,
) -> None:
    async def run() -> None:
        async with service(own_server, timeout=20) as served:
            before = post("/before")
            assert await served.post(before) == 204
            own_server.stop()
            requests = [post(f"/{number}") for number in range(10)]
            asked = [asyncio.ensure_future(served.post(request)) for request in requests]
            await asyncio.wait(asked, timeout=0.3)  # they wait for an answer now
            own_server.kill()
            assert await asyncio.gather(*asked) == [503] * 10
            own_server.start()
            # It has forgotten all: what it may have held is refused, and is not the app's.
            assert [await served.post(request) for request in (before, *requests)] == [503] * 11
            assert served.ran == ["/before"]
            assert "Redis cannot be asked" in served.reasons[0]
            assert "before the replay guard began" in served.reasons[-1]

    asyncio.run(run())


def test_a_server_that_is_too_slow_lets_nothing_in_and_its_late_answer_misleads_nobody(own_server: RedisServer) -> None:
    async def run() -> None:
        async with service(own_server, timeout=0.2) as served:
            requests = [post(f"/{number}") for number in range(10)]
            own_server.stop()
            assert await asyncio.gather(*map(served.post, requests)) == [503] * 10
            own_server.go_on()
            # It has recorded some of them by now, or will yet; whichever it has not are new. None gets the answer
            # to another's question.
            let_in: list[str] = []
            for request in [*requests, *requests, post("/new"), *requests]:
                while (status := await served.post(request)) == 503:
                    await asyncio.sleep(0.01)
                assert status == 204 or (status == 401 and served.reasons[-1].startswith("replayed"))
                if status == 204:
                    let_in.append(request.target)
            assert served.ran == let_in
            assert len(set(let_in)) == len(let_in)
            assert "/new" in let_in

    asyncio.run(run())


def test_a_server_that_fills_up_lets_nothing_new_in_and_nothing_twice(server: RedisServer) -> None:
    async def run() -> None:
        async with service(server) as served:
            before = post("/before")
            assert await served.post(before) == 204
            with server.client() as client:
                client.config_set("maxmemory", 1)
                assert await served.post(post("/full")) == 503
                assert await served.post(before) in (401, 503)
                client.config_set("maxmemory", 0)
            assert await served.post(before) == 401
            assert await served.post(post("/after")) == 204
            assert served.ran == ["/before", "/after"]

    asyncio.run(run())
