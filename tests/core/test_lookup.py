"""Lookups: what they are called with, what they may return, and tenants whose keys have one id."""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from undersign import (
    AsyncVerifier,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Reason,
    Rejected,
    Request,
    Secret,
    Verified,
    Verifier,
)
from undersign.keys import CachedKeys
from undersign.verifying.lookup import NO_HEAD, LookupAround, TenantKey

from .leaks import assert_hides
from .plain import NOW, SECRET, USER, gotom_request, gotom_signature, replaced


def _clock() -> float:
    return NOW


def _both(lookup: Any, request: Request | None = None, **options: Any) -> Verified | Rejected:
    """What both verifiers say; they agree."""
    request = request or gotom_request()
    outcomes: list[Verified | Rejected] = []
    try:
        outcomes.append(Verifier([GoTom(), GoGrid()], lookup, clock=_clock, **options).verify(request))
    except Rejected as rejected:
        outcomes.append(rejected)
    try:
        verifier = AsyncVerifier([GoTom(), GoGrid()], lookup, clock=_clock, **options)
        outcomes.append(asyncio.run(verifier.verify(request)))
    except Rejected as rejected:
        outcomes.append(rejected)
    assert repr(outcomes[0]) == repr(outcomes[1])
    return outcomes[0]


# What a lookup is called with


def _two(key_id: str, scheme_name: str) -> str:
    return SECRET if (key_id, scheme_name) == (USER, "gotom") else ""


def _three(key_id: str, scheme_name: str, head: Request) -> str:
    return SECRET if (head.target, head.body, head.values("date")) == ("/app-api/campaign/26106", b"", [_DATE]) else ""


def _named(key_id: str, scheme_name: str, *, head: Request) -> str:
    return _three(key_id, scheme_name, head)


def _optional(key_id: str, scheme_name: str, head: Request | None = None) -> str:
    assert head is not None
    return _three(key_id, scheme_name, head)


def _another_default(key_id: str, scheme_name: str, secret: str = SECRET) -> str:
    return secret


def _any_number(*arguments: str) -> str:
    return SECRET if arguments == (USER, "gotom") else ""


@functools.wraps(_three)
def _wrapped(*arguments: Any) -> str:
    return _three(*arguments)


class _Object:
    def __call__(self, key_id: str, scheme_name: str, head: Request) -> str:
        return _three(key_id, scheme_name, head)

    def lookup(self, key_id: str, scheme_name: str) -> str:
        return _two(key_id, scheme_name)


_DATE = gotom_request().values("date")[0]
_LOOKUPS: list[Any] = [
    _two,
    _three,
    _named,
    _optional,
    _another_default,
    _any_number,
    _wrapped,
    _Object(),
    _Object().lookup,
    functools.partial(lambda database, key_id, scheme_name, head: _three(key_id, scheme_name, head), "database"),
]


@pytest.mark.parametrize("lookup", _LOOKUPS)
def test_a_lookup_with_a_third_parameter_gets_the_head(lookup: Any) -> None:
    found = _both(lookup)
    assert isinstance(found, Verified), found


def test_the_head_comes_without_the_body() -> None:
    def lookup(key_id: str, scheme_name: str, head: Request) -> str:
        heads.append(head)
        return SECRET

    heads: list[Request] = []
    body = gotom_request("POST", "/", b"{}")
    assert isinstance(_both(lookup, body), Verified)
    assert [(head.method, head.target, head.body) for head in heads] == [("POST", "/", b"")] * 2


def test_a_lookup_that_does_not_say_what_it_takes_is_called_with_two() -> None:
    class Opaque:
        __signature__ = "none"

        def __call__(self, *arguments: Any) -> str:
            return _any_number(*arguments)

    assert isinstance(_both(Opaque()), Verified)


def _one(key_id: str) -> str:
    raise AssertionError


def _four(key_id: str, scheme_name: str, head: Request, more: str) -> str:
    raise AssertionError


