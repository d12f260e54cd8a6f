"""What caches may keep: nothing that a signature has let in, unless the app releases it, and no refusal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import DOCS, blocks
from tests.ports import free_port
from undersign import Credential, GoGrid, GoTom, Recipe, Request, Response, Verifier, sign
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .matrix import SERVERS, Running, Server, Start, run_command, skip_without
from .wire import GOGRID, GOTOM, message, send, signed

Pairs = list[tuple[str, str]]
VERIFIER = Verifier([GoTom(), GoGrid()], {"user:1": "thepasswordyoureceived"})
UNSIGNED = Request("GET", "/items")


def answer_of_asgi(request: Request, said: Pairs, verifier: Verifier = VERIFIER) -> Pairs:
    """The answer's headers, where the app has said these."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name.encode(), value.encode()) for name, value in said]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers],
    }
    middleware = AsgiMiddleware(app, verifier, origin="https://api.example.com", public=["/public"])
    asyncio.run(middleware(scope, receive, send))
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def answer_of_wsgi(request: Request, said: Pairs, verifier: Verifier = VERIFIER) -> Pairs:
    """The same of the WSGI middleware."""
    found: list[Pairs] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        # Servers hand on what went wrong as a third argument, and give back a `write`.
        assert start_response("200 OK", list(said), None) == "write"
        return [b""]

    def start_response(status: str, headers: Pairs, *exc_info: Any) -> Any:
        found.append(headers)
        return "write"

    keys = {name: "HTTP_" + name.upper().replace("-", "_") for name, _ in request.headers}
    environ = {
        keys[name].removeprefix("HTTP_" if name == "Content-Type" else ""): value for name, value in request.headers
    }
    path, _, query = request.target.partition("?")
    environ |= {"REQUEST_METHOD": request.method, "RAW_URI": request.target, "PATH_INFO": path, "QUERY_STRING": query}
    middleware = WsgiMiddleware(app, verifier, origin="https://api.example.com", public=["/public"])
    middleware({**environ, "wsgi.input": None}, start_response)
    return [(name.lower(), value) for name, value in found[0]]


both = pytest.mark.parametrize("answer", [answer_of_asgi, answer_of_wsgi])


def cache_control(headers: Pairs) -> list[str]:
    return [value for name, value in headers if name.lower() == "cache-control"]


@both
@pytest.mark.parametrize(
    ("said", "goes_out"),
    [
        ([], ["private"]),
        ([""], ["private"]),
        (["max-age=60"], ["private, max-age=60"]),
        (["no-cache"], ["private, no-cache"]),
        (["max-age=60, must-revalidate"], ["private, max-age=60, must-revalidate"]),
        (["max-age=60", "immutable"], ["private, max-age=60, immutable"]),
        (['private="Set-Cookie", max-age=60'], ['private, private="Set-Cookie", max-age=60']),
        (['x="no-store, public"'], ['private, x="no-store, public"']),
        (["xprivate"], ["private, xprivate"]),
        (["private"], ["private"]),
        (["max-age=60,Private"], ["max-age=60,Private"]),
        (["no-store"], ["no-store"]),
        (["max-age=0, no-cache, no-store, must-revalidate, private"],) * 2,
        (["public, max-age=60"], ["public, max-age=60"]),
        (["s-maxage=60"], ["s-maxage=60"]),
        (["max-age=60", "S-MaxAge = 1"], ["max-age=60", "S-MaxAge = 1"]),
    ],
)
def test_an_answer_to_a_signed_query_is_the_clients_alone(answer: Any, said: list[str], goes_out: list[str]) -> None:
    headers = [("Content-Type", "text/plain"), *(("Cache-Control", value) for value in said)]
    found = answer(signed(GOGRID, "GET", "/items"), headers)
    assert cache_control(found) == goes_out
    assert ("content-type", "text/plain") in [(name.lower(), value) for name, value in found]


@both
def test_caches_know_of_authorization_themselves(answer: Any) -> None:
    """RFC 9111, section 3.5."""
    alone = Verifier(GoTom(), {"user:1": "thepasswordyoureceived"})
    for verifier in (alone, VERIFIER):
        assert cache_control(answer(signed(GOTOM), [("Cache-Control", "max-age=60")], verifier)) == ["max-age=60"]
        assert cache_control(answer(signed(GOTOM), [], verifier)) == []


