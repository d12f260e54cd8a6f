"""The request that the benchmarks sign and verify, and the key that does it."""

from __future__ import annotations

KEY_ID, SECRET = "theusernameyoureceived", "thepasswordyoureceived"
NOW = 1_730_974_875.5
ORIGIN = "https://demo.gotom.io"
PATH, QUERY = "/app-api/campaign/26106", "expand=all"
TARGET = f"{PATH}?{QUERY}"
BODY = b'{"name": "' + b"x" * 1012 + b'"}'
HEADERS = (
    ("Host", "demo.gotom.io"),
    ("User-Agent", "python-requests/2.34.0"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept", "*/*"),
    ("Connection", "keep-alive"),
    ("Content-Type", "application/json"),
    ("X-Request-Id", "0123456789abcdef"),
    ("Cache-Control", "no-cache"),
)


def clock() -> float:
    return NOW