async def _coroutine(key_id: str, scheme_name: str) -> str:
    return SECRET


class _AsyncObject:
    async def __call__(self, key_id: str, scheme_name: str) -> str:
        return SECRET


@pytest.mark.parametrize(
    ("lookup", "sentence"),
    [
        (_one, r"a lookup takes \(key_id, scheme_name\) or \(key_id, scheme_name, head\), and _one takes \(key_id\)"),
        (_four, r"and _four takes \(key_id, scheme_name, head, more\)"),
        (_Object, r"keys is the class _Object itself: make an object of it, _Object\(…\)"),
        ({USER: SECRET}.get, "keys is the method get of a mapping: pass the mapping itself"),
    ],
)
def test_what_cannot_be_a_lookup_is_refused_when_the_verifier_is_built(lookup: Any, sentence: str) -> None:
    for verifier in (Verifier, AsyncVerifier):
        with pytest.raises(ConfigError, match=sentence):
            verifier(GoTom(), lookup)


@pytest.mark.parametrize("lookup", [_coroutine, _AsyncObject(), functools.partial(_coroutine)])
def test_a_coroutine_is_for_an_async_verifier(lookup: Any) -> None:
    with pytest.raises(ConfigError, match="is a coroutine, which a Verifier cannot await: use AsyncVerifier"):
        Verifier(GoTom(), lookup)
    assert asyncio.run(AsyncVerifier(GoTom(), lookup, clock=_clock).verify(gotom_request())).key_id == USER


# What a lookup may return


class _QuerySet:
    """As Django's: looking at it at all is a query."""

    def __bool__(self) -> bool:
        raise AssertionError("a query")

    __len__ = __bool__

    def __iter__(self) -> Any:
        raise AssertionError("a query")

    def values_list(self) -> None: ...


class _Model:
    _meta = "of the model"
    secret = SECRET


class _Secretive:
    def get_secret_value(self) -> str:
        return SECRET


class _Awaitable:
    def __await__(self) -> Any:
        raise AssertionError


async def _async_generator() -> Any:
    yield SECRET


_REMEDY = "return the secret (text or bytes), a list of them, newest first, or None where the key is unknown"
_WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "queryset": (_QuerySet, 'a _QuerySet: read it in the lookup, as in list(keys.values_list("secret", flat=True))'),
    "model": (_Model, "a _Model: return its secret, as in key.secret"),
    "list of models": (lambda: [_Model()], "a list, and in it a _Model: return its secret, as in key.secret"),
    "dict": (lambda: {"secret": SECRET}, 'a dict: return the secret alone, as in row["secret"]'),
    "empty dict": (dict, 'a dict: return the secret alone, as in row["secret"]'),
    "credentials": (
        lambda: (Credential(USER, SECRET),),
        "a list, and in it a Credential: return its secret, as in credential.secret",
    ),
    "secret of pydantic": (_Secretive, "a _Secretive: return its get_secret_value()"),
    "rows": (
        lambda: [(SECRET,)],
        "a list, and in it a tuple: give each secret as text or bytes, as in [row[0] for row in rows]",
    ),
    "generator": (lambda: (secret for secret in [SECRET]), "a generator: read it in the lookup, as in list(secrets)"),
    "async generator": (
        _async_generator,
        "an async_generator: read it in the lookup, as in [key.secret async for key in keys]",
    ),
    "set": (lambda: {SECRET}, "a set: it has no order, and the newest secret goes first"),
    "function": (lambda: _two, "a function: call it"),
    "number": (lambda: 5, "an int"),
    "no": (lambda: False, "a bool"),
    "number among secrets": (lambda: [SECRET, 5], "a list, and in it an int"),
    "tenant in a list": (
        lambda: [TenantKey("a", SECRET)],
        'a list, and in it a TenantKey: return the secret alone, as in row["secret"]',
    ),
}


