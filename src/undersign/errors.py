"""What can go wrong, as exceptions that carry a reason and never a secret or a signature."""

from __future__ import annotations

from enum import Enum
from typing import Literal


class Reason(str, Enum):
    """Why a request was refused. The value is what logs, vectors and the command line show.

    Reasons are found in this order. Before the body: `missing`, `ambiguous`, `insecure`, `malformed`,
    `unsupported_version`, `stale` or `future`. With the body: the same again, then `unknown_key`, `mismatch`,
    `replayed`. The remaining ones come from servers, which know more than the request.

    Example::

        try:
            verifier.verify(request)
        except Rejected as rejected:
            assert rejected.reason is Reason.MISSING
    """

    MISSING = "missing"
    """Nothing that any scheme claims: no Authorization, another provider, no signature parameter."""
    AMBIGUOUS = "ambiguous"
    """More than one scheme claims the request."""
    INSECURE = "insecure"
    """The scheme may not be used this way: over plain http, or without covering what is required."""
    MALFORMED = "malformed"
    """Claimed, but a part is absent, repeated, in two places, or not in its one right form."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """The version parameter names a version that is not served."""
    STALE = "stale"
    """Older than the window allows."""
    FUTURE = "future"
    """Further ahead of the clock than the window allows."""
    UNKNOWN_KEY = "unknown_key"
    """No secret is known for the key id."""
    MISMATCH = "mismatch"
    """All in form, and no secret fits."""
    REPLAYED = "replayed"
    """Verified once already."""
    BODY_TOO_LARGE = "body_too_large"
    """The body exceeds the limit of what is read."""
    LENGTH_REQUIRED = "length_required"
    """The server cannot tell where the body ends."""
    LOSSY_TARGET = "lossy_target"
    """The server has lost bytes of the target that are signed."""
    UNAVAILABLE = "unavailable"
    """The keys or the replay guard could not be asked."""

    def __str__(self) -> str:
        return self.value


class UndersignError(Exception):
    """The base of all errors that undersign raises on purpose.

    Example::

        try:
            verifier.verify(request)
        except UndersignError as error:
            print(type(error).__name__)
    """


class ConfigError(UndersignError):
    """An option, a key or a credential that cannot work; found when the object is built.

    Example::

        try:
            Credential("user", "")
        except ConfigError as error:
            print(error)
    """


class CannotSign(UndersignError):
    """This request cannot be signed so that it would verify. The request is left as it was.

    Example::

        try:
            sign(GoGrid(), Request("GET", "/", (), b"", "http://a.example"), credential, now=now)
        except CannotSign as error:
            print(error)
    """


class ResponseRejected(UndersignError):
    """An answer whose signature is absent or wrong, where a client was told to check it.

    Nothing of the answer is to be believed, its status included, which is `status`. A server signs no refusal of a
    request that it has not verified: then the status is what it says, or what someone on the way says.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(status, problem)
        self.status = status
        self.problem = problem

    def __str__(self) -> str:
        return f"the answer, whose status is {self.status}, cannot be believed: {self.problem}"


class Rejected(UndersignError):
    """A request that did not verify.

    - `reason`: one of Reason.
    - `detail`: one sentence for the operator's log. It names the part at fault, and holds no secret and no signature.
      It is not for the client, who gets the scheme's uniform refusal.
    - `scheme`, `key_id`: what the request claimed, unverified. They are empty where it did not come that far.
    - `part`: the name of the header or parameter at fault, where one alone is.
    - `fault`: says so where that part is absent or repeated.

    Example::

        try:
            verifier.verify(request)
        except Rejected as rejected:
            print(rejected.reason, rejected.detail)  # for your log
            answer = verifier.refusal(rejected, request)  # for the client
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        scheme: str = "",
        key_id: str = "",
        part: str = "",
        fault: Literal["", "absent", "repeated"] = "",
    ) -> None:
        self.args = reason, detail
        self.reason = reason if type(reason) is Reason else Reason(reason)
        self.detail = detail
        self.scheme = scheme
        self.key_id = key_id
        self.part = part
        self.fault = fault

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason.value

    def __repr__(self) -> str:
        return f"Rejected({self.reason.value!r}, {self.detail!r}, scheme={self.scheme!r}, key_id={self.key_id!r})"
