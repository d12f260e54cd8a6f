"""Verifiers: schemes, keys, a clock and a replay guard, around the two phases of the engine."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from .credentials import AsyncKeys, Keys, Secret
from .engine import Pending, Verified, begin
from .errors import ConfigError, Reason, Rejected
from .http import Component, Request, Response
from .replay import AsyncReplayGuard, ReplayGuard
from .scheme import Scheme, json_refusal, refusal_status
from .windows import RollingWindows


class _VerifierBase:
    """What sync and async share: all but the lookup and the guard."""

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: AsyncKeys,
        clock: Callable[[], float],
        require: Collection[Component],
    ) -> None:
        self.schemes: tuple[Scheme, ...] = (schemes,) if isinstance(schemes, Scheme) else tuple(schemes)
        if not self.schemes or not all(isinstance(scheme, Scheme) for scheme in self.schemes):
            raise ConfigError("a verifier needs one or more schemes: pass GoTom() or [GoTom(), GoGrid()]")
        names = [scheme.name for scheme in self.schemes]
        if len(set(names)) < len(names):
            raise ConfigError(f"two schemes have one name ({', '.join(names)}): give each its own with name=…")
        self.require = frozenset(Component(component) for component in require)
        for scheme in self.schemes:
            missing = self.require - scheme.covers(Request("POST", "/"))
            if missing:
                listed = ", ".join(sorted(component.value for component in missing))
                raise ConfigError(f"{scheme.name} never covers what is required: {listed}")
        self.clock = clock
        self._windows = RollingWindows()
        self._lookup: Callable[[str, str], Any] = keys if callable(keys) else _mapping_lookup(keys, names)

    def begin(self, head: Request) -> Pending:
        """Phase one; see `undersign.begin`. Raises Rejected, also where a required component is not covered."""
        pending = begin(self.schemes, head, now=self.clock())
        self._check_required(pending, head)
        return pending

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        """The answer to a refused request: the scheme's own, or a JSON string where none claims the request."""
        for scheme in self.schemes:
            if scheme.name == rejected.scheme:
                return scheme.refusal(rejected, head)
        challenges = (scheme.refusal(rejected, head) for scheme in self.schemes)
        challenge = ", ".join(
            value for response in challenges for name, value in response.headers if name == "WWW-Authenticate"
        )
        return json_refusal(refusal_status(rejected.reason, 401), "Signature required", challenge)

    def _check_required(self, pending: Pending, request: Request) -> None:
        if not self.require or pending.scheme is None or pending.claim is None:
            return
        missing = self.require - pending.scheme.covers(request)
        if missing:
            listed = ", ".join(sorted(component.value for component in missing))
            raise Rejected(
                Reason.INSECURE,
                f"the signature of this request does not cover what is required: {listed}",
                scheme=pending.scheme.name,
                key_id=pending.claim.key_id,
            )

    def _with_body(self, request: Request) -> Pending:
        pending = self.begin(request).with_body(request.body)
        self._check_required(pending, request)
        return pending

    def _claim(self, pending: Pending) -> tuple[str, str]:
        if pending.scheme is None or pending.claim is None:
            raise ConfigError("the body is needed first: call with_body, and finish what it returns")
        return pending.claim.key_id, pending.scheme.name

    def _replayed(self, verified: Verified) -> Rejected:
        return Rejected(
            Reason.REPLAYED, "the signature verified once already", scheme=verified.scheme, key_id=verified.key_id
        )

    def _unavailable(self, pending: Pending, what: str) -> Rejected:
        key_id, scheme = self._claim(pending)
        return Rejected(Reason.UNAVAILABLE, f"{what} failed", scheme=scheme, key_id=key_id)


