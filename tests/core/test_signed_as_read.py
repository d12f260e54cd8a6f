"""Whoever signs what a server reads gets in, or out, in one way, whatever else stands in the request."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core import strategies as some
from tests.core.one_path import METHODS, clock, judged, reason, verified
from tests.core.plain import (
    DATE,
    NOW,
    SECRET,
    USER,
    gogrid_form,
    gogrid_request,
    gotom_request,
)
from undersign import (
    CannotSign,
    Credential,
    GoGrid,
    GoTom,
    HttpHmac,
    Reason,
    Rejected,
    Request,
    Verified,
    Verifier,
    sign,
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("added", "verifies"),
    [
        (("Date", DATE), False),
        (("DATE", "x"), False),
        (("Content-Type", "a/b"), False),
        (("content_type", "a/b"), False),
        (("Authorization", "x"), False),
        (("Content-Length", "0"), True),
        (("content-length", "0"), True),
        (("transfer-encoding", "chunked"), True),
        (("Host", "a"), True),
        *((pair, False) for pair in gotom_request("GET", "/a").headers),
    ],
)
def test_a_second_spelling_of_what_is_signed_is_never_passed_by(
    method: str, added: tuple[str, str], verifies: bool
) -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=clock)
    request = gotom_request(method, "/a")
    for headers in ((added, *request.headers), (*request.headers, added)):
        outcome = judged(verifier, dataclasses.replace(request, headers=headers))
        assert outcome[0] == ("gotom" if verifies else Reason.MALFORMED)


def test_an_unknown_key_does_not_verify_with_what_it_is_compared_with() -> None:
    stand_in = hashlib.sha256(b"undersign: no such key").digest()
    for scheme in (GoTom(), GoGrid(allow_http=True)):
        request = Request("GET", "/a")
        request = sign(scheme, request, Credential(USER, stand_in), now=NOW).apply(request)
        assert verified(Verifier(scheme, {USER: stand_in}, clock=clock), request)
        assert reason(Verifier(scheme, {"other": SECRET}, clock=clock), request) is Reason.UNKNOWN_KEY


_names = st.sampled_from(
    [
        "date",
        "Date",
        "content-type",
        "content_type",
        "Content-Type",
        "CONTENT-TYPE",
        "authorization",
        "Authorization",
        "x-date",
        "x_date",
        "X-Date",
        "content-length",
        "Content-Length",
        "transfer-encoding",
        "host",
        "accept",
        "x-http-method-override",
        "x-one",
        "x_one",
        "date_",
        "Ä",
    ]
)
_dates = ["", "0", " ", DATE, " " + DATE, DATE + "\t"]
_types = ["application/json", " application/json ", "TEXT/x\xe9", "text/\x85", "multipart/form-data; boundary=x"]
_values = st.sampled_from([*_dates, *_types, "a\nb", "\x00", "\xff", "\xb5"])
_targets = st.sampled_from(
    ["/", "/a?b=c", "/a?", "//a", "/a#b", "/ä", "/a b", "*", "", "a", "http://h/a", "HTTP://h?x", "/a\nb", "/\x7f"]
)
_written_key_ids = st.sampled_from(
    [USER, USER + " ", "a:b", "a\\:b", "a\\\\b", "\\", "", "\xc3\xbc", "\xfc", "a\tb", "a\x00b", "x"]
)
_KEYS = dict.fromkeys([USER, "a:b", "a\\b", "x", "ü"], SECRET)


@given(
    st.sampled_from(["GET", "HEAD", "POST", "DELETE", "get", "PURGE", "OPTIONS"]),
    _targets | some.targets,
    st.lists(st.tuples(_names, _values), max_size=5),
    st.booleans(),
    _written_key_ids,
    some.bodies,
    st.sampled_from(
        [
            GoTom(),
            GoTom(date_header="X-Date"),
            GoTom(date_header="X_Date"),
            GoTom(signed_headers=("X-One",)),
            GoTom(signed_headers=("Host",)),
            GoTom(multipart_as_empty=True),
            GoTom(provider="a.b"),
        ]
    ),
)
@example("GET", "/a", [("date_", "1")], True, USER, b"", GoTom())
def test_whoever_signs_what_is_read_comes_to_one_verdict(
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    is_complete: bool,
    key_id: str,
    body: bytes,
    scheme: HttpHmac,
) -> None:
    if is_complete:
        headers = [*headers, ("content-type", "application/json"), (scheme.date_header, DATE)]
    named = f"{scheme.provider} {key_id}"
    verifier = Verifier(scheme, _KEYS, clock=clock)
    unsigned = Request(method, target, [*headers, ("authorization", f"{named}:{'A' * 27}=")], body)
    before = judged(verifier, unsigned)
    assert not isinstance(before, Verified)
    try:
        claim = scheme.read(unsigned)
        assert claim is not None
        assert claim.string is not None
        string = claim.string(body, 0)
    except (Rejected, CannotSign):
        assert before[0] is Reason.MALFORMED
        return
    sent = base64.b64encode(hmac.digest(SECRET.encode(), string, "sha1")).decode()
    signed = Request(method, target, [*headers, ("authorization", f"{named}:{sent}")], body)
    after = judged(verifier, signed)
    if before[0] is Reason.MISMATCH:
        assert isinstance(after, Verified)
        assert after.signed == string
    else:  # it was not for its signature
        assert after == before


@given(
    st.sampled_from(["GET", "POST", "get", "PUT"]),
    st.sampled_from(["", "?", "?a=b", "?a=%2f&&"]) | some.targets,
    st.lists(
        st.sampled_from(["api_key=key", "sig={sig}", "v=1.5", "v=9", "SIG={sig}", "%73ig={sig}", "a=1", ""]), max_size=5
    ),
    st.sampled_from(["query", "form", "both"]),
    st.sampled_from(["https://api.example.com", "http://api.example.com", ""]),
)
@example("GET", "", ["api_key=key", "sig={sig}", "v=1.5"], "query", "https://api.example.com")
@example("POST", "", ["api_key=key", "%73ig={sig}", "v=1.5"], "form", "https://api.example.com")
def test_keyed_timestamps_in_query_and_form_come_to_one_verdict(
    method: str, target: str, pairs: list[str], place: str, origin: str
) -> None:
    signature = hashlib.md5(f"key{SECRET}{NOW}".encode(), usedforsecurity=False).hexdigest()
    fields = "&".join(pairs).replace("{sig}", signature)
    target = target if target.startswith("/") else "/" + target
    if place != "form":
        target += ("&" if "?" in target else "?") + fields
    form = fields.encode() if place != "query" else b""
    headers = (("Content-Type", "application/x-www-form-urlencoded"),) if form else ()
    judged(Verifier(GoGrid(), {"key": SECRET}, clock=clock), Request(method, target, headers, form, origin))


@pytest.mark.parametrize("request_", [gogrid_request(), gogrid_form(), gogrid_form(b"a=1&b=2")])
def test_keyed_timestamps_verify(request_: Request) -> None:
    assert verified(Verifier(GoGrid(), {"key": SECRET}, clock=clock), request_).at == NOW
    assert reason(Verifier(GoGrid(), {"other": SECRET}, clock=clock), request_) is Reason.UNKNOWN_KEY
