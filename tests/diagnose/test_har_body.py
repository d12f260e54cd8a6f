"""The bytes of a HAR's body: what its sizes, its encoding, its text and its parameters together allow, or a refusal."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from tests.cli.command import undersign
from undersign import Credential, GoGrid, GoTom, Request, sign
from undersign.inputs.har import request_of_har
from undersign.inputs.har_body import HarBody

NOW = 1730974875
GZIP = gzip.compress(b"hello", mtime=0)
DEFLATED = zlib.compress(b"a")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
CHUNKED = ("Transfer-Encoding", "chunked")
LATIN_1 = ("Content-Type", "text/plain; charset=latin1")


def length(number: int) -> tuple[str, str]:
    return "Content-Length", str(number)


def har(text: str | None, *headers: tuple[str, str], size: Any = None, creator: str = "", **post: Any) -> bytes:
    data = {"mimeType": "text/plain", **({} if text is None else {"text": text}), **post}
    pairs = [{"name": name, "value": value} for name, value in headers]
    request = {"method": "POST", "url": "https://a.example/", "headers": pairs, "postData": data, "bodySize": size}
    if not creator:
        return json.dumps(request).encode()
    return json.dumps({"log": {"creator": {"name": creator}, "entries": [{"request": request}]}}).encode()


def body(*arguments: Any, **keywords: Any) -> HarBody:
    return request_of_har(har(*arguments, **keywords), None).body


def coded(name: str) -> tuple[str, str]:
    return "Content-Encoding", name


@pytest.mark.parametrize(
    ("found", "content"),
    [
        (body("abc"), b"abc"),
        (body("abc", length(3), size=-1), b"abc"),
        (body("abc", ("Content-Length", "many")), b"abc"),
        # The length says which encoding it was; what was sent comes before what a program counts.
        (body("é", length(2)), "é".encode()),
        (body("é", length(1)), b"\xe9"),
        (body("ü", CHUNKED, LATIN_1, size=1), b"\xfc"),
        (body("ü", CHUNKED, size=1), b"\xfc"),
        (body("ü", CHUNKED, size=2.0), "ü".encode()),
        (body("ü", length(1), size=2, creator="WebInspector"), b"\xfc"),
        (body("ü", length(2), size=1, creator="Firefox"), "ü".encode()),
        (body("€", length(1), ("Content-Type", 'text/plain; charset="cp1252"')), b"\x80"),
        (body("€", length(1), LATIN_1), b"\x80"),
        (body("\x80", length(1), LATIN_1), b"\x80"),
        (body("é", length(1), ("Content-Type", "text/plain; charset=unheard-of")), b"\xe9"),
        (body("é", length(1), ("Content-Type", "text/plain; charset=undefined")), b"\xe9"),
        (body("é", length(1), ("Content-Type", "text/plain; charset=a\0b")), b"\xe9"),
        (body("é", length(1), ("Content-Type", "text/plain; charset=base64")), b"\xe9"),
        (body("é", length(1), ("Content-Type", "text/plain; charset=idna")), b"\xe9"),
        (body("é", length(4), ("Content-Type", "text/plain; charset=utf-16")), "é".encode("utf-16")),
        (body("\ufffd", length(3)), "\ufffd".encode()),
        # base64, told or not
        (body(base64.b64encode(b"\0\xff").decode(), encoding="base64"), b"\0\xff"),
        (body(base64.b64encode(b"\0\xff").decode(), _encoding="BASE64", size=2), b"\0\xff"),
        (body("AP8\r\nB\r\n", length(3), encoding="base64"), b"\0\xff\1"),
        (body(base64.b64encode(b"\0\xff").decode(), length(2)), b"\0\xff"),
        (body("data:image/png;base64,AP8=", length(2)), b"\0\xff"),
        (body("é", length(1), encoding="latin1"), b"\xe9"),
        # Content-Encoding
        (body(GZIP.decode("latin-1"), length(len(GZIP)), coded("gzip")), GZIP),
        (body(base64.b64encode(GZIP).decode(), length(len(GZIP)), coded("x-gzip"), encoding="base64"), GZIP),
        (body(DEFLATED.decode("latin-1"), length(len(DEFLATED)), coded("deflate")), DEFLATED),
        (body("\x0b\x02\x80hello\x03", length(9), coded("br")), b"\x0b\x02\x80hello\x03"),
        (body("abc", length(3), coded("identity")), b"abc"),
        (body("", length(0), coded("gzip")), b""),
        # no text
        (body(None), b""),
        (body("", length(0), size=0), b""),
        (body(None, FORM, length(3), params=[{"name": "a", "value": "b"}]), b"a=b"),
        (body(None, FORM, length(1), params=[{"name": "a", "value": ""}]), b"a"),
        (body(None, FORM, length(2), params=[{"name": "a"}]), b"a="),
        (body("", FORM, length(11), params=[{"name": "a", "value": "b+c%2f"}, {"name": "d"}]), b"a=b+c%2f&d="),
        (body(None, FORM, length(7), params=[{"name": "a", "value": "b@c"}]), b"a=b%40c"),
        (body(None, FORM, size=7, params=[{"name": "a", "value": "b@c"}]), b"a=b%40c"),
        # line ends that a program has made into others
        (body("a\nb", length(4)), b"a\r\nb"),
    ],
)  # fmt: skip
def test_what_only_one_reading_allows_is_taken(found: HarBody, content: bytes) -> None:
    assert (found.lacking, found.content) == ("", content)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (body("é", length(5)), "has 2 bytes, and 5 were sent (Content-Length), so it is not all there"),
        (body("abc", size=5), "has 3 bytes, and 5 were sent (bodySize)"),
        (body("abc", length(2), size=3), "and 2 were sent (Content-Length)"),
        (body("abc", size=0), "and 0 were sent (bodySize)"),
        (body(None, length(7)), "no body, and 7 bytes were sent (Content-Length)"),
        (body(None, size=7), "no body, and 7 bytes were sent (bodySize)"),
        (body(None, CHUNKED, size=-1), "no body, and the request had one, as Transfer-Encoding says"),
        (body("", length(7), _file="abc.bin"), "in a file beside it, 'abc.bin'"),
        (body("\ufffd", length(1)), "U+FFFD"),
        (body("a\ufffd", size=4, creator="WebInspector"), "U+FFFD"),
        (body("é", LATIN_1), "neither Content-Length nor bodySize tells"),
        (body("é", CHUNKED, ("Content-Type", "text/plain; charset=cp437"), size=-1), "neither Content-Length nor"),
        (body("©", length(1), ("Content-Type", "text/plain; charset=koi8-r")), "the same length in two encodings"),
        (body("\ud800"), "half of a character"),
        (body("?", encoding="base64"), "not in base64"),
        (body("?", encoding="rot13"), "an encoding that is not known"),
        (body("?", encoding=7), "an encoding that is not known"),
        (body("hello", length(len(GZIP)), coded("gzip")), "Content-Encoding (gzip) says"),
        (body("hello", coded("gzip")), "Content-Encoding (gzip) says"),
        (body("hello", coded("gzip"), length(5)), "Content-Encoding (gzip) says"),
        (body("hello", coded("deflate"), length(5)), "Content-Encoding (deflate) says"),
        (body("hello", coded("br"), size=5), "Content-Encoding (br) says"),
        (body("hello", coded("gzip, br"), length(5)), "Content-Encoding (br) says"),
        (body("hello", coded("zstd"), length(5)), "Content-Encoding (zstd) says"),
        (body(base64.b64encode(b"hello").decode(), coded("gzip"), encoding="base64"), "Content-Encoding (gzip)"),
        (body(None, FORM, length(10), params=[{"name": "a", "value": "b/c&"}]), "more than one way"),
        (body(None, FORM, params=[{"name": "a", "value": "b c"}]), "more than one way"),
        (body(None, FORM, length(2), params=[{"name": "a", "value": "b c"}]), "cannot be what was sent"),
        (body(None, FORM, params=[{"value": "b c"}]), "no name or no value"),
        (body(None, length(99), params=[{"name": "f", "fileName": "x"}]), "the parts of a multipart body"),
        (body(None, ("Content-Type", "multipart/form-data"), params=[{"name": "f", "value": "x"}]), "multipart"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(found: HarBody, said: str) -> None:
    assert said in found.lacking
    assert "give the request as raw HTTP" in found.lacking


def test_what_is_assumed_is_said() -> None:
    assert body("é").content == "é".encode()
    assert "taken for UTF-8" in body("é").note
    assert "taken for UTF-8" in body("é", size=1, creator="Firefox").note
    assert "CR LF" in body("a\nb", length(4)).note
    assert "base64" in body(base64.b64encode(b"\0\xff").decode(), length(2)).note
    assert "parameters" in body(None, FORM, length(3), params=[{"name": "a", "value": "b"}]).note


def signed(scheme: GoTom | GoGrid, *headers: tuple[str, str], content: bytes = b"") -> dict[str, Any]:
    request = Request("POST", "/x", (("Host", "a.example"), *headers), content, "https://a.example")
    request = sign(scheme, request, Credential("k", "the password you received"), now=NOW).apply(request)
    pairs = [{"name": name, "value": value} for name, value in request.headers]
    return {"method": "POST", "url": request.origin + request.target, "headers": pairs}


def test_a_body_that_no_signature_covers_need_not_be_there() -> None:
    """GoGrid signs a time and not the body; a form is read for its parameters, and goTom signs every byte."""
    lacking = {"postData": {"mimeType": "image/png"}, "bodySize": 9}
    for command in ("verify", "diagnose", "explain"):
        stdin = json.dumps({**signed(GoGrid(), ("Content-Type", "image/png")), **lacking}).encode()
        result = undersign(command, "--at", str(NOW), stdin=stdin)
        assert result.code == 0, result.err
        assert "the signature does not depend on the body, which is not known" in result.error
        for others in (
            {**signed(GoTom(), ("Content-Type", "image/png"), content=b"\x89PNG\r\n\x1a\n\0"), **lacking},
            {**signed(GoGrid(placement="query"), FORM), **lacking},
        ):
            result = undersign(command, "--at", str(NOW), stdin=json.dumps(others).encode())
            assert (result.code, result.out) == (2, b"")
            assert "no body, and 9 bytes were sent" in result.error
