"""Refusals that come before the body has: the client gets each of them, and holds no worker for long."""

from __future__ import annotations

import asyncio
import http.client
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from tests.cli.test_serve import answering
from tests.ports import free_port
from undersign import ConfigError, GoTom, Request, Verifier
from undersign.servers.asgi import SignatureMiddleware as AsgiMiddleware
from undersign.servers.linger import Linger, answer_and_drop
from undersign.servers.wsgi import SignatureMiddleware as WsgiMiddleware

from .matrix import BIN, SERVERS, Running, Server, Start, run_command, skip_without
from .wire import GOTOM, message, read_answer, signed

BODY = b"b" * 3_000_000
TIMES = 12
UNSIGNED = (401, b'"Signature required"')
NO_END = (411, b'"Content-Length required"')
BEHIND = (
    *("uvicorn-h11", "uvicorn-httptools", "hypercorn", "granian", "gunicorn-asgi"),
    *("gunicorn", "uwsgi", "granian-wsgi", "a2wsgi"),
)
BLOCKING = ("gunicorn", "werkzeug", "wsgiref")
"""One request at a time, each in a thread that waits for its bytes."""


def post(port: int, target: str = "/items", *, chunked: bool = False) -> tuple[int, bytes]:
    """What a client gets that signs nothing, and reads no answer before it has sent all; raises where that is lost."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        body = iter([BODY[:100_000]] * 30) if chunked else BODY
        connection.request("POST", target, body, {"Content-Type": "text/plain"}, encode_chunked=chunked)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def by_name(name: str) -> Server:
    return next(server for server in SERVERS if server.name == name)


def test_the_client_gets_the_answer(server: Running) -> None:
    assert [post(server.port) for _ in range(TIMES)] == [UNSIGNED] * TIMES


def test_the_client_gets_the_answer_to_chunks(server: Running) -> None:
    answers = {post(server.port, chunked=True) for _ in range(TIMES)}
    assert len(answers) == 1
    assert answers <= {UNSIGNED, NO_END}


def test_a_body_that_is_too_large_is_dropped_too(server: Running) -> None:
    """It is signed, and what is over the limit of 1000 bytes still comes in."""
    data = message(signed(GOTOM, "POST", "/small", [("Content-Type", "application/octet-stream")], BODY))
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(data)
            assert read_answer(connection).status == 413


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream kept {{ server 127.0.0.1:{behind}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; }}
    location /unbuffered {{ proxy_pass http://127.0.0.1:{behind}; proxy_request_buffering off; }}
    location /kept {{
      proxy_pass http://kept; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off;
    }}
  }}
}}
"""


@contextmanager
def nginx_before(behind: int, folder: Path) -> Iterator[Running]:
    server = Server("nginx", "nginx", lambda port, folder: [], "proxy")
    skip_without(server.missing())
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, behind=behind))
    yield from run_command(server, ["nginx", "-p", str(folder), "-c", str(config)], port, folder)


