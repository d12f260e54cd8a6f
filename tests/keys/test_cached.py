"""Lookups that remember for a moment: how long, how much, and who waits for whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.core.leaks import assert_hides
from tests.core.plain import NOW, SECRET, USER, gotom_request, gotom_signature, replaced
from undersign import AsyncVerifier, ConfigError, GoTom, Rejected, Request, Verified, Verifier
from undersign.keys import CachedKeys, EnvironmentKeys, TenantKey

PATIENCE = 30


class Database:
    """Secrets by key id, a clock that stands still, and what was asked."""

    def __init__(self, **secrets: Any) -> None:
        self.secrets = secrets
        self.now = 100.0
        self.asked: list[str] = []

    def lookup(self, key_id: str, scheme_name: str) -> Any:
        self.asked.append(key_id)
        return self.secrets[key_id]

    async def lookup_async(self, key_id: str, scheme_name: str) -> Any:
        await asyncio.sleep(0)
        return self.lookup(key_id, scheme_name)

    def clock(self) -> float:
        return self.now


def signed(key_id: str, secret: str) -> Request:
    signature = gotom_signature("GET", "/", secret=secret)
    return replaced(gotom_request("GET", "/"), "Authorization", f"gotom_app_api {key_id}:{signature}")


def outcome(keys: Any, key_id: str, secret: str, *, is_async: bool = False) -> str:
    """The key id that verified, or the reason why not."""
    verifier: Any = (AsyncVerifier if is_async else Verifier)(GoTom(), keys, clock=lambda: NOW)
    try:
        found = verifier.verify(signed(key_id, secret))
        verified: Verified = asyncio.run(found) if is_async else found
    except Rejected as rejected:
        return rejected.reason.value
    return verified.key_id


BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def cached(database: Database, is_async: bool, **options: Any) -> CachedKeys:
    lookup: Any = database.lookup_async if is_async else database.lookup
    return CachedKeys(lookup, clock=database.clock, **options)


@BOTH
def test_an_answer_is_good_for_max_age(is_async: bool) -> None:
    database = Database(shop="secret")
    keys = cached(database, is_async, max_age=60)
    assert [outcome(keys, "shop", "secret", is_async=is_async) for _ in range(3)] == ["shop"] * 3
    assert database.asked == ["shop"]
    database.secrets["shop"] = "new"
    database.now += 59.9
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"
    database.now += 0.1
    assert outcome(keys, "shop", "secret", is_async=is_async) == "mismatch"
    assert outcome(keys, "shop", "new", is_async=is_async) == "shop"
    assert database.asked == ["shop"] * 2


@BOTH
def test_the_age_counts_from_when_it_was_asked(is_async: bool) -> None:
    """A slow database may have read it then, and it was taken away while the answer came."""
    database = Database(shop="secret")

    def slow(key_id: str, scheme_name: str) -> Any:
        database.now += 50
        return database.lookup(key_id, scheme_name)

    async def slow_async(key_id: str, scheme_name: str) -> Any:
        return slow(key_id, scheme_name)

    lookup: Any = slow_async if is_async else slow
    keys = CachedKeys(lookup, max_age=60, clock=database.clock)
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"
    database.now += 10
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"
    assert database.asked == ["shop"] * 2


@BOTH
def test_a_clock_that_steps_back_keeps_nothing(is_async: bool) -> None:
    database = Database(shop="secret")
    keys = cached(database, is_async)
    outcome(keys, "shop", "secret", is_async=is_async)
    database.now -= 1
    outcome(keys, "shop", "secret", is_async=is_async)
    assert database.asked == ["shop"] * 2


@BOTH
def test_the_longest_unused_goes_first(is_async: bool) -> None:
    database = Database(a="1", b="2", c="3")
    keys = cached(database, is_async, max_keys=2)
    for key_id, secret in (("a", "1"), ("b", "2"), ("a", "1"), ("c", "3"), ("a", "1")):
        assert outcome(keys, key_id, secret, is_async=is_async) == key_id
    assert database.asked == ["a", "b", "c"]
    outcome(keys, "b", "2", is_async=is_async)
    assert database.asked == ["a", "b", "c", "b"]


@BOTH
def test_unknown_key_ids_fill_nothing_and_a_new_key_works_at_once(is_async: bool) -> None:
    database = Database(shop="secret", none=None, empty=[])
    keys = cached(database, is_async, max_keys=1)
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"
    for key_id in ("none", "empty", *map(str, range(20))):
        assert outcome(keys, key_id, "secret", is_async=is_async) == "unknown_key"
    del database.asked[:]
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"
    assert database.asked == []
    database.secrets["7"] = "new"
    assert outcome(keys, "7", "new", is_async=is_async) == "7"


@BOTH
def test_what_raises_is_not_remembered(is_async: bool) -> None:
    database = Database(shop="secret")
    failing = [True]

    def lookup(key_id: str, scheme_name: str) -> Any:
        if failing.pop():
            raise OSError("down")
        return database.lookup(key_id, scheme_name)

    async def lookup_async(key_id: str, scheme_name: str) -> Any:
        return lookup(key_id, scheme_name)

    chosen: Any = lookup_async if is_async else lookup
    keys = CachedKeys(chosen, clock=database.clock)
    assert outcome(keys, "shop", "secret", is_async=is_async) == "unavailable"
    failing.append(False)
    assert outcome(keys, "shop", "secret", is_async=is_async) == "shop"


@BOTH
def test_what_is_no_secret_is_not_remembered_and_gets_its_sentence(is_async: bool) -> None:
    database = Database(shop=[SECRET, {"secret": SECRET}])
    keys = cached(database, is_async)
    verifier: Any = (AsyncVerifier if is_async else Verifier)(GoTom(), keys, clock=lambda: NOW)
    for _ in range(2):
        with pytest.raises(Rejected, match="unavailable") as caught:
            asyncio.run(verifier.verify(signed("shop", SECRET))) if is_async else verifier.verify(
                signed("shop", SECRET)
            )
        assert "the lookup returned a list, and in it a dict: return the secret alone" in str(caught.value.__cause__)
        assert_hides(caught.value, SECRET)
    assert database.asked == ["shop"] * 2


@BOTH
def test_one_key_can_be_forgotten_or_all(is_async: bool) -> None:
    database = Database(a="1", b="2")
    keys = cached(database, is_async)

    def ask() -> list[str]:
        del database.asked[:]
        for key_id, secret in (("a", "1"), ("b", "2")):
            assert outcome(keys, key_id, secret, is_async=is_async) == key_id
        return database.asked

    assert ask() == ["a", "b"]
    assert ask() == []
    keys.forget("a")
    assert ask() == ["a"]
    keys.forget()
    assert ask() == ["a", "b"]


def test_schemes_are_kept_apart() -> None:
    keys = CachedKeys(lambda key_id, scheme_name: f"for {scheme_name}")
    assert [keys("a", name)[0].reveal() for name in ("gotom", "gogrid", "gotom")] == [
        b"for gotom",
        b"for gogrid",
        b"for gotom",
    ]


def test_secrets_are_hidden_while_they_are_held() -> None:
    keys = CachedKeys(lambda *_: "hush")
    keys("a", "gotom")
    assert "hush" not in repr(vars(keys))


# Tenants


HOSTS = {"a.example": "alpha", "www.a.example": "alpha", "b.example": "beta"}


def tenant_of(head: Request) -> str | None:
    return HOSTS.get(next(iter(head.values("host")), ""))


def to(host: str, secret: str) -> Request:
    request = signed("shop", secret)
    return Request("GET", "/", (*request.headers, ("Host", host)))


@pytest.mark.parametrize("names_it", [False, True])
def test_answers_are_kept_apart_by_tenant(names_it: bool) -> None:
    asked: list[str] = []

    def lookup(key_id: str, scheme_name: str, head: Request) -> Any:
        tenant = tenant_of(head)
        asked.append(f"{tenant}")
        return TenantKey(f"own name of {tenant}", f"of {tenant}") if names_it else f"of {tenant}"

    verifier = Verifier(GoTom(), CachedKeys(lookup, tenant=tenant_of), clock=lambda: NOW)
    prefix = "own name of " if names_it else ""
    for _ in range(2):
        assert verifier.verify(to("a.example", "of alpha")).tenant == f"{prefix}alpha"
        assert verifier.verify(to("www.a.example", "of alpha")).tenant == f"{prefix}alpha"
        assert verifier.verify(to("b.example", "of beta")).tenant == f"{prefix}beta"
        with pytest.raises(Rejected, match="mismatch"):
            verifier.verify(to("b.example", "of alpha"))
        with pytest.raises(Rejected, match="unknown_key"):
            verifier.verify(to("c.example", "of alpha"))
    assert asked == ["alpha", "beta"]


def test_a_tenant_may_be_named_for_a_lookup_that_takes_no_head() -> None:
    keys = CachedKeys(lambda key_id, scheme_name: "secret", tenant=tenant_of)
    assert Verifier(GoTom(), keys, clock=lambda: NOW).verify(to("b.example", "secret")).tenant == "beta"


@pytest.mark.parametrize("tenant", ["", 5, b"alpha"])
def test_a_tenant_without_a_name_refuses(tenant: Any) -> None:
    keys = CachedKeys(lambda *_: "secret", tenant=lambda head: tenant)
    with pytest.raises(Rejected, match="unavailable") as caught:
        Verifier(GoTom(), keys, clock=lambda: NOW).verify(to("b.example", "secret"))
    assert "tenant(head) returned no name" in str(caught.value.__cause__)


# Mistakes


def _with_head(key_id: str, scheme_name: str, head: Request) -> str:
    raise AssertionError


@pytest.mark.parametrize(
    ("lookup", "options", "sentence"),
    [
        ({"user": SECRET}, {}, r"lookup is a callable lookup\(key_id, scheme_name\), not a dict"),
        (_with_head, {}, "the lookup takes the request's head, and one tenant's answer must not be another's"),
        (_with_head, {"tenant": "alpha"}, "tenant is a function of the request's head, not str"),
        (EnvironmentKeys, {}, "keys is the class EnvironmentKeys itself"),
        (lambda key_id: "", {}, r"a lookup takes \(key_id, scheme_name\)"),
        (print, {"max_age": 0}, "max_age is a number of seconds over 0, not 0"),
        (print, {"max_age": -1}, "max_age"),
        (print, {"max_age": float("inf")}, "max_age"),
        (print, {"max_age": float("nan")}, "max_age"),
        (print, {"max_age": "60"}, "max_age"),
        (print, {"max_age": True}, "max_age"),
        (print, {"max_keys": 0}, "max_keys is 1 or more, not 0"),
        (print, {"max_keys": 1.5}, "max_keys"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_built(lookup: Any, options: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        CachedKeys(lookup, **options)
    assert_hides(caught.value, SECRET)


def test_an_async_one_is_for_an_async_verifier() -> None:
    async def lookup(key_id: str, scheme_name: str) -> str:
        raise AssertionError

    with pytest.raises(ConfigError, match="is a coroutine, which a Verifier cannot await: use AsyncVerifier"):
        Verifier(GoTom(), CachedKeys(CachedKeys(lookup)))
    found = CachedKeys(lambda *_: lookup(USER, "gotom"))  # does not show it beforehand
    with pytest.raises(Rejected, match="unavailable") as caught:
        Verifier(GoTom(), found, clock=lambda: NOW).verify(signed("shop", "secret"))
    assert "await it in the lookup" in str(caught.value.__cause__)
