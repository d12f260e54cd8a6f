"""Verifiers: keys, requirements, replay guards and refusals around the two phases."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import undersign
from undersign import (
    AsyncVerifier,
    BodyNeed,
    Claim,
    Component,
    ConfigError,
    GoGrid,
    GoTom,
    KeyedTimestamp,
    Patch,
    Reason,
    Rejected,
    Request,
    Secret,
    Verified,
    Verifier,
    begin,
)
from undersign.policy import AsyncReplayGuard, MemoryReplayGuard, ReplayGuard
from undersign.verifying import RollingWindows

from .plain import (
    FORM,
    NOW,
    SECRET,
    USER,
    gogrid_form,
    gogrid_request,
    gotom_request,
    gotom_verifier,
    guarded,
    refused,
    replaced,
)


def _clock() -> float:
    return NOW


def _verify(keys: Any, request: Request | None = None, **options: Any) -> Verified:
    """Verify with both verifiers; they agree."""
    request = request or gotom_request()
    schemes = options.pop("schemes", GoTom())
    outcomes: list[Verified | Rejected] = []
    try:
        outcomes.append(Verifier(schemes, keys, clock=_clock, **options).verify(request))
    except Rejected as rejected:
        outcomes.append(rejected)
    try:
        outcomes.append(asyncio.run(AsyncVerifier(schemes, keys, clock=_clock, **options).verify(request)))
    except Rejected as rejected:
        outcomes.append(rejected)
    sync, other = outcomes
    if isinstance(sync, Rejected):
        assert isinstance(other, Rejected)
        assert repr(sync) == repr(other)
        raise sync
    assert sync == other
    return sync


def _reason(keys: Any, request: Request | None = None, **options: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        _verify(keys, request, **options)
    return caught.value.reason


# Keys


@pytest.mark.parametrize(
    ("value", "index"),
    [
        (SECRET, 0),
        (SECRET.encode(), 0),
        (Secret(SECRET), 0),
        ([SECRET], 0),
        (("new", SECRET), 1),
        ([b"new", bytearray(b"newer"), SECRET.encode()], 2),
    ],
)
def test_a_key_has_one_secret_or_several_newest_first(value: Any, index: int) -> None:
    assert _verify({USER: value}).secret_index == index
    assert _verify({"gotom": {USER: value}}).secret_index == index
    assert _verify(lambda key_id, scheme: value if (key_id, scheme) == (USER, "gotom") else None).secret_index == index


def test_a_key_that_is_not_there_is_unknown() -> None:
    several: list[Any] = [{}, {"other": SECRET}, {"gotom": {}}, {"gotom": {"other": SECRET}}]
    for keys in several:
        assert _reason(keys) is Reason.UNKNOWN_KEY


def test_keys_may_be_scoped_to_a_scheme() -> None:
    schemes = [GoTom(), GoGrid()]
    keys = {"gotom": {USER: SECRET}, "gogrid": {"key": SECRET}}
    assert _verify(keys, schemes=schemes).scheme == "gotom"
    assert _verify(keys, gogrid_request(), schemes=schemes).scheme == "gogrid"
    assert _reason({"gotom": {"key": SECRET}}, gogrid_request(), schemes=schemes) is Reason.UNKNOWN_KEY


def test_a_mapping_of_keys_is_copied() -> None:
    keys: dict[str, list[str]] = {USER: [SECRET]}
    verifier = Verifier(GoTom(), keys, clock=_clock)
    keys[USER][0] = "other"
    keys.clear()
    assert verifier.verify(gotom_request())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (None, 'keys is a mapping such as {"key id": "secret"}, or a callable, not NoneType'),
        ([("u", "s")], 'keys is a mapping such as {"key id": "secret"}, or a callable, not list'),
        ("secret", 'keys is a mapping such as {"key id": "secret"}, or a callable, not str'),
        ({"u": "s", "gotom": {"u": "s"}}, "keys mixes secrets with mappings"),
        ({"gotmo": {"u": "s"}}, "keys are given for the scheme 'gotmo', which is not verified: gotom are"),
        ({"gotom": {"u": "s"}, "gogrid": {}}, "keys are given for the scheme 'gogrid'"),
        ({"u": ""}, "the key 'u': the secret is empty"),
        ({"u": ["s", b""]}, "the key 'u': the secret is empty"),
        ({"gotom": {"u": ""}}, "the key 'u': the secret is empty"),
        ({"u": []}, "the key 'u' has no secret"),
        ({"u": ()}, "the key 'u' has no secret"),
        ({"u": None}, "the key 'u': a secret is text or bytes, not NoneType"),
        ({"u": 5}, "the key 'u': a secret is text or bytes, not int"),
        ({"u": [["s"]]}, "the key 'u': a secret is text or bytes, not list"),
        ({"gotom": {"u": {"v": "s"}}}, "the key 'u': a secret is text or bytes, not dict"),
        ({"u": "\ud800"}, "the key 'u': the secret holds a lone surrogate"),
        ({"": "s"}, "the key id '' is not text, or is empty"),
        ({5: "s"}, "the key id 5 is not text"),
    ],
)
def test_keys_that_cannot_work_are_refused_when_the_verifier_is_built(keys: Any, message: str) -> None:
    for verifier in (Verifier, AsyncVerifier):
        with pytest.raises(ConfigError, match=message):
            verifier(GoTom(), keys)


# Lookups


@pytest.mark.parametrize("answer", [None, "", b"", (), [], [""], [None, b""]])
def test_a_lookup_that_has_no_secret_says_that_the_key_is_unknown(answer: Any) -> None:
    assert _reason(lambda *_: answer) is Reason.UNKNOWN_KEY


def test_an_empty_secret_from_a_lookup_is_no_secret_at_all() -> None:
    assert _verify(lambda *_: ["", SECRET]).secret_index == 0


def test_a_lookup_may_be_a_coroutine() -> None:
    async def lookup(key_id: str, scheme: str) -> list[str]:
        await asyncio.sleep(0)
        return [SECRET] if (key_id, scheme) == (USER, "gotom") else []

    verifier = AsyncVerifier(GoTom(), lookup, clock=_clock)
    assert asyncio.run(verifier.verify(gotom_request())).key_id == USER
    with pytest.raises(Rejected, match="unknown_key"):
        asyncio.run(verifier.verify(gotom_request(user="other")))


def test_a_verifier_may_be_asked_in_steps_async() -> None:
    async def steps() -> Verified:
        verifier = AsyncVerifier(GoTom(), {USER: SECRET}, clock=_clock)
        return await verifier.finish(verifier.begin(gotom_request()).with_body(b""))

    assert asyncio.run(steps()).key_id == USER


@pytest.mark.parametrize("answer", [5, [5], [SECRET, 5], {"a": "b"}, object(), "\ud800"])
def test_a_lookup_that_answers_nonsense_is_unavailable(answer: Any) -> None:
    with pytest.raises(Rejected) as caught:
        _verify(lambda *_: answer)
    assert (caught.value.reason, caught.value.scheme, caught.value.key_id) == (Reason.UNAVAILABLE, "gotom", USER)
    assert isinstance(caught.value.__cause__, ConfigError)


def test_a_lookup_that_fails_is_unavailable() -> None:
    def lookup(*_: str) -> str:
        raise OSError("the database is down")

    async def async_lookup(*_: str) -> str:
        raise OSError("the database is down")

    with pytest.raises(Rejected, match="unavailable: the key lookup failed") as caught:
        _verify(lookup)
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(Rejected, match="unavailable: the key lookup failed"):
        asyncio.run(AsyncVerifier(GoTom(), async_lookup, clock=_clock).verify(gotom_request()))


def test_the_key_is_not_looked_up_for_a_request_that_is_refused_before() -> None:
    asked: list[str] = []

    def lookup(key_id: str, _: str) -> str:
        asked.append(key_id)
        return SECRET

    assert _reason(lookup, replaced(gotom_request(), "Date", "2001-01-01T00:00:00Z")) is Reason.STALE
    assert asked == []


# Schemes and requirements


@pytest.mark.parametrize("schemes", [[], None, ["gotom"], [GoTom(), None]])
def test_a_verifier_needs_schemes(schemes: Any) -> None:
    with pytest.raises((ConfigError, TypeError)):
        Verifier(schemes, {})


def test_two_schemes_cannot_have_one_name() -> None:
    with pytest.raises(ConfigError, match=r"two schemes have one name \(gotom, gotom\)"):
        Verifier([GoTom(), GoTom(provider="other")], {})


def test_two_deployments_of_one_family_live_side_by_side() -> None:
    schemes = [GoTom(), GoTom(provider="other", name="other")]
    assert _verify({USER: SECRET}, schemes=schemes).scheme == "gotom"


@pytest.mark.parametrize(
    "require", [{Component.BODY}, ["body", "date"], frozenset(Component) - {"authority", "headers"}]
)
def test_a_requirement_that_is_kept_changes_nothing(require: Any) -> None:
    assert _verify({USER: SECRET}, require=require)


@pytest.mark.parametrize(
    ("scheme", "require", "message"),
    [
        (GoGrid(), {Component.BODY}, "gogrid never covers what is required: body"),
        (
            GoGrid(),
            set(Component),
            "gogrid never covers what is required: authority, body, content-type, headers, method",
        ),
        (GoTom(), {"authority"}, "gotom never covers what is required: authority"),
        (GoTom(), {Component.HEADERS}, "gotom never covers what is required: headers"),
        ([GoTom(), GoGrid()], {Component.TARGET}, "gogrid never covers what is required: target"),
        (GoTom(), {"bodyy"}, "require: 'bodyy' is not a valid Component; there are method, authority"),
        (GoTom(), "body", "require is a collection of components"),
        (GoTom(), Component.BODY, "require is a collection of components"),
    ],
)
def test_a_requirement_that_can_never_be_kept_is_refused_when_built(scheme: Any, require: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Verifier(scheme, {}, require=require)


def test_a_requirement_is_checked_for_each_request() -> None:
    scheme = GoTom(multipart_as_empty=True)
    verifier = Verifier(scheme, {USER: SECRET}, clock=_clock, require={Component.BODY})
    assert verifier.verify(gotom_request("POST", "/", b"{}"))
    multipart = replaced(gotom_request("POST", "/"), "Content-Type", "multipart/form-data; boundary=x")
    refusal = refused(verifier, multipart)
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.INSECURE, "gotom", USER)
    assert "body" in refusal.detail
    with pytest.raises(Rejected, match="does not cover what is required: body"):
        verifier.begin(multipart)


class _Loose(KeyedTimestamp):
    """Covers the body but where the claim comes in the form."""

    def covers(self, request: Request) -> frozenset[Component]:
        return super().covers(request) | (frozenset() if request.media_types() else {Component.BODY})


def test_a_requirement_is_checked_for_a_claim_that_comes_with_the_body_too() -> None:
    verifier = Verifier(
        _Loose(key_param="api_key", name="loose"), {"key": SECRET}, clock=_clock, require={Component.BODY}
    )
    form = gogrid_form()
    pending = verifier.begin(form).with_body(form.body)
    with pytest.raises(Rejected) as caught:
        verifier.finish(pending)
    assert caught.value.reason is Reason.INSECURE
    async_verifier = AsyncVerifier(
        _Loose(key_param="api_key", name="loose"), {"key": SECRET}, clock=_clock, require={Component.BODY}
    )
    with pytest.raises(Rejected, match="insecure"):
        asyncio.run(async_verifier.finish(pending))


def test_a_form_without_a_signature_is_claimed_by_nobody() -> None:
    form = Request("POST", "/", (("Content-Type", "application/x-www-form-urlencoded"),), b"a=1", "https://h")
    refusal = refused(Verifier(GoGrid(), {"key": SECRET}, clock=_clock), form)
    assert refusal.reason is Reason.MISSING
    assert refusal.detail == "no scheme claims the request, neither its head nor its form"


def test_a_claim_without_a_string_to_sign_is_malformed() -> None:
    pending = begin(GoTom(), gotom_request(), now=NOW)._replace(claim=Claim("key", float(NOW)))
    with pytest.raises(Rejected, match="the scheme's claim has no string to sign") as caught:
        pending.with_body(b"").finish([Secret(SECRET)])
    refusal = caught.value
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.MALFORMED, "gotom", "key")


@pytest.mark.parametrize(("target", "more"), [("/", (("X-HTTP-Method-Override", "DELETE"),)), ("/?_method=DELETE", ())])
def test_a_request_that_would_run_another_method_is_refused_with_what_it_claims(target: str, more: Any) -> None:
    claimed = gotom_request("POST", target)
    request = Request("POST", target, (*claimed.headers, *more), claimed.body, claimed.origin)
    refusal = refused(Verifier(GoTom(method_field="_method"), {USER: SECRET}, clock=_clock), request)
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.MALFORMED, "gotom", USER)
    assert "would run another method than the signed one" in refusal.detail


def test_a_pending_that_is_undecided_cannot_be_finished() -> None:
    verifier = Verifier(GoGrid(), {"key": SECRET}, clock=_clock, require={Component.DATE})
    async_verifier = AsyncVerifier(GoGrid(), {"key": SECRET}, clock=_clock)
    with pytest.raises(ConfigError, match="call with_body"):
        verifier.finish(verifier.begin(gogrid_form()))
    with pytest.raises(ConfigError, match="call with_body"):
        asyncio.run(async_verifier.finish(async_verifier.begin(gogrid_form())))


# Replay guards


class _AsyncGuard(AsyncReplayGuard):
    def __init__(self) -> None:
        self._guard = MemoryReplayGuard()

    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        await asyncio.sleep(0)
        return self._guard.remember(replay_id, expires, now)


class _Guard(ReplayGuard):
    """A guard that answers, or raises, what it is told to, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[float, float]] = []

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        self.asked.append((expires, now))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def test_a_request_verifies_once() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded())
    assert verifier.verify(gotom_request())
    refusal = refused(verifier, gotom_request())
    assert (refusal.reason, refusal.scheme, refusal.key_id) == (Reason.REPLAYED, "gotom", USER)
    assert refusal.detail == "the signature verified once already"
    assert verifier.verify(gotom_request("GET", "/other"))


