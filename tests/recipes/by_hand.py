"""What the tests of recipes sign, and how they hold it to a string and a MAC that are made by hand."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from undersign import (
    Credential,
    Reason,
    Recipe,
    Rejected,
    Request,
    Verified,
    Verifier,
    explain,
    sign,
)

NOW = 1_730_974_875.044  # 2024-11-07T10:21:15.044Z
KEY, SECRET = "key-1", "a secret of many letters"
ORIGIN = "https://api.example.com:8443"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
S = {"X-Signature": "{key_id} {time} {signature}"}
BODY = b'{"a": "\xc3\xbc"}\r\n\x00'


def recipe(parts: Any, **options: Any) -> Recipe:
    defaults: dict[str, Any] = {"name": "r", "mac": "hmac-sha256", "headers": S, "allow_http": True}
    return Recipe(parts=parts, **{**defaults, **options})


def post(target: str = "/a%2fb//?x=1&y=%20&x=0&", body: bytes = BODY, *headers: tuple[str, str]) -> Request:
    headers = headers or (("Content-Type", "Application/JSON; Charset=UTF-8"), ("X-Name", " Val ue\t"))
    return Request("POST", target, headers, body, ORIGIN)


def signed(scheme: Recipe, request: Request, **options: Any) -> Request:
    credential = Credential(KEY, SECRET, extra=options.pop("extra", {}))
    return sign(scheme, request, credential, now=options.pop("now", NOW), **options).apply(request)


def verified(
    scheme: Recipe, request: Request, now: float = NOW, *, key: str = KEY, secret: str | bytes = SECRET
) -> Verified:
    """The recipe's own name is a key too: where no key id is sent, it is that."""
    return Verifier(scheme, {key: secret, scheme.name: secret}, clock=lambda: now).verify(request)


def refused(scheme: Recipe, request: Request, now: float = NOW) -> Reason:
    with pytest.raises(Rejected) as caught:
        verified(scheme, request, now)
    return caught.value.reason


def mac(string: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(SECRET.encode(), string, algorithm).hexdigest()


def both_ways(scheme: Recipe, request: Request, string: bytes, signature: str = "", **options: Any) -> Request:
    """Sign it, find the string and its MAC, verify what was sent; returns that."""
    sent = signed(scheme, request, **options)
    found = verified(scheme, sent)
    assert found.signed == string
    texts = [value for _, value in sent.headers] + [sent.target, str(sent.body)]
    assert any((signature or mac(string)) in text for text in texts)
    explained = explain(scheme, sent, now=NOW)
    assert b"".join(part.value for part in explained.parts) == string
    return sent
