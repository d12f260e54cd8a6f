"""HARs that real programs have written, beside the bytes that a server got: each body is those bytes, or is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from undersign import Request
from undersign.inputs.har import request_of_har

HARS = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "hars").glob("*.json"))}
ENTRIES = [
    pytest.param(name, number, id=f"{name}{urlsplit(entry['request']['url']).path}")
    for name, sample in HARS.items()
    for number, entry in enumerate(sample["har"]["log"]["entries"], 1)
]
# What each leaves out: the sentence of the refusal.
LACKING = {
    ("chromium", "/gzip"): "decoded, and other bytes were sent, as Content-Encoding (gzip) says",
    ("chromium", "/multipart"): "U+FFFD",
    ("mitmproxy", "/gzip"): "decoded, and other bytes were sent, as Content-Encoding (gzip) says",
    ("playwright", "/latin1"): "U+FFFD",
    ("playwright", "/binary"): "no body, and 4 bytes were sent (Content-Length)",
    ("playwright", "/gzip"): "U+FFFD",
    ("playwright", "/multipart"): "no body, and 285 bytes were sent",
    ("playwright", "/blob"): "no body, and 9 bytes were sent",
}


@pytest.mark.parametrize(("program", "number"), ENTRIES)
def test_the_request_is_the_one_that_the_server_got(program: str, number: int) -> None:
    sample: dict[str, Any] = HARS[program]
    head, body, clock, _ = request_of_har(json.dumps(sample["har"]).encode(), str(number))
    sent = Request.from_http(base64.b64decode(sample["sent"][head.target]))
    assert (head.method, head.target) == (sent.method, sent.target)
    assert sorted((name.lower(), value) for name, value in head.headers) == sorted(
        (name.lower(), value) for name, value in sent.headers
    )
    assert clock is not None
    lacking = LACKING.get((program, head.target.partition("?")[0]))
    if lacking is None:
        assert (body.lacking, body.content) == ("", sent.body)
    else:
        assert lacking in body.lacking