class Verifier(_VerifierBase):
    """Verifies requests of one or several schemes.

    `keys` is a mapping of key id to a secret or to several (newest first, for rotation), a mapping of scheme name
    to such a mapping, or a callable `lookup(key_id, scheme_name)` that returns the secrets, or none for an unknown
    key. A mapping is copied. `clock` returns Unix seconds. `require` names components that every signature must
    cover. `replay` is a ReplayGuard; without one a request verifies as often as it comes within its window.

    Raises ConfigError for keys and requirements that cannot work. Safe to share between threads.
    """

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: Keys,
        *,
        clock: Callable[[], float] = time.time,
        require: Collection[Component] = frozenset(),
        replay: ReplayGuard | None = None,
    ) -> None:
        super().__init__(schemes, keys, clock, require)
        self._replay = replay

    def verify(self, request: Request) -> Verified:
        """Who signed the request. Raises Rejected with the reason, and nothing else, whatever the request holds."""
        return self.finish(self._with_body(request))

    def finish(self, pending: Pending) -> Verified:
        """Phase two: look the key up, compare, ask the replay guard.

        Raises Rejected: unknown_key, mismatch, replayed; unavailable where lookup or guard fail.
        """
        verified = pending.finish(self._secrets(pending), windows=self._windows)
        if self._replay is not None and not self._remember(self._replay, pending, verified):
            raise self._replayed(verified)
        return verified

    def _secrets(self, pending: Pending) -> tuple[Secret, ...]:
        try:
            return _as_secrets(self._lookup(*self._claim(pending)))
        except Exception as error:
            raise self._unavailable(pending, "the key lookup") from error

    def _remember(self, guard: ReplayGuard, pending: Pending, verified: Verified) -> bool:
        try:
            return guard.remember(verified.replay_id, verified.expires, pending.now)
        except Exception as error:
            raise self._unavailable(pending, "the replay guard") from error


class AsyncVerifier(_VerifierBase):
    """Verifier with a lookup and a guard that may be coroutines; all else is as there."""

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: AsyncKeys,
        *,
        clock: Callable[[], float] = time.time,
        require: Collection[Component] = frozenset(),
        replay: AsyncReplayGuard | ReplayGuard | None = None,
    ) -> None:
        super().__init__(schemes, keys, clock, require)
        self._replay = replay

    async def verify(self, request: Request) -> Verified:
        """See Verifier.verify."""
        return await self.finish(self._with_body(request))

    async def finish(self, pending: Pending) -> Verified:
        """See Verifier.finish."""
        verified = pending.finish(await self._secrets(pending), windows=self._windows)
        if self._replay is not None and not await self._remember(self._replay, pending, verified):
            raise self._replayed(verified)
        return verified

    async def _secrets(self, pending: Pending) -> tuple[Secret, ...]:
        try:
            found = self._lookup(*self._claim(pending))
            return _as_secrets(await found if isinstance(found, Awaitable) else found)
        except Exception as error:
            raise self._unavailable(pending, "the key lookup") from error

    async def _remember(self, guard: AsyncReplayGuard | ReplayGuard, pending: Pending, verified: Verified) -> bool:
        try:
            answer = guard.remember(verified.replay_id, verified.expires, pending.now)
            return answer if isinstance(answer, bool) else await answer
        except Exception as error:
            raise self._unavailable(pending, "the replay guard") from error


def _mapping_lookup(keys: object, names: Sequence[str]) -> Callable[[str, str], tuple[Secret, ...]]:
    """A lookup in a copy of the mapping, whose faults are found now. Raises ConfigError."""
    if not isinstance(keys, Mapping):
        raise ConfigError(f"keys is a mapping or a callable, not {type(keys).__name__}")
    scoped = [isinstance(value, Mapping) for value in keys.values()]
    if any(scoped) and not all(scoped):
        raise ConfigError("keys mixes secrets with mappings by scheme name: use one or the other")
    by_scheme = cast("Mapping[str, Mapping[str, Any]]", keys) if any(scoped) else dict.fromkeys(names, keys)
    for name in by_scheme:
        if name not in names:
            raise ConfigError(f"keys are given for the scheme {name!r}, which is not verified: {', '.join(names)} are")
    copied = {
        (key_id, name): _checked_secrets(key_id, value)
        for name, mapping in by_scheme.items()
        for key_id, value in mapping.items()
    }
    return lambda key_id, scheme_name: copied.get((key_id, scheme_name), ())


def _checked_secrets(key_id: object, value: Any) -> tuple[Secret, ...]:
    if not isinstance(key_id, str) or not key_id:
        raise ConfigError(f"the key id {key_id!r} is not text, or is empty")
    values = value if _is_sequence(value) else (value,)
    if not values:
        raise ConfigError(f"the key {key_id!r} has no secret: give it one, or leave the key out")
    return tuple(Secret(secret) for secret in values)


def _as_secrets(found: Any) -> tuple[Secret, ...]:
    """What a lookup returned, as secrets; an empty one is no secret at all."""
    if found is None:
        return ()
    values: Iterable[Any] = found if _is_sequence(found) else (found,)
    return tuple(Secret(secret) for secret in values if isinstance(secret, Secret) or secret)


def _is_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (
        isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
    )
