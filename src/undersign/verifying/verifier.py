"""Verifiers: schemes, keys, a clock and a replay guard, around the two phases of the engine."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..core.dates import check_clock, tells_time
from ..core.message import Component, Request, Response, not_a_request
from ..errors import ConfigError, Reason, Rejected
from ..events.event import Events, event_hooks, event_of, tell
from ..policy.requirements import SAFE_METHODS, Requirements, components, is_handshake
from ..scheme import BodyNeed, Scheme, json_refusal, refusal_status, window_of
from .lookup import (
    Asker,
    AsyncKeys,
    Found,
    Keys,
    as_secrets,
    asker,
    keys_with_secrets,
    known_secrets,
    says_unknown,
    usable,
)
from .verdict import Claimed, Pending, Verified, bare, begun, claim_of, need_of, schemes_of
from .windows import RollingWindows

if TYPE_CHECKING:
    from ..policy.replay import AsyncReplayGuard, ReplayGuard, ReplayPolicy

Require: TypeAlias = "Collection[Component] | Callable[[Request], Collection[Component]]"
Replay: TypeAlias = "ReplayGuard | Mapping[str, ReplayGuard | ReplayPolicy] | None"
AsyncReplay: TypeAlias = (
    "AsyncReplayGuard | ReplayGuard | Mapping[str, AsyncReplayGuard | ReplayGuard | ReplayPolicy] | None"
)

_new = tuple.__new__  # all that making a NamedTuple does, without a call of its own


class _VerifierBase:
    """What sync and async share: all but the lookup and the guard."""

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: AsyncKeys,
        clock: Callable[[], float],
        require: Require,
        replay: AsyncReplay,
        windows: RollingWindows | None,
        events: Events,
    ) -> None:
        self.schemes = schemes_of(schemes)
        if not self.schemes:
            raise ConfigError("a verifier needs one or more schemes: pass GoTom() or [GoTom(), GoGrid()]")
        names = [scheme.name for scheme in self.schemes]
        if len(set(names)) < len(names):
            raise ConfigError(f"two schemes have one name ({', '.join(names)}): give each its own with name=…")
        self.require = require if callable(require) else components(require)
        # A callable requires something even where it counts as false, as an empty table of rules does.
        self._requires = callable(require) or bool(self.require)
        _check_requirements(self.require, self.schemes)
        check_clock(clock)
        self.clock = clock
        self.events = event_hooks(events)
        self._windows = windows or RollingWindows()
        self._policies = _policies(replay, self.schemes)
        self._lookup = asker(keys, is_async=isinstance(self, AsyncVerifier)) if callable(keys) else None
        self._known = {} if callable(keys) else known_secrets(keys, self.schemes)

    def begin(self, head: Request) -> Pending:
        """Phase one; see `undersign.begin`. Raises Rejected, also where a required component is not covered."""
        pending = begun(self.schemes, head, self._now())
        if self._requires and pending.scheme is not None and pending.claim is not None:
            self._check_required(Claimed(pending.scheme, pending.claim, pending.head, pending.now))
        return pending

    def _begin_whole(self, request: Request) -> Pending:
        """Phase one with the body at hand: one step, but where a form may hold what claims the request."""
        if not isinstance(request, Request):
            raise not_a_request(request)
        takes_two = not request.target.startswith("/")
        if request.body:
            for scheme in self.schemes:
                takes_two = takes_two or need_of(scheme, request).raw
        if takes_two:
            return self.begin(request).with_body(request.body)
        now = self.clock()
        if not tells_time(now):
            now = self._now()
        found, claim = claim_of(self.schemes, request, now)
        if found is None:
            raise Rejected(Reason.MISSING, "no scheme claims the request")
        return _new(Pending, (self.schemes, request, now, found, claim, BodyNeed.NOTHING, request))

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

    def _tell(self, request: Request, found: Verified | Rejected, started: float) -> None:
        """Tell the hooks of a request that was verified in one step."""
        duration = time.perf_counter() - started
        reason = found.reason.value if isinstance(found, Rejected) else ""
        scheme, key_id = found.scheme, found.key_id
        event = event_of(
            request.method, request.target, "", scheme=scheme, key_id=key_id, reason=reason, duration=duration
        )
        tell(self.events, event)

    def _now(self) -> float:
        now = self.clock()
        if not tells_time(now):
            raise Rejected(Reason.UNAVAILABLE, f"the clock says {now!r}: it returns Unix seconds")
        return now

    def _check_required(self, claimed: Claimed) -> None:
        request = claimed.request
        try:
            required = components(self.require(bare(request))) if callable(self.require) else self.require
        except Exception as error:
            raise _unavailable(claimed, "what is required could not be found out") from error
        try:
            missing = required - claimed.scheme.covers(request)
        except Exception as error:
            raise _unavailable(claimed, "what the signature covers could not be found out") from error
        if missing:
            raise Rejected(
                Reason.INSECURE,
                f"the signature of this request does not cover what is required: {_listed(missing)}",
                scheme=claimed.scheme.name,
                key_id=claimed.claim.key_id,
            )

    def _compared(self, claimed: Claimed, found: Found) -> Verified:
        """What verifies with the secrets that were found. Raises Rejected."""
        apart = self._lookup is not None and self._lookup.takes_head and not found.tenant
        several = len(claimed.claim.signatures) > 1 and not claimed.scheme.several_signatures
        if apart and self._policies and several:
            # Of two signatures that fit, either alone would have a replay id of its own.
            raise _unavailable(claimed, "with several signatures the lookup has to name the tenant by a TenantKey")
        return claimed.compare(found.secrets, self._windows, found.tenant, found.told, apart=apart)

    def _unknown(self, claimed: Claimed, error: Exception) -> Found:
        """No secrets, where the lookup's error says so. Raises Rejected(unavailable) for any other."""
        if not says_unknown(error):
            raise _unavailable(claimed, "the key lookup failed") from error
        # By the way of a key that is not there, for its work.
        return usable(as_secrets(None, claimed.scheme, f"the lookup raised {type(error).__name__}"))

    def _policy(self, claimed: Claimed) -> ReplayPolicy | None:
        """How this request is guarded against replays; None = not at all."""
        policy = self._policies.get(claimed.scheme.name)
        request = claimed.request
        if policy and policy.methods == "unsafe" and request.method in SAFE_METHODS and not is_handshake(request):
            return None
        return policy

    def _now_within(self, claimed: Claimed, verified: Verified) -> float:
        """The clock, for the replay guard. Raises Rejected(stale) where the window closed while the body came.

        A guard forgets a signature once it has expired, and would take a slow body's for a new one.
        """
        now = max(self._now(), claimed.now)
        if verified.expires < math.floor(now):
            detail = "the window closed before the request was complete"
            raise Rejected(Reason.STALE, detail, scheme=verified.scheme, key_id=verified.key_id)
        return now

    def _replayed(self, verified: Verified) -> Rejected:
        return Rejected(
            Reason.REPLAYED, "the signature verified once already", scheme=verified.scheme, key_id=verified.key_id
        )


