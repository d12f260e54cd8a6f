"""What the middleware costs under uvicorn (httptools): requests a second, and server CPU for each, beside a bare app's.

    python benchmarks/throughput.py

Three servers take turns in short rounds: the app alone; the app behind SignatureMiddleware with a goTom Verifier; and
the app behind a check written by hand, which does the hashing and nothing that makes it safe: the floor. The app is
one of plain ASGI that does nothing at all, and one of Starlette and of FastAPI with one route. Each request is signed,
over connections that are kept open. The medians of the rounds count. The CPU that the server uses for each request
bears with other load on the machine; requests a second do not.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import statistics
import time
from contextlib import ExitStack
from datetime import datetime, timezone

from sample import KEY_ID
from sample import PATH as TARGET
from serving import Uvicorn
from throughput_apps import ANSWER, APPS, signature

SERVERS = ("bare", "middleware", "by_hand")
REQUESTS = {"GET": ("GET", b""), "POST 1 KiB": ("POST", bytes(1024))}


def message(method: str, body: bytes) -> bytes:
    """A signed request's bytes."""
    date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    sent = signature(method, "application/json", date, TARGET, body).decode()
    lines = [f"{method} {TARGET} HTTP/1.1", "Host: api.example.com", "User-Agent: benchmark", "Accept: */*"]
    lines += ["Content-Type: application/json", f"Date: {date}", f"Authorization: gotom_app_api {KEY_ID}:{sent}"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def answer_length(server: Uvicorn, request: bytes) -> int:
    """The bytes of an answer, which are as many for each. Raises AssertionError where the request is refused."""
    with server.connect() as connection:
        connection.sendall(request)
        answer = b""
        while not answer.endswith(ANSWER):
            piece = connection.recv(65536)
            assert piece.startswith(b"HTTP/1.1 200 ") or (piece and answer), f"refused: {piece!r}"
            answer += piece
    return len(answer)


def load(server: Uvicorn, request: bytes, clients: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's CPU for each."""
    length = answer_length(server, request)
    connections = [server.connect() for _ in range(clients)]
    left = dict.fromkeys(connections, length)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, connection)
            connection.sendall(request)
        answered, cpu, began = 0, server.cpu(), time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            for key, _ in selector.select(1):
                connection = key.data
                piece = connection.recv(65536)
                assert piece.startswith(b"HTTP/1.1 200 ") or (piece and left[connection] < length), piece
                left[connection] -= len(piece)
                if not left[connection]:
                    answered += 1
                    left[connection] = length
                    connection.sendall(request)
        cpu = server.cpu() - cpu
    for connection in connections:
        connection.close()
    return answered / (now - began), cpu / answered * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", nargs="+", choices=list(APPS), default=list(APPS))
    parser.add_argument("--requests", nargs="+", choices=list(REQUESTS), default=list(REQUESTS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each server in each round")
    parser.add_argument("--clients", type=int, default=32)
    options = parser.parse_args()
    print("app        request     server       requests/s   of bare   server CPU µs   over bare   bare's / this")
    for app in options.apps:
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(Uvicorn(f"throughput_apps:{name}", BENCHMARK_APP=app)) for name in SERVERS
            }
            for title in options.requests:
                request = message(*REQUESTS[title])
                rounds = [
                    {name: load(server, request, options.clients, options.seconds) for name, server in servers.items()}
                    for _ in range(options.rounds)
                ]
                for name in SERVERS:
                    print(f"{app:10} {title:11} {name.replace('_', ' '):11} {figures(rounds, name)}", flush=True)


def figures(rounds: list[dict[str, tuple[float, float]]], name: str) -> str:
    """A server's medians. Those that compare are of ratios within a round, so that they bear with load that changes."""
    rate = statistics.median(found[name][0] for found in rounds)
    cpu = statistics.median(found[name][1] for found in rounds)
    of_bare = statistics.median(found[name][0] / found["bare"][0] for found in rounds)
    over = statistics.median(found[name][1] - found["bare"][1] for found in rounds)
    share = statistics.median(found["bare"][1] / found[name][1] for found in rounds)
    return f"{rate:11.0f} {of_bare:9.2f} {cpu:15.1f} {over:11.1f} {share:15.2f}"


if __name__ == "__main__":
    main()
