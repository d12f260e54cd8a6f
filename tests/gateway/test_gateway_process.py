"""`undersign gateway` as a process: its settings, listeners, log, metrics, keys, workers and end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.replay.topologies import Cluster, PortServer, Sentinels
from tests.servers.fronts.cases import FORM, Case, signed
from tests.servers.wire import send
from undersign import ConfigError
from undersign.gateway import open_guard
from undersign.policy.redis import AsyncRedisReplayGuard

from .http2_upstream import Echo, Http2Upstream
from .processes import DOCUMENTED, KEY_ID, PATIENCE, SECRET, Arrived, behind, front, gateway, workers_of, write_keys
from .signing import bokun, plain

pytestmark = pytest.mark.linux  # /proc says which processes and files are there

BOKUN = ("--scheme", "bokun")


def eventually(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def initialize(address: str) -> None:
    """Say that nothing verified before the guard was there."""

    async def begin() -> None:
        opened = open_guard(address)
        assert isinstance(opened.guard, AsyncRedisReplayGuard)
        await opened.guard.initialize()
        await opened.close()

    asyncio.run(begin())


def post(target: str = "/a") -> bytes:
    return signed(Case("post", "post", "POST", target=target, body=b"{}")).on_the_wire()


def test_the_upstream_is_spoken_to_in_http2_where_the_settings_say_so(tmp_path: Path) -> None:
    echo, settings = Echo(), tmp_path / "gateway.toml"
    with Http2Upstream(echo) as upstream:
        settings.write_text(
            f'listen = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\nkeys = "{write_keys(tmp_path)}"\nscheme = ["bokun"]\n'
            f'origin = "https://api.example.com"\nupstream = "{upstream.url}"\nupstream-http2 = true\n',
            encoding="utf-8",
        )
        with gateway(tmp_path, "--settings", str(settings)) as found:
            assert send(found.port, bokun("POST", "//a/../%7e?", "X-Kept: 1", body=b"abc")).status == 200
            assert send(found.port, plain("POST", "/a", body=b"abc")).status == 401
    [asked] = echo.asked
    assert (asked.value(b":path"), asked.value(b":authority"), asked.body) == (
        b"//a/../%7e?",
        b"api.example.com",
        b"abc",
    )
    assert (asked.value(b"x-authenticated-id"), asked.value(b"x-kept")) == (KEY_ID.encode(), b"1")


def test_one_process_logs_counts_and_says_how_it_is(tmp_path: Path) -> None:
    with behind() as app, gateway(tmp_path, *BOKUN, "--upstream", app.url, "--public", "/open/*") as found:
        assert found.ask("/healthz")[0] == 200
        assert found.ask("/readyz") == (200, '{"ready": true, "problems": []}\n')
        assert found.ask("/other")[0] == 404
        assert send(found.port, bokun("GET", "/a", "X-Request-Id: one")).status == 200
        assert send(found.port, bokun("GET", "/a?secret=1", "X-Request-Id: two", secret="another")).status == 401
        assert send(found.port, plain("GET", "/open/a")).status == 200
        [line] = found.logged(request_id="one", message="request")
        assert (line["status"], line["verdict"], line["scheme"], line["key_id"]) == (200, "verified", "bokun", KEY_ID)
        assert line["seconds"] > 0
        refused = found.logged(request_id="two")
        assert [entry["level"] for entry in refused] == ["WARNING", "INFO"]
        assert (refused[0]["reason"], refused[0]["path"]) == ("mismatch", "/a")
        assert found.metric("undersign_requests_total", scheme="bokun", reason="verified") == 1
        assert found.metric("undersign_requests_total", scheme="bokun", reason="mismatch") == 1
        assert found.metric("undersign_not_judged_total", outcome="unsigned") == 1
        assert found.metric("undersign_keys", scheme="bokun") == 1
        assert found.metric("undersign_request_seconds_count") == 3
        assert found.metric("undersign_verdict_seconds_count", scheme="bokun") == 2
        assert KEY_ID not in found.ask("/metrics")[1]
        # What operators ask is not on the clients' listener, whatever is signed.
        for path in ("/healthz", "/readyz", "/metrics"):
            assert send(found.port, plain("GET", path)).status == 401
            app.arrived.clear()
            assert send(found.port, bokun("GET", path)).body == b"ok"
            assert [request.target for request in app.arrived] == [path]
        assert found.end() == 0
        assert SECRET not in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_keys_file_is_read_again(tmp_path: Path) -> None:
    with behind() as app, gateway(tmp_path, *BOKUN, "--upstream", app.url, "--metrics-key-ids") as found:
        new = bokun("GET", "/a", key_id="new", secret="another")
        assert send(found.port, new).status == 401
        write_keys(tmp_path, '[keys]\nnew = "another"\n')
        eventually(lambda: send(found.port, bokun("GET", "/a", key_id="new", secret="another")).status == 200, "reload")
        assert send(found.port, bokun("GET", "/a")).status == 401
        assert found.metric("undersign_verified_total", key_id="new", scheme="bokun") == 1
        write_keys(tmp_path, "[keys\n")
        eventually(
            lambda: (
                send(found.port, bokun("GET", "/a", key_id="new", secret="another")).status == 200
                and found.metric("undersign_keys_file_refused") == 1
            ),
            "the last good keys stay",
        )
        status, text = found.ask("/readyz")
        assert (status, "the last good one is in use" in text) == (200, True)


@pytest.mark.long
def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    arguments = (*BOKUN, "--decide", "nginx", "--listen", f"unix:{path}", "--admin", "127.0.0.1:0")
    for _ in range(2):  # the second takes the place of what a killed one has left
        command = [sys.executable, "-m", "undersign.cli", "gateway", "--keys", str(write_keys(tmp_path)), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"listening on unix:{path}, admin on ")
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                connection.sendall(
                    bokun("GET", "/", "X-Original-Method: GET", "X-Original-URI: /a", signed_target="/a")
                )
                assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            again = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
            assert f"cannot listen on unix:{path}: Address already in use" in again.stderr
            process.kill()


@pytest.mark.long
def test_requests_in_flight_end_and_the_balancer_is_told_first(tmp_path: Path) -> None:
    with behind() as app, gateway(tmp_path, *BOKUN, "--upstream", app.url, "--drain", "1") as found:
        arrived, go_on = threading.Event(), threading.Event()

        def hold(request: Arrived) -> None:
            if request.target == "/slow":
                arrived.set()
                go_on.wait(PATIENCE)

        app.before = hold
        statuses: list[int] = []
        thread = threading.Thread(target=lambda: statuses.append(send(found.port, bokun("POST", "/slow")).status))
        thread.start()
        assert arrived.wait(PATIENCE)
        found.process.send_signal(signal.SIGTERM)
        eventually(lambda: found.ask("/readyz")[0] == 503, "draining")
        with socket.create_connection(("127.0.0.1", found.port)) as connection:
            connection.sendall(bokun("GET", "/a").replace(b"Connection: close", b"Connection: keep-alive"))
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close\r\n" in answer.lower()  # so that the client takes another gateway next
        time.sleep(1.2)  # drained: it listens no more
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", found.port)).close()
        assert found.process.poll() is None
        go_on.set()
        thread.join(PATIENCE)
        assert statuses == [200]
        assert found.process.wait(PATIENCE) == 0


@pytest.mark.long
def test_workers_share_the_listeners_and_the_metrics_and_one_that_ends_is_replaced(tmp_path: Path) -> None:
    with PortServer() as redis, behind() as app:
        redis_url = f"redis://{redis.address}/0"
        initialize(redis_url)
        arguments = (*BOKUN, "--upstream", app.url, "--workers", "2", "--replay", redis_url)
        with gateway(tmp_path, *arguments) as found:

            def verified() -> float:
                return found.metric("undersign_requests_total", scheme="bokun", reason="verified")

            before = verified()
            for _ in range(20):
                assert send(found.port, bokun("GET", "/a")).status == 200
            # The other worker may count its last request after it has answered.
            eventually(lambda: verified() == before + 20, "all are counted")
            data = bokun("POST", "/once")
            statuses = [send(found.port, data).status for _ in range(10)]
            assert statuses == [200] + [401] * 9
            eventually(lambda: found.metric("undersign_guard_seconds_count", answer="replayed") == 9, "so are replays")
            workers = workers_of(found)
            assert len(workers) == 2
            os.kill(workers[0], signal.SIGKILL)
            eventually(lambda: found.logged(level="ERROR"), "the end is logged")
            for _ in range(20):
                assert send(found.port, bokun("GET", "/a")).status == 200
            assert found.end() == 0


@pytest.mark.long
def test_the_documented_file(tmp_path: Path) -> None:
    """docs/gateway/gateway.toml, with the ports of this test."""
    with PortServer() as redis, behind() as app:
        initialize(f"redis://{redis.address}/0")
        text = (DOCUMENTED / "gateway.toml").read_text(encoding="utf-8")
        ports = {"9190": str(free_port()), "9901": str(free_port()), "9000": str(app.port), "6379": str(redis.port)}
        text = re.sub(r"\b(9190|9901|9000|6379)\b", lambda match: ports[match[0]], text).replace("5.0", "0.0")
        (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
        write_keys(tmp_path)
        with gateway(tmp_path, "--settings", "gateway.toml") as found:
            assert found.ask("/readyz")[0] == 200
            data = post()
            assert [send(found.port, data).status for _ in range(2)] == [200, 401]
            assert send(found.port, plain("GET", "/health")).status == 200
            read = signed(Case("read", "read", scheme="gogrid")).on_the_wire()
            assert [send(found.port, read).status for _ in range(3)] == [200] * 3
            write = signed(Case("write", "write", "POST", body=b"a=1", content_type=FORM, scheme="gogrid"))
            assert send(found.port, write.on_the_wire()).status == 403
            with redis.client() as client:
                client.config_set("maxmemory-policy", "allkeys-lru")
            assert send(found.port, post("/b")).status == 503
            status, text = found.ask("/readyz")  # what needs no guard goes on
            assert (status, "set its maxmemory-policy to noeviction" in text) == (200, True)
            assert send(found.port, read).status == 503  # GoGrid's reads are guarded too, here
            assert send(found.port, plain("GET", "/health")).status == 200
        with gateway(tmp_path, "--settings", "gateway.toml") as found:
            assert found.ask("/readyz")[0] == 503  # a gateway that starts with it is given nothing


@pytest.mark.long
@pytest.mark.parametrize("kind", ["nginx", "envoy-http", "envoy-grpc"])
def test_the_command_decides_for_fronts(tmp_path: Path, kind: str) -> None:
    with behind() as app, gateway(tmp_path, *BOKUN, "--decide", kind, "--public", "/open/*") as found:
        with front(kind, found.port, app.port) as running:
            assert send(running.port, bokun("GET", "/a//b")).status == 200
            assert send(running.port, bokun("GET", "/a", secret="another")).status == 401
            assert send(running.port, plain("GET", "/open/a")).status == 200
        assert found.metric("undersign_requests_total", scheme="bokun", reason="verified") == 1
        assert found.end() == 0


@pytest.mark.long
def test_guards_in_sentinel_and_cluster(tmp_path: Path) -> None:
    sentinels = Sentinels()
    cluster = Cluster()
    try:
        hosts = ",".join(f"{host}:{port}" for host, port in sentinels.addresses())
        nodes = ",".join(node.address for node in cluster.nodes)
        addresses = (f"redis+sentinel://{hosts}/{sentinels.name}/0", f"redis+cluster://{nodes}")
        for number, address in enumerate(addresses):
            folder = tmp_path / str(number)
            folder.mkdir()
            initialize(address)
            environ = {"UNDERSIGN_REPLAY": address}
            with behind() as app, gateway(folder, *BOKUN, "--upstream", app.url, environ=environ) as found:
                data = bokun("POST", "/once")
                assert [send(found.port, data).status for _ in range(2)] == [200, 401]
                assert found.ask("/readyz")[0] == 200
                assert found.end() == 0
    finally:
        cluster.close()
        sentinels.close()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "disk",
        "http://h",
        "redis+proxy://h",
        "redis+sentinel://h:1",
        "redis+sentinel://h:x/n",
        "redis+cluster://h/0",
    ],
)
def test_an_address_that_is_no_guards(address: str) -> None:
    with pytest.raises(ConfigError, match="the address of the replay guard is none of these"):
        open_guard(address)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "a gateway forwards to an upstream, or decides for a front: give one of the two"),
        (("--upstream", "http://h", "--decide", "nginx"), "give one of the two"),
        (("--decide", "nginx", "--upstream-http2"), "upstream-http2 goes with an upstream"),
        (("--decide", "squid"), "decide is one of nginx, caddy, traefik, envoy-http, envoy-grpc, not 'squid'"),
        (("--decide", "nginx"), "gotom signs the body, which nginx keeps: have the gateway forward the requests"),
        (("--upstream", "http://h/path"), "upstream 'http://h/path' is not http://host:port"),
        (("--upstream", "http://h", "--listen", "8080"), "'8080' is no address to listen on: write 127.0.0.1:8080"),
        (("--upstream", "http://h", "--replay", "disk"), "the address of the replay guard is none of these"),
        (("--upstream", "http://h", "--replay", "memory", "--workers", "2"), "is one process's own"),
        (("--upstream", "http://h", "--replay", "redis://u:hunter2@h"), "other users of the machine see arguments"),
        (("--settings", "missing.toml"), "missing.toml: No such file or directory"),
        (("--settings", "odd.toml"), "odd.toml: 'upstraem' is unknown (did you mean 'upstream'?)"),
    ],
)
def test_what_cannot_work_is_said_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    from click.testing import CliRunner

    from undersign.cli.gateway import gateway as command
    from undersign.errors import UndersignError

    keys = str(write_keys(tmp_path))
    (tmp_path / "odd.toml").write_text('upstraem = "http://h"\n', encoding="utf-8")
    arguments = tuple(str(tmp_path / word) if word.endswith(".toml") else word for word in arguments)
    found = CliRunner().invoke(command, ["--keys", keys, "--listen", "127.0.0.1:0", *arguments])
    assert isinstance(found.exception, UndersignError)
    assert sentence in str(found.exception)
    assert "hunter2" not in str(found.exception)
