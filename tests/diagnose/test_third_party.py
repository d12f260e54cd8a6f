"""Schemes of others, the two examples of the documentation, get the general causes without any work."""

from __future__ import annotations

import base64
import hmac
import sys
from collections.abc import Iterator
from email.utils import formatdate
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from undersign import Request, Scheme, explain
from undersign.diagnosing import diagnose

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "schemes"
NOW = 1_730_974_875
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
RAW = b"0123456789abcdefghijklmn"
WHSEC = "whsec_" + base64.b64encode(RAW).decode()
BODY = b'{"a": 1}\n'


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for folder in FOLDER.iterdir():
        monkeypatch.syspath_prepend(folder)
    yield
    for name in ("webhook", "small_s3"):
        sys.modules.pop(name, None)


def scheme(module: str, name: str) -> Scheme:
    found: Any = getattr(import_module(module), name)
    made: Scheme = found()
    return made


def s3_request(
    *, method: str = "PUT", target: str = "/a%20b", secret: str = SECRET, at: int = NOW, end: str = ""
) -> Request:
    """What a client sends that signs these instead of PUT and /a%20b."""
    date = formatdate(at, usegmt=True)
    string = f"{method}\n\ntext/plain\n{date}\n{target}{end}"
    signature = base64.b64encode(hmac.digest(secret.encode(), string.encode(), "sha1")).decode()
    headers = (("Date", date), ("Content-Type", "text/plain"), ("Authorization", f"AWS {KEY}:{signature}"))
    return Request("PUT", "/a%20b", headers, b"", "https://files.example.com")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({}, set()),
        ({"method": "put"}, {"method-case"}),
        ({"target": "/a b"}, {"target-decoded"}),
        ({"end": "\n"}, {"string-trailing-newline"}),
        ({"secret": SECRET + "\n"}, {"secret-whitespace"}),
        ({"secret": "another"}, {"secret-other"}),
        ({"secret": "nobody's"}, {"unexplained"}),
        ({"at": NOW + 7200}, {"timezone"}),
        ({"at": NOW - 7200}, {"clock-skew"}),
        ({"at": NOW + 1100, "method": "put"}, {"clock-skew", "method-case"}),
    ],
)
def test_an_small_s3_request(changed: dict[str, Any], codes: set[str]) -> None:
    causes = diagnose(s3_request(**changed), scheme("small_s3", "SmallS3"), {KEY: SECRET, "you": "another"}, NOW)
    assert {cause.code for cause in causes} == codes
    for cause in causes:
        if cause.code in ("method-case", "target-decoded", "string-trailing-newline"):
            assert "byte " in cause.detail
        assert SECRET not in cause.detail


def webhook(signed: bytes = BODY, secret: bytes = RAW, at: int = NOW) -> Request:
    string = f"msg_1.{at}.".encode() + signed
    signature = base64.b64encode(hmac.digest(secret, string, "sha256")).decode()
    headers = (("webhook-id", "msg_1"), ("webhook-timestamp", str(at)), ("webhook-signature", f"v1,{signature}"))
    return Request("POST", "/hook", headers, BODY, "https://hooks.example.com")


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (webhook(), set()),
        (webhook(signed=b'{"a":1}'), {"body-reserialised"}),
        (webhook(signed=BODY.rstrip()), {"body-trailing-newline"}),
        (webhook(signed=b""), {"body-empty"}),
        (webhook(signed=b"something else"), {"unexplained"}),
        (webhook(at=NOW + 3600), {"timezone"}),
        (webhook(at=NOW - 3600), {"clock-skew"}),
    ],
)
def test_a_webhook(request_: Request, codes: set[str]) -> None:
    causes = diagnose(request_, scheme("webhook", "webhook"), {"webhook": WHSEC}, NOW)
    assert {cause.code for cause in causes} == codes


def test_their_strings_to_sign_are_explained_line_by_line() -> None:
    found = explain(scheme("small_s3", "SmallS3"), s3_request(), now=NOW)
    assert [part.value for part in found.parts] == [
        b"PUT\n", b"\n", b"text/plain\n", b"Thu, 07 Nov 2024 10:21:15 GMT\n", b"/a%20b",
    ]  # fmt: skip
    text = str(explain(scheme("webhook", "webhook"), webhook(), "webhook", now=NOW))
    assert "    msg_1.\n" in text
    assert "    1730974875.\n" in text
    assert "    <the body, 9 bytes>\n" in text
    assert "header webhook-signature: v1,<signature>" in text
    assert '"a"' not in text
