"""What verifies at a glance verifies the long way too, whoever signs what: it may be faster, and never more lenient."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core import strategies as some
from tests.core.plain import DATE, NOW, SECRET, USER, gotom_request, gotom_signature, guarded, refused
from undersign import (
    AsyncVerifier,
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
from undersign.registry import build_scheme
from undersign.replay import MemoryReplayGuard, ReplayPolicy
from undersign.requirements import Requirements
from undersign.schemes.presets import Acquia

Headers = list[tuple[bytes, bytes]]


def _clock() -> float:
    return NOW


def _raw(request: Request) -> Headers:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]


def _long_way(verifier: Verifier, method: str, target: str, headers: Headers) -> Verified | Rejected:
    decoded = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    try:
        return verifier.verify(Request(method, target, decoded))
    except Rejected as rejected:
        return rejected


def test_every_vector_comes_out_the_same() -> None:
    outcomes: Counter[bool] = Counter()
    for group, test in vectors.load("gotom"):
        now, request = group.now, test.request
        keys = {key_id: secrets for key_id, secrets in group.keys.items() if all(secrets)}
        verifier = Verifier(build_scheme("gotom", group.options), keys, clock=lambda now=now: now)  # type: ignore[misc]
        if group.op == "verify" and request.method in ("GET", "HEAD") and not request.body:
            seen = verifier.glance(request.method, request.target, _raw(request))
            assert seen is None or test.result == "valid"
            assert seen is None or seen == verifier.verify(request)
            outcomes[seen is not None] += 1
    assert outcomes[True] > 5
    assert outcomes[False] > 30


_names = st.sampled_from(
    b"date Date content-type content_type Content-Type CONTENT-TYPE authorization Authorization x-date x_date X-Date "
    b"content-length Content-Length transfer-encoding host accept x-http-method-override x-one x_one date_ \xc4".split()
)
_dates = [b"", b"0", b" ", DATE.encode(), b" " + DATE.encode(), DATE.encode() + b"\t"]
_dates += [
    b"2024-11-07 10:21:15 UTC",
    b"20241107T112115+01",
    b"Thu, 7 Nov 2024 10:21:15 +0000",
    b"2024-11-07T10:21:15 Z",
]
_types = [b"application/json", b" application/json ", b"TEXT/x\xe9", b"text/\x85", b"multipart/form-data; boundary=x"]
_values = st.sampled_from([*_dates, *_types, b"a\nb", b"\x00", b"\xff", b"\xb5"])
_targets = st.sampled_from(
    ["/", "/a?b=c", "/a?", "//a", "/a#b", "/ä", "/a b", "*", "", "a", "http://h/a", "HTTP://h?x", "/a\nb", "/\x7f"]
)
_written_key_ids = st.sampled_from([USER, USER + " ", "a:b", "a\\:b", "a\\\\b", "\\", "", "ü", "a\tb", "a\x00b", "x"])


@given(
    st.sampled_from(["GET", "HEAD", "POST", "get", "PURGE", "OPTIONS"]),
    _targets | some.targets,
    st.lists(st.tuples(_names, _values), max_size=5),
    st.booleans(),
    _written_key_ids,
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
@example("GET", "/a", [(b"date_", b"1")], True, USER, GoTom())
def test_whoever_signs_what_is_seen_gets_no_further_than_the_long_way(
    method: str, target: str, headers: Headers, is_complete: bool, key_id: str, scheme: HttpHmac
) -> None:
    if is_complete:
        headers = [*headers, (b"content-type", b"application/json"), (b"date", DATE.encode())]
    named = f"{scheme.provider} {key_id}".encode()
    unsigned = [*headers, (b"authorization", named + b":" + b"A" * 27 + b"=")]
    seen = scheme.glance(method, target, unsigned)
    if seen is None:
        return
    sent = base64.b64encode(hmac.digest(SECRET.encode(), seen[3], "sha1"))
    signed = [*headers, (b"authorization", named + b":" + sent)]
    verifier = Verifier(scheme, dict.fromkeys([USER, "a:b", "a\\b", "x", "ü"], SECRET), clock=_clock)
    verified = verifier.glance(method, target, signed)
    if method in ("GET", "HEAD"):
        assert verified == _long_way(verifier, method, target, signed)
    else:
        assert verified is None


@pytest.mark.parametrize("verifier_class", [Verifier, AsyncVerifier])
def test_the_plainest_requests_show_who_signed_them(verifier_class: type[Verifier] | type[AsyncVerifier]) -> None:
    request = gotom_request()
    verifier = verifier_class(GoTom(), {USER: ["a newer one", SECRET]}, clock=_clock)
    verified = verifier.glance("GET", request.target, _raw(request))
    assert verified is not None
    assert (verified.scheme, verified.key_id, verified.at, verified.secret_index) == ("gotom", USER, NOW, 1)
    assert verified == Verifier(GoTom(), {USER: ["a newer one", SECRET]}, clock=_clock).verify(request)


@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param(Verifier([GoTom(), GoGrid()], {USER: SECRET}, clock=_clock), id="two schemes"),
        pytest.param(Verifier(GoTom(), lambda *_: SECRET, clock=_clock), id="a lookup"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded()), id="guarded GETs"),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=_clock, require=Requirements(writes={Component.BODY})),
            id="what is required depends on the request",
        ),
        pytest.param(Verifier(GoTom(), {"other": SECRET}, clock=_clock), id="unknown key"),
        pytest.param(Verifier(GoTom(), {USER: "other"}, clock=_clock), id="wrong secret"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 1801), id="stale"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW - 1801), id="future"),
        pytest.param(Verifier(GoGrid(), {USER: SECRET}, clock=_clock), id="a scheme without a glance"),
        pytest.param(
            Verifier(
                GoTom(multipart_as_empty=True, signed_headers=("X-One",)),
                {USER: SECRET},
                clock=_clock,
                require={Component.HEADERS},
            ),
            id="signed headers",
        ),
    ],
)
def test_all_else_takes_the_long_way(verifier: Verifier) -> None:
    request = gotom_request()
    assert verifier.glance("GET", request.target, _raw(request)) is None


def test_a_guard_of_unsafe_methods_lets_a_get_pass_at_a_glance() -> None:
    policy = {"gotom": ReplayPolicy(MemoryReplayGuard(born=0))}
    request = gotom_request()
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=policy)
    assert verifier.glance("GET", request.target, _raw(request)) == verifier.verify(request)


class _Forbidding:
    def read(self, request: Request) -> Claim | None:
        raise Rejected(Reason.MALFORMED, "nobody is let in")


@dataclass(frozen=True)
class _Mixed(_Forbidding, GoTom):
    """GoTom with a method of another base."""


@dataclass(frozen=True)
class _Descendant(_Mixed):
    """Has neither `read` nor `glance` of its own."""


@dataclass(frozen=True)
class _CoversLess(GoTom):
    def covers(self, request: Request) -> frozenset[Component]:
        return super().covers(request) - ({Component.TARGET} if request.headers else set())


@pytest.mark.parametrize("scheme", [_Mixed(), _Descendant(), _CoversLess()])
def test_a_scheme_that_refuses_more_is_not_verified_at_a_glance(scheme: HttpHmac) -> None:
    request = gotom_request()
    verifier = Verifier(scheme, {USER: SECRET}, clock=_clock, require={Component.TARGET})
    assert verifier.glance("GET", request.target, _raw(request)) is None
    refused(verifier, request)


class _Strict(Verifier):
    def finish(self, pending: Pending) -> Verified:
        raise Rejected(Reason.UNAVAILABLE, "nobody is let in")


def test_a_verifier_that_refuses_more_verifies_nothing_at_a_glance() -> None:
    request = gotom_request()
    verifier = _Strict(GoTom(), {USER: SECRET}, clock=_clock)
    assert verifier.glance("GET", request.target, _raw(request)) is None
    refused(verifier, request)


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding"])
def test_what_announces_a_body_is_no_date_at_a_glance(name: str) -> None:
    request = gotom_request()
    headers = [(name.lower().encode() if key == b"date" else key, value) for key, value in _raw(request)]
    verifier = Verifier(GoTom(date_header=name), {USER: SECRET}, clock=_clock)
    assert verifier.glance("GET", request.target, headers) is None


def test_presets_and_other_algorithms_are_seen_too() -> None:
    schemes: list[tuple[Scheme, str]] = [(Acquia(), "Acquia"), (GoTom(algorithm="sha256"), "gotom_app_api")]
    for scheme, provider in schemes:
        algorithm = "sha256" if provider != "Acquia" else "sha1"
        signature = gotom_signature("GET", "/a", algorithm=algorithm)
        headers = [
            (b"content-type", b"application/json"),
            (b"date", DATE.encode()),
            (b"authorization", f"{provider} {USER}:{signature}".encode()),
        ]
        assert Verifier(scheme, {USER: SECRET}, clock=_clock).glance("GET", "/a", headers) is not None


_SIGNED = _raw(gotom_request("GET", "/a"))


@pytest.mark.parametrize(
    "added",
    [
        (b"Date", DATE.encode()),
        (b"DATE", b"x"),
        (b"Content-Type", b"a/b"),
        (b"content_type", b"a/b"),
        (b"Content-Length", b"0"),
        (b"content-length", b"0"),
        (b"transfer-encoding", b"chunked"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Authorization", b"x"),
        *_SIGNED,
    ],
)
def test_a_second_spelling_of_what_counts_is_never_passed_by(added: tuple[bytes, bytes]) -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock)
    assert verifier.glance("GET", "/a", _SIGNED) is not None
    assert verifier.glance("GET", "/a", [added, *_SIGNED]) is None
    assert verifier.glance("GET", "/a", [*_SIGNED, added]) is None


def test_an_unknown_key_does_not_verify_with_what_it_is_compared_with() -> None:
    stand_in = hashlib.sha256(b"undersign: no such key").digest()
    request = sign(GoTom(), Request("GET", "/a"), Credential(USER, stand_in), now=NOW).apply(Request("GET", "/a"))
    assert Verifier(GoTom(), {USER: stand_in}, clock=_clock).glance("GET", "/a", _raw(request)) is not None
    assert Verifier(GoTom(), {"other": SECRET}, clock=_clock).glance("GET", "/a", _raw(request)) is None