@pytest.mark.parametrize("guard", [lambda: MemoryReplayGuard(born=0), _AsyncGuard])
def test_a_request_verifies_once_async(guard: Callable[[], Any]) -> None:
    verifier = AsyncVerifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded(guard()))
    assert asyncio.run(verifier.verify(gotom_request()))
    with pytest.raises(Rejected, match="replayed"):
        asyncio.run(verifier.verify(gotom_request()))


def test_a_forged_request_does_not_use_up_the_real_one() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded())
    real = gotom_request("POST", "/", b"real")
    assert refused(verifier, Request("POST", "/", real.headers, b"forged")).reason is Reason.MISMATCH
    assert verifier.verify(real)


def test_without_a_guard_a_request_verifies_as_often_as_it_comes() -> None:
    verifier = gotom_verifier()
    assert verifier.verify(gotom_request()) == verifier.verify(gotom_request())


@pytest.mark.parametrize("answer", [OSError("down"), None, 1, "yes", Rejected(Reason.UNAVAILABLE, "full")])
def test_a_guard_that_fails_or_answers_nonsense_is_unavailable(answer: Any) -> None:
    with pytest.raises(Rejected, match="unavailable: the replay guard failed") as caught:
        _verify({USER: SECRET}, replay=guarded(_Guard(answer)))
    assert (caught.value.scheme, caught.value.key_id) == ("gotom", USER)


