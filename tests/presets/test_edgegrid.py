"""Akamai's EdgeGrid: what is bound of a body, which values are taken, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from undersign import Component, ConfigError, Credential, Rejected, Request, Verified, Verifier, presets, sign
from undersign.core.message import BodyHasher
from undersign.errors import CannotSign

NOW = 1_395_430_461  # 20140321T19:34:21+0000
KEY_ID, SECRET, TOKEN = "akab-client-token", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=", "akab-access-token"
ORIGIN = "https://akaa-baseurl.luna.akamaiapis.net"


def signed(
    request: Request, *, key_id: str = KEY_ID, nonce: str = "n-1", token: str = TOKEN, **options: Any
) -> Request:
    credential = Credential(key_id, SECRET, extra={"access_token": token})
    return sign(presets.edgegrid(**options), request, credential, now=NOW, nonce=nonce).apply(request)


def verify(request: Request, *, now: float = NOW, **options: Any) -> Verified:
    return Verifier(presets.edgegrid(**options), {KEY_ID: SECRET}, clock=lambda: now).verify(request)


def post(body: bytes, method: str = "POST") -> Request:
    return Request(method, "/t?a=1", (), body, ORIGIN)


def test_the_body_of_a_post_is_bound_up_to_its_limit() -> None:
    inside, beyond = signed(post(b"12345"), max_body=5), signed(post(b"123456"), max_body=5)
    assert Component.BODY in verify(inside, max_body=5).covers
    with pytest.raises(Rejected, match="mismatch"):
        verify(Request("POST", "/t?a=1", inside.headers, b"12346", ORIGIN), max_body=5)
    assert Component.BODY not in verify(beyond, max_body=5).covers
    other = Request("POST", "/t?a=1", beyond.headers, b"12345 and anything behind", ORIGIN)
    assert Component.BODY not in verify(other, max_body=5).covers  # as the scheme has it, and as covers says
    strict = Verifier(presets.edgegrid(max_body=5), {KEY_ID: SECRET}, clock=lambda: NOW, require={Component.BODY})
    with pytest.raises(Rejected, match="insecure"):
        strict.verify(beyond)


def test_no_other_body_is_bound() -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        request = signed(post(b"body", method))
        assert Component.BODY not in verify(request).covers
        assert verify(Request(method, "/t?a=1", request.headers, b"another", ORIGIN)).key_id == KEY_ID


def test_a_body_that_streams_is_hashed_where_its_length_is_known_to_fit() -> None:
    scheme = presets.edgegrid(max_body=5)
    short, long = (Request("POST", "/", (("Content-Length", length),), b"", ORIGIN) for length in ("5", "6"))
    assert not scheme.body_need(short).raw
    assert scheme.body_need(long).raw
    hasher = BodyHasher(("sha256",))
    hasher.update(b"123456")
    with pytest.raises(CannotSign, match="pass it as bytes"):
        signed(Request("POST", "/", (), hasher.result(), ORIGIN), max_body=5)


def test_the_scheme_and_the_host_are_bound() -> None:
    request = signed(post(b""))
    for origin in ("http://akaa-baseurl.luna.akamaiapis.net", "https://other.example.com"):
        with pytest.raises(Rejected, match="mismatch"):
            verify(Request("POST", "/t?a=1", request.headers, b"", origin))


def test_signed_headers_stand_in_the_order_of_the_option() -> None:
    headers = (("X-B", "2  b\tx".replace("\t", " ")), ("X-A", "1"))
    options: dict[str, Any] = {"signed_headers": ("X-A", "X-B", "X-C")}
    found = verify(signed(Request("GET", "/", headers, b"", ORIGIN), **options), **options)
    assert found.signed.split(b"\t")[4:6] == [b"x-a:1", b"x-b:2 b x"]


def test_thirty_seconds_either_side() -> None:
    request = signed(post(b""))
    assert verify(request, now=NOW + 30).at == NOW
    for now, reason in ((NOW + 31, "stale"), (NOW - 31, "future")):
        with pytest.raises(Rejected, match=reason):
            verify(request, now=now)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("client_token", "Client_token"),
        (";access_token", "; access_token"),
        (f";access_token={TOKEN}", ""),
        ("+0000", "+0100"),
        ("20140321T", "20140332T"),
        ("20140321T19:34:21+0000", "2014-03-21T19:34:21Z"),
        (";nonce=n-1", ";nonce="),
        (";signature=", ";signature=;signature="),
    ],
)
def test_what_is_not_in_form_is_malformed(old: str, new: str) -> None:
    request = signed(post(b""))
    ((name, value),) = request.headers
    assert old in value
    with pytest.raises(Rejected, match="malformed"):
        verify(Request("POST", "/t?a=1", ((name, value.replace(old, new)),), b"", ORIGIN))


@pytest.mark.parametrize("changed", ["access_token", "nonce", "timestamp"])
def test_the_header_is_signed_itself(changed: str) -> None:
    request = signed(post(b""))
    ((name, value),) = request.headers
    old = value.partition(f"{changed}=")[2].partition(";")[0]
    new = "20140321T19:34:22+0000" if changed == "timestamp" else old + "2"
    with pytest.raises(Rejected, match="mismatch"):
        verify(Request("POST", "/t?a=1", ((name, value.replace(old, new)),), b"", ORIGIN))


@pytest.mark.parametrize(
    "values", [{"key_id": "a;b"}, {"key_id": "a b"}, {"token": "a;b"}, {"nonce": "a;b"}, {"nonce": ""}]
)
def test_values_that_would_not_be_read_back_are_not_signed(values: dict[str, str]) -> None:
    with pytest.raises(CannotSign):
        signed(post(b""), **values)


def test_the_access_token_is_asked_for() -> None:
    with pytest.raises(CannotSign, match="give it to the credential"):
        sign(presets.edgegrid(), post(b""), Credential(KEY_ID, SECRET), now=NOW, nonce="n")


@pytest.mark.parametrize("options", [{"max_body": -1}, {"signed_headers": "X-A"}, {"signed_headers": ("a b",)}])
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        presets.edgegrid(**options)
