"""What the ASGI and the WSGI middleware share: all that is not the server's own way to pass a request on."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypedDict

from ..core.credentials import parse_origin
from ..core.grammar import LENGTH
from ..core.message import NOT_ALONE, BodyDigest, Component, Pairs, Request, Response
from ..errors import ConfigError, Reason, Rejected
from ..events.event import Events, event_hooks, event_of, printable, shown_path, tell
from ..policy.paths import is_plain
from ..verifying.verdict import Pending, Verified
from ..verifying.verifier import AsyncVerifier, Verifier
from ._answers import signed_response
from ._caching import NEVER_STORED
from ._preflights import is_preflight
from ._public import Public
from ._targets import OTHER_TARGET, Match
from .linger import LINGER, Linger
from .refusal import OnRejected, Refusal, refusal_hook

if TYPE_CHECKING:
    from .diagnosis import DiagnosisLog

Authorize: TypeAlias = Callable[[Verified, Request], bool | Awaitable[bool]]

KEY = "undersign"
"""Where a Verified stands in an ASGI scope and in a WSGI environ; None stands there on a public path."""

FORBIDDEN = "forbidden"
"""What hook and log say where the signature is good and `authorize` says no."""

MAX_BODY = 16 * 1024 * 1024

CHUNKED = -1
"""The length of a body that comes in chunks, so that its end shows only when it is there."""

_NORMALISED_TARGET = (
    "authorize or require has judged a target with // or dot segments, which the app does not see: sign its path"
)

_log = logging.getLogger("undersign")

# The server's own failures, which its operator has to mend.
_FAILURES = frozenset({Reason.UNAVAILABLE, Reason.LOSSY_TARGET})
# Those that a search for the client's mistake can explain.
_CLIENTS_MISTAKES = frozenset(
    {Reason.MISSING, Reason.MALFORMED, Reason.STALE, Reason.FUTURE, Reason.UNKNOWN_KEY, Reason.MISMATCH}
)


class Received(NamedTuple):
    """A request's head as the server passes it on.

    `target_lost` says, for the log, why the target cannot be taken for the one that the client has sent; empty =
    it can. `spelled` is the head with each of the targets that it may have been then. `match` is how what the app
    runs goes with the target. `doubt` is a sentence on what else may lie behind a signature that does not fit, and
    `withheld` one on why Authorization may not be there. See `_targets`. `peer` is the
    address that the connection comes from. `started` is when the head was there, on `time.perf_counter`, where
    anybody is told.
    """

    head: Request
    target_lost: str = ""
    doubt: str = ""
    spelled: tuple[Request, ...] = ()
    match: Match = Match.EXACT
    withheld: str = ""
    peer: str = ""
    started: float = 0.0


class Options(TypedDict, total=False):
    """The options of an Authenticator, for what is built around one; see SignatureMiddleware."""

    origin: str
    prefix: str
    public: Collection[str]
    preflights: bool
    max_body: int
    authorize: Authorize | None
    on_rejected: OnRejected | None
    on_verified: Callable[[Verified], object] | None
    diagnosis: DiagnosisLog | None
    events: Events


class Authenticator:
    """Which requests are let in, and what the others are answered; see SignatureMiddleware for the options.

    Raises ConfigError for an option that cannot work.
    """

    def __init__(
        self,
        verifier: Verifier | AsyncVerifier,
        *,
        origin: str = "",
        prefix: str = "",
        public: Collection[str] = (),
        preflights: bool = False,
        max_body: int = MAX_BODY,
        linger: Linger = LINGER,
        authorize: Authorize | None = None,
        on_rejected: OnRejected | None = None,
        on_verified: Callable[[Verified], object] | None = None,
        diagnosis: DiagnosisLog | None = None,
        events: Events = None,
    ) -> None:
        if authorize is not None and not callable(authorize):
            raise ConfigError("authorize is a callable: authorize(verified, head) returns True for those let in")
        if on_verified is not None and not callable(on_verified):
            raise ConfigError(
                f"on_verified(verified) is a callable, such as KeyUsage().record; this is {type(on_verified).__name__}"
            )
        if diagnosis is not None and not callable(getattr(diagnosis, "look", None)):
            raise ConfigError(f"diagnosis is a DiagnosisLog(keys), not {type(diagnosis).__name__}")
        if prefix and (not is_plain(prefix) or prefix.endswith("/")):
            raise ConfigError(f"prefix {prefix!r} is not a plain path without a slash at its end: write /api")
        if type(max_body) is not int or max_body < 0:
            raise ConfigError(f"max_body is a number of bytes, not {max_body!r}")
        if not isinstance(linger, Linger):
            raise ConfigError(f"linger is a Linger(seconds=…, limit=…), not {type(linger).__name__}")
        if type(preflights) is not bool:
            raise ConfigError(f"preflights is True or False, not {preflights!r}")
        self.verifier = verifier
        self.origin = parse_origin(origin) if origin else ""
        self.prefix = prefix
        self.max_body = max_body
        self.linger = linger
        self.authorize = authorize
        self._public = Public(public)
        self._lets_preflights = preflights
        self.lets_unsigned = bool(self._public) or preflights
        """Whether any request is let in without a signature."""
        self._on_rejected = None if on_rejected is None else refusal_hook(on_rejected)
        self.on_verified = on_verified
        self._judges_targets = authorize is not None or callable(verifier.require)
        self._diagnosis = diagnosis
        self.events = event_hooks(events) or verifier.events

    def request(self, method: str, target: str, headers: Pairs, *, prefixed: bool = False) -> Request:
        """The request that the client has signed; `target` is in origin-form.

        `prefixed` says that the target holds the prefix already.
        """
        if self.prefix and not prefixed:
            target = self.prefix + target
        return Request(method, target, headers, b"", self.origin)

    def is_public(self, received: Received) -> bool:
        """Whether the path is named public, and has one spelling alone."""
        return received.match is Match.EXACT and self._is_named_public(received)

    def _is_named_public(self, received: Received) -> bool:
        return bool(self._public) and self._public.lets(received.head) and not received.target_lost

    def is_preflight(self, received: Received) -> bool:
        """Whether the request is a browser's preflight, and those are let in."""
        return self._lets_preflights and is_preflight(received.head, self.verifier)

    def begin(self, received: Received) -> Pending:
        """Phase one, and what a server has to know besides. Raises Rejected."""
        if received.match is Match.OTHER and self._is_named_public(received):
            raise Rejected(Reason.LOSSY_TARGET, OTHER_TARGET)
        pending = self.verifier.begin(received.head)
        if received.target_lost:
            self.check_claim(pending, received)
        return pending

    def check_claim(self, pending: Pending, received: Received) -> None:
        """Refuse a target that has no spelling where the claimed scheme covers it. Raises Rejected(lossy_target)."""
        if not received.spelled and _covers_target(pending):
            raise rejected(Reason.LOSSY_TARGET, received.target_lost, pending)

    def attempts(self, pending: Pending, received: Received) -> Iterable[Pending]:
        """The request with each target that it may have been sent to, where that is lost."""
        if not received.spelled:  # what claims the request does not cover it
            return (pending,)
        body = pending.request.body if pending.request else None
        return (self._begun(head, body) for head in received.spelled)

    def _begun(self, head: Request, body: bytes | BodyDigest | None) -> Pending:
        pending = self.verifier.begin(head)
        return pending if body is None else pending.with_body(body)

    def unless_respelled(self, refused: Rejected, pending: Pending, received: Received) -> Rejected:
        """What a request is refused for if no other spelling of its target fits. Raises `refused` where none matters.

        An unknown key is not told from a wrong secret: the answers have to be alike.
        """
        if refused.reason in (Reason.MISMATCH, Reason.UNKNOWN_KEY) and _covers_target(pending):
            return rejected(Reason.LOSSY_TARGET, f"{received.target_lost}; {refused.detail}", pending)
        raise refused

    def check_target(self, pending: Pending, received: Received) -> None:
        """Refuse a verified request of which the app would run something else. Raises Rejected(lossy_target).

        It does not matter whether the scheme covers the target: `authorize` and `require` have judged that.
        """
        if received.match is Match.OTHER:
            raise rejected(Reason.LOSSY_TARGET, OTHER_TARGET, pending)
        if received.match is Match.NORMALISED and self._judges_targets:
            raise rejected(Reason.LOSSY_TARGET, _NORMALISED_TARGET, pending)

    def body_limit(self, pending: Pending) -> int:
        """How many bytes of the body are read."""
        return min(self.max_body, pending.body.limit) if pending.body.raw else self.max_body

    def refuse(self, refused: Rejected, received: Received, pending: Pending | None) -> Response:
        """The answer to a refused request, which is logged and told to the hook; `pending` is how far it has come."""
        detail = refused.detail
        answer = self.verifier.refusal(refused, received.head)
        doubt = OTHER_TARGET if received.match is Match.OTHER else received.doubt
        if refused.reason is Reason.MISMATCH and doubt and _covers_target(pending):
            detail = f"{detail}; {doubt}"
        elif refused.reason is Reason.MISSING and received.withheld and _asks_for_authorization(answer):
            detail = f"{detail}; {received.withheld}"
        elif refused.reason is Reason.INSECURE and not self.origin:
            detail = f"{detail}: tell the middleware its origin, as in origin='https://api.example.com'"
        elif isinstance(refused.__cause__, ConfigError):  # one of ours, which never holds a secret
            detail = f"{detail}: {refused.__cause__}"
        elif refused.__cause__ is not None and not isinstance(refused.__cause__, Rejected):
            # Its type alone: its text may hold addresses with passwords.
            detail = f"{detail}: {type(refused.__cause__).__name__}"
        self._tell(received, refused.reason, refused.key_id, detail, refused.scheme)
        if self._diagnosis and refused.reason in _CLIENTS_MISTAKES:
            request = _whole(received, pending)
            if request is not None:
                self._diagnosis.look(self.verifier.schemes, request, refused.key_id, self.verifier.clock())
        return answer

    def forbid(self, verified: Verified, received: Received) -> Response:
        """The answer of its scheme to a good signature whose key may not do this, which is logged and told."""
        self._tell(received, FORBIDDEN, verified.key_id, "authorize has said no", verified.scheme)
        scheme = next(scheme for scheme in self.verifier.schemes if scheme.name == verified.scheme)
        return signed_response(verified.response_signer, scheme.forbidden(received.head))

    def tell_verified(self, hook: Callable[[Verified], object], verified: Verified) -> None:
        """Tell the hook of a request that is let in."""
        try:
            hook(verified)
        except Exception as error:
            _log.error("on_verified has raised %s", type(error).__name__)

    def tell_event(self, received: Received, reason: str, key_id: str, scheme: str) -> None:
        """Tell the hooks of a request that was judged; `reason` is empty where it is let in."""
        head, duration = received.head, time.perf_counter() - received.started
        tell(
            self.events,
            event_of(
                head.method,
                head.target,
                received.peer,
                scheme=scheme,
                key_id=key_id,
                reason=reason,
                duration=duration,
            ),
        )

    def _tell(self, received: Received, reason: str, key_id: str, detail: str, scheme: str) -> None:
        head = received.head
        refusal = Refusal(
            str(reason),
            printable(key_id),
            printable(detail),
            scheme,
            printable(head.method, 30),
            shown_path(head.target),
            printable(received.peer, 50),
        )
        level = logging.ERROR if reason in _FAILURES else logging.WARNING
        _log.log(level, "refused: %s", refusal, extra=asdict(refusal))
        if self.events:
            self.tell_event(received, str(reason), key_id, scheme)
        if self._on_rejected is not None:
            try:
                self._on_rejected(refusal)
            except Exception as error:
                # The hook must not turn a refusal into anything else. What it raises may hold anything.
                _log.error("on_rejected has raised %s", type(error).__name__)