def test_an_async_guard_needs_an_async_verifier() -> None:
    with pytest.raises(ConfigError, match="use AsyncVerifier"):
        Verifier(GoTom(), {USER: SECRET}, replay=_AsyncGuard())  # type: ignore[arg-type]


def test_a_guard_is_asked_at_the_time_when_the_request_is_complete() -> None:
    clock = [float(NOW)]
    guard = _Guard(answer=True)
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=lambda: clock[0], replay=guarded(guard))
    pending = verifier.begin(gotom_request()).with_body(b"")
    clock[0] = NOW + 5.5
    assert verifier.finish(pending)
    clock[0] = NOW - 5
    assert verifier.finish(pending)
    assert guard.asked == [(NOW + 1800, NOW + 5.5), (NOW + 1800, NOW)]


def test_a_replay_whose_body_comes_after_the_window_has_closed_is_refused() -> None:
    clock = [float(NOW)]
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=lambda: clock[0], replay=guarded())
    assert verifier.verify(gotom_request())
    clock[0] = NOW + 1800
    pending = verifier.begin(gotom_request()).with_body(b"")
    clock[0] = NOW + 1801  # and the guard has forgotten the first one
    with pytest.raises(Rejected, match="the window closed before the request was complete") as caught:
        verifier.finish(pending)
    assert (caught.value.reason, caught.value.scheme, caught.value.key_id) == (Reason.STALE, "gotom", USER)


