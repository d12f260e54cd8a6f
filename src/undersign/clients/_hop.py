"""What all clients share: a hop within the credential's origins is signed, any other goes without a trace of it.

    the user's own call ── sign ──> on its way, signed for its origin, `home`
                                      │ a redirect, and each one after it
                                      ▼
                          may the credential go there?
                     yes: sign │                  │ no: strip
                               ▼                  ▼
                     signed for that hop     without what any hop was signed with; the log says so

A client keeps one Hops for each call of its user, wherever its library hands such a thing from hop to hop. How the hop
is read and written is the client's own; what is decided about it stands here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import urlsplit

from ..core.credentials import Credential, Secret, parse_origin, secrets_of
from ..core.dates import check_clock
from ..core.fields import decode_field
from ..core.message import Pairs, Patch, Request
from ..errors import CannotSign, ConfigError
from ..scheme import BodyNeed, Scheme, scheme_problem, window_of
from ..signing import credential_problem, sign_checked
from ._checks import ResponseCheck
from ._clock import ClockCorrection
from ._traces import without_traces
from .nonces import nonces_of

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from ..profiles import Profile

_log = logging.getLogger("undersign")
_NOTHING = Patch()


class HopSigner:
    """A scheme and a credential, for any number of requests, threads and tasks at once.

    `secrets` are what `secrets_of` returns, so that no frame which raises holds a plain one. `origins` are where the
    credential may go; with none named that is the origin of the user's own call. `clock` returns Unix seconds; with
    `adjust_clock` it is corrected by what a refusing https server says of its own time. Raises ConfigError for a
    credential that cannot work.
    """

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secrets: tuple[Secret, ...] | ConfigError,
        origins: Sequence[str],
        clock: Callable[[], float],
        *,
        adjust_clock: bool = False,
        extra: Mapping[str, str] = MappingProxyType({}),
        check_response: bool = False,
        nonce: Callable[[], str] | None = None,
    ) -> None:
        if isinstance(secrets, ConfigError):
            raise secrets
        if problem := scheme_problem(scheme):
            raise problem
        self.scheme = scheme
        self.credential = Credential(key_id, secrets[0], origins, older=secrets[1:], extra=extra)
        if problem := credential_problem(scheme, self.credential):
            raise problem
        check_clock(clock)
        self.clock = clock
        if nonce is not None and not callable(nonce):
            raise ConfigError("nonce is a function that returns a new text each time, not the text itself")
        self._nonce = nonce or nonces_of(scheme)
        window = window_of(scheme)
        if adjust_clock and window is None:
            raise ConfigError(f"{scheme.name} signs no time: leave adjust_clock out")
        self.check = ResponseCheck(scheme, self.credential.secret) if check_response else None
        self.correction = ClockCorrection(window) if adjust_clock and window else None

    def allows(self, origin: str, home: str) -> bool:
        """Whether the credential may go to `origin`; `home` is the origin of the user's own call.

        With no origins named, a call to `http://host` may be led to `https://host`, both on their default ports.
        Whoever could forge that redirect reads the signed call itself, and could have led it to any other path of
        `http://host` as well: nothing is given away that was not. Another port may be another party, and the way
        from https to http shows the signature to everyone; neither is taken.
        """
        if self.credential.origins:
            return origin in self.credential.origins
        return origin == home or origin == _upgraded(home)

    def sign(self, request: Request) -> Patch:
        """See `undersign.sign`."""
        offset = self.correction.offset(request.origin) if self.correction else 0.0
        nonce = self._nonce()
        if self.check:
            return self.check.asked_for(
                request, lambda asked: sign_checked(self.scheme, asked, self.credential, self.clock() + offset, nonce)
            )
        return sign_checked(self.scheme, request, self.credential, self.clock() + offset, nonce)

    def strip_fields(self, encoded: str, pairs: Pairs) -> str:
        """A query or form (Latin-1) without what `pairs` have set in any; all other bytes stay.

        Where the key id stands beside it, fields of those names go whatever their value is: they come from a hop
        that is not known here.
        """
        parts = encoded.split("&")
        found = [
            (decode_field(name), decode_field(value)) for name, _, value in (part.partition("=") for part in parts)
        ]
        key_id = self.credential.key_id
        is_ours = any(pair in pairs and pair[1] == key_id for pair in found)
        names = {name for name, _ in pairs} if is_ours else set[str]()
        kept = [part for part, pair in zip(parts, found, strict=True) if pair not in pairs and pair[0] not in names]
        return self.without_traces(encoded if len(kept) == len(parts) else "&".join(kept), pairs)

    def without_traces(self, text: str, pairs: Pairs) -> str:
        """A text (Latin-1) without the values that `pairs` have set, but the key id, which is no secret."""
        return without_traces(text, {value for _, value in pairs} - {self.credential.key_id})


class Stripped(NamedTuple):
    """A request without the credential: the lower-case names of the headers that went, and how it stands now."""

    gone: frozenset[str]
    request: Request


class Hops:
    """One call of the user with all its hops: who signs it, the origin it went to at first, and all that was set on it.

    `home` is that origin, of the user's own call.
    """

    def __init__(self, signer: HopSigner, home: str = "") -> None:
        self.signer = signer
        self.home = home
        self.patch = _NOTHING
        """What any hop was signed with: a redirect may bring it back."""

    def __repr__(self) -> str:
        return f"<signed for {self.home}>"

    def allows(self, origin: str) -> bool:
        """Whether a hop to that origin is signed. The user's own call is, or signing refuses it."""
        return origin == self.home or self.signer.allows(origin, self.home)

    def need(self, head: Request) -> BodyNeed:
        """What is needed of this hop's body: what the scheme asks, or else the form that may hold its parameters."""
        need = self.signer.scheme.body_need(head)
        return need if need.raw or self.allows(head.origin) else BodyNeed.NOTHING

    def signed_with(self, patch: Patch) -> None:
        """Remember what is on the request now."""
        self.patch = patch if self.patch is _NOTHING else self.patch + patch

    def strip(self, request: Request) -> Stripped:
        """The request without what the scheme and any earlier hop have put on it, wherever it turns up again."""
        patch = self.patch
        private = {name.lower() for name, _ in patch.headers} | self.signer.scheme.private_headers()
        # What the body is stays true of it.
        private.discard("content-type")
        headers = tuple(pair for pair in request.headers if pair[0].lower() not in private)
        gone = frozenset(pair[0].lower() for pair in request.headers) & private
        path, mark, query = request.target.partition("?")
        kept = self.signer.strip_fields(query, patch.query + patch.form)
        path = self.signer.without_traces(path, patch.query + patch.form)
        target = path + mark + kept if kept or not query else path
        body = request.body
        if patch.form and isinstance(body, bytes):
            body = self.signer.strip_fields(body.decode("latin-1"), patch.form).encode("latin-1")
        return Stripped(gone, Request(request.method, target, headers, body, request.origin))

    def tell_unsigned(self, origin: str) -> None:
        """Log that a redirect leads to `origin`, where the credential does not go."""
        there, here = urlsplit(origin), urlsplit(self.home)
        # From http to https of one host it is hardly meant, and the refusal that follows would not say why.
        is_other_scheme = there.hostname == here.hostname and there.scheme != here.scheme
        _log.log(
            logging.WARNING if is_other_scheme else logging.INFO,
            "a redirect of the call to %s leads to %s and goes there unsigned: the credential may go to %s alone; "
            "if that origin may have it too, name both in origins=[...]",
            self.home,
            origin or "an origin that is neither http nor https",
            ", ".join(self.signer.credential.origins) or self.home,
        )

    def should_sign_again(self, origin: str, status: int, headers: Iterable[tuple[str, str]]) -> bool:
        """Whether an answer has taught that our clock is off, so that the hop is to be signed once more."""
        signer = self.signer
        if signer.correction is None or not self.allows(origin):
            return False
        return signer.correction.learn(origin, status, headers, signer.clock())


