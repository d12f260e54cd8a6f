"""Fuzz the middlewares on the servers that people run: `python -m fuzz.middlewares [--seconds N] [SERVER …]`.

Signed requests are changed and sent as raw bytes to an app that answers with what it sees. The law: what is let in as
signed is what the app sees, and was signed; all else is the scheme's own refusal, or the server's, and never its
failure. `--seed` and `--only NUMBER` send one of them again.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .echo import KEY_ID
from .requests import Sent, sent

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
_PATIENCE = 1.0  # for an answer, of a request that may have no end
_AT_ONCE = 8

SERVERS: dict[str, tuple[str, ...]] = {
    "uvicorn-h11": ("uvicorn", "fuzz.echo:asgi", "--http", "h11", "--log-level", "critical", "--port", "{port}"),
    "uvicorn-httptools": (
        "uvicorn",
        "fuzz.echo:asgi",
        "--http",
        "httptools",
        "--log-level",
        "critical",
        "--port",
        "{port}",
    ),
    "hypercorn": ("hypercorn", "fuzz.echo:asgi", "--log-level", "critical", "-b", "127.0.0.1:{port}"),
    "granian": ("granian", "fuzz.echo:asgi", "--interface", "asgi", "--no-log", "--port", "{port}"),
    "gunicorn-asgi": ("gunicorn", "fuzz.echo:asgi", "-k", "asgi", "--log-level", "critical", "-b", "127.0.0.1:{port}"),
    "gunicorn": ("gunicorn", "fuzz.echo:wsgi", "--threads", "4", "--log-level", "critical", "-b", "127.0.0.1:{port}"),
    "waitress": ("waitress-serve", "--listen=127.0.0.1:{port}", "fuzz.echo:wsgi"),
}
# What middlewares and servers refuse with; a failure of either is not among them.
REFUSALS = frozenset({400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 421, 426, 431, 501, 505})


@dataclass
class Found:
    """What came of it: how often each status was answered, and the sentences of what broke the law."""

    sent: int = 0
    let_in: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


@contextmanager
def running(name: str, output: Path | None = None) -> Iterator[int]:
    """The port of the server, which runs meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [part.format(port=port) for part in SERVERS[name]]
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    with (output or Path(os.devnull)).open("ab") as log:
        process = subprocess.Popen([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environ, stdout=log, stderr=log)
    try:
        _await_connection(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_connection(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return


def fuzz(port: int, seed: str, *, seconds: float = 3600, count: int = sys.maxsize, first: int = 0) -> Found:
    """Send requests for so long, or so many, from the one of the number `first` on."""
    found, end = Found(), time.monotonic() + seconds
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(first, first + count, 64):
            numbers = range(start, min(start + 64, first + count))
            for number, (was_sent, answers) in zip(
                numbers, pool.map(lambda n: _tried(port, seed, n), numbers), strict=True
            ):
                found.sent += 1
                judge(found, number, was_sent, answers)
            if time.monotonic() > end:
                break
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def _tried(port: int, seed: str, number: int) -> tuple[Sent, list[Answer]]:
    given = sent(number, seed)
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
            connection.sendall(given.data)
            while piece := connection.recv(65536):
                received += piece
                # One that is kept open may wait for ever; what comes behind the answers comes soon.
                connection.settimeout(0.05 if b"connection: close" not in received.lower() else _PATIENCE)
    except OSError:
        pass
    return given, _answers(received)


class _Received(io.BytesIO):
    def makefile(self, *_: object) -> _Received:
        return self

    def close(self) -> None:
        """An answer closes what it was read from; the next one is behind it."""


def _answers(received: bytes) -> list[Answer]:
    stream, answers = _Received(received), list[Answer]()
    while stream.tell() < len(received):
        response = http.client.HTTPResponse(stream)  # type: ignore[arg-type]
        try:
            response.begin()
            body = response.read()
        except (http.client.HTTPException, ValueError):
            break  # it was cut off, or is the body of an answer to HEAD
        if body.startswith(b"HTTP/1."):
            break  # of HEAD, with the next answer behind it
        answers.append(Answer(response.status, body))
    return answers


def judge(found: Found, number: int, given: Sent, answers: list[Answer]) -> None:
    for answer in answers:
        found.statuses[answer.status] += 1
        if answer.status == 200:
            found.let_in += 1
            problem = _problem(given, answer.body)
        elif answer.status == 101 and b"Upgrade: h2c" in given.data:
            problem = ""  # the server's own: it goes over to HTTP/2, which is not read here
        elif answer.status not in REFUSALS:
            problem = f"the answer is {answer.status}"
        else:
            problem = _problem_of_refusal(answer)
        if problem:
            found.broken.append(f"request {number}: {problem}\n  {given.data[:600]!r}\n  {answer.body[:600]!r}")


def _problem_of_refusal(answer: Answer) -> str:
    # The uniform refusals, GoGrid's envelope, and nothing where the request was HEAD.
    own = answer.status != 401 or answer.body in (b'"Signature not valid"', b'"Signature required"', b"")
    return "" if own or answer.body.startswith(b'{"') else "a 401 of another form"


def _problem(given: Sent, content: bytes) -> str:
    """What of the law an answer of the app breaks; empty where it keeps it."""
    if not content:
        return ""  # of HEAD
    told = json.loads(content)
    scheme, signed = told["scheme"], b64decode(told["signed"])
    if told["key_id"] != KEY_ID or not any(_is_signed(scheme, signed, made) for made in given.signed):
        return "what is let in was not signed"
    request, body = told["seen"], b64decode(told["body"])
    target = (
        request["target"]
        if request["target"].startswith("/")
        else re.sub(r"^(?i:https?)://[^/?#]*", "", request["target"])
    )
    path, _, query = target.partition("?")
    if query != request["query"]:
        return "the query is another one than the target's"
    # ASGI has the path as text, where bytes that are no UTF-8 are U+FFFD; waitress takes one slash for all that lead.
    decoded = unquote_to_bytes(path or "/")
    spelled = {re.sub(b"^/+", b"/", text) for text in (decoded, decoded.decode("utf-8", "replace").encode())}
    if re.sub(b"^/+", b"/", request["path"].encode("latin-1")) not in spelled:
        return "the path is another one than the target's"
    return _problem_of(scheme, signed, request, target if target.startswith("/") else "/" + target, body)


def _is_signed(scheme: str, signed: bytes, made: tuple[str, bytes]) -> bool:
    return (scheme, signed) == made


def _problem_of(scheme: str, signed: bytes, request: dict[str, Any], target: str, body: bytes) -> str:
    lines = signed.decode("latin-1").split("\n")
    method = request["method"]
    if scheme == "gogrid":
        values = [pair for pair in _fields(request, target, body) if pair[0] in ("api_key", "sig", "v")]
        return "" if [name for name, _ in sorted(values)] == ["api_key", "sig", "v"] else "it has other parameters"
    if scheme == "fields":
        sent_fields = sorted((name, value) for name, value in _fields(request, target, body) if name != "fsig")
        right = sorted(parse_qsl(lines[2], keep_blank_values=True))
        return "" if (lines[0], right) == (method, sent_fields) else "the method or a parameter is another one"
    if scheme == "lines":
        names = ("content-type", "x-name")
        expected = [method, target, lines[2], *(_value(request, name) for name in names), sha256(body).hexdigest()]
        return "" if lines == expected else f"the app sees {expected}"
    kind = _value(request, "content-type")
    custom = [f"{name}: {value}" for name in ("x-name", "x-other") if (value := _value(request, name)) is not None]
    expected = [
        method,
        md5(body, usedforsecurity=False).hexdigest(),
        None if kind is None else kind.encode("latin-1").lower().decode("latin-1"),
    ]
    expected += [_value(request, "date"), *(custom if scheme == "custom" and custom else [""]), target]
    return "" if lines == expected else f"the app sees {expected}, and {lines} was signed"


def _value(request: dict[str, Any], name: str) -> str | None:
    values = [value.strip(" \t") for found, value in request["headers"] if found.lower() == name]
    return values[0] if len(values) == 1 else None if not values else "\0".join(values)


def _fields(request: dict[str, Any], target: str, body: bytes) -> list[tuple[str, str]]:
    kinds = {
        value.partition(";")[0].strip(" \t").lower()
        for name, value in request["headers"]
        if name.lower() == "content-type"
    }
    form = body.decode("latin-1") if "application/x-www-form-urlencoded" in kinds else ""
    return [pair for text in (target.partition("?")[2], form) for pair in parse_qsl(text, keep_blank_values=True)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.middlewares")
    parser.add_argument("--seconds", type=float, default=60, help="for all servers together")
    parser.add_argument("--seed", default="", help="the same requests again; by default others each time")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="send this request alone")
    parser.add_argument("servers", nargs="*", metavar="SERVER")
    given = parser.parse_args()
    names = given.servers or list(SERVERS)
    seed, failed = given.seed or secrets.token_hex(4), False
    for name in names:
        with running(name) as port:
            if given.only is not None:
                found = fuzz(port, seed, count=1, first=given.only)
            else:
                found = fuzz(port, seed, seconds=given.seconds / len(names))
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
        print(
            f"{name}, seed {seed}: {found.sent} requests, {found.let_in} let in, "
            f"{len(found.broken)} break the law; {statuses}",
            flush=True,
        )
        for sentence in found.broken[:10]:
            print(f"  {sentence}", flush=True)
        failed |= bool(found.broken)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