@pytest.mark.parametrize("name", _WRONG)
def test_what_is_no_secret_gets_a_sentence(name: str) -> None:
    found, sentence = _WRONG[name]
    rejected = _both(lambda *_: found())
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.detail) == (Reason.UNAVAILABLE, "the key lookup failed")
    assert str(rejected.__cause__) == f"the lookup returned {sentence}; {_REMEDY}"
    assert_hides(rejected, SECRET)


def test_an_awaitable_that_nobody_awaits_gets_one_too() -> None:
    remedy = "await it in the lookup, and give a lookup that is a coroutine to an AsyncVerifier"
    with warnings.catch_warnings(record=True) as caught:
        for found, name in ((_coroutine, "a coroutine"), (lambda *_: _Awaitable(), "a _Awaitable")):
            with pytest.raises(Rejected, match="unavailable: the key lookup failed") as sync:
                Verifier(GoTom(), lambda key_id, scheme, found=found: found(key_id, scheme), clock=_clock).verify(
                    gotom_request()
                )
            assert str(sync.value.__cause__) == f"the lookup returned {name}: {remedy}; {_REMEDY}"

        async def forgets(key_id: str, scheme_name: str) -> Any:
            return _coroutine(key_id, scheme_name)

        with pytest.raises(Rejected, match="unavailable: the key lookup failed") as other:
            asyncio.run(AsyncVerifier(GoTom(), forgets, clock=_clock).verify(gotom_request()))
        assert str(other.value.__cause__) == f"the lookup returned a coroutine: {remedy}; {_REMEDY}"
    assert not caught  # none was "never awaited"


@pytest.mark.parametrize("answer", ["gotom", b"gotom", ["gotom", SECRET], Secret("gotom")])
def test_the_name_of_the_scheme_is_no_secret(answer: Any) -> None:
    """`cache.get(key_id, scheme_name)` returns it for a key that is not there, and anyone could sign with it."""
    signature = gotom_signature("GET", "/", secret="gotom")
    forged = replaced(gotom_request("GET", "/"), "Authorization", f"gotom_app_api nobody:{signature}")
    rejected = _both(lambda *_: answer, forged)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.UNAVAILABLE
    assert "the lookup returned the scheme's name, its own second argument" in str(rejected.__cause__)


def test_a_view_of_bytes_is_bytes() -> None:
    """As some drivers give the column of a BinaryField."""
    for answer in (memoryview(SECRET.encode()), [memoryview(b""), memoryview(SECRET.encode())]):
        found = _both(lambda *_, answer=answer: answer)
        assert isinstance(found, Verified)


# Keys that are not there


class DoesNotExist(Exception):
    """As Django, peewee, MongoEngine and Tortoise call it; a model's own derives from it."""


class NoResultFound(Exception):
    """As SQLAlchemy calls it."""


class _Own(DoesNotExist):
    pass


@pytest.mark.parametrize("error", [KeyError(USER), KeyError(), _Own("no row"), NoResultFound("no row")])
def test_a_lookup_may_raise_for_an_unknown_key(error: Exception) -> None:
    def lookup(key_id: str, scheme_name: str) -> str:
        raise error

    rejected = _both(lookup)
    assert isinstance(rejected, Rejected)
    detail = f"no secret is known for the key id: the lookup raised {type(error).__name__}"
    assert (rejected.reason, rejected.detail) == (Reason.UNKNOWN_KEY, detail)


@pytest.mark.parametrize("error", [IndexError(0), LookupError(), AttributeError("secret"), OSError("down")])
def test_any_other_error_is_a_failure(error: Exception) -> None:
    def lookup(key_id: str, scheme_name: str) -> str:
        raise error

    rejected = _both(lookup)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.__cause__) == (Reason.UNAVAILABLE, error)


