"""Requests, schemes, key ids, secrets and clocks, the odd ones included."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from hypothesis import strategies as st

from undersign import Credential, HttpHmac, KeyedTimestamp, Request, Scheme, Window

_UPPER_TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TARGET = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
_OWN_HEADERS = ("authorization", "content-type", "date", "x-date", "x-one", "x-two", "x-under", "host")

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "M-SEARCH"]) | st.text(
    _UPPER_TOKEN, min_size=1, max_size=8
)
_target_parts = st.sampled_from(
    ["/", "//", "..", "?", "&", "&&", "=", "%2f", "%2F", "%00", "[", "]", "+", ";", "~", "a"]
)
targets = st.builds(
    lambda parts: "/" + "".join(parts), st.lists(_target_parts | st.text(_TARGET, max_size=5), max_size=8)
)
_latin_1 = st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.characters(min_codepoint=0x80, max_codepoint=0xFF)
header_values = st.text(_latin_1, max_size=12).map(lambda value: value.strip(" "))
bodies = st.binary(max_size=40) | st.sampled_from([b"", b"{}", b"a=1&b=2", b"\x00", b"\r\n\r\n", "ü".encode()])
# All that is text but control characters; a tab is one for GoGrid alone.
key_ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in [*range(0x20), 0x7F]])
    | st.sampled_from(":\\ü 密"),
    min_size=1,
    max_size=12,
)
secrets = st.binary(min_size=1, max_size=80) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20
)
clocks = st.integers(-62_135_596_800, 253_402_300_799) | st.floats(-62_135_596_800, 253_402_300_799)
windows = st.builds(Window, st.integers(0, 30), st.integers(0, 30))


def _is_own(name: str) -> bool:
    folded = name.lower().replace("_", "-")
    return folded in _OWN_HEADERS or folded == "x-http-method-override"


other_headers = st.lists(
    st.tuples(st.text("abcXYZ-_019", min_size=1, max_size=8).filter(lambda name: not _is_own(name)), header_values),
    max_size=3,
).map(tuple)

_content_types = st.sampled_from(
    ["application/json", "", "text/plain; charset=UTF-8", "multipart/form-data; boundary=aB", "  text/csv\t"]
)


@st.composite
def http_hmac_schemes(draw: st.DrawFn) -> HttpHmac:
    return HttpHmac(
        provider=draw(st.sampled_from(["gotom_app_api", "Acquia", "p!"])),
        algorithm=draw(st.sampled_from(["sha1", "sha256", "sha512", "sha224", "sha384", "md5"])),
        signed_headers=tuple(
            draw(st.lists(st.sampled_from(["X-One", "x-two", "X-Under", "x-one", "Host"]), max_size=3))
        ),
        drop_blank_headers=draw(st.booleans()),
        content_type=draw(st.sampled_from(["application/json", "", "text/plain; A=ü"])),
        date_header=draw(st.sampled_from(["Date", "X-Date"])),
        date_precision=draw(st.sampled_from(["seconds", "milliseconds"])),
        multipart_as_empty=draw(st.booleans()),
        window=draw(windows),
    )


@st.composite
def http_hmac_requests(draw: st.DrawFn) -> Request:
    headers = list(draw(other_headers))
    present = [name for name in ("X-One", "x-Two", "X-UNDER") if draw(st.booleans())]
    headers += [(name, draw(header_values | st.sampled_from(["0", "", " "]))) for name in present]
    if draw(st.booleans()):
        headers.append(("content-Type", draw(_content_types)))
    if draw(st.booleans()):
        headers.append(("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    order = draw(st.permutations(headers))
    return Request(draw(methods), draw(targets), tuple(order), draw(bodies), "https://api.example.com")


@st.composite
def keyed_schemes(draw: st.DrawFn) -> KeyedTimestamp:
    key, sig, version = draw(st.permutations(["api_key", "sig", "v", "a b", "k&=%+?", "schlüssel", "键"]))[:3]
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options = {"version_param": version, "version": draw(st.sampled_from(["1.0", "2&", "ü"]))}
        options["versions"] = draw(st.sampled_from([frozenset(), frozenset({options["version"], "1.9"})]))
    return KeyedTimestamp(
        key_param=key,
        name="keyed",
        sig_param=sig,
        algorithm=draw(st.sampled_from(["md5", "sha1", "sha256"])),
        placement=draw(st.sampled_from(["auto", "query"])),
        methods=draw(st.sampled_from([("GET", "POST"), ("GET", "POST", "PUT", "M-SEARCH")])),
        window=draw(windows),
        **options,
    )


def _other_fields(scheme: KeyedTimestamp) -> st.SearchStrategy[str]:
    """Queries and forms as they come, without the scheme's own parameters."""
    own = {scheme.key_param, scheme.sig_param, scheme.version_param}
    pieces = st.sampled_from(
        ["", "a", "b=1", "server=a", "server=b", "q=%2f", "q=%C3%BC", "+", "=", "==", "%", "a;b", "%ff"]
    )
    text = st.text([character for character in _TARGET if character != "&"], max_size=6)

    def is_other(field: str) -> bool:
        name = unquote_to_bytes(field.partition("=")[0].replace("+", " ")).decode("utf-8", "replace")
        return name not in own

    return st.lists((pieces | text).filter(is_other), max_size=5).map("&".join)


