"""Large bodies are signed and sent in constant memory: the peak of a child process says so.

64 MiB as a rule; UNDERSIGN_BODY_MIB=1024 for the figure that the documentation gives.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.wire import WireServer
from undersign import BodyDigest, GoTom, Request, Verifier
from undersign.core.http1 import RequestReader

MIB = 1024 * 1024
BODY = int(os.environ.get("UNDERSIGN_BODY_MIB", "64")) * MIB
MOST_GROWTH = 16 * MIB

CHILD = """
import asyncio, resource, sys
from undersign import GoTom
client, kind, url, path, whole = sys.argv[1:]

def pieces(size):
    for _ in range(size // 65536):
        yield bytes(65536)

async def apieces(size):
    for piece in pieces(size):
        yield piece

def send(size):
    if client == "requests":
        import requests
        from undersign.clients.requests import SignatureAuth
        auth = SignatureAuth(GoTom(), "u", "s3cret")
        with open(path, "rb") as file:
            file.seek(-size, 2)
            headers = {}
            body = {"file": file, "generator": pieces(size)}.get(kind)
            if kind == "multipart":
                from requests_toolbelt import MultipartEncoder
                body = MultipartEncoder({"f": ("f", file, "application/octet-stream")})
                headers = {"Content-Type": body.content_type}
            return requests.post(url, data=body, headers=headers, auth=auth, timeout=300).status_code
    import httpx
    from undersign.clients.httpx import SignatureAuth
    auth = SignatureAuth(GoTom(), "u", "s3cret")
    with open(path, "rb") as file:
        file.seek(-size, 2)
        if kind == "multipart":
            body = {"files": {"f": ("f", file, "application/octet-stream")}}
        elif kind == "file":
            body = {"content": file}
        else:
            body = {"content": apieces(size) if client == "httpx-async" else pieces(size)}
        if client == "httpx":
            return httpx.post(url, auth=auth, timeout=300, **body).status_code
        async def post():
            async with httpx.AsyncClient() as opened:
                return (await opened.post(url, auth=auth, timeout=300, **body)).status_code
        return asyncio.run(post())

assert send(65536 * 20) == 200
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert send(int(whole)) == 200
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


class HashingServer(WireServer):
    """Hashes each body while it comes in, verifies, and answers 200 or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            reader, md5, length = RequestReader(), hashlib.md5(usedforsecurity=False), 0
            while not reader.done:
                for piece in reader.feed(connection.recv(MIB)):
                    md5.update(piece)
                    length += len(piece)
            method, target, headers = reader.finish()
            request = Request(method, target, headers, BodyDigest({"md5": md5.hexdigest()}, length))
            Verifier(GoTom(), {"u": "s3cret"}).verify(request)
            self.lengths.append(length)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def growth_of(child: str, kinds: list[str], folder: Path) -> int:
    """By how many bytes the peak of a process grows that runs `child`, which sends a small body and then BODY bytes."""
    path = folder / "body"
    with path.open("wb") as file:
        file.truncate(BODY)
    with HashingServer() as server:
        arguments = [sys.executable, "-c", child, *kinds, server.url, str(path), str(BODY)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert server.lengths[-1] >= BODY
    return int(done.stdout)


@pytest.mark.long
@pytest.mark.parametrize("client", ["requests", "httpx", "httpx-async"])
@pytest.mark.parametrize("kind", ["file", "generator", "multipart"])
def test_the_peak_grows_by_at_most_16_mib(client: str, kind: str, tmp_path: Path) -> None:
    assert growth_of(CHILD, [client, kind], tmp_path) <= MOST_GROWTH
