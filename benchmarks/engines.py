"""What a request to an upstream costs over HTTP/1.1 and over HTTP/2: the CPU of one POST of 1 KiB, with an answer of
1 KiB, over connections that are kept, and of large bodies. The upstream is nginx.

    python benchmarks/engines.py [--requests 3000] [--rounds 5] [--mib 256]

`at once` is how many requests are under way at a time: HTTP/2 has them on one connection, and writes and reads several
with one call. httpcore2 is asked beside, the client that httpx2 is built upon.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpcore2
import uvloop

from undersign.gateway import Forwarder, Outgoing
from undersign.gateway.exchange import Pieces

MIB = 1024 * 1024
PIECE = bytes(256 * 1024)
_NGINX = """
daemon off; master_process off; pid FOLDER/pid; error_log stderr;
events { worker_connections 1000; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000000;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
  http2_max_concurrent_streams 200;
  server {
    listen 127.0.0.1:PORT PROTOCOL;
    location /large { root FOLDER; }
    location / { proxy_pass http://unix:FOLDER/answers; }
  }
  server {  # what answers by `return` does so before the body is there, and httpcore2 loses such answers over HTTP/2
    listen unix:FOLDER/answers;
    return 200 "ANSWER";
  }
}
"""

Ask = Callable[[bytes], Awaitable[object]]


@contextmanager
def nginx(protocol: str, mib: int) -> Iterator[str]:
    """The origin of an nginx that speaks HTTP/1.1, or HTTP/2 with prior knowledge."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "large").open("wb") as file:
            file.truncate(mib * MIB)
        known = {"FOLDER": name, "PORT": str(port), "PROTOCOL": protocol, "ANSWER": "a" * 1024}
        config = _NGINX
        for word, value in known.items():
            config = config.replace(word, value)
        (folder / "config").write_text(config, encoding="utf-8")
        command = ["nginx", "-p", name, "-c", str(folder / "config"), "-e", "stderr"]
        process = subprocess.Popen(command, env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"})  # noqa: S603
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


async def load(ask: Ask, requests: int, at_once: int) -> float:
    """Microseconds of CPU a request."""

    async def client() -> None:
        for _ in range(requests // at_once):
            await ask(bytes(1024))

    began = time.process_time()
    await asyncio.gather(*[client() for _ in range(at_once)])
    return (time.process_time() - began) / (requests // at_once * at_once) * 1e6


HEADERS = (("host", "127.0.0.1"), ("user-agent", "benchmark"), ("accept", "*/*"), ("content-type", "application/json"))


def forwarding(forwarder: Forwarder, origin: str) -> Ask:
    async def ask(body: bytes) -> None:
        answer = await forwarder.ask(Outgoing("POST", origin, "/", HEADERS, body, len(body)))
        while await answer.read():
            pass
        answer.close()

    return ask


def httpcore(pool: httpcore2.AsyncConnectionPool, origin: str) -> Ask:
    headers = [(name.encode(), value.encode()) for name, value in HEADERS]

    async def ask(body: bytes) -> None:
        length = (b"content-length", b"%d" % len(body))
        await pool.request("POST", origin + "/", headers=[*headers, length], content=body)

    return ask


async def transfer(forwarder: Forwarder, origin: str, mib: int, *, up: bool) -> float:
    """MiB a second of CPU."""
    left = mib * MIB

    async def read() -> bytes:
        nonlocal left
        piece = PIECE[:left]
        left -= len(piece)
        return piece

    began = time.process_time()
    outgoing = Outgoing("GET", origin, "/large", HEADERS)
    if up:
        outgoing = Outgoing("POST", origin, "/", HEADERS, Pieces(read), left)
    answer = await forwarder.ask(outgoing)
    while await answer.read():
        pass
    answer.close()
    return mib / (time.process_time() - began)


async def measure(options: argparse.Namespace, http1: str, http2: str) -> None:
    pools: list[Any] = []
    async with Forwarder() as first, Forwarder(http2=True) as second:
        pools.append(httpcore2.AsyncConnectionPool(http1=False, http2=True, max_connections=1))
        asks = {
            "HTTP/1.1, aiohttp": forwarding(first, http1),
            "HTTP/2, h2": forwarding(second, http2),
            "HTTP/2, httpcore2": httpcore(pools[0], http2),
        }
        print("µs of CPU a request    1 at once   16 at once")
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(options.rounds):
            for name, ask in asks.items():
                for at_once in (1, 16):
                    found.setdefault((name, at_once), []).append(await load(ask, options.requests, at_once))
        for name in asks:
            print(f"{name:20} {statistics.median(found[name, 1]):11.0f} {statistics.median(found[name, 16]):12.0f}")
        print(f"\nMiB a second of CPU, {options.mib} MiB          up        down")
        for name, forwarder, origin in (("HTTP/1.1, aiohttp", first, http1), ("HTTP/2, h2", second, http2)):
            rates = [
                statistics.median([await transfer(forwarder, origin, options.mib, up=up) for _ in range(3)])
                for up in (True, False)
            ]
            print(f"{name:32} {rates[0]:11.0f} {rates[1]:11.0f}")
        await pools[0].aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=256)
    options = parser.parse_args()
    with nginx("", options.mib) as http1, nginx("http2", options.mib) as http2:
        uvloop.run(measure(options, http1, http2))


if __name__ == "__main__":
    main()