@st.composite
def keyed_requests(draw: st.DrawFn, scheme: KeyedTimestamp) -> Request:
    path = draw(st.sampled_from(["/", "/api/grid/server/list", "//a%2Fb/../c"]))
    query = draw(_other_fields(scheme))
    target = path + draw(st.sampled_from(["?", ""]) if not query else st.just("?")) + query
    method = draw(st.sampled_from(scheme.methods))
    headers = list(draw(other_headers))
    body = b""
    if method != "GET":
        kind = draw(st.sampled_from(["", "form", "json"]))
        if kind == "form":
            headers.append(("Content-type", "application/X-www-form-urlencoded ; charset=utf-8"))
            body = draw(_other_fields(scheme)).encode("latin-1")
        elif kind == "json":
            headers.append(("Content-Type", "application/json"))
            body = draw(bodies)
    return Request(method, target, tuple(headers), body, "https://api.example.com")


@st.composite
def signings(draw: st.DrawFn) -> tuple[Scheme, Request, Credential, float]:
    """A scheme with a request that it can sign, a credential and a clock."""
    now = draw(clocks)
    if draw(st.booleans()):
        scheme: Scheme = draw(http_hmac_schemes())
        request = draw(http_hmac_requests())
        key_id = draw(key_ids | key_ids.map(lambda text: f" \t{text}\t"))
    else:
        scheme = draw(keyed_schemes())
        request = draw(keyed_requests(scheme))
        key_id = draw(key_ids)
    return scheme, request, Credential(key_id, draw(secrets)), now


anything = st.text(max_size=12) | st.text(
    st.characters(max_codepoint=0x7F) | st.sampled_from("\ud800\udfffÿĀ\x00\r\n\t :\\=&?#%"), max_size=12
)


def near(*texts: str) -> st.SearchStrategy[str]:
    """One of the texts, whole or with a character changed, or any text at all."""

    def change(text: str, at: int, piece: str) -> str:
        place = at % (len(text) + 1)
        return text[:place] + piece + text[place + 1 :]

    chosen = st.sampled_from(texts)
    changed: st.SearchStrategy[str] = st.builds(change, chosen, st.integers(0, 200), anything)
    return chosen | changed | anything


def mutated(make: Callable[[], bytes]) -> st.SearchStrategy[bytes]:
    """The bytes with some of them changed, dropped, repeated or moved."""
    raw = make()

    def change(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = raw
        for start, length, piece in edits:
            place = start % (len(data) + 1)
            data = data[:place] + piece + data[place + length :]
        return data

    pieces = st.binary(max_size=3) | st.sampled_from(
        [b"\r\n", b"\n", b" ", b"0\r\n\r\n", b"\x00", re.sub(rb".*\r\n\r\n", b"", raw)]
    )
    return st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 4), pieces), min_size=1, max_size=4).map(change)