class Verifier(_VerifierBase):
    """Verifies requests of one or several schemes. Safe to share between threads.

    - `schemes`: one scheme, or a list.
    - `keys`: a mapping of key id to a secret or to several, newest first, for rotation. Or a mapping of scheme name to
      such a mapping. A mapping is copied. Or a callable `lookup(key_id, scheme_name)` that returns the secrets.
    - `clock`: returns Unix seconds.
    - `require`: components that every signature must cover. Or a callable `require(head)` that names them for each
      request, such as `Requirements` of `undersign.policy`.
    - `replay`: a ReplayGuard, for every scheme whose signatures are each for one request. Or a mapping of scheme name
      to a guard or a ReplayPolicy, for those alone.
    - `windows`: a RollingWindows of `undersign.verifying`, for schemes that do not send the time. It says how many keys
      it keeps, and whether unknown key ids are kept like known ones.
    - `events`: a hook, or a list of them, that `verify` tells an `undersign.events.Event` of each request. A middleware
      that has none of its own tells these.

    For an unknown key a lookup returns none, or raises KeyError or its ORM's DoesNotExist. Where it raises anything
    else or returns what is no secret, the request is refused (`unavailable`). A lookup with a third parameter gets the
    request's head, to find a tenant by. It may return a TenantKey of `undersign.keys`, which names that tenant.

    Without a guard a request verifies as often as it comes within its window. So do those that the policy leaves out.
    By default these are the safe methods, where dates have whole seconds, but not a websocket's handshake.

    Raises ConfigError for keys, requirements and guards that cannot work.

    Example::

        verifier = Verifier([GoTom(), GoGrid()], {"user": "secret"})
        print(verifier.verify(signed).key_id)
    """

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: Keys,
        *,
        clock: Callable[[], float] = time.time,
        require: Require = frozenset(),
        replay: Replay = None,
        windows: RollingWindows | None = None,
        events: Events = None,
    ) -> None:
        keys = keys_with_secrets(keys)  # first, so that no frame which raises below holds a plain secret
        super().__init__(schemes, keys, clock, require, replay, windows, events)
        _check_guards_are_sync(self._policies)

    def verify(self, request: Request) -> Verified:
        """Who signed the request. Raises Rejected with the reason, and nothing else, whatever the request holds."""
        if not self.events:
            return self.finish(self._begin_whole(request))
        started = time.perf_counter()
        try:
            verified = self.finish(self._begin_whole(request))
        except Rejected as rejected:
            self._tell(request, rejected, started)
            raise
        self._tell(request, verified, started)
        return verified

    def finish(self, pending: Pending) -> Verified:
        """Phase two: look the key up, compare, ask the replay guard.

        Raises Rejected: unknown_key, mismatch, replayed; unavailable where lookup or guard fail.
        """
        claimed = pending.claimed()
        if self._requires:
            self._check_required(claimed)
        if self._lookup is None:
            key = claimed.claim.key_id, claimed.scheme.name
            verified = claimed.compare(self._known.get(key, ()), self._windows)
        else:
            verified = self._compared(claimed, self._looked_up(self._lookup, claimed))
        if self._policies and (policy := self._policy(claimed)) and not self._admit(policy, claimed, verified):
            raise self._replayed(verified)
        return verified

    def _looked_up(self, lookup: Asker, claimed: Claimed) -> Found:
        scheme, claim, request, _ = claimed
        try:
            return usable(as_secrets(lookup(claim.key_id, scheme.name, bare(request)), scheme))
        except Exception as error:
            return self._unknown(claimed, error)

    def _admit(self, policy: ReplayPolicy, claimed: Claimed, verified: Verified) -> bool:
        now = self._now_within(claimed, verified)
        try:
            return _yes_or_no(_asked(policy, verified, now))
        except Exception as error:
            raise _unguarded(claimed, error) from error


