"""What a client has signed is what it sends, byte for byte, whatever the URL and the body."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.callers import Caller
from tests.clients.conftest import KEY_ID, NOW, SECRET
from tests.clients.wire import WireServer
from undersign import CannotSign, Claim, ConfigError, GoGrid, GoTom, HttpHmac, Request, Scheme, Verifier
from undersign.clients.requests import SignatureAuth

TARGETS = [
    "/",
    "",
    "/p?",
    "/p?d=%2f",
    "/p?a=1&&b=2&",
    "/p?&",
    "/%7e/%41",
    "/a//b/",
    "//a/b",
    "/a/../b/./c",
    "/käse?q=ü",
    "/p?q=a b+c%20d",
    "/p?f[]=1&f[0]=2",
    '/p?q="y"<z>|^`',
    "/p?server=a&server=b",
    "/p#fragment",
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("target", TARGETS)
def test_every_target_verifies(
    caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer, target: str
) -> None:
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call("GET", server.url + target, auth=auth) == 200
    assert server.verified(verifier).key_id == KEY_ID


def test_params_are_signed_as_they_are_sent(
    caller: Caller, scheme: Scheme, verifier: Verifier, server: WireServer
) -> None:
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url + "/p", params={"d": "%2f ü&", "e": ["1", "2"]}, auth=auth)
    assert server.verified(verifier).key_id == KEY_ID


def test_gogrid_leaves_the_other_bytes_of_a_query_alone(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=lambda: NOW)
    caller.call("GET", server.url + "/p?a=1&&server=x&server=y&b=%2F&", auth=auth)
    target = server.received().target
    assert target.startswith("/p?a=1&&server=x&server=y&b=%2F&api_key=key&sig=")
    assert target.endswith("&v=1.5")


BODIES: list[dict[str, Any]] = [
    {"json": {"name": "ü", "list": [1, 2]}},
    {"data": {"a": "1", "b": "ü &"}},
    {"files": {"f": ("name.bin", b"\x00\x01binary", "application/octet-stream")}},
    {"files": {"f": ("name.txt", "text")}, "data": {"field": "value"}},
    {},
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("body", BODIES, ids=["json", "form", "file", "multipart", "none"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_body_verifies(caller: Caller, server: WireServer, method: str, body: dict[str, Any]) -> None:
    if method == "DELETE" and caller.name.startswith("httpx") and body:
        body = {}  # httpx's delete takes no body; request() does, and the other methods have shown it
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call(method, server.url + "/p?x=1", auth=auth, **body) == 200
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


@pytest.mark.parametrize("body", BODIES, ids=["json", "form", "file", "multipart", "none"])
def test_every_post_to_gogrid_verifies(caller: Caller, server: WireServer, body: dict[str, Any]) -> None:
    scheme = GoGrid(allow_http=True)
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    assert caller.call("POST", server.url + "/p?x=1", auth=auth, **body) == 200
    assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_gogrid_goes_into_a_form_with_the_right_length(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoGrid(allow_http=True), "key", SECRET, clock=lambda: NOW)
    caller.call("POST", server.url + "/p", data={"server": ["a", "b"], "c": "ü"}, auth=auth)
    request = server.received()
    assert request.target == "/p"
    assert isinstance(request.body, bytes)
    assert request.body.startswith(b"server=a&server=b&c=%C3%BC&api_key=key&sig=")
    assert request.values("content-length") == [str(len(request.body))]


@pytest.mark.parametrize("body", [b"", b"\x00\xff\r\n", b"{}\n", "ü€".encode()])
def test_raw_bytes_verify_and_get_the_default_content_type(
    caller: Caller, verifier: Verifier, scheme: Scheme, server: WireServer, body: bytes
) -> None:
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url + "/p", auth=auth, **caller.raw(body))
    assert server.verified(verifier).key_id == KEY_ID
    assert server.received().body == body
    if isinstance(scheme, GoTom):
        assert server.received().values("content-type") == ["application/json"]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_requests_takes_every_kind_of_bytes(server: WireServer, kind: Any) -> None:
    auth = SignatureAuth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    requests.post(server.url, data=kind(b"\x00x"), auth=auth, timeout=30)
    assert server.received().body == b"\x00x"
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_text_outside_latin_1_is_sent_as_the_utf_8_that_was_signed(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url, auth=auth, **caller.raw("Ω≈ç"))
    assert server.received().body == "Ω≈ç".encode()
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_a_file_is_signed_and_sent_from_where_it_stands(caller: Caller, server: WireServer, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"headtail of the file")
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    with path.open("rb") as file:
        file.seek(4)
        caller.call("PUT", server.url, auth=auth, **caller.raw(file))
    assert server.received().body == b"tail of the file"
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


@pytest.mark.parametrize("pieces", [[b"one", b"two"], [], [b"x" * 700_000] * 3], ids=["small", "none", "on disk"])
def test_a_generator_is_signed_and_sent_with_a_length(caller: Caller, server: WireServer, pieces: list[bytes]) -> None:
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url, auth=auth, **caller.stream(pieces))
    request = server.received()
    assert request.body == b"".join(pieces)
    assert request.values("content-length") == [str(sum(map(len, pieces)))]
    assert request.values("transfer-encoding") == []
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_gogrid_leaves_a_stream_alone_that_it_does_not_need(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoGrid(allow_http=True), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url, auth=auth, **caller.stream([b"one", b"two"]))
    assert server.received().body == b"onetwo"
    assert server.received().values("transfer-encoding") == ["chunked"]


def test_a_preset_date_is_replaced_and_exactly_one_goes_out(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth, headers={"date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    assert server.received().values("date") == ["2024-11-07T10:21:15Z"]


def test_a_content_type_of_the_caller_stays(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoTom(), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("POST", server.url, auth=auth, headers={"Content-Type": "Text/Plain"}, **caller.raw(b"x"))
    assert server.received().values("content-type") == ["Text/Plain"]
    assert server.verified(Verifier(GoTom(), {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_custom_headers_and_the_host_are_signed_as_they_are_sent(caller: Caller, server: WireServer) -> None:
    scheme = HttpHmac(provider="Acme", signed_headers=("X-Name", "Host", "X-Absent"))
    auth = caller.auth(scheme, KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth, headers={"x-name": "Value"})
    assert server.received().values("host") == [server.url.removeprefix("http://")]
    assert server.verified(Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW)).key_id == KEY_ID


def test_the_real_server_s_multipart_rule_signs_the_body_as_nothing(caller: Caller, server: WireServer) -> None:
    scheme = GoTom(multipart_as_empty=True)
    auth = caller.auth(scheme, "u", SECRET, clock=lambda: NOW)
    caller.call("POST", server.url + "/p", auth=auth, files={"f": b"content"})
    request = server.received()
    content_type = request.values("content-type")[0].lower()
    nothing = hashlib.md5(b"", usedforsecurity=False).hexdigest()
    lines = ["POST", nothing, content_type, "2024-11-07T10:21:15Z", "", "/p"]
    strict = Verifier(scheme, {"u": SECRET}, clock=lambda: NOW)
    assert strict.verify(request).key_id == "u"
    assert scheme.string_to_sign(request, Claim("u", NOW)) == "\n".join(lines).encode()


def test_milliseconds_can_be_sent(caller: Caller, server: WireServer) -> None:
    auth = caller.auth(GoTom(date_precision="milliseconds"), KEY_ID, SECRET, clock=lambda: NOW)
    caller.call("GET", server.url, auth=auth)
    assert server.received().values("date") == ["2024-11-07T10:21:15.250Z"]


class TestBadInput:
    def test_a_text_file_is_refused_with_the_remedy(self, caller: Caller, server: WireServer) -> None:
        auth = caller.auth(GoTom(), KEY_ID, SECRET)
        with pytest.raises(CannotSign, match="binary mode"):
            caller.call("POST", server.url, auth=auth, **caller.raw(io.StringIO("text")))
        assert server.requests == []

    def test_gogrid_over_plain_http_is_refused(self, caller: Caller, server: WireServer) -> None:
        auth = caller.auth(GoGrid(), KEY_ID, SECRET)
        with pytest.raises(CannotSign, match="use https"):
            caller.call("GET", server.url, auth=auth)
        assert server.requests == []

    def test_a_credential_goes_to_its_origins_alone(self, caller: Caller, server: WireServer) -> None:
        auth = caller.auth(GoTom(), KEY_ID, SECRET, origins=["https://api.example.com"])
        with pytest.raises(CannotSign, match=r"https://api\.example\.com"):
            caller.call("GET", server.url, auth=auth)
        assert server.requests == []

    @pytest.mark.parametrize(("key_id", "secret"), [("", SECRET), ("u", ""), ("u\n", SECRET)])
    def test_a_credential_that_cannot_work_is_refused_when_it_is_made(
        self, caller: Caller, key_id: str, secret: str
    ) -> None:
        with pytest.raises(ConfigError):
            caller.auth(GoTom(), key_id, secret)

    def test_a_scheme_class_in_place_of_an_object_is_refused(self, caller: Caller) -> None:
        with pytest.raises(ConfigError, match=r"write GoTom\(\)"):
            caller.auth(GoTom, KEY_ID, SECRET)


def test_the_request_is_read_strictly_here() -> None:
    """The checks above rest on from_http; it must not mend what a client does wrong."""
    raw = b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with pytest.raises(Exception, match="malformed"):
        Request.from_http(raw)