# Several schemes at once, and what the client sees


_BOTH = Verifier([GoTom(), GoGrid()], {USER: SECRET, "key": SECRET}, clock=_clock)


def test_each_request_is_verified_by_the_scheme_that_claims_it() -> None:
    names = [_BOTH.verify(request).scheme for request in (gotom_request(), gogrid_request(), gogrid_form())]
    assert names == ["gotom", "gogrid", "gogrid"]


def test_two_claims_are_ambiguous_in_head_and_form() -> None:
    in_query = Request("GET", gogrid_request().target, gotom_request().headers, origin="https://h")
    signed = replaced(gotom_request("POST", "/", gogrid_form().body), *FORM)  # type: ignore[arg-type]
    in_form = Request("POST", "/", signed.headers, gogrid_form().body, "https://h")
    for request in (in_query, in_form):
        refusal = refused(_BOTH, request)
        assert (refusal.reason, refusal.scheme) == (Reason.AMBIGUOUS, "")


def test_a_refusal_takes_the_shape_of_the_scheme_that_claimed_the_request() -> None:
    head = Request("GET", "/api/x")
    assert _BOTH.refusal(Rejected(Reason.STALE, scheme="gotom"), head) == GoTom().refusal(Rejected(Reason.STALE), head)
    assert _BOTH.refusal(Rejected(Reason.MISMATCH, scheme="gogrid"), head).status == 403


