"""What operators ask a gateway, on a listener of its own that clients do not get to: is it alive, may it be given
requests, and its metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from ..errors import ConfigError
from ..keys.file import KeyFile
from ..servers._scope import Scope
from ..servers.asgi import Receive, Send
from .metrics import CONTENT_TYPE, Metrics

_PATIENCE = 0.1  # seconds, of the 200 ms that HAProxy gives a check every 200 ms


class Admin:
    """An ASGI app with `/healthz`, `/readyz` and `/metrics`.

    `/healthz` is 200 as long as the process answers. `/readyz` is 503 until the replay guard has answered for the first
    time, and once the gateway is draining: balancers are to send nothing new then. A guard that fails later is named
    there and takes no gateway out, or its Redis would take out all of them, with the requests that need no guard. Nor
    is it waited for then: balancers give a check less time than a Redis that says nothing takes. So is it with a keys
    file that is not in form any more: the last good one is in use.
    """

    def __init__(self, keys: KeyFile, check_guard: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
        self.is_draining = False
        self._guard_has_answered = False
        self._question: asyncio.Task[None] | None = None
        self._guard_problem = ""
        self._keys = keys
        self._check_guard = check_guard
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigError(f"the admin app answers http, not {scope['type']}")
        path = scope["path"] if scope["method"] in ("GET", "HEAD") else ""
        kind, status = "application/json", 200
        self._keys.look()  # so that operators see what becomes of a change while no client comes
        if path == "/healthz":
            body = b'"alive"\n'
        elif path == "/readyz":
            problems = await self._problems()
            ready = self._guard_has_answered and not self.is_draining
            status = 200 if ready else 503
            body = json.dumps({"ready": ready, "problems": problems}).encode() + b"\n"
        elif path == "/metrics":
            self._metrics.keys(self._keys.sizes(), is_refused=self._keys.is_refused)
            kind, body = CONTENT_TYPE, self._metrics.text()
        else:
            status, body = 404, b'"GET /healthz, /readyz or /metrics"\n'
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _problems(self) -> list[str]:
        problems = ["draining: it takes nothing new"] if self.is_draining else []
        if found := await self._problem_of_guard():
            problems.append(f"replay guard: {found}")
        if self._keys.is_refused:
            problems.append("the keys file is not in form: the last good one is in use")
        return problems

    async def _problem_of_guard(self) -> str:
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask_guard())
        await asyncio.wait([self._question], timeout=_PATIENCE if self._guard_has_answered else None)
        if self._question.done():
            self._question.result()
            return self._guard_problem
        return self._guard_problem or f"no answer within {_PATIENCE:g} seconds"

    async def _ask_guard(self) -> None:
        try:
            await self._check_guard()
            self._guard_has_answered, self._guard_problem = True, ""
        except ConfigError as error:
            self._guard_problem = str(error)
