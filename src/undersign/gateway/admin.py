"""What operators ask a gateway, on a listener of its own that clients do not get to: is it alive, may it be given
requests, and its metrics."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from ..errors import ConfigError
from ..keys.file import KeyFile
from ..servers._scope import Scope
from ..servers.asgi import Receive, Send
from .metrics import CONTENT_TYPE, Metrics


class Admin:
    """An ASGI app with `/healthz`, `/readyz` and `/metrics`.

    `/healthz` is 200 as long as the process answers. `/readyz` is 503 with the reasons where the replay guard does not
    answer, and once the gateway is draining: balancers are to send nothing new then. A keys file that is not in form
    does not take a gateway out, since the last good one is in use; the metrics say so.
    """

    def __init__(self, keys: KeyFile, check_guard: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
        self.is_draining = False
        self._keys = keys
        self._check_guard = check_guard
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigError(f"the admin app answers http, not {scope['type']}")
        path = scope["path"] if scope["method"] in ("GET", "HEAD") else ""
        kind, status = "application/json", 200
        if path == "/healthz":
            body = b'"alive"\n'
        elif path == "/readyz":
            problems = await self._problems()
            status = 503 if problems else 200
            body = json.dumps({"ready": not problems, "problems": problems}).encode() + b"\n"
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
        try:
            await self._check_guard()
        except ConfigError as error:
            problems.append(f"replay guard: {error}")
        return problems
