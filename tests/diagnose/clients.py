"""Clients that make mistakes: two little signers of their own, each step of which can be done otherwise.

Written from the description of the two schemes with hashlib and hmac alone, so that it owes nothing to undersign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from undersign import Request

NOW = 1730974875  # 2024-11-07T10:21:15Z
KEYS: dict[str, str | bytes] = {
    "crm_sync": "pässwörd für goTom €",
    "other": "the other one's secret",
    "team:a\\b": "colon and backslash",
    "Jürgen": "an umlaut",
    "b64": "c2VjcmV0IGtleSBtYXRlcmlhbA==",
    "hex": "00ff10a0b3c4d5e6f70812",
    "a key/with=signs": "shared?",
    "2fvmer3qbk7f3jnqneg58bu2": "qvxkmw57pec7",
    "padded": " kept with a space\n",
}


def secret_bytes(key_id: str) -> bytes:
    secret = KEYS[key_id]
    return secret if isinstance(secret, bytes) else secret.encode()


def base64_of(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def hmac_sha1(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, hashlib.sha1).digest()


def report(line: str) -> None:
    """A figure for whoever runs the tests with -rP."""
    sys.stdout.write(line + "\n")


def same(value: Any) -> Any:
    return value


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def md5_hex(body: bytes) -> bytes:
    return md5(body).hex().encode()


def written_user(key_id: str) -> str:
    return key_id.replace("\\", "\\\\").replace(":", "\\:").encode().decode("latin-1")


@dataclass(frozen=True)
class GoTomClient:
    """What a client sends (the first fields), and how it signs (the steps)."""

    method: str = "POST"
    target: str = "/v1/orders?page=2&size=10"
    content_type: str | None = "application/json"
    date: str | None = "2024-11-07T10:21:15Z"
    body: bytes = b'{"id": 1, "name": "M\xc3\xbcller"}\n'
    key_id: str = "crm_sync"
    headers: tuple[tuple[str, str], ...] = (("Host", "api.example.com"),)
    signed_headers: tuple[str, ...] = ()
    sent_provider: str = "gotom_app_api "
    sent_body: Callable[[bytes], bytes] = same
    sent_target: Callable[[str], str] = same
    sent_method: Callable[[str], str] = same

    sign_method: Callable[[str], str] = str.upper
    sign_body: Callable[[bytes], bytes] = same
    digest: Callable[[bytes], bytes] = md5_hex
    sign_type: Callable[[str], str] = str.lower
    sign_date: Callable[[str], str] = same
    sign_custom: Callable[[list[bytes]], list[bytes]] = same
    sign_target: Callable[[str], bytes] = str.encode
    join: bytes = b"\n"
    end: bytes = b""
    secret: Callable[[bytes], bytes] = same
    mac: Callable[[bytes, bytes], bytes] = hmac_sha1
    encode: Callable[[bytes], str] = base64_of
    user: Callable[[str], str] = written_user

    def request(self) -> Request:
        given = {name.lower(): value for name, value in self.headers}
        custom = sorted(f"{name.lower()}: {given[name.lower()]}".encode("latin-1") for name in self.signed_headers)
        lines = [
            self.sign_method(self.method).encode(),
            self.digest(self.sign_body(self.body)),
            self.sign_type(self.content_type or "").encode("latin-1"),
            self.sign_date(self.date or "").encode(),
            *self.sign_custom(custom or [b""]),
            self.sign_target(self.target),
        ]
        string = self.join.join(lines) + self.end
        signature = self.encode(self.mac(self.secret(secret_bytes(self.key_id)), string))
        headers = [*self.headers, ("Authorization", f"{self.sent_provider}{self.user(self.key_id)}:{signature}")]
        headers += [("Date", self.date)] if self.date is not None else []
        headers += [("Content-Type", self.content_type)] if self.content_type is not None else []
        body, target = self.sent_body(self.body), self.sent_target(self.target)
        return Request(self.sent_method(self.method), target, tuple(headers), body, "https://api.example.com")


def plain_md5(key: bytes, secret: bytes, time: bytes) -> bytes:
    return md5(key + secret + time)


def seconds(at: float) -> bytes:
    return b"%d" % int(at)


@dataclass(frozen=True)
class GoGridClient:
    """The same for the keyed timestamp."""

    key_id: str = "2fvmer3qbk7f3jnqneg58bu2"
    at: float = NOW
    target: str = "/api/grid/server/list"
    in_form: bool = False
    params: tuple[str, ...] = ("api_key", "sig", "v")
    extra: tuple[tuple[str, str], ...] = ()
    sent_key: Callable[[str], str] = field(default=lambda key: quote(key, safe=""))

    key: Callable[[bytes], bytes] = same
    secret: Callable[[bytes], bytes] = same
    time: Callable[[float], bytes] = seconds
    mac: Callable[[bytes, bytes, bytes], bytes] = plain_md5
    encode: Callable[[bytes], str] = bytes.hex

    def request(self) -> Request:
        digest = self.mac(self.key(self.key_id.encode()), self.secret(secret_bytes(self.key_id)), self.time(self.at))
        values = {"api_key": self.sent_key(self.key_id), "sig": quote(self.encode(digest), safe=""), "v": "1.8"}
        query = "&".join(f"{name}={value}" for name, value in [*((n, values[n]) for n in self.params), *self.extra])
        headers: tuple[tuple[str, str], ...] = (("Host", "api.example.com"),)
        if self.in_form:
            headers += (("Content-Type", "application/x-www-form-urlencoded"),)
            return Request("POST", self.target, headers, query.encode(), "https://api.example.com")
        return Request("GET", f"{self.target}?{query}", headers, b"", "https://api.example.com")