class AsyncVerifier(_VerifierBase):
    """Verifier with a lookup and a guard that may be coroutines; all else is as there.

    Example::

        verifier = AsyncVerifier(GoTom(), lookup)  # async def lookup(key_id, scheme_name): ...
        verified = await verifier.verify(signed)
    """

    def __init__(
        self,
        schemes: Scheme | Sequence[Scheme],
        keys: AsyncKeys,
        *,
        clock: Callable[[], float] = time.time,
        require: Require = frozenset(),
        replay: AsyncReplay = None,
        windows: RollingWindows | None = None,
        events: Events = None,
    ) -> None:
        keys = keys_with_secrets(keys)
        super().__init__(schemes, keys, clock, require, replay, windows, events)

    async def verify(self, request: Request) -> Verified:
        """See Verifier.verify."""
        if not self.events:
            return await self.finish(self._begin_whole(request))
        started = time.perf_counter()
        try:
            verified = await self.finish(self._begin_whole(request))
        except Rejected as rejected:
            self._tell(request, rejected, started)
            raise
        self._tell(request, verified, started)
        return verified

    async def finish(self, pending: Pending) -> Verified:
        """See Verifier.finish."""
        claimed = pending.claimed()
        if self._requires:
            self._check_required(claimed)
        if self._lookup is None:
            key = claimed.claim.key_id, claimed.scheme.name
            verified = claimed.compare(self._known.get(key, ()), self._windows)
        else:
            verified = self._compared(claimed, await self._looked_up(self._lookup, claimed))
        if self._policies and (policy := self._policy(claimed)) and not await self._admit(policy, claimed, verified):
            raise self._replayed(verified)
        return verified

    async def _looked_up(self, lookup: Asker, claimed: Claimed) -> Found:
        scheme, claim, request, _ = claimed
        try:
            found = lookup(claim.key_id, scheme.name, bare(request))
            found = as_secrets(await found if isinstance(found, Awaitable) else found, scheme)
            return usable(found)
        except Exception as error:
            return self._unknown(claimed, error)

    async def _admit(self, policy: ReplayPolicy, claimed: Claimed, verified: Verified) -> bool:
        now = self._now_within(claimed, verified)
        try:
            answer = _asked(policy, verified, now)
            return _yes_or_no(await answer if isinstance(answer, Awaitable) else answer)
        except Exception as error:
            raise _unguarded(claimed, error) from error