def test_nor_do_caches_know_of_a_header_of_the_schemes_own() -> None:
    scheme = Recipe(
        name="own",
        parts=["time"],
        mac="hmac-sha256",
        headers={"X-Key": "{key_id}", "X-Time": "{time}", "X-Signature": "{signature}"},
        allow_http=True,
    )
    request = Request("GET", "/items")
    request = sign(scheme, request, Credential("user", "secret"), now=time.time()).apply(request)
    assert cache_control(answer_of_asgi(request, [], Verifier(scheme, {"user": "secret"}))) == ["private"]


@both
def test_what_is_public_is_the_apps_matter(answer: Any) -> None:
    assert cache_control(answer(Request("GET", "/public"), [("Cache-Control", "max-age=60")])) == ["max-age=60"]


class SaysItself(GoTom):
    def refusal(self, rejected: Any, head: Request) -> Response:
        return Response(401, (("Cache-Control", "no-cache"),), b"")


@both
def test_a_refusal_is_not_stored(answer: Any) -> None:
    for request in (UNSIGNED, signed(GOTOM, age=7200), signed(GOGRID, "GET", "/items", secret="other")):
        assert cache_control(answer(request, [])) == ["no-store"]
    itself = Verifier(SaysItself(), {"user:1": "thepasswordyoureceived"})
    assert cache_control(answer(signed(GOTOM, age=7200), [], itself)) == ["no-cache"]


def test_on_the_wire(server: Running) -> None:
    answer = send(server.port, message(signed(GOGRID, "GET", "/items")))
    assert (answer.status, answer.headers["cache-control"]) == (200, "private")
    refused = send(server.port, message(UNSIGNED))
    assert (refused.status, refused.headers["cache-control"]) == (401, "no-store")
    assert "cache-control" not in send(server.port, message(signed(GOTOM))).headers


# Varnish


@contextlib.contextmanager
def varnish(behind: int, folder: Path, rules: str = "") -> Iterator[Running]:
    """Varnish as it comes, in front of the port."""
    server = Server("varnish", "varnishd gcc", lambda port, folder: [], "cache")
    skip_without(server.missing())
    port = free_port()
    config = folder / "default.vcl"
    config.write_text(f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{behind}"; }}\n{rules}')
    command = ["varnishd", "-F", "-j", "none", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}"]
    yield from run_command(server, [*command, "-f", str(config), "-s", "malloc,16m"], port, folder)


@pytest.mark.parametrize("name", ["uvicorn-httptools", "gunicorn"])
def test_varnish_answers_no_replay(start: Start, tmp_path: Path, name: str) -> None:
    behind = start(next(server for server in SERVERS if server.name == name))
    with varnish(behind.port, tmp_path) as cache:
        # Each signature is good once.
        data = message(signed(GOGRID, "GET", "/once?a=b", age=200))
        assert [send(cache.port, data).status for _ in range(3)] == [200, 403, 403]
        # What is refused is asked about anew, and what is public is kept.
        before = len(behind.events(event="rejected"))
        assert [send(cache.port, message(UNSIGNED)).status for _ in range(2)] == [401, 401]
        assert len(behind.events(event="rejected")) == before + 2
        kept = [send(cache.port, message(Request("GET", "/open/kept"))) for _ in range(2)]
        assert [answer.status for answer in kept] == [200, 200]
        assert len(behind.events(event="app", path="/open/kept")) == 1


def test_the_rule_that_is_documented(start: Start, tmp_path: Path) -> None:
    """It passes what is signed, whatever the answer says."""
    (rule,) = (block.text for block in blocks(DOCS / "servers" / "proxies.md") if "vcl_recv" in block.text)
    ignoring = "sub vcl_backend_response { set beresp.ttl = 60s; return (deliver); }\n"
    behind = start(next(server for server in SERVERS if server.name == "uvicorn-httptools"))
    data = message(signed(GOGRID, "GET", "/once?c=d", age=210))
    with varnish(behind.port, tmp_path, ignoring + rule) as cache:
        assert [send(cache.port, data).status for _ in range(2)] == [200, 403]
