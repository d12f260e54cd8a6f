"""Large bodies are signed and sent in constant memory: the peak of a child process says so.

64 MiB as a rule; UNDERSIGN_BODY_MIB=1024 for the figure that the documentation gives.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from undersign import BodyDigest, GoTom, Request, Verifier
from undersign.http1 import RequestReader

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


class HashingServer:
    """Hashes each body while it comes in, verifies, and answers 200 or 401."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.lengths: list[int] = []

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
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


@pytest.mark.parametrize("client", ["requests", "httpx", "httpx-async"])
@pytest.mark.parametrize("kind", ["file", "generator", "multipart"])
def test_the_peak_grows_by_at_most_16_mib(client: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "body"
    with path.open("wb") as file:
        file.truncate(BODY)
    server = HashingServer()
    try:
        arguments = [sys.executable, "-c", CHILD, client, kind, server.url, str(path), str(BODY)]
        child = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
    finally:
        server.close()
    assert child.returncode == 0, child.stderr
    assert server.lengths[-1] >= BODY
    assert int(child.stdout) <= MOST_GROWTH
