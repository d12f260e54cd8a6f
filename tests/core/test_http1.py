"""One clean HTTP/1.1 message is read; whatever two servers could read in two ways is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from undersign import ConfigError, Reason, Rejected, Request
from undersign.core.http1 import RequestReader

_GET = b"GET /p?q HTTP/1.1\r\nHost: h\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"


def _refusal(raw: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        Request.from_http(raw)
    assert caught.value.reason is Reason.MALFORMED
    return caught.value.detail


def test_a_message_without_a_body_is_read() -> None:
    request = Request.from_http(_GET, "https://h")
    assert request == Request("GET", "/p?q", (("Host", "h"),), b"", "https://h")


def test_header_names_keep_their_case_and_values_their_bytes() -> None:
    request = Request.from_http(b"GET / HTTP/1.1\r\nhOST: h\r\nX-a:  \xc3\xbc b \r\nX-A:\r\n\r\n")
    assert request.headers == (("hOST", "h"), ("X-a", "\xc3\xbc b"), ("X-A", ""))


def test_a_body_of_a_given_length_is_read() -> None:
    assert Request.from_http(_POST + b"Content-Length: 4\r\n\r\n\r\n\r\n").body == b"\r\n\r\n"


def test_a_chunked_body_is_put_together() -> None:
    assert Request.from_http(_CHUNKED + b"2\r\nab\r\n00A\r\n0123456789\r\n0\r\n\r\n").body == b"ab0123456789"


def test_a_length_may_follow_its_colon_at_once() -> None:
    assert Request.from_http(_POST + b"Content-Length:4\r\n\r\nabcd").body == b"abcd"


def test_a_chunked_body_may_come_byte_by_byte() -> None:
    reader = RequestReader()
    pieces: list[bytes] = []
    for byte in _CHUNKED + b"64\r\n" + b"a" * 100 + b"\r\n0\r\n\r\n":
        pieces += reader.feed(bytes([byte]))
    assert reader.done
    assert b"".join(pieces) == b"a" * 100


def test_an_absolute_target_stays_as_it_was_sent() -> None:
    assert Request.from_http(b"GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n").target == "http://h/p"


def test_http_1_0_needs_no_host() -> None:
    assert Request.from_http(b"GET / HTTP/1.0\r\n\r\n").headers == ()


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "ends before its head does: no empty line"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n", "ends before its head does: no empty line"),
        (_POST + b"Content-Length: 4\r\n\r\nabc", "its body does: Content-Length says 4 bytes, and 3 are there"),
        (_POST + b"Content-Length: 4\r\n\r\n", "its body does: Content-Length says 4 bytes, and 0 are there"),
        (_CHUNKED + b"3\r\nab", "its body does: the last chunk is not there"),
        (_CHUNKED + b"2\r\nab\r\n", "ends before"),
        (_CHUNKED + b"0\r\n", "ends before"),
        (b"\r\n" + _GET, "empty line before the request"),
        (b"\r\n\r\n" + _GET, "empty line before the request"),
        (b"\n" + _GET, "bare LF"),
        (_GET + b"\r\n", "bytes after the end"),
        (_GET + b"\n", "bytes after the end"),
        (_GET + b"\x00", "bytes after the end"),
        (_GET + _GET, "bytes after the end"),
        (_POST + b"Content-Length: 1\r\n\r\nab", "bytes after the end"),
        (_CHUNKED + b"0\r\n\r\n\r\n", "bytes after the end"),
        (_CHUNKED + b"0\r\n\r\n" + _GET, "bytes after the end"),
        (b"GET / HTTP/1.1\nHost: h\r\n\r\n", "bare LF"),
        (b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", "bare LF"),
        (b"GET / HTTP/1.1\r\nHost: h\n\r\n\r\n", "bare LF"),
        (b"GET / HTTP/1.1\nHost: h\n\n", "they end in LF alone"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\n" + _GET, "bare LF"),
        (b"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", "CR that ends no line"),
        (b"GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", "CR that ends no line"),
        (b"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", "CR that ends no line"),
        (_CHUNKED + b"0\r\n\n", "bare LF"),
        (_CHUNKED + b"1\r\na\r\n0\r\n\n", "bare LF"),
        (_CHUNKED + b"1\na\r\n0\r\n\r\n", "not clean HTTP: illegal chunk header"),
        (_CHUNKED + b"1\r\na\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"1\r\nab\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"-1\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"+1\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"1_0\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b" 1\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"g\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"1" * 21 + b"\r\na\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED + b"0\r\nX: y\r\n\r\n", "there are trailers"),
        (_CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "there are trailers"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n X: y\r\n\r\n", "folded over several lines"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\tX: y\r\n\r\n", "folded over several lines"),
        (b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", "folded over several lines"),
        (_POST + b"Content-Length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "beside Transfer-Encoding"),
        (_POST + b"Content-Length: 1\r\ncontent-length: 1\r\n\r\na", "Content-Length is repeated"),
        (_POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "Content-Length is repeated"),
        (_POST + b"Content-Length: 1, 1\r\n\r\na", "Content-Length is not one number"),
        (_POST + b"Content-Length: +1\r\n\r\na", "Content-Length is not one number"),
        (_POST + b"Content-Length: -1\r\n\r\n", "Content-Length is not one number"),
        (_POST + b"Content-Length:\r\n\r\n", "Content-Length is not one number"),
        (_POST + b"Content-Length: 0x1\r\n\r\na", "Content-Length is not one number"),
        (_POST + b"Content-Length: 1_0\r\n\r\n0123456789", "Content-Length is not one number"),
        (_POST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", "Content-Length is not one number"),
        (_POST + b"Content-Length : 1\r\n\r\na", "not clean HTTP"),
        (_POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not clean HTTP"),
        (_POST + b"Transfer-Encoding: identity\r\n\r\n", "not clean HTTP"),
        (_POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "not clean HTTP"),
        (_CHUNKED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "not clean HTTP"),
        (_CHUNKED.replace(b"/1.1", b"/1.0") + b"0\r\n\r\n", "Transfer-Encoding needs HTTP/1.1"),
        (_GET.replace(b"/1.1", b"/2.0"), "not that of HTTP/1.1"),
        (_GET.replace(b"/1.1", b"/1.2"), "not that of HTTP/1.1"),
        (_GET.replace(b"/1.1", b"/0.9"), "not that of HTTP/1.1"),
        (_GET.replace(b"HTTP", b"http"), "not that of HTTP/1.1"),
        (_GET.replace(b" HTTP/1.1", b""), "not that of HTTP/1.1"),
        (_GET.replace(b" HTTP/1.1", b" HTTP/1.1 "), "not that of HTTP/1.1"),
        (_GET.replace(b"GET ", b"GET  "), "not clean HTTP"),
        (_GET.replace(b"GET ", b"GET\t"), "not clean HTTP"),
        (_GET.replace(b"GET", b"G(T"), "not clean HTTP"),
        (_GET.replace(b"/p", b"/p q"), "not clean HTTP"),
        (_GET.replace(b"/p", b"/\xc3\xbc"), "not clean HTTP"),
        (_GET.replace(b"/p", b"/\x00"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"X: y"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nHost: h"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nX: a\x00b"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nX\x00: a"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nno colon"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\n: y"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nX : y"), "not clean HTTP"),
        (_GET.replace(b"Host: h", b"Host: h\r\nX" + b"y" * 65536 + b": z"), "the head is longer than 65536 bytes"),
        (b"G" * 65537, "the head is longer than 65536 bytes"),
    ],
)
def test_what_is_not_one_clean_message_is_refused(raw: bytes, detail: str) -> None:
    assert detail in _refusal(raw)


@pytest.mark.parametrize(
    ("raw", "part", "fault"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "Host", "absent"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "Host", "repeated"),
        (_POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "Content-Length", "repeated"),
    ],
)
def test_a_header_that_is_absent_or_repeated_is_named(raw: bytes, part: str, fault: str) -> None:
    with pytest.raises(Rejected) as caught:
        Request.from_http(raw)
    assert (caught.value.part, caught.value.fault) == (part, fault)


def test_a_refusal_does_not_repeat_the_line_at_fault() -> None:
    assert "hush" not in _refusal(_GET.replace(b"Host: h", b"Host: h\r\nAuthorization : hush"))


def test_a_head_that_is_too_long_is_refused_however_it_arrives() -> None:
    raw = _GET.replace(b"Host: h", b"Host: h\r\nX: " + b"y" * 65536)
    reader = RequestReader()
    for start in range(0, 65_000, 1000):
        reader.feed(raw[start : start + 1000])
    with pytest.raises(Rejected, match="the head is longer"):
        reader.feed(raw[65_000:])


def test_a_head_of_just_the_limit_is_read() -> None:
    raw = _GET.replace(b"Host: h", b"Host: h\r\nX: " + b"y" * (65536 - len(_GET) - len(b"\r\nX: ")))
    assert len(raw) == 65536
    assert len(Request.from_http(raw).headers) == 2


def test_a_reader_gives_the_head_before_the_body() -> None:
    reader = RequestReader()
    assert reader.feed(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Le") == []
    assert reader.head is None
    assert reader.feed(b"ngth: 3\r\n\r\n") == []
    assert reader.head is not None
    assert reader.head[:2] == ("POST", "/")
    assert reader.waits_for_continue
    assert not reader.done
    assert reader.feed(b"ab") == [b"ab"]
    assert not reader.waits_for_continue
    assert reader.feed(b"") == []
    assert reader.feed(b"c") == [b"c"]
    assert reader.done
    assert reader.finish() == reader.head


def test_a_reader_takes_nothing_after_the_end() -> None:
    reader = RequestReader()
    reader.feed(_GET)
    assert reader.feed(b"") == []
    with pytest.raises(Rejected, match="bytes after the end"):
        reader.feed(b"\r\n")


def test_a_reader_without_h11_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h11", None)
    with pytest.raises(ConfigError, match="reading raw HTTP needs h11"):
        RequestReader()


def test_without_h11_raw_bytes_are_a_config_error_that_says_what_to_install() -> None:
    program = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "h11":
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
import undersign
try:
    undersign.Request.from_http(b"GET / HTTP/1.1\\r\\n\\r\\n")
except undersign.ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "reading raw HTTP needs h11: pip install 'undersign[cli]'\n"