def test_a_key_that_is_unknown_by_an_exception_has_the_work_of_a_known_one() -> None:
    def lookup(key_id: str, scheme_name: str) -> str:
        raise KeyError(key_id)

    class Counting(GoTom):
        def signature(self, secret: bytes, canonical: bytes) -> str:
            made.append(len(canonical))
            return str(super().signature(secret, canonical))

    made: list[int] = []
    work: list[list[int]] = []
    for keys in (lookup, {USER: "wrong"}):
        made.clear()
        with pytest.raises(Rejected):
            Verifier(Counting(), keys, clock=_clock).verify(gotom_request())
        work.append([*made])
    assert work[0] == work[1] != []


# Lookups around lookups


class _Around(LookupAround):
    def __call__(self, key_id: str, scheme_name: str, head: Request = NO_HEAD) -> Any:
        return self.lookup(key_id, scheme_name, head)


@pytest.mark.parametrize(("lookup", "takes_head"), [(_two, False), (_three, True), (_named, True)])
def test_a_lookup_around_another_takes_a_head_where_that_does(lookup: Any, takes_head: bool) -> None:
    around = _Around(_Around(lookup))
    assert around.takes_head is takes_head
    found = _both(around)
    assert isinstance(found, Verified)
    assert bool(found.apart) is takes_head


def test_a_lookup_around_a_coroutine_is_one() -> None:
    with pytest.raises(ConfigError, match="the lookup _Around is a coroutine, which a Verifier cannot await"):
        Verifier(GoTom(), _Around(_Around(_coroutine)))
    assert asyncio.run(AsyncVerifier(GoTom(), _Around(_coroutine), clock=_clock).verify(gotom_request()))


def test_a_lookup_around_what_is_none_is_refused_and_shows_nothing() -> None:
    around: Any = _Around
    with pytest.raises(ConfigError, match=r"lookup is a callable lookup\(key_id, scheme_name\), not a dict") as caught:
        around({USER: SECRET})
    assert_hides(caught.value, SECRET)


def test_a_lookup_gets_key_id_scheme_and_where_it_takes_it_the_head() -> None:
    asked: list[tuple[object, ...]] = []

    def plain(key_id: str, scheme_name: str) -> str:
        asked.append((key_id, scheme_name))
        return SECRET

    def third(key_id: str, scheme_name: str, head: Request) -> str:
        asked.append((key_id, scheme_name, head.target))
        return SECRET

    def named(key_id: str, scheme_name: str, *, head: Request) -> str:
        asked.append((key_id, scheme_name, head.target))
        return SECRET

    request = gotom_request("GET", "/a")
    for lookup in (plain, third, named):
        _both(lookup, request)
    assert asked == [(USER, "gotom")] * 2 + [(USER, "gotom", "/a")] * 4


@pytest.mark.parametrize("name", ["get", "pop", "setdefault"])
def test_no_method_of_a_mapping_that_takes_a_default_is_a_lookup(name: str) -> None:
    keys = {USER: SECRET}
    with pytest.raises(ConfigError, match=f"keys is the method {name} of a mapping: pass the mapping itself"):
        Verifier(GoTom(), getattr(keys, name))


def test_a_function_of_that_name_is_a_lookup() -> None:
    def get(key_id: str, scheme_name: str) -> str:
        return SECRET

    assert Verifier(GoTom(), get, clock=_clock).verify(gotom_request())


@pytest.mark.parametrize("tenant", ["", None, 5])
def test_a_tenant_has_a_name(tenant: Any) -> None:
    with pytest.raises(ConfigError, match="a tenant's name is text that is not empty"):
        TenantKey(tenant, SECRET)


@pytest.mark.parametrize(("keys", "named"), [({"a": "b"}, "a dict"), (5, "an int"), (Exception(), "an Exception")])
def test_what_cannot_be_called_is_no_lookup_around_another(keys: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=rf"lookup is a callable lookup\(key_id, scheme_name\), not {named}$"):
        CachedKeys(keys)