def _covers_target(pending: Pending | None) -> bool:
    if pending is None or pending.scheme is None:
        return False
    return Component.TARGET in pending.scheme.covers(pending.request or pending.head)


def _asks_for_authorization(answer: Response) -> bool:
    return any(name.lower() == "www-authenticate" for name, _ in answer.headers)


def _whole(received: Received, pending: Pending | None) -> Request | None:
    """The request with its body, as far as it was read: None where it was not, or the target is lost."""
    if received.target_lost:
        return None
    if pending is not None and (pending.request is not None or not pending.body):
        return pending.request or pending.head
    return received.head if declared_length(received.head) in (None, 0) else None


def verified_in(place: Mapping[str, Any]) -> Verified | None:
    """The Verified in a scope or environ, or None on a public path.

    Raises ConfigError where no SignatureMiddleware is in front: the request may be anyone's then.
    """
    if KEY not in place:
        raise ConfigError("no SignatureMiddleware is in front of this app: wrap it in one, ASGI or WSGI")
    verified: Verified | None = place[KEY]
    return verified


def rejected(reason: Reason, detail: str, pending: Pending) -> Rejected:
    """Rejected, with the claim's scheme and key id."""
    scheme = pending.scheme.name if pending.scheme else ""
    return Rejected(reason, detail, scheme=scheme, key_id=pending.claim.key_id if pending.claim else "")


