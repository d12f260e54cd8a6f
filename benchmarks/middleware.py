"""What the middlewares add to a request, beside careful middlewares written by hand on plain.py.

    python benchmarks/middleware.py [--quick]

In one process and without sockets: the app alone, behind `SignatureMiddleware`, and behind the check by hand take
turns, with a new scope or environ each time as a server would make it. What counts is the CPU over the bare app. The
check by hand verifies goTom as strictly as plain.py does, bounds the body, gives it to the app again and refuses with
one answer; it knows one scheme, one server, no public paths and no log.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple

import plain
from sample import BODY, HEADERS, KEY_ID, NOW, PATH, QUERY, SECRET, TARGET, clock
from turns import Job, fastest

from undersign import GoTom, Verifier
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

SECRETS = {KEY_ID: SECRET.encode()}
ANSWER = b'{"id":26106,"name":"a campaign"}'
REFUSAL = b'"Signature not valid"'
MAX_BODY = 16 * 1024 * 1024
LIMITS = {"GET": 1.2, "POST 1 KiB": 1.5}

App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Added(NamedTuple):
    """Microseconds of CPU: the app's own, and what is added to it."""

    bare: float
    by_hand: float
    middleware: float

    @property
    def ratio(self) -> float:
        return self.middleware / self.by_hand


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    more = scope["method"] != "GET"
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


class AsgiByHand:
    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        body, more = b"", scope["method"] != "GET"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                await self._refuse(send, 413)
                return
        try:
            scope["user"], _ = plain.gotom_verify(scope["method"], target, headers, body, SECRETS, NOW)
        except plain.Refused:
            await self._refuse(send, 401)
            return
        if scope["method"] != "GET":
            given = False

            async def again() -> Any:
                nonlocal given
                if given:
                    return await receive()
                given = True
                return {"type": "http.request", "body": body, "more_body": False}

            await self._app(scope, again, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, send: Any, status: int) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REFUSAL))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSAL})


def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] != "GET":
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))])
    return [ANSWER]


class WsgiByHand:
    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [(key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_")]
        if "CONTENT_TYPE" in environ:
            headers.append(("Content-Type", environ["CONTENT_TYPE"]))
        body = b""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY:
            return self._refuse(start_response, "413 Content Too Large")
        if length != "0":
            body = environ["wsgi.input"].read(int(length))
            environ["wsgi.input"] = io.BytesIO(body)
        try:
            verified = plain.gotom_verify(environ["REQUEST_METHOD"], environ["RAW_URI"], headers, body, SECRETS, NOW)
        except plain.Refused:
            return self._refuse(start_response, "401 Unauthorized")
        if len(body) != int(length):
            return self._refuse(start_response, "400 Bad Request")
        environ["REMOTE_USER"] = verified[0]
        return self._app(environ, start_response)

    def _refuse(self, start_response: Any, status: str) -> Iterable[bytes]:
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(REFUSAL)))])
        return [REFUSAL]


def asgi_job(app: App, method: str, body: bytes) -> Job:
    """One request to the app. Nothing suspends, so no event loop is needed."""
    signed = [*HEADERS, *plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, SECRET.encode(), NOW)]
    if body:
        signed.append(("Content-Length", str(len(body))))
    sent = [(name.lower().encode(), value.encode()) for name, value in signed]
    statuses: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses[:] = [message["status"]]

    def job() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": QUERY.encode(),
            "root_path": "",
            "headers": list(sent),
            "client": ("127.0.0.1", 54321),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        try:
            app(scope, receive, send).send(None)
        except StopIteration:
            assert statuses == [200]
            return
        raise AssertionError("the app waits for something")

    return job


def wsgi_job(app: WsgiApp, method: str, body: bytes) -> Job:
    """One request to the app, with an environ as gunicorn makes it."""
    signed = [*HEADERS, *plain.gotom_sign(method, TARGET, HEADERS, body, KEY_ID, SECRET.encode(), NOW)]
    base: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed}
    base["CONTENT_TYPE"] = base.pop("HTTP_CONTENT_TYPE")
    if body:
        base["CONTENT_LENGTH"] = str(len(body))
    base |= {"REQUEST_METHOD": method, "RAW_URI": TARGET, "SCRIPT_NAME": "", "PATH_INFO": PATH, "QUERY_STRING": QUERY}
    base |= {"SERVER_SOFTWARE": "gunicorn/23.0.0", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"}
    base |= {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "wsgi.url_scheme": "http", "wsgi.version": (1, 0)}
    base |= {"wsgi.input_terminated": True, "wsgi.multithread": True, "wsgi.multiprocess": True}
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        statuses[:] = [status]

    def job() -> None:
        answer = app({**base, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}, start_response)
        assert b"".join(answer) == ANSWER
        assert statuses == ["200 OK"]
        if close := getattr(answer, "close", None):
            close()

    return job


def jobs() -> dict[str, dict[str, Job]]:
    """The three kinds of each line of the table."""
    asgi: dict[str, Any] = {
        "bare": asgi_app,
        "by hand": AsgiByHand(asgi_app),
        "middleware": AsgiMiddleware(asgi_app, Verifier(GoTom(), {KEY_ID: SECRET}, clock=clock)),
    }
    wsgi: dict[str, Any] = {
        "bare": wsgi_app,
        "by hand": WsgiByHand(wsgi_app),
        "middleware": WsgiMiddleware(wsgi_app, Verifier(GoTom(), {KEY_ID: SECRET}, clock=clock)),
    }
    found = {}
    for method, body, what in (("GET", b"", "GET"), ("POST", BODY, "POST 1 KiB")):
        found[f"ASGI {what}"] = {kind: asgi_job(app, method, body) for kind, app in asgi.items()}
        found[f"WSGI {what}"] = {kind: wsgi_job(app, method, body) for kind, app in wsgi.items()}
    return found


def measured(rounds: int, calls: int = 100) -> dict[str, Added]:
    flat = {f"{kind} {title}": job for title, kinds in jobs().items() for kind, job in kinds.items()}
    best = fastest(flat, rounds, calls)
    results = {}
    for title in jobs():
        bare = best[f"bare {title}"]
        results[title] = Added(bare, best[f"by hand {title}"] - bare, best[f"middleware {title}"] - bare)
    return results


def limit(title: str) -> float:
    return LIMITS[title.partition(" ")[2]]


def show(results: dict[str, Added]) -> None:
    print(f"\n{'middleware, µs over the bare app':34}{'bare':>9}{'by hand':>9}{'ours':>9}{'ratio':>7}{'at most':>9}")
    for title, added in results.items():
        figures = f"{added.bare:9.1f}{added.by_hand:9.1f}{added.middleware:9.1f}{added.ratio:7.2f}{limit(title):9.2f}"
        print(f"{title:34}{figures}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    show(measured(20 if parser.parse_args().quick else 100))
