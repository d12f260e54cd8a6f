"""The secrets of a key, from what a verifier is given as `keys`: hidden at once, and checked before they are used."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias, cast

from ..core.credentials import NO_SECRET, Credential, Secret, as_secret
from ..core.message import Request
from ..errors import ConfigError
from ..scheme import Scheme, unusable_secret

_TEXTS = (str, bytes, bytearray, memoryview)
# What lookups raise for a key that is not there, by name, since these libraries need not be installed: a mapping;
# Django, peewee, MongoEngine and Tortoise; SQLAlchemy.
_NOT_FOUND = frozenset({"KeyError", "ObjectDoesNotExist", "DoesNotExist", "NoResultFound"})
_WANTED = "return the secret (text or bytes), a list of them, newest first, or None where the key is unknown"


class TenantKey:
    """What a lookup returns of a key that belongs to a tenant: the tenant's name, and the key's secrets, newest first.

    Two tenants may have keys of one id. The name keeps their replay ids apart, and is `Verified.tenant`. The lookup
    takes it from its own records, so that it is the same for all ways that lead to one tenant. It is not the Host as it
    was sent, which nobody has signed.

    Raises ConfigError for a name that is empty or no text, and for secrets that are none.
    """

    __slots__ = ("secrets", "tenant")

    tenant: str
    secrets: tuple[Secret, ...]

    def __init__(self, tenant: str, secrets: Secrets) -> None:
        hidden = _secrets_found(secrets)
        del secrets  # so that no frame which raises holds a plain one
        if isinstance(hidden, ConfigError):
            raise hidden
        if not isinstance(tenant, str) or not tenant:
            raise ConfigError("a tenant's name is text that is not empty")
        self.tenant = tenant
        self.secrets = hidden

    def __repr__(self) -> str:
        return f"TenantKey({self.tenant!r}, <{len(self.secrets)} secrets>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a TenantKey holds secrets, and is not pickled")


SecretLike: TypeAlias = "Secret | str | bytes"
Secrets: TypeAlias = "SecretLike | Sequence[SecretLike] | None"
KeyMapping: TypeAlias = "Mapping[str, SecretLike | Sequence[SecretLike]]"
Lookup: TypeAlias = "Callable[[str, str], Secrets | TenantKey] | Callable[[str, str, Request], Secrets | TenantKey]"
_Later: TypeAlias = "Awaitable[Secrets | TenantKey]"
AsyncLookup: TypeAlias = "Callable[[str, str], _Later] | Callable[[str, str, Request], _Later]"
Keys: TypeAlias = "KeyMapping | Mapping[str, KeyMapping] | Lookup"
AsyncKeys: TypeAlias = "Keys | AsyncLookup"


class Found(NamedTuple):
    """What a lookup has found: the secrets, none where the key is unknown, and the tenant's name, "" for none.

    `told` says for the log how the lookup said that it is unknown, where that was an exception.
    """

    secrets: tuple[Secret, ...]
    tenant: str = ""
    told: str = ""


class Asker(NamedTuple):
    """A caller's lookup, to be called with key id, scheme name and the request's head, which not all lookups take."""

    lookup: Callable[..., Any]
    takes_head: bool
    by_name: bool

    def __call__(self, key_id: str, scheme_name: str, head: Request) -> Any:
        if not self.takes_head:
            return self.lookup(key_id, scheme_name)
        if self.by_name:
            return self.lookup(key_id, scheme_name, head=head)
        return self.lookup(key_id, scheme_name, head)


def not_callable(lookup: object) -> ConfigError | None:
    """What is wrong with what cannot be called, for a caller to raise: it may be a mapping with secrets."""
    if callable(lookup):
        return None
    return ConfigError(f"lookup is a callable lookup(key_id, scheme_name), not {_article(type(lookup).__name__)}")


NO_HEAD = Request("GET", "/")
"""Stands for the head where a lookup is called by hand."""


class LookupAround(ABC):
    """A lookup that asks another one, `lookup`. It takes a head where that does, and is a coroutine where that is."""

    def __init__(self, lookup: Any) -> None:
        if problem := not_callable(lookup):
            del lookup
            raise problem
        self.lookup = asker(lookup)
        self.takes_head = self.lookup.takes_head
        self.is_coroutine = _is_coroutine(lookup)

    @abstractmethod
    def __call__(self, key_id: str, scheme_name: str, head: Request = NO_HEAD) -> Any:
        """The key's secrets, as the lookup returns them."""


