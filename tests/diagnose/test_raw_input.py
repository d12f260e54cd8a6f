"""Raw HTTP that an editor, a copy or a proxy has changed: taken where only one reading is possible, and said."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import KEY_ID, NOW, SECRET, undersign
from undersign import Credential, GoTom, Reason, Rejected, Request, sign

AT = ("--at", NOW)


def raw(body: bytes = b"", method: str = "POST", *, with_length: bool = True) -> bytes:
    """A signed request as it is on the wire."""
    request = Request(method, "/x?y", (("Host", "a.example"),), body, "https://a.example")
    request = sign(GoTom(), request, Credential(KEY_ID, SECRET), now=float(NOW)).apply(request)
    length = (("Content-Length", str(len(body))),) if with_length else ()
    lines = [f"{method} /x?y HTTP/1.1", *(f"{name}: {value}" for name, value in (*request.headers, *length))]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def lf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


ONE = b'{"a": 1}'
SEVERAL = b"one\r\ntwo\r\nthree"
ENDED = b"one\ntwo\n"
CHUNKED = raw(ONE, with_length=False).replace(b"Host", b"Transfer-Encoding: chunked\r\nHost").replace(
    ONE, b"8\r\n" + ONE + b"\r\n0\r\n\r\n"
)  # fmt: skip
AS_MITMPROXY_EXPORTS_IT = (
    raw(ONE).replace(b"/x?y HTTP/1.1", b"https://a.example/x?y HTTP/2.0").replace(b"Host: a.example\r\n", b"")
)
LF_ALONE = "the lines of the head end in LF alone"
NO_LENGTH = "there is no Content-Length, so all that is behind the head is the body, 8 bytes"
BEHIND = "what is behind the body, line ends alone, is left out: so it has its Content-Length"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # one newline too many, and more
        (raw(ONE) + b"\n", (BEHIND,)),
        (raw(ONE) + b"\r\n", (BEHIND,)),
        (raw(ONE) + b"\n\n\r\n", (BEHIND,)),
        (raw(ENDED) + b"\n", (BEHIND,)),
        (raw() + b"\n", (BEHIND,)),
        (raw(method="GET", with_length=False) + b"\n", ("what is behind the head, line ends alone, is left out",)),
        (raw(ONE).replace(b"\r\n\r\n", b"\r\n\r\n\r\n"), ("the empty line in front of the body is left out",)),
        (b"\r\n" + raw(ONE), ("the empty line before the request is left out",)),
        (b"\n\n" + raw(ONE), ("the empty line before the request is left out",)),
        (CHUNKED + b"\n", ("what is behind the last chunk, line ends alone, is left out",)),
        # no Content-Length
        (raw(ONE, with_length=False), (NO_LENGTH,)),
        (lf(raw(ONE, with_length=False)), (LF_ALONE, NO_LENGTH)),
        (raw(b"one\ntwo", with_length=False), ("the body, 7 bytes",)),
        # LF alone
        (lf(raw()), (LF_ALONE,)),
        (lf(raw(method="GET", with_length=False)), (LF_ALONE,)),
        (lf(raw(ONE)), (LF_ALONE,)),
        (lf(raw(ONE)) + b"\n", (LF_ALONE, BEHIND)),
        (lf(raw(SEVERAL)), (LF_ALONE, "the lines of the body end in CR LF: so it has its Content-Length")),
        (lf(raw(SEVERAL)) + b"\n", (LF_ALONE, "the lines of the body end in CR LF, and what is behind it is left out")),
        (lf(raw(b"a\r\nb\r\n")), (LF_ALONE, "the lines of the body end in CR LF: so")),
        (lf(raw(ENDED)), (LF_ALONE, "the line ends of the body are taken as they are")),
        (lf(CHUNKED), (LF_ALONE,)),
        (lf(CHUNKED) + b"\n", (LF_ALONE, "what is behind the last chunk, line ends alone, is left out")),
        # and the rest of the kind
        (b"\xef\xbb\xbf" + raw(ONE), ("byte order mark",)),
        (b"\xef\xbb\xbf" + lf(raw(ONE)) + b"\n", ("byte order mark", LF_ALONE, BEHIND)),
        (raw(ONE).replace(b"HTTP/1.1", b"HTTP/2"), ("read as that of HTTP/1.1",)),
        (lf(raw(ONE)).replace(b"HTTP/1.1", b"HTTP/2.0"), ("read as that of HTTP/1.1", LF_ALONE)),
        (raw(ONE).replace(b"HTTP/1.1", b"HTTP/3"), ("read as that of HTTP/1.1",)),
        (AS_MITMPROXY_EXPORTS_IT, ("read as that of HTTP/1.1",)),
        (raw(ONE).decode().encode("utf-16"), ("is UTF-16",)),
        (raw(ONE).decode().encode("utf-16-le"), ("is UTF-16",)),
        (raw(ONE).decode().encode("utf-16-be"), ("is UTF-16",)),
        (raw('{"ä": 1}'.encode()).decode().encode("utf-16"), ("what of it is not ASCII is read as UTF-8",)),
        # an empty line that got lost
        (raw(method="GET", with_length=False)[:-2], ("the empty line behind the headers",)),
        (raw(method="GET", with_length=False)[:-4], ("the empty line behind the headers",)),
        (lf(raw())[:-1], ("the empty line behind the headers", LF_ALONE)),
    ],
)
def test_what_can_be_read_in_one_way_only_is_taken_and_that_is_said(content: bytes, said: tuple[str, ...]) -> None:
    verified = undersign("verify", *AT, stdin=content)
    assert (verified.code, verified.text) == (0, f"valid: gotom, signed by {KEY_ID}\n")
    lines = verified.err.splitlines()
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines, strict=True))
    diagnosed = undersign("diagnose", *AT, stdin=content)
    assert (diagnosed.code, diagnosed.text, diagnosed.err) == (0, "fine: the request verifies\n", verified.err)
    explained = undersign("explain", *AT, stdin=content)
    assert (explained.code, explained.err) == (0, verified.err)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (raw(ONE + b"\n", with_length=False), "add Content-Length: 9, or 8 without it"),
        (lf(raw(ONE, with_length=False)) + b"\n", "add Content-Length: 9, or 8 without it"),
        (raw(ONE + b"\r\n", with_length=False), "add Content-Length: 10, or 8 without it"),
        (lf(raw(b"one\r\ntwo", with_length=False)), "is not known: add Content-Length: 7 for LF, or 8 for CR LF"),
        (raw(method="GET", with_length=False) + raw(ONE), "there is a second request behind the first"),
        (raw(ONE + b"\n").replace(ONE, b"\n" + ONE), "can be read in more than one way"),
        # what is no request of HTTP/1.1
        (b"", "standard input is empty"),
        (b"\n\r\n ", "standard input is empty"),
        (b"hello\n", "standard input is no request: raw HTTP begins with a line such as GET /path HTTP/1.1"),
        (b"\xff\x00" * 99, "is no request"),
        (bytes(range(256)), "is no request"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "it is a picture"),
        (b"%PDF-1.7\n", "it is a PDF"),
        (b"PK\x03\x04" + bytes(99), "it is a ZIP archive"),
        (b"\x1f\x8b\x08" + bytes(99), "it is compressed by gzip"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "let Wireshark follow the HTTP stream"),
        (b"<!DOCTYPE html>", "it is HTML or XML"),
        (b"wget https://a.example/\n", "a command of another client"),
        (b"http POST a.example/x a=b\n", "a command of another client"),
        (b"GET /x\r\nHost: a\r\n\r\n", "its first line has no version"),
        (b"Host: a\r\nAuthorization: x\r\n\r\n", "its first line is missing"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "it is an answer"),
        (b"> " + raw(ONE).replace(b"\r\n", b"\r\n> "), "as curl -v shows them"),
        (b"* Connected to a.example\n> GET / HTTP/1.1\n", "as curl -v shows them"),
        (b":authority: a.example\n:method: GET\n:path: /\n", "pseudo headers of HTTP/2"),
        (b'fetch("/orders", {"method": "GET"});', "the URL of fetch is not absolute"),
        (b"Invoke-WebRequest -Method GET", "the command has no -Uri"),
        (b"$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession", "does something else than call"),
        (b"\xff\xfe\x00", "neither a request nor text in UTF-16"),
        (b'{"log": ', "not JSON"),
        (b'{"log": "\xff"}', "not in UTF-8"),
        (b"[]", "no HAR"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "diagnose", "explain"])
def test_what_cannot_be_read_exits_2_with_a_sentence(command: str, content: bytes, said: str) -> None:
    for json_too in ((), ("--json",)):
        result = undersign(command, *AT, *json_too, stdin=content)
        assert (result.code, result.out) == (2, b"")
        assert said in result.error


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (raw(ONE)[:-1], "Content-Length says 8 bytes, and 7 are there"),
        (raw(ONE).replace(b"\r\n\r\n", b"\r\n"), "no empty line follows the headers"),
        (lf(raw(ONE))[:-1], "Content-Length says 8 bytes, and 7 are there"),
        (raw(ONE) + b"x", "bytes after the end"),
        (raw(ONE) + b"\nx", "bytes after the end"),
        (raw(ONE).replace(b"\r\nHost", b"\nHost"), "a line ends in a bare LF"),
        (raw(ONE).replace(b"Host", b"Content-Length: 9\r\nHost"), "Content-Length is repeated"),
        (raw(ONE).replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"), "Content-Length beside Transfer-Encoding"),
        (raw(ONE).replace(b"Length: 8", b"Length: x"), "Content-Length is not one number"),
        (CHUNKED[:-2], "the last chunk is not there"),
        (lf(CHUNKED).replace(b"8\n", b"9\n"), "the last chunk is not there"),
    ],
)
def test_what_no_server_would_take_is_malformed(content: bytes, said: str) -> None:
    result = undersign("verify", *AT, stdin=content)
    assert result.code == 1
    assert result.text.startswith("invalid: malformed")
    assert said in result.text
    diagnosed = json.loads(undersign("diagnose", *AT, "--json", stdin=content).text)["causes"]
    assert [cause["code"] for cause in diagnosed] in (["unexplained"], ["header-repeated"])


def test_a_body_of_many_line_ends_takes_no_time() -> None:
    content = raw(ONE).replace(ONE, b"\n" * 4_000_000)
    assert undersign("verify", *AT, stdin=content).code in (1, 2)


def test_the_library_itself_stays_strict() -> None:
    for content in (raw(ONE) + b"\n", lf(raw(ONE)), raw(ONE, with_length=False), b"\r\n" + raw(ONE)):
        with pytest.raises(Rejected) as caught:
            Request.from_http(content)
        assert caught.value.reason is Reason.MALFORMED