@pytest.mark.parametrize("scheme", ["", "other"])
def test_a_refusal_of_no_scheme_is_a_json_string_with_every_challenge(scheme: str) -> None:
    schemes = [GoTom(), GoTom(provider="p2", name="two"), GoGrid()]
    verifier = Verifier(schemes, {}, clock=_clock)
    response = verifier.refusal(Rejected(Reason.MISSING, scheme=scheme), Request("GET", "/"))
    assert (response.status, json.loads(response.body)) == (401, "Signature required")
    assert dict(response.headers) == {"Content-Type": "application/json", "WWW-Authenticate": "gotom_app_api, p2"}


def test_a_refusal_of_no_scheme_without_a_challenge_has_no_such_header() -> None:
    response = Verifier(GoGrid(), {}).refusal(Rejected(Reason.MISSING), Request("GET", "/"))
    assert response.headers == (("Content-Type", "application/json"),)
    too_large = _BOTH.refusal(Rejected(Reason.BODY_TOO_LARGE), Request("GET", "/"))
    assert (too_large.status, json.loads(too_large.body)) == (413, "Request body too large")


def test_a_verifier_and_its_parts_do_not_show_its_keys() -> None:
    for shown in (
        _BOTH,
        AsyncVerifier(GoTom(), {USER: SECRET}),
        Verifier(GoTom(), {USER: SECRET}, replay=MemoryReplayGuard()),
    ):
        assert SECRET not in repr(shown)
        assert SECRET not in repr(vars(shown))


