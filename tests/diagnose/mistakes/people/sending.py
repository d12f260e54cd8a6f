"""Prints the request that requests would send, as JSON."""

from __future__ import annotations

import base64
import json
import sys


def send(method: str, url: str, body: bytes, headers: dict[str, str]) -> None:
    made = {"method": method, "url": url, "body": base64.b64encode(body).decode(), "headers": list(headers.items())}
    sys.stdout.write(json.dumps(made) + "\n")