def asker(lookup: Callable[..., Any], *, is_async: bool = True) -> Asker:
    """How to ask a lookup: one with a third parameter gets the request's head.

    A third parameter with a default is some other thing of the caller's, unless it is named `head`. Raises ConfigError
    for a callable that cannot be a lookup, and for a coroutine where it is not `is_async`.
    """
    name = getattr(lookup, "__name__", type(lookup).__name__)
    if isinstance(lookup, type):
        raise ConfigError(f"keys is the class {name} itself: make an object of it, {name}(…)")
    if isinstance(getattr(lookup, "__self__", None), Mapping) and name in ("get", "pop", "setdefault"):
        # Its second argument is what it returns for an unknown key: the scheme's name would be that key's secret.
        raise ConfigError(f"keys is the method {name} of a mapping: pass the mapping itself")
    if not is_async and _is_coroutine(lookup):
        raise ConfigError(f"the lookup {name} is a coroutine, which a Verifier cannot await: use AsyncVerifier")
    if isinstance(lookup, LookupAround):
        return Asker(lookup, lookup.takes_head, by_name=False)
    try:
        signature = inspect.signature(lookup)
    except (TypeError, ValueError):  # some that are written in C do not say
        return Asker(lookup, takes_head=False, by_name=False)
    parameters = signature.parameters.values()
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    third = places[2] if len(places) > 2 else None
    in_place = third is not None and (third.default is third.empty or third.name == "head")
    by_name = not in_place and any(one.name == "head" and one.kind is one.KEYWORD_ONLY for one in parameters)
    arguments = ("", "", "") if in_place else ("", "")
    try:
        signature.bind(*arguments, **({"head": ""} if by_name else {}))
    except TypeError:
        taken = ", ".join(signature.parameters)
        raise ConfigError(
            f"a lookup takes (key_id, scheme_name) or (key_id, scheme_name, head), and {name} takes ({taken})"
        ) from None
    return Asker(lookup, in_place or by_name, by_name)


def _is_coroutine(lookup: Any) -> bool:
    if isinstance(lookup, LookupAround):
        return lookup.is_coroutine
    return inspect.iscoroutinefunction(lookup) or inspect.iscoroutinefunction(getattr(lookup, "__call__", None))  # noqa: B004


def says_unknown(error: Exception) -> bool:
    """Whether a lookup that has raised this says that it does not know the key."""
    return not _NOT_FOUND.isdisjoint(base.__name__ for base in type(error).__mro__)


def keys_with_secrets(keys: Any) -> Any:
    """A copy of the mapping with each secret hidden, or with what is wrong with it in its place; what this has returned
    before stays as it is. Raises nothing."""
    if callable(keys) or isinstance(keys, ConfigError):
        return keys
    if not isinstance(keys, Mapping):
        return ConfigError(
            f'keys is a mapping such as {{"key id": "secret"}}, or a callable, not {type(keys).__name__}'
        )
    return {
        key: {key_id: _hidden(item) for key_id, item in value.items()} if isinstance(value, Mapping) else _hidden(value)
        for key, value in keys.items()
    }


def _hidden(value: Any) -> Secret | ConfigError | tuple[Secret | ConfigError, ...]:
    return tuple(as_secret(item) for item in value) if _is_sequence(value) else as_secret(value)


def known_secrets(keys: Any, schemes: Sequence[Scheme]) -> dict[tuple[str, str], tuple[Secret, ...]]:
    """The secrets of each key id and scheme name, from what `keys_with_secrets` gives. Raises ConfigError for what is
    wrong with it."""
    if isinstance(keys, ConfigError):
        raise keys
    names = [scheme.name for scheme in schemes]
    scoped = [isinstance(value, Mapping) for value in keys.values()]
    if any(scoped) and not all(scoped):
        raise ConfigError("keys mixes secrets with mappings by scheme name: use one or the other")
    by_scheme = cast("Mapping[str, Mapping[str, Any]]", keys if any(scoped) else dict.fromkeys(names, keys))
    for name in by_scheme:
        if name not in names:
            raise ConfigError(f"keys are given for the scheme {name!r}, which is not verified: {', '.join(names)} are")
    return {
        (key_id, scheme.name): _checked_secrets(key_id, value, scheme)
        for scheme in schemes
        for key_id, value in by_scheme.get(scheme.name, {}).items()
    }


