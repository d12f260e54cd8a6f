"""The two formulas written down once more, plainly and apart from the package, and requests signed with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from typing import Any

import pytest

from tests.canary import noted
from undersign import GoGrid, GoTom, Rejected, Request, Verifier
from undersign.policy import MemoryReplayGuard, ReplayPolicy

NOW = 1_730_974_875  # 2024-11-07T10:21:15Z
DATE = "2024-11-07T10:21:15Z"
USER = "theusernameyoureceived"
SECRET = "thepasswordyoureceived"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def gotom_signature(
    method: str,
    target: str,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    date: str = DATE,
    custom: str = "",
    secret: str = SECRET,
    algorithm: str = "sha1",
) -> str:
    string_to_sign = f"{method}\n{md5(body)}\n{content_type}\n{date}\n{custom}\n{target}"
    digest = hmac.new(secret.encode(), string_to_sign.encode("latin-1"), algorithm).digest()
    return noted(base64.b64encode(digest).decode())


def gotom_request(
    method: str = "GET", target: str = "/app-api/campaign/26106", body: bytes = b"", *, user: str = USER
) -> Request:
    """A request of goTom's, in order; `user` is what stands in the header."""
    signature = gotom_signature(method, target, body)
    headers = (
        ("Content-Type", "application/json"),
        ("Date", DATE),
        ("Authorization", f"gotom_app_api {user}:{signature}"),
    )
    return Request(method, target, headers, body)


def replaced(request: Request, name: str, *values: str) -> Request:
    """The request with these values for the header, or without it."""
    others = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
    headers = others + tuple((name, value) for value in values)
    return Request(request.method, request.target, headers, request.body, request.origin)


def gogrid_signature(key: str, secret: str, seconds: int) -> str:
    return noted(md5(f"{key}{secret}{seconds}".encode()))


def gogrid_request(
    method: str = "GET",
    target: str = "/api/grid/server/list",
    *,
    key: str = "key",
    secret: str = SECRET,
    seconds: int = NOW,
    version: str = "1.5",
) -> Request:
    """A request of GoGrid's, in order, its parameters in the query."""
    signature = gogrid_signature(key, secret, seconds)
    mark = "&" if "?" in target else "?"
    return Request(method, f"{target}{mark}api_key={key}&sig={signature}&v={version}", origin="https://api.example.com")


def gogrid_form(body: bytes = b"", *, key: str = "key", secret: str = SECRET, seconds: int = NOW) -> Request:
    """A POST of GoGrid's, its parameters in the form."""
    signature = gogrid_signature(key, secret, seconds)
    joint = b"&" if body else b""
    form = body + joint + f"api_key={key}&sig={signature}&v=1.5".encode()
    return Request("POST", "/api/grid/server/add", (FORM,), form, "https://api.example.com")


def raw_http(request: Request, *, chunks: list[int] | None = None) -> bytes:
    """The request's bytes as HTTP/1.1, the body chunked where the sizes of chunks are given."""
    assert isinstance(request.body, bytes)
    lines = [f"{request.method} {request.target} HTTP/1.1", "Host: api.example.com"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if chunks is None:
        lines.append(f"Content-Length: {len(request.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body
    lines.append("Transfer-Encoding: chunked")
    raw = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    rest = request.body
    for size in [*chunks, len(rest)]:
        piece, rest = rest[:size], rest[size:]
        if piece:
            raw += b"%x\r\n%s\r\n" % (len(piece), piece)
    return raw + b"0\r\n\r\n"


def refused(verifier: Verifier, request: Request) -> Rejected:
    """The refusal of a request that must not verify."""
    with pytest.raises(Rejected) as caught:
        verifier.verify(request)
    return caught.value


def guarded(guard: Any = None) -> Any:
    """What guards goTom's requests against replays, GETs too; by default a guard that has seen all there was."""
    return {"gotom": ReplayPolicy(guard or MemoryReplayGuard(born=-math.inf), methods="all")}


def gotom_verifier(now: float = NOW, **options: Any) -> Verifier:
    """A verifier of goTom's that knows one user."""
    return Verifier(GoTom(**options), {USER: SECRET}, clock=lambda: now)


def gogrid_verifier(now: float = NOW, **options: Any) -> Verifier:
    """A verifier of GoGrid's that knows one key."""
    return Verifier(GoGrid(**options), {"key": SECRET}, clock=lambda: now)