_MODULE_OF = {
    "requests": "requests",
    "niquests": "requests",
    "httpx": "httpx",
    "httpx2": "httpx",
    "aiohttp": "aiohttp",
    "urllib": "urllib",
}
"""The module here that signs for a library."""


def other_client(own: str, given: object) -> ConfigError | None:
    """What is wrong where the auth of the module `own` is given something of another client; None where nothing is
    known to be."""
    library = type(given).__module__.partition(".")[0]
    right = _MODULE_OF.get(library)
    if right in (None, own):
        return None
    return ConfigError(
        f"this is the SignatureAuth of undersign.clients.{own}: for {library} "
        f"take undersign.clients.{right}.SignatureAuth"
    )


class HopAuth:
    """What a SignatureAuth is told, whatever its library is; its own docstring says what each means."""

    _own: ClassVar[str]
    """The module here that the auth is of."""

    def __init__(
        self,
        scheme: Scheme,
        key_id: str,
        secret: Secret | str | bytes,
        *,
        origins: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        adjust_clock: bool = False,
        older: Sequence[Secret | str | bytes] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
        check_response: bool = False,
        nonce: Callable[[], str] | None = None,
    ) -> None:
        secrets = secrets_of(secret, older)
        del secret, older  # so that no frame which raises below holds a plain one
        self._signer = HopSigner(
            scheme,
            key_id,
            secrets,
            origins,
            clock,
            adjust_clock=adjust_clock,
            extra=extra,
            check_response=check_response,
            nonce=nonce,
        )
        self._set_up()

    @classmethod
    def from_profile(
        cls,
        profile: str | Profile,
        *,
        config: str | Path | None = None,
        clock: Callable[[], float] = time.time,
        adjust_clock: bool = False,
        check_response: bool = False,
        nonce: Callable[[], str] | None = None,
    ) -> Self:
        """The same for a profile of the user's: its scheme, key id, secret, origins and extras. See
        `undersign.profiles.load_profile` for `config`, which is the file that it is in.

        Raises ConfigError where the profile is not there or not in form, and where its secret cannot be had now.
        """
        from ..profiles import load_profile  # most programs have no profiles, and need no reader of them

        return load_profile(profile, config).auth(
            cls, clock=clock, adjust_clock=adjust_clock, check_response=check_response, nonce=nonce
        )

    def _set_up(self) -> None:
        """Make what else a client keeps."""


def origin_of(scheme: str, authority: str) -> str:
    """The origin of a client's URL; "" where it is neither http nor https.

    Raises CannotSign where it cannot be told, since nobody knows then whether the credential may go there.
    """
    if scheme.lower() not in ("http", "https"):
        return ""
    try:
        return _parsed_origin(f"{scheme}://{authority.rpartition('@')[2]}")
    except ConfigError as error:
        raise CannotSign(f"the URL's origin cannot be used: {error}") from None


_parsed_origin = lru_cache(maxsize=256)(parse_origin)  # the same few, call after call


def _upgraded(origin: str) -> str | None:
    """The same host over https, where the origin is http on its default port."""
    parts = urlsplit(origin)
    return f"https://{parts.netloc}" if parts.scheme == "http" and parts.port is None else None