def _checked_secrets(key_id: object, value: Any, scheme: Scheme) -> tuple[Secret, ...]:
    if not isinstance(key_id, str) or not key_id:
        raise ConfigError(f"the key id {key_id!r} is not text, or is empty")
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        raise ConfigError(f"the key {key_id!r} has no secret: give it one, or leave the key out")
    for secret in values:
        if isinstance(secret, ConfigError):
            raise ConfigError(f"the key {key_id!r}: {secret}")
        if problem := unusable_secret(scheme, secret):
            raise ConfigError(f"the key {key_id!r}: {problem}; a key for another scheme goes below that scheme's name")
    return values


def as_secrets(found: Any, scheme: Scheme | None, told: str = "") -> Found | ConfigError:
    """What a lookup returned, as secrets, or what is wrong with it; an empty one is no secret at all. Raises nothing.

    Nothing is asked of what is no secret, not even whether it is empty: that may be a query to a database.
    """
    tenant = found.tenant if isinstance(found, TenantKey) else ""
    hidden = found.secrets if isinstance(found, TenantKey) else _secrets_found(found)
    if isinstance(hidden, ConfigError):
        return hidden
    for secret in hidden or (NO_SECRET,):  # for the work of a known key, since the time would tell
        if scheme is None:
            continue
        if (problem := unusable_secret(scheme, secret)) and hidden:
            return problem
        if secret.reveal() == scheme.name.encode():
            # The second argument of `get`, of whatever cache or client, is what it returns for an unknown key.
            return ConfigError(
                "the lookup returned the scheme's name, its own second argument: call get(key_id) in a function, and "
                "return what that gives"
            )
    return Found(hidden, tenant, told)


def usable(found: Found | ConfigError) -> Found:
    """What was found. Raises the error that stands in its place."""
    if isinstance(found, ConfigError):
        raise found
    return found


def _secrets_found(found: Any) -> tuple[Secret, ...] | ConfigError:
    """The secrets that are not empty, hidden; or a sentence on what is there in their place. Raises nothing."""
    if found is None or isinstance(found, (Secret, *_TEXTS)):
        found = (found,)
    elif not _is_sequence(found):
        return ConfigError(f"the lookup returned {_described(found)}; {_WANTED}")
    secrets: list[Secret] = []
    for value in found:
        if value is None or (isinstance(value, _TEXTS) and not len(value)):
            continue
        if not isinstance(value, (Secret, *_TEXTS)):
            return ConfigError(f"the lookup returned a list, and in it {_described(value)}; {_WANTED}")
        secret = as_secret(
            bytes(value) if isinstance(value, memoryview) else value
        )  # some drivers give views for bytes
        if isinstance(secret, ConfigError):
            return secret
        secrets.append(secret)
    return tuple(secrets)


def _described(value: object) -> str:
    """What a lookup returned in place of secrets, and how to make secrets of it. No value shows, only types."""
    name = type(value).__name__
    if isinstance(value, Awaitable):
        getattr(value, "close", lambda: None)()  # or Python warns that nobody has awaited it
        return f"{_article(name)}: await it in the lookup, and give a lookup that is a coroutine to an AsyncVerifier"
    for wrong, remedy in _REMEDIES:
        if wrong(value):
            return f"{_article(name)}: {remedy}"
    return _article(name)


def _is_queryset(value: object) -> bool:
    return hasattr(type(value), "values_list")  # asked of the type alone: an attribute may be a query


_REMEDIES: tuple[tuple[Callable[[object], bool], str], ...] = (
    (_is_queryset, 'read it in the lookup, as in list(keys.values_list("secret", flat=True))'),
    (lambda value: hasattr(type(value), "_meta"), "return its secret, as in key.secret"),
    (lambda value: isinstance(value, (Mapping, TenantKey)), 'return the secret alone, as in row["secret"]'),
    (lambda value: isinstance(value, Credential), "return its secret, as in credential.secret"),
    (lambda value: hasattr(type(value), "get_secret_value"), "return its get_secret_value()"),
    (
        lambda value: isinstance(value, (list, tuple)),
        "give each secret as text or bytes, as in [row[0] for row in rows]",
    ),
    (lambda value: isinstance(value, AsyncIterable), "read it in the lookup, as in [key.secret async for key in keys]"),
    (lambda value: isinstance(value, (set, frozenset)), "it has no order, and the newest secret goes first"),
    (lambda value: callable(value), "call it"),
    (lambda value: isinstance(value, Iterable), "read it in the lookup, as in list(secrets)"),
)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _is_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, Sequence) and not isinstance(value, _TEXTS))