class _Keys(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        return {USER: SECRET}[key]

    def __iter__(self) -> Any:
        return iter([USER])

    def __len__(self) -> int:
        return 1


def test_any_mapping_will_do() -> None:
    assert _verify(_Keys()).key_id == USER


def test_the_default_clock_is_the_machines() -> None:
    assert refused(Verifier(GoTom(), {USER: SECRET}), gotom_request()).reason is Reason.STALE


class _Nowhere(GoTom):
    """A scheme whose claim needs no body at all."""

    def body_need(self, head: Request) -> BodyNeed:
        return BodyNeed.NOTHING


def test_a_pending_of_the_engine_may_be_finished_by_a_verifier() -> None:
    pending = begin(_Nowhere(), gotom_request(), now=NOW)
    assert gotom_verifier().finish(pending).key_id == USER
    assert Patch().apply(pending.head) == pending.head


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_clock_that_tells_no_time_lets_nobody_in(now: float) -> None:
    request = gotom_request()
    verifier = gotom_verifier(now)
    rejected = refused(verifier, request)
    assert (rejected.reason, rejected.key_id) == (Reason.UNAVAILABLE, "")
    assert "the clock says" in rejected.detail


def test_a_clock_that_stops_before_the_guard_is_asked_lets_nobody_in() -> None:
    times = iter([NOW, math.nan])
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=lambda: next(times), replay=guarded())
    assert refused(verifier, gotom_request()).reason is Reason.UNAVAILABLE


class _Ending(GoTom):
    """A scheme whose signer says until when a request is to be taken: five seconds after its date."""

    says_when_it_ends = True

    def end_of(self, claim: Claim) -> float | None:
        return None if claim.at is None else claim.at + 5


def test_a_request_is_taken_in_the_second_in_which_its_signer_ends_it_and_not_after() -> None:
    for now in (NOW, NOW + 5, NOW + 5.9):
        assert Verifier(_Ending(), {USER: SECRET}, clock=lambda now=now: now).verify(gotom_request())  # type: ignore[misc]
    rejected = refused(Verifier(_Ending(), {USER: SECRET}, clock=lambda: NOW + 6), gotom_request())
    assert (rejected.reason, rejected.scheme, rejected.key_id) == (Reason.STALE, "gotom", USER)
    assert rejected.detail == f"signed until {NOW + 5}, and the clock says {NOW + 6}"


def test_a_scheme_that_cannot_say_when_it_ends_lets_nothing_in() -> None:
    class Failing(_Ending):
        def end_of(self, claim: Claim) -> float | None:
            raise OSError("of a third party")

    rejected = refused(Verifier(Failing(), {USER: SECRET}, clock=_clock), gotom_request())
    assert (rejected.reason, rejected.detail, rejected.scheme) == (Reason.UNAVAILABLE, "gotom failed: OSError", "gotom")


def test_what_is_compared_in_two_steps_bears_the_tenant_and_what_the_lookup_told() -> None:
    pending = begin(GoTom(), gotom_request(), now=NOW).with_body(b"")
    assert pending.finish([Secret(SECRET)]).tenant == ""
    named, plain = pending.finish([Secret(SECRET)], tenant="a"), pending.finish([Secret(SECRET)])
    apart = pending.finish([Secret(SECRET)], apart=True)
    assert named.tenant == "a"
    assert len({named.replay_id, plain.replay_id, apart.replay_id}) == 3
    with pytest.raises(Rejected, match="no secret is known for the key id: the lookup raised KeyError"):
        pending.finish([], told="the lookup raised KeyError")
    with pytest.raises(Rejected, match=r"no secret is known for the key id$"):
        pending.finish([])


