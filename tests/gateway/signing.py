"""Requests signed by hand, as bytes: in a scheme that signs the target and no body, which every front can ask about."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from .processes import KEY_ID, SECRET


def bokun(
    method: str,
    target: str,
    *lines: str,
    body: bytes = b"",
    key_id: str = KEY_ID,
    secret: str = SECRET,
    signed_target: str | None = None,
) -> bytes:
    """Bokun: HMAC-SHA1 of date, access key, method and target, one after the other."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    path = (target if signed_target is None else signed_target).removeprefix("http://api.example.com")
    message = f"{at}{key_id}{method}{path}".encode("latin-1")
    signature = base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha1).digest()).decode()
    own = (f"X-Bokun-Date: {at}", f"X-Bokun-AccessKey: {key_id}", f"X-Bokun-Signature: {signature}")
    return plain(method, target, *own, *lines, body=body)


def plain(method: str, target: str, *lines: str, body: bytes = b"") -> bytes:
    """A request as it is."""
    head = [f"{method} {target} HTTP/1.1", "Host: api.example.com", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in head).encode("latin-1") + b"\r\n" + body
