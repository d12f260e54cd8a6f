"""What a signature scheme is: the protocol that every scheme fulfils, built in or third-party."""

from __future__ import annotations

import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import ClassVar, NamedTuple, NoReturn, TypeAlias

from .core.credentials import Secret
from .core.dates import Window
from .core.message import BodyDigest, Component, Pairs, Patch, Request, Response
from .core.message import signed_header as signed_header
from .errors import ConfigError, Reason, Rejected

RAW_BODY_LIMIT = 16 * 1024 * 1024

_LINE = rb"[^\n]*\n|[^\n]+"

_STATUS = {
    Reason.BODY_TOO_LARGE: 413,
    Reason.LENGTH_REQUIRED: 411,
    Reason.LOSSY_TARGET: 500,
    Reason.UNAVAILABLE: 503,
}
_MESSAGE = {
    413: "Request body too large",
    411: "Content-Length required",
    500: "The server cannot verify requests",
    503: "Try again later",
}


Body: TypeAlias = "bytes | BodyDigest"


class _Claim(NamedTuple):
    key_id: str
    at: float | None
    signatures: tuple[str, ...] = ()
    nonce: str = ""
    string: Callable[[Body, int], bytes] | None = None
    extra: Mapping[str, str] = MappingProxyType({})
    others: tuple[Callable[[Body, int], bytes], ...] = ()


