"""There is one path of verifying: with the body at hand or behind the head, as bytes or as digests, sync or async, it
comes to one verdict."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.core.one_path import METHODS, clock, judged, outcome_of, reason, verified, verified_in_two
from tests.core.plain import (
    DATE,
    NOW,
    SECRET,
    USER,
    gogrid_form,
    gotom_request,
    gotom_signature,
    guarded,
    refused,
    replaced,
)
from undersign import (
    Acquia,
    AsyncVerifier,
    Claim,
    Component,
    GoGrid,
    GoTom,
    HttpHmac,
    Pending,
    Reason,
    Rejected,
    Request,
    Verified,
    Verifier,
    vectors,
)
from undersign.policy import MemoryReplayGuard, ReplayPolicy, Requirements
from undersign.registry import build_scheme


@pytest.mark.parametrize("name", ["gotom", "gogrid"])
def test_every_vector_has_one_verdict(name: str) -> None:
    outcomes: Counter[str] = Counter()
    for group, test in vectors.load(name):
        if group.op != "verify":
            continue
        # A mapping refuses an empty secret, which from a lookup is none.
        keys = {key_id: tuple(filter(None, secrets)) for key_id, secrets in group.keys.items() if any(secrets)}
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
    verifier = Verifier(GoTom(), {USER: ["a newer one", SECRET]}, clock=clock)
    found = verified(verifier, gotom_request(method, target, body))
    assert (found.scheme, found.key_id, found.at, found.secret_index) == ("gotom", USER, NOW, 1)
    assert found.expires == NOW + 1800
    string = f"{method}\n{hashlib.md5(body, usedforsecurity=False).hexdigest()}\napplication/json\n{DATE}\n\n{target}"
    assert found.signed == string.encode()


@pytest.mark.parametrize("method", METHODS)
def test_a_signature_of_one_method_is_not_that_of_another(method: str) -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=clock)
    for other in METHODS:
        request = dataclasses.replace(gotom_request(method, "/a", b"x"), method=other)
        assert isinstance(judged(verifier, request), Verified) is (method == other)
    assert reason(verifier, dataclasses.replace(gotom_request("POST", "/a"), body=b"x")) is Reason.MISMATCH


@pytest.mark.parametrize("verifier_class", [Verifier, AsyncVerifier])
@pytest.mark.parametrize("method", METHODS)
def test_the_async_verifier_says_the_same(verifier_class: Any, method: str) -> None:
    request = gotom_request(method, "/a", b"x")
    found = verifier_class(GoTom(), {USER: SECRET}, clock=clock).verify(request)
    if verifier_class is AsyncVerifier:
        found = asyncio.run(found)
    assert found == Verifier(GoTom(), {USER: SECRET}, clock=clock).verify(request)


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method", "X-Method-Override"]
)
@pytest.mark.parametrize("method", METHODS)
def test_an_override_header_makes_another_request_of_a_signed_post(name: str, method: str) -> None:
    request = replaced(gotom_request(method, "/a"), name, "DELETE")
    outcome = judged(Verifier(GoTom(), {USER: SECRET}, clock=clock), request)
    if method == "POST":
        assert not isinstance(outcome, Verified)
        assert (outcome[0], outcome[2:]) == (Reason.MALFORMED, ("gotom", USER))
        assert name in outcome[1]
    else:
        assert isinstance(outcome, Verified)


def test_an_override_header_on_a_post_of_gogrids() -> None:
    request = gogrid_form()
    request = dataclasses.replace(request, headers=(*request.headers, ("X-HTTP-Method-Override", "DELETE")))
    assert reason(Verifier(GoGrid(), {"key": SECRET}, clock=clock), request) is Reason.MALFORMED


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
        verifier = Verifier(GoTom(), {USER: SECRET}, clock=clock, replay=replay)
        first = verifier.verify(request)
        verify = partial(verified_in_two, verifier) if in_two else verifier.verify
        again = outcome_of(lambda verify=verify: verify(request))
        if once:
            assert again == (Reason.REPLAYED, "the signature verified once already", "gotom", USER)
        else:
            assert again == first


def test_a_replay_guard_is_not_asked_of_what_does_not_verify() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=clock, replay=guarded())
    good = gotom_request("POST", "/a", b"x")
    for bad in (replaced(good, "Date", "0"), dataclasses.replace(good, body=b"y"), replaced(good, "Authorization")):
        assert not isinstance(outcome_of(lambda bad=bad: verifier.verify(bad)), Verified)
    assert verifier.verify(good)


# Verifiers that ask for more than the plainest one


def _broken_lookup(key_id: str, scheme_name: str) -> str:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("verifier", "said"),
    [
        pytest.param(Verifier([GoTom(), GoGrid()], {USER: SECRET}, clock=clock), None, id="two schemes"),
        pytest.param(Verifier(GoTom(), lambda *_: SECRET, clock=clock), None, id="a lookup"),
        pytest.param(Verifier(GoTom(), lambda *_: None, clock=clock), Reason.UNKNOWN_KEY, id="a lookup of nothing"),
        pytest.param(Verifier(GoTom(), _broken_lookup, clock=clock), Reason.UNAVAILABLE, id="a broken lookup"),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=clock, require=Requirements(writes={Component.BODY})),
            None,
            id="what is required depends on the request",
        ),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=clock, require=lambda head: {Component.HEADERS}),
            Reason.INSECURE,
            id="what is required is not covered",
        ),
        pytest.param(
            Verifier(GoTom(), {USER: SECRET}, clock=clock, require=lambda head: 1 / 0),  # type: ignore[arg-type, return-value]
            Reason.UNAVAILABLE,
            id="what is required is not found out",
        ),
        pytest.param(Verifier(GoTom(), {"other": SECRET}, clock=clock), Reason.UNKNOWN_KEY, id="unknown key"),
        pytest.param(Verifier(GoTom(), {USER: "other"}, clock=clock), Reason.MISMATCH, id="wrong secret"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 1800), None, id="the oldest"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW + 1801), Reason.STALE, id="stale"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: NOW - 1801), Reason.FUTURE, id="future"),
        pytest.param(Verifier(GoTom(), {USER: SECRET}, clock=lambda: math.nan), Reason.UNAVAILABLE, id="no clock"),
        pytest.param(Verifier(GoGrid(), {USER: SECRET}, clock=clock), Reason.MISSING, id="another scheme"),
        pytest.param(
            Verifier(
                GoTom(multipart_as_empty=True, signed_headers=("X-One",)),
                {USER: SECRET},
                clock=clock,
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
    verifier = Verifier(scheme, {USER: SECRET}, clock=clock, require={Component.TARGET})
    assert reason(verifier, gotom_request(method, "/a")) in (Reason.MALFORMED, Reason.INSECURE)


class _Strict(Verifier):
    def finish(self, pending: Pending) -> Verified:
        raise Rejected(Reason.UNAVAILABLE, "nobody is let in")


def test_a_verifier_that_refuses_more_is_asked() -> None:
    assert refused(_Strict(GoTom(), {USER: SECRET}, clock=clock), gotom_request()).detail == "nobody is let in"


@pytest.mark.parametrize("scheme", [Acquia(), GoTom(algorithm="sha256"), GoTom(date_header="Content-Length")])
def test_presets_other_algorithms_and_other_dates(scheme: HttpHmac) -> None:
    signature = gotom_signature("POST", "/a", b"x", algorithm=scheme.algorithm)
    headers = (
        ("content-type", "application/json"),
        (scheme.date_header, DATE),
        ("authorization", f"{scheme.provider} {USER}:{signature}"),
    )
    assert verified(Verifier(scheme, {USER: SECRET}, clock=clock), Request("POST", "/a", headers, b"x"))