def declared_length(head: Request) -> int | str | None:
    """The declared length of the body; None where none is declared, CHUNKED where it is sent so.

    A sentence, where two servers could find two ends of it. RFC 9112, section 6.3.
    """
    places = head.by_name()
    if "content-length" not in places and "transfer-encoding" not in places:
        return None
    place = places.get("content-length", NOT_ALONE)
    # By its place, which is quicker, since each request with a body has one.
    lengths = head.values("content-length") if place == NOT_ALONE else [head.headers[place][1].strip(" \t")]
    codings = head.values("transfer-encoding")
    if codings:
        if lengths:
            return "there is a Content-Length beside Transfer-Encoding"
        if len(codings) > 1 or codings[0].lower() != "chunked":
            return "Transfer-Encoding is not chunked alone"
        return CHUNKED
    if not lengths:
        return None
    if len(lengths) > 1 or not LENGTH.fullmatch(lengths[0]):
        return "Content-Length is not one number"
    return int(lengths[0])


def finished_headers(answer: Response) -> Pairs:
    """The refusal's headers with its length, and with what keeps caches from it."""
    headers = (*answer.headers, ("Content-Length", str(len(answer.body))))
    if any(name.lower() == "cache-control" for name, _ in headers):
        return headers
    return (*headers, NEVER_STORED)
