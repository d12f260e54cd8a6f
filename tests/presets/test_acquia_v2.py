"""Acquia's HTTP HMAC 2.0: what is read, what a client may leave out, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pickle
from typing import Any

import pytest

from undersign import Component, ConfigError, Credential, Reason, Rejected, Request, Verified, Verifier, presets, sign
from undersign.errors import CannotSign
from undersign.policy import MemoryReplayGuard

NOW = 1_432_075_982
KEY_ID, SECRET = "efdde334-fe7b-11e4-a322-1697f925ec7b", "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI="
NONCE = "d1954337-5319-4821-8427-115542e08d10"
ORIGIN = "https://example.acquiapipet.net"
POST = Request("POST", "/v1.0/task?a=1", (("Content-Type", "application/json"),), b'{"a": 1}', ORIGIN)
GET = Request("GET", "/v1.0/task-status/133?limit=10", (), b"", ORIGIN)


def signed(request: Request, *, key_id: str = KEY_ID, nonce: str = NONCE, **options: Any) -> Request:
    scheme = presets.acquia_v2(realm="Pipet service", **options)
    return sign(scheme, request, Credential(key_id, SECRET), now=NOW, nonce=nonce).apply(request)


def verify(request: Request, *, key_id: str = KEY_ID, **options: Any) -> Verified:
    scheme = presets.acquia_v2(**{"realm": "Pipet service", **options})
    return Verifier(scheme, {key_id: SECRET}, clock=lambda: NOW).verify(request)


def with_authorization(request: Request, value: str) -> Request:
    headers = tuple((name, value if name == "Authorization" else old) for name, old in request.headers)
    return Request(request.method, request.target, headers, request.body, request.origin)


def authorization(request: Request) -> str:
    return dict(request.headers)["Authorization"]


def test_the_published_header_of_the_specification_verifies() -> None:
    # Source: acquia/http-hmac-spec, README: parameters in another order, spaces between them, and an empty list.
    value = (
        'acquia-http-hmac realm="Pipet%20service", id="efdde334-fe7b-11e4-a322-1697f925ec7b", '
        'nonce="d1954337-5319-4821-8427-115542e08d10", version="2.0", headers="", '
        'signature="MRlPr/Z1WQY2sMthcaEqETRMw4gPYXlPcTpaLWS2gcc="'
    )
    headers = (("Authorization", value), ("X-Authorization-Timestamp", "1432075982"))
    found = verify(Request("GET", GET.target, headers, b"", ORIGIN))
    assert (found.key_id, found.nonce, found.at) == (KEY_ID, NONCE, NOW)
    assert found.covers == set(Component) - {Component.HEADERS, Component.CONTENT_TYPE}


def test_a_body_is_bound_and_its_digest_has_to_be_sent() -> None:
    request = signed(POST)
    assert {Component.BODY, Component.CONTENT_TYPE} <= verify(request).covers
    without = tuple(pair for pair in request.headers if pair[0] != "X-Authorization-Content-SHA256")
    for other in (
        Request("POST", POST.target, request.headers, b'{"a": 2}', ORIGIN),
        Request("POST", POST.target, without, POST.body, ORIGIN),
    ):
        with pytest.raises(Rejected, match="X-Authorization-Content-SHA256 is absent, or not that of the body"):
            verify(other)
    with pytest.raises(Rejected, match="mismatch"):
        verify(Request("POST", POST.target, request.headers, b"", ORIGIN))


def test_the_content_type_is_signed_as_it_stands() -> None:
    request = signed(Request("POST", "/", (("Content-Type", "Application/JSON; charset=UTF-8"),), b"x", ORIGIN))
    hashed = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    string = (
        f"POST\nexample.acquiapipet.net\n/\n\nid={KEY_ID}&nonce={NONCE}&realm=Pipet%20service&version=2.0\n"
        f"1432075982\nApplication/JSON; charset=UTF-8\n{hashed}"
    )
    expected = base64.b64encode(hmac.digest(base64.b64decode(SECRET), string.encode(), "sha256")).decode()
    assert f'signature="{expected}"' in authorization(request)


def test_a_key_id_goes_out_percent_encoded() -> None:
    key_id = 'a "key" of Größe/1'
    request = signed(GET, key_id=key_id)
    assert 'id="a%20%22key%22%20of%20Gr%C3%B6%C3%9Fe%2F1"' in authorization(request)
    assert verify(request, key_id=key_id).key_id == key_id


def test_signed_headers_are_those_that_are_there_and_all_of_them() -> None:
    names: dict[str, Any] = {"signed_headers": ("X-B", "X-a")}
    request = signed(Request("GET", "/", (("X-B", "2"), ("x-a", "1"), ("X-C", "3")), b"", ORIGIN), **names)
    assert authorization(request).startswith('acquia-http-hmac headers="X-B%3BX-a",id=')
    assert verify(request, **names).signed.splitlines()[5:7] == [b"x-a:1", b"x-b:2"]
    assert Component.HEADERS in verify(request, **names).covers
    assert verify(request).key_id == KEY_ID  # a client may sign more than is asked for
    one = signed(Request("GET", "/", (("X-B", "2"),), b"", ORIGIN), **names)
    added = Request("GET", "/", (*one.headers, ("X-A", "1")), b"", ORIGIN)
    with pytest.raises(Rejected, match="headers leaves X-a out"):
        verify(added, **names)
    gone = Request("GET", "/", tuple(pair for pair in one.headers if pair[0] != "X-B"), b"", ORIGIN)
    with pytest.raises(Rejected, match="headers names 'X-B', which is not there"):
        verify(gone, **names)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('version="2.0"', 'version="2.1"', "unsupported_version"),
        ('realm="Pipet%20service"', 'realm="Another"', "missing"),
        ("acquia-http-hmac ", "Bearer ", "missing"),
        (f'nonce="{NONCE}",', "", "malformed"),
        (f'nonce="{NONCE}"', 'nonce=""', "malformed"),
        (f'nonce="{NONCE}"', f'nonce="{NONCE}",nonce="{NONCE}"', "malformed"),
        (f'nonce="{NONCE}"', 'nonce="a%0Ab"', "malformed"),
        (f'nonce="{NONCE}"', f"nonce={NONCE}", "malformed"),
        (f'id="{KEY_ID}"', 'id="%FF"', "malformed"),
        (f'id="{KEY_ID}"', 'id="another"', "unknown_key"),
        ('version="2.0"', 'version="2.0",more="1"', "malformed"),
        ('version="2.0"', 'version="2.0",headers="Authorization"', "malformed"),
        ('version="2.0"', 'version="2.0",headers="x-authorization-timestamp"', "mismatch"),
        ('version="2.0"', 'version="2.0",headers="a b"', "malformed"),
        ('version="2.0"', 'version="2.0",headers="x-a;X-A"', "malformed"),
        ('="2.0"', '="2.0",', "malformed"),
        ('=",', '",', "malformed"),  # of the signature's padding
        ('=",', '%3D",', "malformed"),
    ],
)
def test_what_is_not_in_form_is_refused(old: str, new: str, reason: str) -> None:
    request = signed(GET)
    value = authorization(request)
    assert old in value
    changed = with_authorization(request, value.replace(old, new))
    with pytest.raises(Rejected) as caught:
        verify(changed)
    assert caught.value.reason.value == reason


@pytest.mark.parametrize("time", ["1432075982.5", "01432075982", "+1432075982", "1432075982 ", "soon", ""])
def test_the_time_is_a_whole_number_in_its_one_form(time: str) -> None:
    request = signed(GET)
    headers = tuple((name, time if name == "X-Authorization-Timestamp" else old) for name, old in request.headers)
    changed = Request("GET", GET.target, headers, b"", ORIGIN)
    if time.strip() == "1432075982":
        assert verify(changed).at == NOW
        return
    with pytest.raises(Rejected, match="malformed"):
        verify(changed)


def test_a_nonce_is_needed_and_good_once() -> None:
    with pytest.raises(CannotSign, match="pass nonce="):
        signed(GET, nonce="")
    scheme = presets.acquia_v2(realm="Pipet service")
    verifier = Verifier(scheme, {KEY_ID: SECRET}, clock=lambda: NOW, replay=MemoryReplayGuard())
    assert verifier.verify(signed(POST)).nonce == NONCE
    assert verifier.verify(signed(POST, nonce="another")).nonce == "another"
    value = authorization(signed(POST))
    respelled = with_authorization(signed(POST), value.replace("Pipet%20service", "%50ipet%20service"))
    for again in (signed(POST), respelled):
        with pytest.raises(Rejected) as caught:
            verifier.verify(again)
        assert caught.value.reason is Reason.REPLAYED


def test_the_host_is_told_or_sent() -> None:
    alone = Request("GET", "/", (("Host", "API.example.com:8443"),), b"", "")
    assert signed(alone) == signed(alone)
    assert verify(signed(alone)).signed.splitlines()[1] == b"api.example.com:8443"
    with pytest.raises(CannotSign, match="give the origin, or a Host header"):
        signed(Request("GET", "/", (), b"", ""))


@pytest.mark.parametrize(
    "options",
    [
        *({"realm": ""}, {"realm": "a\n"}, {"signed_headers": "X-A"}, {"signed_headers": ("a b",)}),
        *({"signed_headers": ("X-A", "x-a")}, {"signed_headers": ("Authorization",)}),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        presets.acquia_v2(**options)


def test_a_secret_is_in_base64() -> None:
    with pytest.raises(ConfigError, match="write the secret in base64"):
        Verifier(presets.acquia_v2(), {KEY_ID: "no base64!"})


def test_what_verified_signs_its_answer_whatever_is_replaced_and_not_once_it_was_pickled() -> None:
    verified = verify(signed(GET))
    assert verified.response_signer is not None
    assert verified._replace(tenant="a").response_signer is verified.response_signer
    again = pickle.loads(pickle.dumps(verified))
    assert again == tuple(verified)
    assert again.response_signer is None
