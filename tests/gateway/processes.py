"""Gateways as people run them, servers behind them that note every request, and fronts with the documented files."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.fronts.running import Front, running
from tests.servers.matrix import Running

ROOT = Path(__file__).parents[2]
DOCUMENTED = ROOT / "docs" / "gateway"
KEY_ID = "user:1"
SECRET = "thepasswordyoureceived"
ORIGIN = "https://api.example.com"
PATIENCE = 30.0


@dataclass(frozen=True)
class Arrived:
    """A request as the server behind has it; header names as they came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


@dataclass
class Behind:
    """A server that answers 200 to everything."""

    port: int
    arrived: list[Arrived] = field(default_factory=list)
    before: Any = None
    """Called with each request before it is answered."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def behind() -> Iterator[Behind]:
    """A server behind on a free port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            target = self.requestline.split(" ")[1]
            request = Arrived(self.command, target, tuple(self.headers.items()), body)
            found.arrived.append(request)
            if found.before is not None:
                found.before(request)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("X-Verdict", "verified")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"ok")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that has gone

    with Server(("127.0.0.1", 0), Handler) as server:
        found = Behind(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield found
        server.shutdown()


def is_there(pid: int) -> bool:
    """Whether the process has not ended."""
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()  # a zombie has none
    except OSError:  # one that could not start is gone meanwhile
        return False


def workers_of(found: Gateway) -> list[int]:
    """The processes of a gateway's workers that have not ended."""
    children = Path(f"/proc/{found.process.pid}/task/{found.process.pid}/children").read_text().split()
    return [pid for pid in map(int, children) if _is_worker(pid)]


class Gateway:
    """A process of `undersign gateway` that listens."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, address: str, admin: str) -> None:
        self.process = process
        self._folder = folder
        self.address = address
        self.port = int(address.rpartition(":")[2])
        self.admin_port = int(admin.rpartition(":")[2]) if admin else 0

    def logged(self, **wanted: object) -> list[dict[str, Any]]:
        """The lines of its log that hold all that is wanted."""
        text = (self._folder / "log").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if wanted.items() <= line.items()]

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text of an answer of the admin listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 where it is not there."""
        shown = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        found = re.search(
            rf"^{name}{re.escape('{' + shown + '}') if shown else ''} (\S+)$", self.ask("/metrics")[1], re.MULTILINE
        )
        return float(found[1]) if found else 0.0

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def write_keys(folder: Path, content: str = f'[keys]\n"{KEY_ID}" = "{SECRET}"\n') -> Path:
    path = folder / "keys.toml"
    path.write_text(content, encoding="utf-8")
    return path


@contextmanager
def gateway(
    folder: Path,
    *arguments: str,
    listen: str = "127.0.0.1:0",
    admin: str = "127.0.0.1:0",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Gateway]:
    """`undersign gateway` with these arguments, with keys and an admin listener unless a --settings has them."""
    if "--settings" not in arguments:
        if "--keys" not in arguments:
            arguments = ("--keys", str(write_keys(folder)), *arguments)
        arguments = ("--listen", listen, "--admin", admin, "--origin", ORIGIN, *arguments)
    command = [sys.executable, "-m", "undersign.cli", "gateway", *arguments]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environ or {})},
            cwd=folder,
            start_new_session=True,  # a process group of its own, as a terminal has it
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"listening on (\S+?)(?:, admin on (\S+))?\n", line)
        assert found, line + (folder / "log").read_text(encoding="utf-8")
        yield Gateway(process, folder, found[1], found[2] or "")
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def documented(name: str, command: str, *, wrapped: str = "CONFIG", suffix: str = "") -> Front:
    """A front with a file of the documentation, whose ports become those of the test."""
    config = (DOCUMENTED / name).read_text(encoding="utf-8")
    places = {"8080": "@port@", "9000": "@app@", "9190": "@gateway@", "9191": "@second@"}
    places |= {"9901": "@admin@", "9902": "@admin2@"}
    config = re.sub(r"\b(?:8080|9000|919[01]|990[12])\b", lambda match: places[match[0]], config)
    return Front(name, command, wrapped.replace("CONFIG", config), suffix=suffix)


_NGINX = """
daemon off; master_process off; pid @folder@/pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path @folder@/body; proxy_temp_path @folder@/proxy;
  fastcgi_temp_path @folder@/fastcgi; uwsgi_temp_path @folder@/uwsgi; scgi_temp_path @folder@/scgi;
  CONFIG
}
"""
_ENVOY = "envoy --disable-hot-restart --concurrency 1 --log-level error -c @config@"
FRONTS = {
    "nginx": documented("nginx.conf", "nginx -p @folder@ -c @config@ -e stderr", wrapped=_NGINX),
    "caddy": documented(
        "Caddyfile",
        "env XDG_DATA_HOME=@folder@ XDG_CONFIG_HOME=@folder@ caddy run --adapter caddyfile --config @config@",
    ),
    "envoy-http": documented("envoy-http.yaml", _ENVOY, suffix=".yaml"),
    "envoy-grpc": documented("envoy-grpc.yaml", _ENVOY, suffix=".yaml"),
    "haproxy": documented("haproxy.cfg", "haproxy -db -f @config@"),
}


@contextmanager
def front(name: str, gateway_port: int, app_port: int, **ports: int) -> Iterator[Running]:
    """A front that runs."""
    with running(FRONTS[name], 0, {"gateway": gateway_port, "app": app_port, **ports}) as found:
        yield found
