"""There is one path of verifying: with the body at hand or behind the head, as bytes or as digests, sync or async, it
comes to one verdict; and none but the right one, whatever a third party's scheme returns."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core import strategies as some
from tests.core.plain import (
    DATE,
    NOW,
    SECRET,
    USER,
    gogrid_form,
    gogrid_request,
    gotom_request,
    gotom_signature,
    guarded,
    refused,
    replaced,
)
from undersign import (
    Acquia,
    AsyncVerifier,
    BodyDigest,
    CannotSign,
    Claim,
    Component,
    Credential,
    GoGrid,
    GoTom,
    HttpHmac,
    Pending,
    Reason,
    Rejected,
    Request,
    Scheme,
    Verified,
    Verifier,
    sign,
    vectors,
)
from undersign.core.message import BodyHasher
from undersign.policy import MemoryReplayGuard, ReplayPolicy, Requirements
from undersign.registry import build_scheme

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Outcome = tuple[Any, ...]


def _clock() -> float:
    return NOW


def _outcome(work: Any) -> Verified | Outcome:
    try:
        verified: Verified = work()
    except Rejected as rejected:
        return rejected.reason, rejected.detail, rejected.scheme, rejected.key_id
    return verified


def _in_two(verifier: Verifier, request: Request, *, digested: bool = False) -> Verified:
    """Head first, and its body behind it."""
    head = dataclasses.replace(request, body=b"")
    pending = verifier.begin(head)
    body: bytes | BodyDigest = request.body
    if digested and not pending.body.raw and isinstance(body, bytes):
        hasher = BodyHasher(pending.body.digests)
        hasher.update(body)
        body = hasher.result()
    return verifier.finish(pending.with_body(body))


def judged(verifier: Verifier, request: Request) -> Verified | Outcome:
    """The one outcome of all the ways in which a request can be verified."""
    outcome = _outcome(lambda: verifier.verify(request))
    assert outcome == _outcome(lambda: _in_two(verifier, request))
    assert outcome == _outcome(lambda: _in_two(verifier, request, digested=True))
    lower = tuple((name.lower(), value) for name, value in request.headers)
    by_case = _outcome(lambda: verifier.verify(dataclasses.replace(request, headers=lower)))
    assert by_case == outcome or not isinstance(outcome, Verified)
    return outcome


def verified(verifier: Verifier, request: Request) -> Verified:
    outcome = judged(verifier, request)
    assert isinstance(outcome, Verified), outcome
    return outcome


def reason(verifier: Verifier, request: Request) -> Reason:
    outcome = judged(verifier, request)
    assert not isinstance(outcome, Verified)
    found: Reason = outcome[0]
    return found


@pytest.mark.parametrize("name", ["gotom", "gogrid"])
def test_every_vector_has_one_verdict(name: str) -> None:
    outcomes: Counter[str] = Counter()
    for group, test in vectors.load(name):
        if group.op != "verify" or test.request.target == "*":
            continue
        keys = {key_id: secrets for key_id, secrets in group.keys.items() if all(secrets)}
        verifier = Verifier(build_scheme(name, group.options), keys, clock=lambda now=group.now: now)  # type: ignore[misc]
        outcome = judged(verifier, test.request)
        assert isinstance(outcome, Verified) is (test.result == "valid"), test.name
        outcomes[test.result] += 1
    assert outcomes["valid"] > 5
    assert sum(outcomes.values()) - outcomes["valid"] > 20


# What is signed rightly, by hand


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"", b'{"a": 1}', b"\x00\xff", b"a=1&b=2"])
@pytest.mark.parametrize("target", ["/", "/app-api/campaign/26106", "/a?b=%2f&&c", "//a/../b?"])
def test_every_method_and_body_verifies(method: str, body: bytes, target: str) -> None:
    verifier = Verifier(GoTom(), {USER: ["a newer one", SECRET]}, clock=_clock)
    found = verified(verifier, gotom_request(method, target, body))
    assert (found.scheme, found.key_id, found.at, found.secret_index) == ("gotom", USER, NOW, 1)
    assert found.expires == NOW + 1800
    string = f"{method}\n{hashlib.md5(body, usedforsecurity=False).hexdigest()}\napplication/json\n{DATE}\n\n{target}"
    assert found.signed == string.encode()


@pytest.mark.parametrize("method", METHODS)
def test_a_signature_of_one_method_is_not_that_of_another(method: str) -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock)
    for other in METHODS:
        request = dataclasses.replace(gotom_request(method, "/a", b"x"), method=other)
        assert isinstance(judged(verifier, request), Verified) is (method == other)
    assert reason(verifier, dataclasses.replace(gotom_request("POST", "/a"), body=b"x")) is Reason.MISMATCH


@pytest.mark.parametrize("verifier_class", [Verifier, AsyncVerifier])
@pytest.mark.parametrize("method", METHODS)
def test_the_async_verifier_says_the_same(verifier_class: Any, method: str) -> None:
    request = gotom_request(method, "/a", b"x")
    found = verifier_class(GoTom(), {USER: SECRET}, clock=_clock).verify(request)
    if verifier_class is AsyncVerifier:
        found = asyncio.run(found)
    assert found == Verifier(GoTom(), {USER: SECRET}, clock=_clock).verify(request)


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method", "X-Method-Override"]
)
@pytest.mark.parametrize("method", METHODS)
def test_an_override_header_makes_another_request_of_a_signed_post(name: str, method: str) -> None:
    request = replaced(gotom_request(method, "/a"), name, "DELETE")
    outcome = judged(Verifier(GoTom(), {USER: SECRET}, clock=_clock), request)
    if method == "POST":
        assert not isinstance(outcome, Verified)
        assert (outcome[0], outcome[2:]) == (Reason.MALFORMED, ("gotom", USER))
        assert name in outcome[1]
    else:
        assert isinstance(outcome, Verified)


def test_an_override_header_on_a_post_of_gogrids() -> None:
    request = gogrid_form()
    request = dataclasses.replace(request, headers=(*request.headers, ("X-HTTP-Method-Override", "DELETE")))
    assert reason(Verifier(GoGrid(), {"key": SECRET}, clock=_clock), request) is Reason.MALFORMED


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("in_two", [False, True])
def test_a_replay_guard_sees_every_request_that_verifies(method: str, in_two: bool) -> None:
    request = gotom_request(method, "/a", b"x")
    policies: list[tuple[Any, bool]] = [
        (guarded(), True),
        ({"gotom": ReplayPolicy(MemoryReplayGuard(born=0), methods="all")}, True),
        ({"gotom": ReplayPolicy(MemoryReplayGuard(born=0))}, method not in ("GET", "HEAD")),
        (MemoryReplayGuard(born=0), method not in ("GET", "HEAD")),
    ]
    for replay, once in policies:
        verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=replay)
        first = verifier.verify(request)
        again = _outcome((lambda v=verifier: _in_two(v, request)) if in_two else lambda v=verifier: v.verify(request))
        if once:
            assert again == (Reason.REPLAYED, "the signature verified once already", "gotom", USER)
        else:
            assert again == first


def test_a_replay_guard_is_not_asked_of_what_does_not_verify() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded())
    good = gotom_request("POST", "/a", b"x")
    for bad in (replaced(good, "Date", "0"), dataclasses.replace(good, body=b"y"), replaced(good, "Authorization")):
        assert not isinstance(_outcome(lambda bad=bad: verifier.verify(bad)), Verified)
    assert verifier.verify(good)


# Verifiers that ask for more than the plainest one


def _broken_lookup(key_id: str, scheme_name: str) -> str:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("verifier", "said"),
    [
        pytest.param(Verifier([GoTom(), GoGrid()], {USER: SECRET}, clock=_clock), None, id="two schemes"),
        pytest.param(Verifier(GoTom(), lambda *_: SECRET, clock=_clock), None, id="a lookup"),
        pytest.param(Verifier(GoTom(), lambda *_: None, clock=_clock), Reason.UNKNOWN_KEY, id="a lookup of nothing"),
        pytest.param(Verifier(GoTom(), _broken_lookup, clock=_clock), Reason.UNAVAILABLE, id="a broken lookup"),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=_clock, require=Requirements(writes={Component.BODY})),
            None,
            id="what is required depends on the request",
        ),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=_clock, require=lambda head: {Component.HEADERS}),
            Reason.INSECURE,
            id="what is required is not covered",
        ),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=_clock, require=lambda head: 1 / 0),  # type: ignore[arg-type, return-value]
            Reason.UNAVAILABLE,
            id="what is required is not found out",
        ),
        pytest.param(Verifier(GoTom(), {"other": SECRET}, clock=_clock), Reason.UNKNOWN_KEY, id="unknown key"),
        pytest.param(Verifier(GoTom(), {USER: "other"}, clock=_clock), Reason.MISMATCH, id="wrong secret"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 1800), None, id="the oldest"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 1801), Reason.STALE, id="stale"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW - 1801), Reason.FUTURE, id="future"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: math.nan), Reason.UNAVAILABLE, id="no clock"),
        pytest.param(Verifier(GoGrid(), {USER: SECRET}, clock=_clock), Reason.MISSING, id="another scheme"),
        pytest.param(
            Verifier(
                GoTom(multipart_as_empty=True, signed_headers=("X-One",)),
                {USER: SECRET},
                clock=_clock,
                require={Component.HEADERS},
            ),
            None,
            id="signed headers",
        ),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_what_a_verifier_asks_for_besides(verifier: Verifier, said: Reason | None, method: str) -> None:
    outcome = judged(verifier, gotom_request(method, "/a", b"x"))
    assert outcome[0] == (said or "gotom")


class _Forbidding:
    def read(self, request: Request) -> Claim | None:
        raise Rejected(Reason.MALFORMED, "nobody is let in")


@dataclass(frozen=True)
class _Mixed(_Forbidding, GoTom):
    """GoTom with a method of another base."""


@dataclass(frozen=True)
class _Descendant(_Mixed):
    """Has no `read` of its own."""


@dataclass(frozen=True)
class _CoversLess(GoTom):
    def covers(self, request: Request) -> frozenset[Component]:
        return super().covers(request) - ({Component.TARGET} if request.headers else set())


@pytest.mark.parametrize("scheme", [_Mixed(), _Descendant(), _CoversLess()])
@pytest.mark.parametrize("method", METHODS)
def test_a_scheme_that_refuses_more_is_asked(scheme: HttpHmac, method: str) -> None:
    verifier = Verifier(scheme, {USER: SECRET}, clock=_clock, require={Component.TARGET})
    assert reason(verifier, gotom_request(method, "/a")) in (Reason.MALFORMED, Reason.INSECURE)


class _Strict(Verifier):
    def finish(self, pending: Pending) -> Verified:
        raise Rejected(Reason.UNAVAILABLE, "nobody is let in")


def test_a_verifier_that_refuses_more_is_asked() -> None:
    assert refused(_Strict(GoTom(), {USER: SECRET}, clock=_clock), gotom_request()).detail == "nobody is let in"


@pytest.mark.parametrize("scheme", [Acquia(), GoTom(algorithm="sha256"), GoTom(date_header="Content-Length")])
def test_presets_other_algorithms_and_other_dates(scheme: HttpHmac) -> None:
    signature = gotom_signature("POST", "/a", b"x", algorithm=scheme.algorithm)
    headers = (
        ("content-type", "application/json"),
        (scheme.date_header, DATE),
        ("authorization", f"{scheme.provider} {USER}:{signature}"),
    )
    assert verified(Verifier(scheme, {USER: SECRET}, clock=_clock), Request("POST", "/a", headers, b"x"))


# Headers that are there once more


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
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock)
    request = gotom_request(method, "/a")
    for headers in ((added, *request.headers), (*request.headers, added)):
        outcome = judged(verifier, dataclasses.replace(request, headers=headers))
        assert outcome[0] == ("gotom" if verifies else Reason.MALFORMED)


def test_an_unknown_key_does_not_verify_with_what_it_is_compared_with() -> None:
    stand_in = hashlib.sha256(b"undersign: no such key").digest()
    for scheme in (GoTom(), GoGrid(allow_http=True)):
        request = Request("GET", "/a")
        request = sign(scheme, request, Credential(USER, stand_in), now=NOW).apply(request)
        assert verified(Verifier(scheme, {USER: stand_in}, clock=_clock), request)
        assert reason(Verifier(scheme, {"other": SECRET}, clock=_clock), request) is Reason.UNKNOWN_KEY


# Whoever signs what is read gets in, or out, in one way


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
    verifier = Verifier(scheme, _KEYS, clock=_clock)
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
    judged(Verifier(GoGrid(), {"key": SECRET}, clock=_clock), Request(method, target, headers, form, origin))


@pytest.mark.parametrize("request_", [gogrid_request(), gogrid_form(), gogrid_form(b"a=1&b=2")])
def test_keyed_timestamps_verify(request_: Request) -> None:
    assert verified(Verifier(GoGrid(), {"key": SECRET}, clock=_clock), request_).at == NOW
    assert reason(Verifier(GoGrid(), {"other": SECRET}, clock=_clock), request_) is Reason.UNKNOWN_KEY


# Whatever a third party's scheme returns, what comes out is a verdict


@dataclass(frozen=True)
class Odd(GoTom):
    """Returns what it was told for one of its methods, or raises it."""

    name: str = "odd"
    method: str = ""
    value: Any = None

    def _answer(self, method: str, right: Any) -> Any:
        if method != self.method:
            return right
        if isinstance(self.value, type) and issubclass(self.value, BaseException):
            raise self.value("hunter2")
        return self.value(right) if callable(self.value) else self.value

    def read(self, request: Request) -> Any:
        claim = super().read(request)
        return claim if claim is None else self._answer("read", claim)

    def signature(self, secret: bytes, string: bytes) -> Any:
        return self._answer("signature", super().signature(secret, string))

    def covers(self, request: Request) -> Any:
        return self._answer("covers", super().covers(request))

    def could_cover(self) -> frozenset[Component]:
        return super().covers(Request("POST", "/"))

    def body_need(self, head: Request) -> Any:
        return self._answer("body_need", super().body_need(head))


def _raising(*_: Any) -> Any:
    raise KeyError("hunter2")


def _changing(**changes: Any) -> Callable[[Claim], Claim]:
    return lambda claim: claim._replace(**changes)


_NO_KEY_IDS: tuple[Any, ...] = (None, 7, b"k", [], "\ud800")
_ODD: list[tuple[str, Any]] = [
    *(("read", value) for value in (KeyError, RecursionError, CannotSign, 7, "claim", (), object())),
    *(("read", _changing(at=at)) for at in (math.nan, math.inf, -math.inf, 10**400, "now", True, 1j)),
    *(("read", _changing(key_id=key_id)) for key_id in _NO_KEY_IDS),
    *(("read", _changing(signatures=sent)) for sent in (None, (), 7, (7,), (None,), (b"x",), ("\ud800",))),
    *(
        ("read", _changing(string=made))
        for made in (None, 7, _raising, lambda *_: None, lambda *_: "text", lambda: b"")
    ),
    ("read", lambda claim: claim._replace(nonce=None)),
    ("read", lambda claim: claim._replace(nonce=7)),
    *(("signature", value) for value in (KeyError, None, 7, b"bytes")),
    *(("covers", value) for value in (KeyError, None, 7)),
    *(("body_need", value) for value in (KeyError, None, 7)),
]


@pytest.mark.parametrize(("method", "value"), _ODD)
def test_whatever_a_scheme_returns_verifying_raises_nothing_but_rejected(method: str, value: Any) -> None:
    scheme = Odd(method=method, value=value)
    for keys in ({USER: SECRET}, {"other": SECRET}):
        for schemes, required in ((scheme, ()), ([scheme, GoGrid()], ()), (scheme, {Component.TARGET})):
            verifier = Verifier(schemes, keys, clock=_clock, require=lambda head, required=required: required)  # type: ignore[misc]
            for request in (gotom_request("GET", "/a"), gotom_request("POST", "/a", b"x")):
                outcome = _outcome(lambda v=verifier, r=request: v.verify(r))
                # What is wrong where nobody looks does no harm: the need of a body where there is none.
                assert isinstance(outcome, Verified) <= (_is_a_change(value) or not request.body)
                assert "hunter2" not in str(outcome)


def _is_a_change(value: Any) -> bool:
    """Whether it changes what is right, which may be to what verifying does not look at."""
    return callable(value) and not isinstance(value, type)


def test_a_scheme_that_names_no_window_needs_no_time() -> None:
    scheme: Scheme = Odd(method="read", value=lambda claim: claim._replace(at=None))
    outcome = judged(Verifier(scheme, {USER: SECRET}, clock=_clock), gotom_request("POST", "/a", b"x"))
    assert isinstance(outcome, Verified)
    assert outcome.at in range(NOW - 1800, NOW + 1801)