def _unavailable(claimed: Claimed, detail: str) -> Rejected:
    return Rejected(Reason.UNAVAILABLE, detail, scheme=claimed.scheme.name, key_id=claimed.claim.key_id)


def _unguarded(claimed: Claimed, error: Exception) -> Rejected:
    # A guard's own Rejected says in its detail what is the matter, for the log; other errors may hold anything.
    why = f": {error.detail}" if isinstance(error, Rejected) and error.detail else ""
    return _unavailable(claimed, f"the replay guard failed{why}")


def _policies(replay: Any, schemes: Sequence[Scheme]) -> dict[str, ReplayPolicy]:
    """A policy, its methods settled, for each scheme that is guarded. Raises ConfigError."""
    if replay is None:
        return {}
    from ..policy.replay import ReplayPolicy  # for those who guard alone

    by_name = {scheme.name: scheme for scheme in schemes}
    if not isinstance(replay, Mapping):
        # A signature that does not name its request is sent with many, and refusing the second breaks real clients.
        own = [name for name, scheme in by_name.items() if Component.TARGET in scheme.could_cover()]
        if not own:
            raise ConfigError(
                f"real clients of {', '.join(by_name)} use a signature for several requests: name the scheme to guard "
                f"it all the same, with a cap on the uses: {{{schemes[0].name!r}: ReplayPolicy(guard, max_uses=100)}}"
            )
        replay = dict.fromkeys(own, replay)
    policies: dict[str, ReplayPolicy] = {}
    for name, value in replay.items():
        if name not in by_name:
            raise ConfigError(f"replay names the scheme {name!r}, which is not verified: {', '.join(by_name)} are")
        policy = value if isinstance(value, ReplayPolicy) else ReplayPolicy(value)
        if (window_of(by_name[name]) is None) is not (policy.lifetime is not None):
            raise ConfigError(
                f"{name} signs no time, so its signatures never expire: say how long each is remembered, "
                f"{{{name!r}: ReplayPolicy(guard, lifetime=86_400)}}"
                if policy.lifetime is None
                else f"{name} signs the time, so its window says how long a signature is remembered: leave lifetime out"
            )
        policies[name] = dataclasses.replace(policy, methods=policy.methods or _guarded_methods(by_name[name]))
    return policies


def _check_guards_are_sync(policies: Mapping[str, ReplayPolicy]) -> None:
    if policies:
        from ..policy.replay import AsyncReplayGuard

        if any(isinstance(policy.guard, AsyncReplayGuard) for policy in policies.values()):
            raise ConfigError("the replay guard is an async one: use AsyncVerifier, or a ReplayGuard")


def _guarded_methods(scheme: Scheme) -> Literal["unsafe", "all"]:
    if Component.METHOD not in scheme.could_cover():
        return "all"  # whoever has the signature chooses the method
    return "all" if getattr(scheme, "date_precision", "") == "milliseconds" else "unsafe"


def _asked(policy: ReplayPolicy, verified: Verified, now: float) -> Any:
    """The guard's answer, which may be a coroutine."""
    expires = verified.expires
    # The first second at which it may have verified.
    since = math.floor(verified.at) - policy.ahead
    if policy.lifetime is not None:
        expires, since = float(math.floor(now) + policy.lifetime), math.floor(now)
    told = {"owner": f"{verified.scheme}\0{verified.key_id}\0{verified.tenant}"} if policy.tells_owner else {}
    return policy.guard.admit(verified.replay_id, expires, now, since=since, max_uses=policy.max_uses, **told)


def _check_requirements(require: Any, schemes: Sequence[Scheme]) -> None:
    """Raise ConfigError for what a scheme never covers, or none of them where it depends on the request."""
    if isinstance(require, Requirements):
        able = frozenset[Component]().union(*(scheme.could_cover() for scheme in schemes))
        if missing := require.named() - able:
            raise ConfigError(f"no scheme covers what is required: {_listed(missing)}")
    elif not callable(require):
        for scheme in schemes:
            if missing := require - scheme.could_cover():
                raise ConfigError(f"{scheme.name} never covers what is required: {_listed(missing)}")


def _listed(wanted: Collection[Component]) -> str:
    return ", ".join(sorted(component.value for component in wanted))


def _yes_or_no(answer: Any) -> bool:
    # A coroutine, or the None of a forgotten return, must not pass for an answer.
    if not isinstance(answer, bool):
        raise ConfigError(f"a replay guard answers True or False, not {type(answer).__name__}")
    return answer