@pytest.fixture(scope="session")
def nginx(request: pytest.FixtureRequest, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with nginx_before(start(by_name(request.param)).port, tmp_path_factory.mktemp("nginx")) as running:
        yield running


def test_undersign_serve_too(tmp_path: Path) -> None:
    with answering() as (origin, _):
        port = int(origin.rpartition(":")[2])
        assert [post(port) for _ in range(TIMES)] == [UNSIGNED] * TIMES
        with nginx_before(port, tmp_path) as nginx:
            for target in ("/items", "/unbuffered", "/kept"):
                assert [post(nginx.port, target) for _ in range(TIMES)] == [UNSIGNED] * TIMES


@pytest.mark.parametrize("nginx", BEHIND, indirect=True)
def test_behind_nginx_the_client_gets_the_answer(nginx: Running) -> None:
    for target in ("/items", "/unbuffered"):
        assert [post(nginx.port, target) for _ in range(TIMES)] == [UNSIGNED] * TIMES


@pytest.mark.parametrize("nginx", ["uvicorn-httptools", "hypercorn", "granian", "gunicorn"], indirect=True)
def test_behind_an_nginx_that_keeps_connections_too(nginx: Running) -> None:
    assert [post(nginx.port, "/kept") for _ in range(TIMES)] == [UNSIGNED] * TIMES


def test_a_client_that_waits_for_leave_is_not_asked_for_its_body(server: Running) -> None:
    """Expect: 100-continue. Some servers ask before the middleware is called; none does afterwards."""
    head = message(Request("POST", "/items")).replace(b"Length: 0\r\n", b"Length: 3000000\r\nExpect: 100-continue\r\n")
    if server.server.buffers_body:
        return
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head)
        stream = connection.makefile("rb")
        first = stream.readline()
        while b" 100 " in first:
            assert server.server.name in ("hypercorn", "gunicorn", "werkzeug")
            while stream.readline() != b"\r\n":
                pass
            first = stream.readline()
        assert b" 401 " in first
        length = 0
        while (line := stream.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        assert stream.read(length) == UNSIGNED[1]
        connection.shutdown(socket.SHUT_WR)
        assert stream.read() == b""


@pytest.mark.parametrize("server", [by_name(name) for name in BLOCKING], ids=repr, indirect=True)
@pytest.mark.parametrize("trickle", [b"", b"x"])
def test_a_slow_client_holds_no_worker(server: Running, trickle: bytes) -> None:
    head = message(Request("POST", "/brief")).replace(b"Length: 0\r\n", b"Length: 3000000\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(head)
        assert read_answer(slow).status == 401
        slow.setblocking(False)
        with socket.create_connection(("127.0.0.1", server.port), timeout=0.001) as other:
            other.settimeout(0.01)
            other.sendall(message(signed()))
            for _ in range(1000):
                try:
                    if trickle:
                        slow.send(trickle)
                except OSError:
                    trickle = b""  # the server has hung up on it
                try:
                    assert other.recv(12).endswith(b" 200")
                except TimeoutError:
                    continue
                return
    pytest.fail("the slow client holds the server")


# HTTP/2


@pytest.fixture(scope="session")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, ssl.SSLContext]]:
    """hypercorn with TLS, by which clients ask for HTTP/2."""
    folder: Path = tmp_path_factory.mktemp("http2")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    server = Server("hypercorn-http2", "hypercorn h2", lambda port, folder: [], "asgi")
    skip_without(server.missing())
    port = free_port()
    keys = ["--keyfile", str(folder / "key.pem"), "--certfile", str(folder / "cert.pem")]
    command = [str(BIN / "hypercorn"), "echo_app:asgi", "-b", f"127.0.0.1:{port}", *keys]
    for running in run_command(server, command, port, folder):
        yield running, context


def test_http2(over_tls: tuple[Running, ssl.SSLContext]) -> None:
    running, context = over_tls
    with httpx.Client(http2=True, verify=context, timeout=20) as client:
        for _ in range(3):
            answer = client.post(f"https://127.0.0.1:{running.port}/items", content=BODY)
            assert (answer.http_version, answer.status_code, answer.content) == ("HTTP/2", *UNSIGNED)
            assert "connection" not in answer.headers
        assert client.get(f"https://127.0.0.1:{running.port}/items").status_code == 401


def test_on_trio(tmp_path: Path) -> None:
    """hypercorn runs apps on either of two event loops. A client that waits is answered on this one too."""
    server = Server("hypercorn-trio", "hypercorn trio", lambda port, folder: [], "asgi")
    skip_without(server.missing())
    port = free_port()
    command = [str(BIN / "hypercorn"), "echo_app:asgi", "-k", "trio", "-b", f"127.0.0.1:{port}"]
    for _ in run_command(server, command, port, tmp_path):
        assert [post(port) for _ in range(TIMES)] == [UNSIGNED] * TIMES
        head = message(Request("POST", "/brief")).replace(b"Length: 0\r\n", b"Length: 3000000\r\n")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.sendall(head)
            assert read_answer(slow).status == 401


# The bounds, without a server


VERIFIER = Verifier(GoTom(), {"user": "secret"})


class Ticks:
    """A clock that goes on by a second whenever it is asked."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def conversation(linger: Linger, pieces: list[dict[str, Any]], **scope: Any) -> tuple[list[dict[str, Any]], int]:
    """What an ASGI server is sent of a refusal, and how many pieces are left."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the app is called")

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/items",
        "raw_path": b"/items",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
        **scope,
    }
    asyncio.run(AsgiMiddleware(app, VERIFIER, linger=linger)(scope, receive, send))
    return sent, len(pieces)


def pieces(number: int) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": b"x" * 10, "more_body": left > 0} for left in reversed(range(number))]


def closes(sent: list[dict[str, Any]]) -> bool:
    return (b"connection", b"close") in sent[0]["headers"]


def test_a_body_that_is_there_is_read_first_and_the_connection_stays() -> None:
    sent, left = conversation(Linger(), pieces(10))
    assert (left, closes(sent), [message["type"] for message in sent]) == (
        0,
        False,
        ["http.response.start", "http.response.body"],
    )


@pytest.mark.parametrize(
    ("linger", "left"),
    [
        (Linger(limit=35), 6),
        (Linger(seconds=5.5, clock=Ticks()), 5),
        (Linger(seconds=0), 10),
        (Linger(limit=0), 10),
    ],
    ids=["bytes", "seconds", "no time", "no bytes"],
)
def test_beyond_a_bound_the_connection_is_closed(linger: Linger, left: int) -> None:
    sent, unread = conversation(linger, pieces(10))
    assert (unread, closes(sent), sent[-1]["more_body"]) == (left, True, False)
    assert b"".join(message.get("body", b"") for message in sent) == UNSIGNED[1]