class Claim(_Claim):
    """What a request says of its signer, unverified.

    - `at`: the time in Unix seconds. None where the scheme does not send it.
    - `signatures`: as they were sent, in text. They do not show in the repr. A scheme that sends several accepts any
      one of them.
    - `nonce`: the id of the message, where it has one. The signature covers it, or a replay would only have to change
      it.
    - `string`: set by `read`. It takes the body, or the digests of one that streamed past, and the second of the
      signature. The second counts where the time is not sent. It returns the string to sign. It holds what `read` has
      parsed, so that nothing is parsed twice. It raises CannotSign where the request has no string to sign with that
      body.
    - `extra`: the credential's values besides key id and secret, by name, for a signer.
    - `others`: like `string`, for a scheme whose senders do not agree on the string to sign, such as on the port of a
      URL. A signature of any of them fits, where the time is sent or not signed.

    Example::

        claim = GoTom().read(signed)
        assert (claim.key_id, claim.at) == ("user", 1730974875)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Claim(key_id={self.key_id!r}, at={self.at!r}, nonce={self.nonce!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Claim holds signatures and is not pickled: pickle the request, and read the request anew")


class _BodyNeed(NamedTuple):
    digests: tuple[str, ...] = ()
    raw: bool = False
    limit: int = RAW_BODY_LIMIT


class BodyNeed(_BodyNeed):
    """What a scheme needs of a request's body: nothing, the digests that are named, or the raw bytes.

    `digests` are names of hashlib. `raw` bytes are held in memory, `limit` of them at most.

    Example::

        assert GoTom().body_need(request).digests == ("md5",)
    """

    __slots__ = ()
    NOTHING: ClassVar[BodyNeed]

    def __bool__(self) -> bool:
        return self.raw or bool(self.digests)

    def __or__(self, other: BodyNeed) -> BodyNeed:
        """The need of both; where both want raw bytes, the smaller limit holds."""
        limits = [need.limit for need in (self, other) if need.raw]
        digests = tuple(dict.fromkeys(self.digests + other.digests))
        return BodyNeed(digests, bool(limits), min(limits, default=RAW_BODY_LIMIT))


BodyNeed.NOTHING = BodyNeed()


class Part(NamedTuple):
    """A piece of a string to sign: what it is, where it comes from, and its bytes, with the line feed that ends it.

    `shown` stands for a value that an explanation must not show.
    """

    name: str
    source: str
    value: bytes
    shown: str = ""


class Scheme(ABC):
    """How requests are signed: a frozen dataclass whose fields are its options.

    Most schemes are an `undersign.Recipe`; subclass this for one that no recipe can say. A scheme holds no state, does
    no I/O and reads no clock. Signing goes `draft`, `signature`, `write`. Verifying goes `read`, the claim's `string`,
    `signature`, or `candidates` where the time is not sent. `draft` and `read` end in the same string to sign, which is
    best one private method of the scheme.

    Example::

        assert isinstance(GoTom(), Scheme)
        assert GoTom().covers(signed) >= {Component.METHOD, Component.BODY}
    """

    name: str
    window: Window
    """None in a recipe that signs no time; ask `window_of`, as it says so to type checkers too."""
    several_signatures: ClassVar[bool] = False
    """Whether `write` sends all of the claim's signatures: then a credential may have older secrets."""
    signs_time_alone: bool = False
    """Whether nothing of a request is signed but its key id and a time that is not sent. A verifier then keeps what it
    has computed for one request for the next."""
    says_when_it_ends: ClassVar[bool] = False
    """Whether a request may say how long it is good, which `end_of` finds in its claim."""
    signs_responses: ClassVar[bool] = False
    """Whether `response_headers` signs answers, so that servers sign them and clients may check them."""
    method_field: str = ""
    """A parameter such as `_method`, for which the framework behind runs a POST as another method: a POST with one in
    its query or urlencoded form is neither signed nor verified. Empty where none does."""
    sends_key_id: bool = True
    """Whether a request says whose it is, or may. Where none does, the key id of all of them is the scheme's name."""
    needs_nonce: bool = False
    """Whether each request has to be signed with a nonce, a text that no other has."""
    nonce_is_number: bool = False
    """Whether that is a whole number, larger than those before it."""

    @property
    def takes_nonce(self) -> bool:
        """Whether a request may be signed with one. The default is that it has to be, or may not."""
        return self.needs_nonce

    @property
    def extras(self) -> tuple[str, ...]:
        """The names of what a credential has to have besides key id and secret. The default names none."""
        return ()

    @property
    def optional_extras(self) -> tuple[str, ...]:
        """The names of what it may have besides those. The default names none."""
        return ()

    @abstractmethod
    def covers(self, request: Request) -> frozenset[Component]:
        """What of this request the signature covers."""

    def could_cover(self) -> frozenset[Component]:
        """What the signature of at least one request covers: what a verifier can require at all.

        The default is what it covers of a bare POST. A scheme may cover more of some requests, such as a body only
        where a header names its digest. It returns all of that.
        """
        return self.covers(Request("POST", "/"))

    @abstractmethod
    def body_need(self, head: Request) -> BodyNeed:
        """What `draft`, `read` and `write` need of this request's body. The head's own body is not looked at."""

    @abstractmethod
    def draft(self, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        """What must be on the request besides the credentials, such as Date, and the string to sign with it there.

        `claim` has the key id and the time. The string holds no secret. Raises CannotSign.
        """

    def secret_problem(self, secret: bytes) -> str | None:
        """What is wrong with the form of a secret, as one sentence without the secret in it; None = in form.

        For schemes whose secrets have a written form, such as base64. It is asked when signers and verifiers are built,
        and raises nothing, so that no traceback holds the secret. The default takes any.
        """
        return None

    @abstractmethod
    def signature(self, secret: bytes, string: bytes) -> str:
        """The signature of a string to sign, as it is sent. Raises nothing, so that no traceback holds the secret.

        Nor does it for a secret that is not in form: verifiers compare with one where they do not know the key.
        """

    def extra_as_sent(self, secret: bytes, extra: Mapping[str, str]) -> Mapping[str, str]:
        """The credential's extra values as they are sent: some APIs want the MAC of one in its place.

        Raises nothing, so that no traceback holds the secret. The default sends them as they are.
        """
        return extra

    @abstractmethod
    def write(self, claim: Claim, request: Request) -> Patch:
        """The credentials: the claim with its signature, as they go on the request. Raises CannotSign.

        `request` is the one that `draft` was given.

        With `several_signatures` there may be more than one, newest secret first.
        """

    @abstractmethod
    def read(self, request: Request) -> Claim | None:
        """What the request claims, or None where it is not of this scheme.

        Raises Rejected where it is of this scheme and not in form. With the body still to come, `request.body` is
        empty. Then None may turn into a claim when the body is there, if `body_need` asks for it raw.
        """

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        """The signature for each of the seconds, in order, for schemes that do not send the time."""
        assert claim.string is not None  # noqa: S101 - `read` has made it
        for second in seconds:
            yield self.signature(secret, claim.string(body, second))

    def shown_parts(self, string: bytes, request: Request, claim: Claim, drafted: Patch) -> Sequence[Part]:
        """The string to sign taken apart, for `undersign.explaining`: joined, the values of the parts are it again.

        `request` and `claim` are what it was made of, and `drafted` what `draft` sets, which is nothing for a request
        that was received. The default gives the lines without a source. A body that is signed whole is one part, and
        its bytes are not shown.
        """
        raw = request.body if isinstance(request.body, bytes) and self.body_need(request).raw else b""
        place = string.rfind(raw) if raw else len(string)
        end = len(string) if place < 0 else place
        lines = [(line, "") for line in re.findall(_LINE, string[:end])]
        if string[end:]:
            lines.append((raw, f"<the body, {len(raw)} bytes>"))
            lines += [(line, "") for line in re.findall(_LINE, string[end + len(raw) :])]
        return [Part(f"line {number}", "", line, shown) for number, (line, shown) in enumerate(lines, 1)]

    def private_headers(self) -> frozenset[str]:
        """Lower-case names of headers that belong to the credential, besides those that `write` sets.

        A client takes them off a request that a redirect sends to another origin. The default names none.
        """
        return frozenset()

    def comma_headers(self) -> frozenset[str]:
        """Lower-case names of private headers whose form has a comma of its own, and which are not signed.

        A WSGI server joins headers that are repeated by a comma, so one is refused there in any other that is private.
        The default names none.
        """
        return frozenset()

    def end_of(self, claim: Claim) -> float | None:
        """The last second (Unix) at which the signer wants the request taken, for a scheme that `says_when_it_ends`;
        None where it names none. It ends the window sooner, and never later."""
        return None

    def response_headers(self, secret: bytes, request: Request, response: Response) -> Pairs:
        """The headers that sign an answer, for a scheme that `signs_responses`; those that it needs for this one.

        `request` is the signed request that is answered, its body left out, and `response` the answer with its body, as
        it leaves the server. Raises nothing, so that no traceback holds the secret. The default signs none.
        """
        return ()

    def refusal(self, rejected: Rejected, head: Request) -> Response:
        """The answer to a refused request, in the scheme's own shape: one body for each status, never the reason."""
        return json_refusal(refusal_status(rejected.reason, 401), "Signature not valid")

    def forbidden(self, head: Request) -> Response:
        """The answer to a good signature whose key may not do this: one body, whoever signs. Raises nothing.

        The default is a problem object with status 403. RFC 9457.
        """
        import json  # for refusals alone

        problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "The key may not do this"}
        return Response(403, (("Content-Type", "application/problem+json"),), json.dumps(problem).encode())

    def welcome(self, head: Request) -> Response | None:
        """What a server that does nothing but verify answers to a good signature, where the API has a form for that.

        None, the default, leaves it to the server: `undersign serve` says who has signed.
        """
        return None


