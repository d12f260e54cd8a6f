"""The two phases: what is found before the body, what after it, and in which order."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from undersign import (
    BodyDigest,
    BodyNeed,
    CannotSign,
    Claim,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Pending,
    Reason,
    Rejected,
    Request,
    Secret,
    Signer,
    Verifier,
    begin,
    sign,
)
from undersign.clients.urllib import SignatureHandler
from undersign.verifying import RollingWindows

from .plain import FORM, NOW, SECRET, USER, gogrid_form, gogrid_request, gotom_request, md5, replaced

_BOTH = [GoTom(), GoGrid()]


def _reason(schemes: Any, request: Request, now: float = NOW) -> Reason:
    """Why the head is refused."""
    with pytest.raises(Rejected) as caught:
        begin(schemes, request, now=now)
    return caught.value.reason


def _with_query(request: Request, query: str) -> Request:
    return Request(request.method, f"{request.target}?{query}", request.headers, request.body, request.origin)


# Where a credential may go


@pytest.mark.parametrize("origin", ["https://other", "http://api.example.com", "https://api.example.com:8443", ""])
def test_a_credential_with_origins_goes_nowhere_else(origin: str) -> None:
    credential = Credential("key", SECRET, ["https://api.example.com", "https://two.example.com"])
    with pytest.raises(CannotSign, match=r"is for https://api\.example\.com, https://two\.example\.com"):
        sign(GoTom(), Request("GET", "/", origin=origin), credential, now=NOW)


@pytest.mark.parametrize("origin", ["https://api.example.com", "https://two.example.com"])
def test_a_credential_with_origins_goes_to_each_of_them(origin: str) -> None:
    credential = Credential("key", SECRET, ["https://API.example.com:443/", "https://two.example.com"])
    assert sign(GoTom(), Request("GET", "/", origin=origin), credential, now=NOW)


def test_a_credential_without_origins_goes_where_it_is_told() -> None:
    assert sign(GoTom(), Request("GET", "/"), Credential("key", SECRET), now=NOW)


# Phase one


def test_the_head_is_judged_without_its_body() -> None:
    pending = begin(GoTom(), gotom_request("POST", "/", b"body"), now=NOW)
    assert pending.claim is not None
    assert (pending.claim.key_id, pending.claim.at) == (USER, NOW)
    assert pending.body == BodyNeed(("md5",))
    assert pending.head.body == b""


def test_a_request_that_nobody_claims_is_missing() -> None:
    assert _reason(_BOTH, Request("GET", "/")) is Reason.MISSING
    assert _reason(_BOTH, Request("get", "/ #")) is Reason.MISSING
    assert _reason([], gotom_request()) is Reason.MISSING


def test_two_claims_are_ambiguous_however_faulty_they_are() -> None:
    good = _with_query(gotom_request(), gogrid_request().target.partition("?")[2])
    assert _reason(_BOTH, good) is Reason.AMBIGUOUS
    assert _reason(_BOTH, _with_query(replaced(gotom_request(), "Date"), "sig")) is Reason.AMBIGUOUS


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("get", "/?sig=1&sig=2", origin="http://h"), Reason.INSECURE),
        (Request("get", "/?sig=1&sig=2", origin="https://h"), Reason.MALFORMED),
        (Request("GET", f"/?sig={'0' * 32}&v=9", origin="https://h"), Reason.MALFORMED),
        (Request("GET", f"/?api_key=k&sig={'0' * 32}&v=9#", origin="https://h"), Reason.MALFORMED),
        (Request("GET", f"/?api_key=k&sig={'0' * 32}&v=9", origin="https://h"), Reason.UNSUPPORTED_VERSION),
        (replaced(gotom_request(), "Date", "2024-11-07"), Reason.MALFORMED),
        (replaced(gotom_request("get"), "Date", "2001-01-01T00:00:00Z"), Reason.MALFORMED),
        (replaced(gotom_request(), "Date", "2001-01-01T00:00:00Z"), Reason.STALE),
        (replaced(gotom_request(), "Date", "2041-01-01T00:00:00Z"), Reason.FUTURE),
    ],
)
def test_reasons_come_in_their_order(request_: Request, reason: Reason) -> None:
    assert _reason(_BOTH, request_) is reason


def test_a_refusal_names_scheme_and_key_as_far_as_it_came() -> None:
    with pytest.raises(Rejected) as caught:
        begin(_BOTH, Request("get", gogrid_request().target, origin="https://h"), now=NOW)
    assert (caught.value.scheme, caught.value.key_id) == ("gogrid", "key")


# The body between the phases


def test_a_claim_in_a_form_is_undecided_until_the_body_is_there() -> None:
    pending = begin(_BOTH, gogrid_form(), now=NOW)
    assert (pending.scheme, pending.claim, pending.body.raw) == (None, None, True)
    decided = pending.with_body(gogrid_form().body)
    assert decided.claim is not None
    assert decided.claim.key_id == "key"
    assert decided.finish([Secret(SECRET)]).at == NOW


@pytest.mark.parametrize("body", [b"", b"a=1", b"api_key=key&v=1.5"])
def test_a_form_that_holds_no_claim_is_missing(body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        begin(_BOTH, gogrid_form(), now=NOW).with_body(body)
    assert (caught.value.reason, caught.value.scheme) == (Reason.MISSING, "")


def test_a_second_claim_in_the_form_is_ambiguous() -> None:
    signed = replaced(gotom_request("POST", "/", b"sig=1"), *FORM)
    request = Request("POST", "/", signed.headers, b"sig=1", "https://h")
    pending = begin(_BOTH, request, now=NOW)
    assert pending.body == BodyNeed(("md5",), raw=True, limit=1024 * 1024)
    with pytest.raises(Rejected, match="ambiguous: gotom and gogrid claim the request"):
        pending.with_body(request.body)
    assert begin(GoTom(), request, now=NOW).body == BodyNeed(("md5",))


def test_a_second_claim_in_a_body_that_is_no_form_is_none() -> None:
    request = gotom_request("POST", "/", b"sig=1")
    assert begin(_BOTH, request, now=NOW).with_body(request.body).finish([Secret(SECRET)]).scheme == "gotom"


def test_a_form_that_two_schemes_may_be_in_keeps_its_smaller_limit() -> None:
    class Small(GoGrid):
        def body_need(self, head: Request) -> BodyNeed:
            return BodyNeed(raw=True, limit=10)

    schemes = [
        GoGrid(),
        Small(key_param="k", name="small", sig_param="s", version_param=None, version=None, versions=frozenset()),
    ]
    pending = begin(schemes, gogrid_form(), now=NOW)
    with pytest.raises(Rejected, match="the scheme needs the body whole, and it is over 10 bytes") as caught:
        pending.with_body(gogrid_form().body)
    assert (caught.value.reason, caught.value.scheme, caught.value.key_id) == (Reason.BODY_TOO_LARGE, "", "")


def test_a_body_may_come_as_its_digest_where_no_raw_bytes_are_needed() -> None:
    request = gotom_request("POST", "/", b"body")
    digest = BodyDigest({"md5": md5(b"body")}, 4)
    assert begin(GoTom(), request, now=NOW).with_body(digest).finish([Secret(SECRET)]).key_id == USER


# Phase two


def test_a_pending_whose_body_is_still_to_come_cannot_be_finished() -> None:
    for pending in (begin(GoTom(), gotom_request(), now=NOW), begin(GoGrid(), gogrid_form(), now=NOW)):
        with pytest.raises(ConfigError, match="the body is needed first: call with_body"):
            pending.finish([Secret(SECRET)])


def test_a_pending_that_needs_no_body_may_be_finished_at_once() -> None:
    pending = begin(GoGrid(), gogrid_request(), now=NOW)
    assert not pending.body
    assert pending.finish([Secret(SECRET)]) == pending.with_body(b"any").finish([Secret(SECRET)])


def test_with_body_may_be_called_again() -> None:
    request = gotom_request("POST", "/", b"body")
    pending = begin(GoTom(), request, now=NOW).with_body(b"other")
    with pytest.raises(Rejected, match="mismatch"):
        pending.finish([Secret(SECRET)])
    assert pending.with_body(b"body").finish([Secret(SECRET)])


@pytest.mark.parametrize("windows", [None, RollingWindows()])
@pytest.mark.parametrize(("scheme", "request_"), [(GoTom(), gotom_request()), (GoGrid(), gogrid_request())])
def test_secrets_are_tried_newest_first(scheme: Any, request_: Request, windows: Any) -> None:
    pending = begin(scheme, request_, now=NOW).with_body(b"")
    old, good = Secret("old"), Secret(SECRET)
    indexes = [
        pending.finish(secrets, windows=windows).secret_index
        for secrets in ([good], [good, old], [old, good], [old, good, good])
    ]
    assert indexes == [0, 0, 1, 1]
    for secrets, reason in (([old], Reason.MISMATCH), ([], Reason.UNKNOWN_KEY)):
        with pytest.raises(Rejected) as caught:
            pending.finish(secrets, windows=windows)
        assert caught.value.reason is reason


# The value that stands in for an unknown key's secret is no secret at all.
_STAND_IN = hashlib.sha256(b"undersign: no such key").digest()


@pytest.mark.parametrize("windows", [None, RollingWindows()])
def test_nobody_can_sign_for_an_unknown_key(windows: Any) -> None:
    for scheme, key in ((GoTom(), "nobody"), (GoGrid(), "nobody"), (GoGrid(), "unknown")):
        request = Request("GET", "/", origin="https://h")
        signed = sign(scheme, request, Credential(key, _STAND_IN), now=NOW).apply(request)
        with pytest.raises(Rejected) as caught:
            begin(scheme, signed, now=NOW).with_body(b"").finish([], windows=windows)
        assert caught.value.reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(("alike", "expected"), [(True, 3), (False, 1)])
def test_unknown_keys_have_windows_like_known_ones_unless_the_operator_minds_their_cost(
    alike: bool, expected: int
) -> None:
    windows = RollingWindows(alike=alike)
    for key in ("a", "b", "c", "a"):
        with pytest.raises(Rejected):
            begin(GoGrid(), gogrid_request(key=key), now=NOW).finish([], windows=windows)
    assert len(windows._unknown) == expected


def test_a_faulty_form_is_malformed_before_the_key_is_unknown() -> None:
    pending = begin(GoTom(), gotom_request(), now=NOW).with_body(BodyDigest({}, 0))
    with pytest.raises(Rejected) as caught:
        pending.finish([])
    assert caught.value.reason is Reason.MALFORMED


# What was verified


def test_a_replay_id_names_what_was_signed() -> None:
    def replay_id(scheme: Any, request: Request) -> str:
        return begin(scheme, request, now=NOW).with_body(b"").finish([Secret(SECRET)]).replay_id

    first = replay_id(GoTom(), gotom_request("GET", "/"))
    ids = {
        first,
        replay_id(GoTom(), gotom_request("GET", "/", user="other")),
        replay_id(GoTom(), gotom_request("GET", "/other")),
        replay_id(GoTom(name="gotom2"), gotom_request("GET", "/")),
        replay_id(GoGrid(), gogrid_request()),
    }
    assert len(ids) == 5
    assert all(len(one) == 64 for one in ids)
    assert first == replay_id(GoTom(), replaced(gotom_request("GET", "/"), "X-Other", "1"))


def test_nothing_that_may_be_shown_shows_a_signature() -> None:
    request = gogrid_request()
    signature = request.target.partition("sig=")[2][:32]
    pending: Pending = begin(GoGrid(), request, now=NOW)
    verified = pending.finish([Secret(SECRET)])
    claim = Claim("key", None, (signature,))
    for shown in (request, pending, pending.with_body(b""), verified, claim):
        assert signature not in repr(shown)
        assert SECRET not in repr(shown)


def test_a_pair_is_no_credential() -> None:
    with pytest.raises(ConfigError, match="the credential is a Credential"):
        sign(GoTom(), gotom_request("GET", "/"), ("key", SECRET), now=NOW)  # type: ignore[arg-type]


def test_a_clock_is_a_function() -> None:
    credential, seconds = Credential("key", SECRET), 1730974875.0
    with pytest.raises(ConfigError, match=r"clock is a function .* not 1730974875\.0"):
        Signer(GoTom(), credential, clock=seconds)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="clock is a function"):
        Verifier(GoTom(), {"key": SECRET}, clock=seconds)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="clock is a function"):
        SignatureHandler(GoTom(), "key", SECRET, clock=seconds)  # type: ignore[arg-type]


def test_a_nonce_makes_another_replay_id() -> None:
    verified = begin(GoTom(), gotom_request(), now=NOW).with_body(b"").finish([Secret(SECRET)])
    assert verified._replace(nonce="1").replay_id != verified.replay_id