def test_http2_has_no_header_for_that() -> None:
    sent, _ = conversation(Linger(limit=10), pieces(10), http_version="2")
    assert not closes(sent)


def test_one_that_expects_100_gets_its_answer_first() -> None:
    headers = [(b"content-length", b"100"), (b"expect", b"100-continue")]
    sent, left = conversation(Linger(), [{"type": "http.disconnect"}], headers=headers)
    assert (left, closes(sent), len(sent)) == (0, True, 2)


def test_who_may_have_gone_is_answered() -> None:
    """A server may say so of a client that is there, and whose chunks are none."""
    sent, left = conversation(Linger(), [*pieces(3)[:2], {"type": "http.disconnect"}])
    assert ([message["type"] for message in sent], left) == (["http.response.start", "http.response.body"], 0)


@pytest.mark.parametrize("length", [b"0", b"x", b"1, 1"])
def test_where_no_body_is_announced_none_is_waited_for(length: bytes) -> None:
    sent, left = conversation(Linger(), pieces(1), headers=[(b"content-length", length)])
    assert (left, len(sent)) == (1, 2)


def wsgi_refusal(environ: dict[str, Any], linger: Linger) -> bytes:
    environ = {"REQUEST_METHOD": "POST", "RAW_URI": "/items", "PATH_INFO": "/items", "QUERY_STRING": "", **environ}
    middleware = WsgiMiddleware(lambda environ, start_response: [b"in"], VERIFIER, linger=linger)
    return b"".join(middleware(environ, lambda status, headers, exc_info=None, /: print))


class Connection:
    """What gunicorn shows of a connection whose client has sent some bytes and waits."""

    def __init__(self, sent: bytes) -> None:
        self.client, self.server = socket.socketpair()
        self.client.sendall(sent)
        self.input = self.server.makefile("rb", buffering=0)

    def environ(self, length: int) -> dict[str, Any]:
        return {"gunicorn.socket": self.server, "wsgi.input": self.input, "CONTENT_LENGTH": str(length)}

    def close(self) -> None:
        self.input.close()
        self.server.close()
        self.client.close()


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    made = Connection(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("connection", [b"12345"], indirect=True)
def test_wsgi_reads_to_the_end_and_leaves_the_connection(connection: Connection) -> None:
    assert wsgi_refusal(connection.environ(5), Linger()) == UNSIGNED[1]
    connection.client.sendall(b"next")
    assert connection.input.read(4) == b"next"


@pytest.mark.parametrize("connection", [b"12345"], indirect=True)
@pytest.mark.parametrize("linger", [Linger(limit=3), Linger(seconds=0.01), Linger(seconds=1.5, clock=Ticks())])
def test_wsgi_receives_nothing_beyond_a_bound(connection: Connection, linger: Linger) -> None:
    assert wsgi_refusal(connection.environ(8), linger) == UNSIGNED[1]
    connection.input.read()
    assert connection.input.read() == b""


def test_wsgi_reads_nothing_that_may_block_for_good() -> None:
    """Without the connection nothing ends a read; such servers drop what is left themselves, or have read it."""
    stream = io.BytesIO(b"12345")
    assert wsgi_refusal({"wsgi.input": stream, "CONTENT_LENGTH": "5"}, Linger()) == UNSIGNED[1]
    assert stream.tell() == 0


@pytest.mark.parametrize("options", [{"seconds": -1}, {"seconds": float("nan")}, {"limit": 1.5}, {"limit": -1}])
def test_bounds_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        Linger(**options)
    with pytest.raises(ConfigError, match="Linger"):
        AsgiMiddleware(lambda scope, receive, send: None, VERIFIER, linger=5)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("expects", [True, False])
def test_a_body_that_a_thread_reads_is_not_asked_for(expects: bool) -> None:
    """granian asks for it with 100 (Continue) when it is read, and may do so before the answer has gone out."""
    reads: list[int] = []
    stream = io.BytesIO(b"x" * 10)

    class Body:
        __module__ = "_granian"

        def read(self, size: int = -1) -> bytes:
            reads.append(size)
            return stream.read(size)

    environ = {"wsgi.input": Body(), "CONTENT_LENGTH": "10", **({"HTTP_EXPECT": "100-continue"} if expects else {})}
    answer = answer_and_drop(Linger(), b"refused", environ)
    assert next(answer) == b"refused"
    assert bool(reads) is not expects
    assert list(answer) == []
    assert bool(reads) is not expects