class ResponseSigner:
    """Signs the answer to a request that has verified, with the secret that fitted. Its repr shows no secret."""

    __slots__ = ("_request", "_scheme", "_secret")

    def __init__(self, scheme: Scheme, secret: Secret, request: Request) -> None:
        self._scheme, self._secret, self._request = scheme, secret, request

    def headers(self, response: Response) -> Pairs:
        """The headers that sign the answer, which go on it in place of any of their names; none for some answers."""
        return self._scheme.response_headers(self._secret.reveal(), self._request, response)


def response_problem(scheme: Scheme, secret: Secret, request: Request, response: Response) -> str | None:
    """What is wrong with the signature of an answer, as a sentence; None where it is good, or none is needed.

    `request` is the signed request, its body left out, and `response` the answer with its body.
    """
    found = Request("GET", "/", tuple(response.headers))
    for name, expected in scheme.response_headers(secret.reveal(), request, response):
        values = found.values(name.lower())
        if not values:
            return f"there is no {name}"
        if len(values) > 1 or not hmac.compare_digest(values[0].encode("utf-8", "replace"), expected.encode()):
            return f"{name} is not the signature of this answer"
    return None


window_of: Callable[[Scheme], Window | None] = attrgetter("window")
"""The scheme's window; None where no time is signed at all."""


def missing_nonce(name: str) -> str:
    """What is wrong where the scheme of that name sends a nonce and a signer has given none, as a sentence."""
    return f"{name} sends a nonce and none is given: pass nonce=, a new one for each request"


def scheme_problem(given: object) -> ConfigError | None:
    """What is wrong where a scheme has to be, for a caller to raise; None for a scheme.

    A class or a preset that was not called is the usual slip. Text is not repeated: it may be a secret.
    """
    if isinstance(given, Scheme):
        return None
    if callable(given):
        name = getattr(given, "__name__", type(given).__name__)
        return ConfigError(f"the scheme is what {name} makes, not {name} itself: write {name}()")
    if isinstance(given, str):
        return ConfigError("the scheme is an object, not its name: write GoTom() or undersign.presets.stripe()")
    return ConfigError(
        f"the scheme is an object such as GoTom() or undersign.presets.stripe(), not {type(given).__name__}"
    )


def unusable_secret(scheme: Scheme, secret: Secret) -> ConfigError | None:
    """What is wrong with the secret for this scheme, for a caller to raise; None where it is in form."""
    problem = scheme.secret_problem(secret.reveal())
    return None if problem is None else ConfigError(f"the secret is not in the form of {scheme.name}: {problem}")


def refusal_status(reason: Reason, default: int) -> int:
    """The HTTP status for reasons that are not the signature's fault, else `default`."""
    return _STATUS.get(reason, default)


def refusal_message(status: int, default: str) -> str:
    """The one sentence that clients see with a status of `refusal_status`, else `default`."""
    return _MESSAGE.get(status, default)


def json_refusal(status: int, message: str, challenge: str = "") -> Response:
    """A refusal whose body is a JSON string; `challenge` is the WWW-Authenticate of a 401.

    RFC 9110, section 11.6.1.
    """
    import json  # for refusals alone

    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    if status == 401 and challenge:
        headers += (("WWW-Authenticate", challenge),)
    return Response(status, headers, json.dumps(refusal_message(status, message)).encode())
