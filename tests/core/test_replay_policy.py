"""Which requests a verifier guards against replays, and how often one signature may verify."""

from __future__ import annotations

import asyncio
import hmac
import math
from typing import Any

import pytest

from undersign import (
    AsyncVerifier,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Reason,
    Recipe,
    Rejected,
    Request,
    Verifier,
    sign,
)
from undersign.core.dates import Window
from undersign.policy import AsyncReplayGuard, MemoryReplayGuard, ReplayGuard, ReplayPolicy
from undersign.scheme import Scheme

from .plain import NOW, SECRET, USER, gogrid_request, gotom_request, refused


class Plain(ReplayGuard):
    """A guard of someone's own, with `remember` alone."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def remember(self, replay_id: str, expires: float, now: float) -> bool:
        is_new = replay_id not in self.seen
        self.seen.add(replay_id)
        return is_new


class PlainAsync(AsyncReplayGuard):
    """The same, for asyncio."""

    def __init__(self) -> None:
        self._guard = Plain()

    async def remember(self, replay_id: str, expires: float, now: float) -> bool:
        return self._guard.remember(replay_id, expires, now)


class Told(MemoryReplayGuard):
    """Keeps since when each signature may have verified."""

    def __init__(self) -> None:
        super().__init__(born=-math.inf)
        self.since: list[float] = []

    def admit(
        self, replay_id: str, expires: float, now: float, *, since: float, max_uses: int = 1, owner: str = ""
    ) -> bool:
        self.since.append(since)
        return super().admit(replay_id, expires, now, since=since, max_uses=max_uses, owner=owner)


def _verifier(replay: Any, schemes: Any = None, now: float = NOW) -> Verifier:
    schemes = schemes or [GoTom(), GoGrid()]
    return Verifier(schemes, {USER: SECRET, "key": SECRET}, clock=lambda: now, replay=replay)


def _times(verifier: Verifier, request: Request, most: int = 5) -> int:
    """How often the request verifies, up to `most`."""
    for times in range(most):
        try:
            verifier.verify(request)
        except Exception:
            assert refused(verifier, request).reason is Reason.REPLAYED
            return times
    return most


_GOTOM = {method: gotom_request(method, "/") for method in ("GET", "HEAD", "OPTIONS", "TRACE")} | {
    method: gotom_request(method, "/", b"body") for method in ("POST", "PUT", "PATCH", "DELETE", "LINK")
}


@pytest.mark.parametrize("method", _GOTOM)
def test_a_plain_guard_guards_the_unsafe_methods(method: str) -> None:
    is_safe = method in ("GET", "HEAD", "OPTIONS", "TRACE")
    assert _times(_verifier(Plain()), _GOTOM[method]) == (5 if is_safe else 1)


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket"])
def test_a_websocket_s_handshake_is_guarded_like_a_write(upgrade: str) -> None:
    """Anything may be written over it. RFC 6455, section 4.1."""
    request = _GOTOM["GET"]
    handshake = Request("GET", request.target, (*request.headers, ("Upgrade", upgrade)))
    assert _times(_verifier(Plain()), handshake) == 1
    assert _times(_verifier(Plain()), Request("GET", request.target, (*request.headers, ("Upgrade", "h2c")))) == 5


def test_a_captured_get_opens_no_websocket_where_upgrade_is_signed() -> None:
    asked = ("Upgrade", "websocket")
    for scheme, opens in ((GoTom(), True), (GoTom(signed_headers=("Upgrade",)), False)):
        verifier = Verifier(scheme, {"u": "a secret"}, clock=lambda: NOW)
        get = Request("GET", "/socket", (), b"", "https://api.example.com")
        captured = sign(scheme, get, Credential("u", "a secret"), now=NOW).apply(get)
        verifier.verify(captured)
        handshake = Request("GET", "/socket", (*captured.headers, asked), b"", captured.origin)
        if opens:
            verifier.verify(handshake)
            continue
        with pytest.raises(Rejected) as caught:
            verifier.verify(handshake)
        assert caught.value.reason is Reason.MISMATCH
        own = Request("GET", "/socket", (asked,), b"", get.origin)
        verifier.verify(sign(scheme, own, Credential("u", "a secret"), now=NOW).apply(own))


@pytest.mark.parametrize("method", _GOTOM)
def test_all_methods_where_clients_sign_milliseconds(method: str) -> None:
    schemes = [GoTom(date_precision="milliseconds"), GoGrid()]
    assert _times(_verifier(Plain(), schemes), _GOTOM[method]) == 1
    assert _times(_verifier({"gotom": ReplayPolicy(Plain(), "unsafe")}, schemes), _GOTOM["GET"]) == 5


@pytest.mark.parametrize("method", _GOTOM)
def test_all_methods_where_that_is_asked_for(method: str) -> None:
    assert _times(_verifier({"gotom": ReplayPolicy(Plain(), "all")}), _GOTOM[method]) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_gogrid_is_not_guarded_unless_it_is_named(method: str) -> None:
    request = gogrid_request(method)
    assert _times(_verifier(Plain()), request) == 5
    assert _times(_verifier({"gotom": Plain()}), request) == 5
    assert _times(_verifier({"gogrid": Plain()}), request) == 1
    assert _times(_verifier({"gogrid": ReplayPolicy(MemoryReplayGuard(born=0), max_uses=23)}), request, 30) == 23


def test_a_cap_counts_the_uses_of_one_signature_whatever_they_are_for() -> None:
    verifier = _verifier({"gogrid": ReplayPolicy(MemoryReplayGuard(born=0), max_uses=2)})
    verifier.verify(gogrid_request())
    verifier.verify(gogrid_request("POST", "/api/grid/server/delete?server=a"))
    assert refused(verifier, gogrid_request()).reason is Reason.REPLAYED
    assert verifier.verify(gogrid_request(seconds=NOW - 1))


def test_a_key_that_floods_the_guard_keeps_no_other_out() -> None:
    """A guard that takes `owner` is told whose each signature is; one that does not is asked as before."""
    guard = MemoryReplayGuard(capacity=10, born=0)
    verifier = Verifier(GoTom(), {"greedy": SECRET, "honest": SECRET}, clock=lambda: NOW, replay=guard)
    for number in range(10):
        verifier.verify(gotom_request("POST", f"/{number}", user="greedy"))
    assert refused(verifier, gotom_request("POST", "/more", user="greedy")).reason is Reason.UNAVAILABLE
    assert verifier.verify(gotom_request("POST", "/", user="honest")).key_id == "honest"
    assert refused(verifier, gotom_request("POST", "/", user="honest")).reason is Reason.REPLAYED


def test_a_guard_that_would_guard_nothing_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="real clients of gogrid use a signature for several requests"):
        _verifier(Plain(), GoGrid())


def test_schemes_that_share_a_guard_keep_apart() -> None:
    guard = Plain()
    verifier = _verifier({"gotom": ReplayPolicy(guard, "all"), "gogrid": guard})
    assert [_times(verifier, request) for request in (gotom_request(), gogrid_request())] == [1, 1]
    assert len(guard.seen) == 2


@pytest.mark.parametrize("schemes", [GoTom(), GoTom(window=Window(past=60, future=5)), GoGrid()])
def test_a_guard_is_told_since_when_the_signature_is_good(schemes: Scheme) -> None:
    guard = Told()
    request = gotom_request("POST", "/") if isinstance(schemes, GoTom) else gogrid_request()
    _verifier({schemes.name: guard}, schemes, NOW + 3.5).verify(request)
    ahead = Told()
    _verifier({schemes.name: ReplayPolicy(ahead, ahead=60)}, schemes, NOW + 3.5).verify(request)
    assert (guard.since, ahead.since) == ([NOW], [NOW - 60])


def test_async_guards_of_ones_own_need_remember_alone() -> None:
    verifier = AsyncVerifier(GoTom(), {USER: SECRET}, clock=lambda: NOW, replay={"gotom": PlainAsync()})
    assert asyncio.run(verifier.verify(gotom_request("POST", "/")))
    with pytest.raises(Exception, match="replayed: "):
        asyncio.run(verifier.verify(gotom_request("POST", "/")))
    with pytest.raises(ConfigError, match="use AsyncVerifier"):
        _verifier({"gotom": PlainAsync()})


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: _verifier({"gotm": Plain()}), "'gotm', which is not verified: gotom, gogrid are"),
        (lambda: _verifier(object()), "a replay guard is a ReplayGuard"),
        (lambda: ReplayPolicy(Plain, "all"), "a replay guard is a ReplayGuard"),  # type: ignore[arg-type]
        (lambda: ReplayPolicy(Plain(), ahead=-1), "ahead is whole seconds"),
        (lambda: ReplayPolicy(Plain(), "safe"), "use 'unsafe' or 'all'"),  # type: ignore[arg-type]
        (lambda: ReplayPolicy(MemoryReplayGuard(), max_uses=0), "max_uses is 1 or more"),
        (lambda: ReplayPolicy(MemoryReplayGuard(), max_uses=True), "max_uses is 1 or more"),
        (lambda: ReplayPolicy(Plain(), max_uses=2), "does not count uses"),
        (lambda: ReplayPolicy(PlainAsync(), max_uses=2), "does not count uses"),
        (lambda: Plain().admit("a", 1, 0, since=0, max_uses=2), "does not count uses"),
        (lambda: asyncio.run(PlainAsync().admit("a", 1, 0, since=0, max_uses=2)), "does not count uses"),
        (lambda: MemoryReplayGuard(born=math.nan), "born is in Unix seconds"),
    ],
)
def test_a_policy_that_cannot_work(make: Any, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        make()


def test_no_guard_is_no_guard() -> None:
    assert _times(_verifier({}), gotom_request("POST", "/")) == 5
    assert _times(_verifier(None), gotom_request("POST", "/")) == 5


GITHUB = Recipe(
    name="github",
    parts=["body"],
    mac="hmac-sha256",
    window=None,
    headers={"X-Hub-Signature-256": "sha256={signature}"},
)


def _delivery(body: bytes) -> Request:
    signature = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    return Request("POST", "/hook", (("X-Hub-Signature-256", f"sha256={signature}"),), body, "https://h")


def test_what_has_no_time_is_remembered_for_a_lifetime_of_its_own() -> None:
    now = NOW
    replay = {"github": ReplayPolicy(MemoryReplayGuard(), lifetime=60)}
    verifier = Verifier(GITHUB, {"github": SECRET}, clock=lambda: now, replay=replay)
    verified = verifier.verify(_delivery(b"{}"))
    assert (verified.at, verified.expires) == (NOW, math.inf)
    now = NOW + 60
    assert refused(verifier, _delivery(b"{}")).reason is Reason.REPLAYED
    assert verifier.verify(_delivery(b"[]")).key_id == "github"
    now = NOW + 61
    assert verifier.verify(_delivery(b"{}")).key_id == "github"


@pytest.mark.parametrize(
    ("scheme", "lifetime", "message"),
    [
        (GITHUB, None, "github signs no time, so its signatures never expire"),
        (GoTom(), 60, "gotom signs the time, so its window says"),
        (GITHUB, 0, "lifetime is whole seconds"),
    ],
)
def test_a_lifetime_goes_with_signatures_that_never_expire(scheme: Scheme, lifetime: int | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Verifier(scheme, {}, replay={scheme.name: ReplayPolicy(MemoryReplayGuard(), lifetime=lifetime)})


def test_a_guard_with_remember_alone_is_asked_that_once_for_each_use() -> None:
    guard, later = Plain(), PlainAsync()
    assert [guard.admit("a", 1, 0, since=0), guard.admit("b", 1, 0, since=0), guard.admit("a", 1, 0, since=0)] == [
        True,
        True,
        False,
    ]
    assert asyncio.run(later.admit("a", 1, 0, since=0))
    assert asyncio.run(later.admit("b", 1, 0, since=0))
    assert not asyncio.run(later.admit("a", 1, 0, since=0))


def test_a_lifetime_is_a_second_at_least() -> None:
    assert ReplayPolicy(MemoryReplayGuard(), lifetime=1).lifetime == 1