def test_a_key_under_another_name_than_the_scheme_that_sends_none_is_told_so() -> None:
    scheme = undersign.presets.stripe()
    request = Request("POST", "/", body=b"{}", origin="https://a.example")
    signed = undersign.sign(scheme, request, undersign.Credential("stripe", SECRET), now=NOW).apply(request)
    detail = refused(Verifier(scheme, {"strpe": SECRET}, clock=_clock), signed).detail
    told = "stripe sends none, so the keys have its secret under 'stripe'"
    assert detail == f"no secret is known for the key id; {told}"
    mismatch = refused(Verifier(scheme, {"stripe": "x"}, clock=_clock), signed)
    assert (mismatch.reason, mismatch.detail) == (Reason.MISMATCH, "no secret of the key fits")
    request = Request("GET", "/", origin="https://a.example")
    signed = undersign.sign(GoTom(), request, undersign.Credential("gotom", SECRET), now=NOW).apply(request)
    assert refused(Verifier(GoTom(), {"a": SECRET}, clock=_clock), signed).detail == "no secret is known for the key id"


@pytest.mark.parametrize("kind", [Verifier, AsyncVerifier])
def test_the_windows_that_a_verifier_is_given_are_those_that_it_asks(kind: Any) -> None:
    class Noting(RollingWindows):
        asked = 0

        def find(self, *arguments: Any, **named: Any) -> int | None:
            Noting.asked += 1
            return super().find(*arguments, **named)

    for keys in ({USER: SECRET}, lambda key_id, scheme_name: SECRET):
        Noting.asked = 0
        verified = kind(GoGrid(), keys, clock=_clock, windows=Noting()).verify(gogrid_request(key=USER))
        assert (asyncio.run(verified) if asyncio.iscoroutine(verified) else verified).key_id == USER
        assert Noting.asked == 1


def test_what_fails_while_requirements_are_looked_at_is_named() -> None:
    class Silent(GoTom):
        def covers(self, request: Request) -> Any:
            raise OSError

    def fails(head: Request) -> Any:
        raise OSError

    for scheme, require, said in (
        (GoTom(), fails, "what is required could not be found out"),
        (Silent(), lambda head: {Component.BODY}, "what the signature covers could not be found out"),
    ):
        rejected = refused(Verifier(scheme, {USER: SECRET}, clock=_clock, require=require), gotom_request())
        assert (rejected.reason, rejected.detail) == (Reason.UNAVAILABLE, said)


def test_a_guard_s_own_words_are_in_the_log_and_no_others() -> None:
    for answer, said in (
        (Rejected(Reason.UNAVAILABLE, "full"), "the replay guard failed: full"),
        (Rejected(Reason.UNAVAILABLE), "the replay guard failed"),
        (OSError("a password"), "the replay guard failed"),
        (None, "the replay guard failed"),
    ):
        verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded(_Guard(answer)))
        assert refused(verifier, gotom_request()).detail == said


def test_a_guard_that_answers_neither_yes_nor_no_is_named_as_the_cause() -> None:
    verifier = Verifier(GoTom(), {USER: SECRET}, clock=_clock, replay=guarded(_Guard(None)))
    cause = refused(verifier, gotom_request()).__cause__
    assert str(cause) == "a replay guard answers True or False, not NoneType"


def test_what_verified_shows_its_tenant_where_it_has_one() -> None:
    verified = gotom_verifier().verify(gotom_request())
    assert repr(verified).endswith(f"signed=<{len(verified.signed)} bytes>)")
    assert repr(verified._replace(tenant="a")).endswith(" bytes>, tenant='a')")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (GoTom, r"the scheme is what GoTom makes, not GoTom itself: write GoTom\(\)"),
        ([GoTom(), GoGrid], r"write GoGrid\(\)"),
        (undersign.presets.stripe, r"the scheme is what stripe makes, not stripe itself: write stripe\(\)"),
        ([], "a verifier needs one or more schemes"),
        (None, "the scheme is an object such as .*, not NoneType"),
    ],
)
def test_a_scheme_that_was_not_made_is_named_with_the_remedy(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Verifier(given, {USER: SECRET})
