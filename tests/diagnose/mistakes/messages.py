"""Requests that people send, and the small change of signing: times, digests and headers as text."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timezone

from undersign import Request

from .client import Headers, Message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TEXT_BODY = '{"name": "Müller/Söhne & <Co>", "id": 7, "price": 10.5, "tags": [], "note": "a=b+c"}'

GET = Message("GET", "/v1/orders?b=2&a=1&q=x%20y", content_type=JSON)
LIST = Message("GET", "/v1/Items/a%2fb~c?sort=-date&ids=3&ids=1&empty=&tag=x%2By&active=true", content_type=JSON)
POST = Message("POST", "/v1/orders?page=2&filter=a%3Ab", content_type="application/json", body=TEXT_BODY.encode())
PUT = Message(
    "PUT",
    "/v1/files/r%C3%A9sum%C3%A9%20(1).txt?v=2",
    content_type="text/plain; charset=UTF-8",
    body="äh\r\nja\r\n".encode(),
)
SEND = Message(
    "POST", "/v1/messages", content_type=FORM, body=b"to=%2B41791234567&text=Hello+W%C3%B6rld%21&from=me&ref="
)
DELETE = Message("DELETE", "/v1/orders/42/", content_type=JSON)
PLAIN = Message("GET", "/v1/status", content_type=JSON)
COMPACT = replace(
    POST, target="/v1/orders", body=b'{"symbol":"BTC-USDT","side":"buy","size":"0.5","comment":"a/b <c>"}'
)
ROOT = Message("GET", "/", content_type=JSON)
REST = (GET, POST, LIST, PUT, SEND, DELETE, PLAIN, COMPACT, ROOT)
HOOK = Message("POST", "/hooks/in", "hooks.example.com", JSON, TEXT_BODY.encode())
BIG = Message("PATCH", "/v1/texts/7", content_type=JSON, body=b'{"text": "' + b"line\\n" * 9000 + b'", "a": 1.0}\n')
HOOKS = (
    HOOK,
    replace(HOOK, body=b'{"type":"order.paid","data":{"id":"42","total":10.0,"url":"https://x.example/a?b=1&c=2"}}\n'),
    replace(HOOK, content_type=FORM, body=b"payload=%7B%22a%22%3A1%7D&text=Hello+W%C3%B6rld&b=&a=2"),
    replace(HOOK, body='{"id":820982911946154508,"note":"it\'s 1 < 2 😀","price":"10.00","to":"a@b.example"}'.encode()),
)

ODD = "pä$word=1+2 #x&y%zÜ"
LOOKS_HEX = "23e2c7da7f7048e5b46f96bc91324800"
LOOKS_BASE64 = "c2VjcmV0+GtleS/tYXRlcmlhbCE="
TEXTS = (LOOKS_BASE64, LOOKS_HEX, ODD)
ENCODED = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5",
    "c2VjcmV0LXNlY3JldC1zZWNyZXQtMzItYnl0ZXMtISE=",
)


def date(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)


def unix(at: float) -> str:
    return str(int(at))


def millis(at: float) -> str:
    return str(int(at * 1000))


def iso(at: float) -> str:
    return date(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_millis(at: float) -> str:
    return date(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03d}Z"


def http_date(at: float) -> str:
    return date(at).strftime("%a, %d %b %Y %H:%M:%S GMT")


def bytes_of(*texts: str) -> list[bytes]:
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def wire(text: str) -> str:
    """A header's text as its bytes on the wire."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def md5_hex(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def hmac_base64(name: str, key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, name).digest()).decode()


def request(message: Message, *added: tuple[str, str]) -> Request:
    headers: Headers = (("Host", message.host), *message.headers)
    if message.content_type:
        headers += (("Content-Type", message.content_type),)
    headers += tuple((name, wire(value)) for name, value in added)
    return Request(message.method, message.target, headers, message.body, f"{message.scheme}://{message.host}")


def escaped_user(key_id: str) -> str:
    return key_id.replace("\\", "\\\\").replace(":", "\\:")


def in_headers(m: Message, signature: str, key: str, sign: str, time: str = "", *more: tuple[str, str]) -> Request:
    timed = [(time, m.time)] if time else []
    return request(m, (key, m.key_id), (sign, signature), *timed, *more)
