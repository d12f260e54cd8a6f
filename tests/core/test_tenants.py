"""Tenants whose keys have one id: what keeps them and their replay ids apart."""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from undersign import ConfigError, GoGrid, GoTom, Reason, Rejected, Request, Scheme, Verifier
from undersign.diagnosing import diagnose
from undersign.keys import KeyUsage, Use
from undersign.policy import MemoryReplayGuard, ReplayPolicy
from undersign.verifying.lookup import TenantKey

from .leaks import assert_hides
from .plain import NOW, SECRET, USER, gogrid_request, gotom_request, gotom_signature, refused, replaced
from .test_lookup import _both, _clock, _three, _two
from .test_scheme import Minimal, Timed

TENANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "a.example": ("alpha", {USER: ["secret of alpha"], "key": "secret of alpha"}),
    "www.a.example": ("alpha", {USER: ["newer of alpha", "secret of alpha"], "key": "secret of alpha"}),
    "b.example": ("beta", {USER: "secret of beta", "key": "secret of beta"}),
}


def _named_tenant(key_id: str, scheme_name: str, head: Request) -> TenantKey:
    name, keys = TENANTS[head.values("host")[0]]
    return TenantKey(name, keys[key_id])


def _plain(key_id: str, scheme_name: str, head: Request) -> Any:
    return TENANTS[head.values("host")[0]][1][key_id]


def _to(host: str, secret: str, scheme: str) -> Request:
    if scheme == "gogrid":
        request = gogrid_request(secret=secret)
    else:
        signature = gotom_signature("POST", "/sync", secret=secret)
        request = replaced(gotom_request("POST", "/sync"), "Authorization", f"gotom_app_api {USER}:{signature}")
    return Request(request.method, request.target, (*request.headers, ("Host", host)), b"", "https://api.example.com")


def _guarded(lookup: Any) -> Any:
    guard = MemoryReplayGuard(born=0)
    policies = {name: ReplayPolicy(guard, methods="all") for name in ("gotom", "gogrid")}
    return Verifier([GoTom(), GoGrid()], lookup, clock=_clock, replay=policies).verify


@pytest.mark.parametrize("scheme", ["gotom", "gogrid"])
@pytest.mark.parametrize("lookup", [_named_tenant, _plain])
def test_tenants_whose_keys_have_one_id_share_no_replay_ids(lookup: Any, scheme: str) -> None:
    verify = _guarded(lookup)
    of_alpha, of_beta = _to("a.example", "secret of alpha", scheme), _to("b.example", "secret of beta", scheme)
    first, second = verify(of_alpha), verify(of_beta)
    assert first.signed == second.signed
    assert first.replay_id != second.replay_id
    for request in (of_alpha, of_beta):
        with pytest.raises(Rejected, match="replayed"):
            verify(request)
    with pytest.raises(Rejected, match="mismatch"):
        verify(_to("b.example", "secret of alpha", scheme))


@pytest.mark.parametrize("scheme", ["gotom", "gogrid"])
@pytest.mark.parametrize("lookup", [_named_tenant, _plain])
def test_another_host_of_the_tenant_gives_no_other_replay_id(lookup: Any, scheme: str) -> None:
    """Nobody signs the Host, and a secret may have been added meanwhile."""
    verify = _guarded(lookup)
    verify(_to("a.example", "secret of alpha", scheme))
    with pytest.raises(Rejected, match="replayed"):
        verify(_to("www.a.example", "secret of alpha", scheme))


class _Declared(Timed):
    several_signatures = True


@pytest.mark.parametrize("scheme", [Minimal(), Timed(), _Declared()], ids=repr)
def test_to_leave_out_a_signature_gives_no_other_replay_id_of_a_tenant(scheme: Scheme) -> None:
    newer, older = (hashlib.sha256(secret + b"%d" % NOW).hexdigest() for secret in (b"new", b"old"))

    def verifier(lookup: Any) -> Verifier:
        return Verifier(scheme, lookup, clock=_clock, replay={scheme.name: MemoryReplayGuard(born=0)})

    def sent(*signatures: str) -> Request:
        return Request("GET", "/", (("X-Signature", " ".join(signatures)),))

    named = verifier(lambda key_id, scheme_name, head: TenantKey("alpha", ["new", "old"]))
    assert named.verify(sent(newer, older)).tenant == "alpha"
    for signatures in ((newer,), (older,), (older, newer)):
        assert refused(named, sent(*signatures)).reason is Reason.REPLAYED

    def plain(key_id: str, scheme_name: str, head: Request) -> list[str]:
        return ["new", "old"]

    unnamed = verifier(plain)
    if scheme.several_signatures:
        assert unnamed.verify(sent(newer, older))
        assert refused(unnamed, sent(older)).reason is Reason.REPLAYED
    else:
        rejected = refused(unnamed, sent(newer, older))
        assert (rejected.reason, rejected.detail) == (
            Reason.UNAVAILABLE,
            "with several signatures the lookup has to name the tenant by a TenantKey",
        )
        assert Verifier(scheme, plain, clock=_clock).verify(sent(newer, older))


def test_a_diagnosis_asks_with_the_head_too() -> None:
    request = _to("a.example", "secret of alpha ", "gotom")
    for lookup in (_named_tenant, _plain):
        assert [cause.code for cause in diagnose(request, GoTom(), lookup, NOW)] == ["secret-whitespace"]


def test_the_tenant_is_told_and_counted() -> None:
    usage = KeyUsage(clock=_clock)
    verify = Verifier(GoTom(), _named_tenant, clock=_clock).verify
    for host, secret in (("a.example", "secret of alpha"), ("b.example", "secret of beta")):
        usage.record(found := verify(_to(host, secret, "gotom")))
        assert f"tenant={found.tenant!r}" in repr(found)
        assert not found.apart
    assert usage.report() == [Use(USER, "gotom", 0, 1, NOW, "alpha"), Use(USER, "gotom", 0, 1, NOW, "beta")]


def test_without_a_head_a_replay_id_is_what_it_was() -> None:
    """Processes of several versions may share a guard."""
    by_mapping = Verifier(GoTom(), {USER: SECRET}, clock=_clock).verify(gotom_request())
    by_lookup = Verifier(GoTom(), _two, clock=_clock).verify(gotom_request())
    assert by_mapping.replay_id == by_lookup.replay_id
    assert (by_lookup.tenant, by_lookup.apart) == ("", "")
    with_head = Verifier(GoTom(), _three, clock=_clock).verify(gotom_request())
    assert with_head.replay_id != by_lookup.replay_id
    signature = gotom_signature("GET", "/app-api/campaign/26106")
    assert signature not in repr(with_head)
    assert signature not in repr(tuple(with_head))


@pytest.mark.parametrize(("tenant", "secrets"), [("", SECRET), (None, SECRET), (5, SECRET), ("a", 5), ("a", [{}])])
def test_a_tenant_has_a_name_and_secrets(tenant: Any, secrets: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TenantKey(tenant, secrets)
    assert_hides(caught.value, SECRET)


def test_a_tenants_key_does_not_show_itself() -> None:
    key = TenantKey("alpha", [SECRET, ""])
    assert repr(key) == "TenantKey('alpha', <1 secrets>)"
    for spell in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            spell(key)
    assert _reason_of(lambda *_: TenantKey("alpha", None)) is Reason.UNKNOWN_KEY


def _reason_of(lookup: Any) -> Reason:
    rejected = _both(lookup)
    assert isinstance(rejected, Rejected)
    return rejected.reason
