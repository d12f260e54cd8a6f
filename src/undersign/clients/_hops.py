"""What all client adapters share: a hop within the credential's origins is signed, any other goes without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..clock import check_clock
from ..credentials import Credential, Secret, parse_origin
from ..engine import credential_flaw, sign
from ..errors import CannotSign, ConfigError
from ..fields import decode_field
from ..http import Pairs, Patch, Request
from ..scheme import Scheme
from ._clock import ClockCorrection


class HopSigner:
    """A scheme and a credential, for any number of requests, threads and tasks at once.

    `secrets` are what `seal_all` returns, so that no frame which raises holds a plain one. `origins` are where the
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
    ) -> None:
        if isinstance(secrets, ConfigError):
            raise secrets
        if not isinstance(scheme, Scheme):
            raise ConfigError(f"the scheme is an object such as GoTom(), not {type(scheme).__name__}")
        self.scheme = scheme
        self.credential = Credential(key_id, secrets[0], origins, older=secrets[1:])
        if flaw := credential_flaw(scheme, self.credential):
            raise flaw
        check_clock(clock)
        self.clock = clock
        self.correction = ClockCorrection(scheme.window) if adjust_clock else None

    def allows(self, origin: str, home: str) -> bool:
        """Whether the credential may go to `origin`; `home` is the origin of the user's own call."""
        return origin in (self.credential.origins or (home,))

    def sign(self, request: Request) -> Patch:
        """See `undersign.sign`."""
        offset = self.correction.offset(request.origin) if self.correction else 0.0
        return sign(self.scheme, request, self.credential, now=self.clock() + offset)

    def should_sign_again(self, origin: str, status: int, date: str | None) -> bool:
        """Whether an answer has taught that our clock is off, so that the request is to be signed once more."""
        return self.correction is not None and self.correction.learn(origin, status, date, self.clock())

    def strip(self, request: Request, patch: Patch) -> Request:
        """The request without what `patch` and the scheme have put on an earlier hop, wherever it turns up again."""
        private = {name.lower() for name, _ in patch.headers} | self.scheme.private_headers()
        # What the body is stays true of it.
        private.discard("content-type")
        headers = tuple(pair for pair in request.headers if pair[0].lower() not in private)
        path, mark, query = request.target.partition("?")
        kept = _without(query, patch.query + patch.form)
        body = request.body
        if patch.form and isinstance(body, bytes):
            body = _without(body.decode("latin-1"), patch.form).encode("latin-1")
        return Request(request.method, path + mark + kept if kept or not query else path, headers, body, request.origin)


def origin_of(scheme: str, authority: str) -> str:
    """The origin of a client's URL; "" where it is neither http nor https.

    Raises CannotSign where it cannot be told, since nobody knows then whether the credential may go there.
    """
    if scheme.lower() not in ("http", "https"):
        return ""
    try:
        return parse_origin(f"{scheme}://{authority.rpartition('@')[2]}")
    except ConfigError as error:
        raise CannotSign(f"the URL's origin cannot be used: {error}") from None


def _without(encoded: str, pairs: Pairs) -> str:
    parts = encoded.split("&")
    kept = [
        part
        for part in parts
        if (decode_field(part.partition("=")[0]), decode_field(part.partition("=")[2])) not in pairs
    ]
    return encoded if len(kept) == len(parts) else "&".join(kept)
