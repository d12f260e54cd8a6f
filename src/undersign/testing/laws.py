"""check_scheme(): the laws that every scheme must keep, for the tests of those who write one.

    def test_the_laws():
        check_scheme(MyScheme())

Each law is tried on several requests, first of all by signing them and verifying what came out. What breaks one raises
AssertionError with the law in words. Source of the laws: what signer, verifier, middlewares and clients rely on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .._testing.requests import odd_requests, of_others, on_the_way, ordinary_requests, tampered
from .._testing.trial import Trial
from .._testing.usual import usual_credential
from ..core.credentials import Credential
from ..core.dates import Window
from ..core.message import Component, Pairs, Request, Response
from ..errors import CannotSign, Reason, Rejected
from ..scheme import Body, BodyNeed, Claim, Scheme, scheme_problem, window_of
from ..verifying.verdict import Verified

_UNIFORM = (Reason.STALE, Reason.FUTURE, Reason.UNKNOWN_KEY, Reason.MISMATCH, Reason.REPLAYED)
_ODD_SECRETS = (b"\0", b"\xff\xfe", b"=", b"A", "\u00e9".encode(), b"whsec_*", b"k" * 5000)
_KEY_IDS = ("a b", "a:b", "a,b", "a=b&c", 'a"b', "a\\b", "a%3Ab", "a/b", "clé", "x" * 300)
_ANSWER = Response(200, (("Content-Type", "text/plain"),), b"an answer")
_NOT_A_SCHEMES = frozenset({"content-length", "transfer-encoding", "connection"})


def check_scheme(
    scheme: Scheme,
    *,
    key_id: str | None = None,
    secret: str | bytes | None = None,
    now: float = 1_730_974_875,
    headers: Pairs = (),
    requests: Sequence[Request] = (),
    extra: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Check that the scheme keeps the laws.

    `key_id` and `secret` sign, at `now` in Unix seconds. Left out, the key id is the name of a recipe that sends none,
    and the secret a text, in base64 or in hex, as its form is. `headers` are put on the requests that are tried: a
    scheme that covers headers of the caller's needs some. `requests` are tried besides the usual ones: GET with and
    without a query, a JSON body, a form, bytes. Those that the scheme cannot sign are left out, as long as there is one
    that it can. `extra` is what the credential has besides; what it lacks of that is made up.

    Raises AssertionError, whose one sentence names the law that is broken; ConfigError for what is no scheme.
    """
    if problem := scheme_problem(scheme):
        del secret  # tools that report errors show what a raising frame holds
        raise problem
    laws = _Laws(scheme, usual_credential(scheme, key_id, secret, extra), float(now))
    laws.is_a_frozen_dataclass()
    state = repr(vars(scheme)) if hasattr(scheme, "__dict__") else ""
    laws.secrets_have_a_form()
    laws.refusals_are_uniform()
    signable = 0
    for request in (*ordinary_requests(headers), *requests):
        laws.does_not_claim(request)
        signed = laws.signs(request)
        if signed is not None:
            signable += 1
            laws.all_of(request, signed)
    if not signable:
        raise laws.broken("a scheme signs ordinary requests", "it can sign none of those that were tried; pass others")
    laws.covers_headers_that_it_names()
    if state != (repr(vars(scheme)) if hasattr(scheme, "__dict__") else ""):
        raise laws.broken("a scheme holds no state", "its fields have changed while it was used")


class _Laws(Trial):
    """The laws, each a method that raises where the scheme breaks it."""

    headers_claimed = headers_tried = False

    # What a scheme is

    def is_a_frozen_dataclass(self) -> None:
        law, scheme = "a scheme is a frozen dataclass, so that it can be shared, compared and hashed", self.scheme
        parameters = getattr(type(scheme), "__dataclass_params__", None)
        if "__dataclass_params__" not in vars(type(scheme)) or not getattr(parameters, "frozen", False):
            raise self.broken(law, f"decorate {type(scheme).__name__} with @dataclass(frozen=True)")
        try:
            same = dataclasses.replace(scheme) == scheme and hash(dataclasses.replace(scheme)) == hash(scheme)  # type: ignore[type-var]
        except TypeError as error:
            raise self.broken(
                law, "it cannot be hashed, or not made from its fields: use tuples and frozensets in them"
            ) from error
        if not same:
            raise self.broken(law, "made anew from its fields it is another")
        if not isinstance(scheme.name, str) or not scheme.name or not isinstance(scheme.window, (Window, type(None))):
            raise self.broken(
                "a scheme has a name and a window",
                "name is not empty, and window is an undersign.Window, or None where no time is signed",
            )

    def secrets_have_a_form(self) -> None:
        law = "secret_problem says what is wrong with a secret, and raises nothing"
        if self.only((), law, self.scheme.secret_problem, self.secret) is not None:
            raise self.broken("a scheme signs ordinary requests", "the secret is not in its form; pass secret= in it")
        for secret in (*_ODD_SECRETS, self.secret + b"2", self.secret[:-1]):
            problem = self.only((), law, self.scheme.secret_problem, secret)
            if problem is not None and (not isinstance(problem, str) or not problem):
                raise self.broken(law, f"it returns {type(problem).__name__}, and not a sentence or None")
            if problem and self.shows(problem):
                raise self.broken("an error never shows the secret", "the sentence of secret_problem holds it")
            self.signature(secret, b"")

    def refusals_are_uniform(self) -> None:
        law = "a refusal never tells the client why"
        marker = "marker-of-the-detail"
        answers: dict[int, Response] = {}
        uniform: set[Response] = set()
        for head in (Request("GET", "/things"), *odd_requests(Request("GET", "/things"))):
            answers.clear()
            uniform.clear()
            for reason in Reason:
                rejected = Rejected(reason, marker, scheme=self.scheme.name, key_id=marker)
                response = self.only(Rejected, "refusal raises nothing", self.refusal, rejected, head)
                if marker.encode() in response.body or marker in str(response.headers):
                    raise self.broken(law, "the detail or the claimed key id is in the answer")
                if answers.setdefault(response.status, response) != response:
                    raise self.broken(
                        law, f"the answer for {reason} differs from another one of status {response.status}"
                    )
                if reason in _UNIFORM:
                    uniform.add(response)
                self._is_an_error(response)
            if len(uniform) > 1:
                raise self.broken(law, "an unknown key, a wrong signature and a wrong time get different answers")
            self._is_an_error(self._forbidden(head))

    def _is_an_error(self, response: Response) -> None:
        if not 400 <= response.status < 600:
            raise self.broken("a refusal is an error", f"its status is {response.status}")

    def _forbidden(self, head: Request) -> Response:
        return self.only((), "forbidden raises nothing", self.forbidden, head)

    def forbids_all_alike(self, request: Request, signed: Request) -> None:
        law, answer = "forbidden has one body, whoever signs", self._forbidden(signed)
        if self._forbidden(signed) != answer:
            raise self.broken(law, "it differs from one time to the next")
        if self._forbidden(request) != answer:
            raise self.broken(law, "the credentials change it")

    def does_not_claim(self, request: Request) -> None:
        law = "read returns None for a request that is not signed, or by other schemes"
        for unsigned in of_others(request):
            try:
                claim = self.only(Rejected, law, self.scheme.read, unsigned)
            except Rejected as rejected:
                raise self.broken(law, "it refuses one, so no other scheme can have it") from rejected
            if claim is not None:
                raise self.broken(law, "it claims one")

    # Signing

    def signs(self, request: Request) -> Request | None:
        """The request signed, None where the scheme cannot sign it."""
        before = _parts(request)
        try:
            patch = self.only(CannotSign, "signing raises nothing but CannotSign", self.sign, request)
            signed = patch.apply(request)
        except CannotSign as error:
            if self.shows(str(error)):
                raise self.broken("an error never shows the secret", "CannotSign holds it") from None
            return None
        if _parts(request) != before:
            raise self.broken("signing leaves the request as it was", "it has changed")
        return signed

    def all_of(self, request: Request, signed: Request) -> None:
        """The laws of one request, which the scheme has signed."""
        string = self.is_pure(request)
        verified = self.verifies(signed)
        claim = self.claim(signed)
        self.patch_is_modest(request)
        self.key_ids_are_read_back(request)
        self.older_secrets_sign(request, signed)
        self.signing_twice_is_once(signed)
        self.shares_its_string_to_sign(signed, claim, string)
        self.candidates_are_signatures(claim, signed.body)
        self.wrong_ones_are_refused(signed, claim)
        self.tampering_is_refused(request, signed, verified)
        self.odd_requests_are_rejected(signed, claim)
        self.answers_are_signed(signed)
        self.forbids_all_alike(request, signed)

    def patch_is_modest(self, request: Request) -> None:
        law, patch = "a patch sets what it must and nothing else", self.sign(request)
        names = {name.lower() for name, _ in patch.headers}
        if names & _NOT_A_SCHEMES:
            raise self.broken(
                law, f"it sets {', '.join(sorted(names & _NOT_A_SCHEMES))}, which say where the body ends"
            )
        if "content-type" in names and request.values("content-type"):
            raise self.broken(law, "it replaces the Content-Type that the request has")
        if self.shows(*(text for pair in patch.headers + patch.query + patch.form for text in pair)):
            raise self.broken("the secret is never sent", "it is in the patch")
        private = self.scheme.private_headers()
        if not all(name == name.lower() for name in private):
            raise self.broken("private_headers are in lower case", f"got {', '.join(sorted(private))}")

    def key_ids_are_read_back(self, request: Request) -> None:
        law = "a key id that is signed with is read back, or it cannot be signed with"
        for key_id in _KEY_IDS:
            credential = Credential(key_id, self.secret, extra=self.credential.extra)
            try:
                signed = self.only(CannotSign, law, self.sign, request, credential).apply(request)
                found = self.only(Rejected, law, self.verify, signed).key_id
            except CannotSign:
                continue
            except Rejected as rejected:
                raise self.broken(law, f"signed with {key_id!r} it is refused as {rejected.reason}") from rejected
            if found not in (key_id, self.credential.key_id):
                raise self.broken(law, f"signed with {key_id!r} it verifies as {found!r}")

    def older_secrets_sign(self, request: Request, signed: Request) -> None:
        """Where several signatures are sent, each of them verifies, and they keep their order."""
        if not self.scheme.several_signatures:
            return
        law = "with several_signatures write sends all of them, and read returns them in order"
        _, string = self.scheme.draft(signed, self.unsigned(self.now))
        # A second one as a second secret would make it; one in form may be hard to come by.
        both = (*self.claim(signed).signatures, self.signature(self.secret, string + b"2"))
        claim = self.unsigned(self.now)._replace(signatures=both)
        written = self.scheme.write(claim, signed).apply(signed)
        if self.claim(written).signatures != both:
            raise self.broken(law, f"of {len(both)} it reads {len(self.claim(written).signatures)}, or others")
        turned = self.scheme.write(claim._replace(signatures=both[::-1]), signed).apply(signed)
        for sent in (written, turned):
            try:
                self.verify(sent)
            except Rejected as rejected:
                raise self.broken(law, f"with two, of which one fits, it is refused as {rejected.reason}") from rejected

    def signing_twice_is_once(self, signed: Request) -> None:
        law = "signing twice is signing once"
        try:
            if self.sign(signed).apply(signed) != signed:
                raise self.broken(law, "the second time changes the request")
        except CannotSign as error:
            raise self.broken(law, "what is signed cannot be signed again") from error

    def is_pure(self, request: Request) -> bytes:
        """The laws of draft and signature; returns the string to sign."""
        scheme, claim = self.scheme, self.unsigned(self.now)
        if self.sign(request) != self.sign(request):
            raise self.broken("signing is a pure function", "the same request, key and time give two patches")
        drafted, string = scheme.draft(request, claim)
        if (drafted, string) != tuple(scheme.draft(request, claim)):
            raise self.broken("draft is a pure function", "the same request and claim give two strings to sign")
        if self.shows(string):
            raise self.broken("a string to sign holds no secret", "the secret is in it")
        law = "shown_parts raises nothing"
        prepared = drafted.apply(request)
        parts = self.only(CannotSign, law, scheme.shown_parts, string, prepared, claim, drafted)
        if b"".join(part.value for part in parts) != string:
            raise self.broken("the parts that are shown join to the string to sign", "they are another one")
        first = self.signature(self.secret, string)
        if first in (self.signature(self.secret + b"2", string), self.signature(self.secret, string + b"2")):
            raise self.broken("signature depends on secret and string to sign", "another one gives the same")
        if not first or not first.isascii() or not first.isprintable() or self.shows(first):
            raise self.broken("a signature is printable ASCII and does not hold the secret", "it is not so")
        return string

    def shares_its_string_to_sign(self, signed: Request, claim: Claim, string: bytes) -> None:
        law = "signer and verifier share one string to sign"
        if claim.string is None:
            raise self.broken(law, "read returns a claim without string, which makes it")
        if claim.string(signed.body, math.floor(self.now)) != string:
            raise self.broken(law, "they make two of one request")

    def candidates_are_signatures(self, claim: Claim, body: Body) -> None:
        law = "candidates are the signatures of the seconds, in order"
        if claim.at is not None:
            return
        seconds = [int(self.now) - 1, int(self.now), int(self.now) + 5]
        found = self.only(CannotSign, law, self.candidates, claim, body, seconds)
        assert claim.string is not None  # noqa: S101 - see shares_its_string_to_sign
        strings = (claim.string(body, second) for second in seconds)
        if found != [self.scheme.signature(self.secret, string) for string in strings]:
            raise self.broken(law, "they are others")

    # Verifying

    def verifies(self, signed: Request) -> Verified:
        law = "what is signed verifies"
        try:
            verified = self.only(Rejected, law, self.verify, signed)
        except Rejected as rejected:
            raise self.broken(law, f"it is refused as {rejected}") from rejected
        if (verified.scheme, verified.key_id) != (self.scheme.name, self.credential.key_id):
            raise self.broken(
                law, f"as {verified.key_id!r} of {verified.scheme!r}; pass key_id if it has one of its own"
            )
        if verified.covers != self.scheme.covers(signed):
            raise self.broken("covers is a pure function", "it differs from one call to the next")
        if extra := verified.covers - self.only((), "could_cover raises nothing", self.scheme.could_cover):
            listed = ", ".join(sorted(component.value for component in extra))
            raise self.broken("could_cover names all that is ever covered", f"it leaves out {listed}")
        law = "body_need names all that is needed of a body"
        head = Request(signed.method, signed.target, signed.headers, b"", signed.origin)
        if self.scheme.body_need(signed) != self.scheme.body_need(head):
            raise self.broken(law, "it looks at the body itself, which has not come yet")
        try:
            self.only((CannotSign, Rejected), law, self.verify, signed, digested=True)
        except (CannotSign, Rejected) as error:
            raise self.broken(law, "with its digests alone nothing verifies") from error
        for handed_on, what in on_the_way(signed):
            law = "what is signed verifies however it is handed on"
            try:
                self.only(Rejected, law, self.verify, handed_on)
            except Rejected as rejected:
                raise self.broken(law, f"with {what} it is refused as {rejected.reason}") from rejected
        return verified

    def wrong_ones_are_refused(self, signed: Request, claim: Claim) -> None:
        other = hashlib.sha256(self.secret).hexdigest().encode()
        law = "another secret does not verify"
        self.refused(signed, law, "it does", secret=other)
        window = window_of(self.scheme)
        for now, word in (
            () if window is None else ((self.now + window.past, "oldest"), (self.now - window.future, "earliest"))
        ):
            try:
                self.verify(signed, now=now)
            except Rejected as rejected:
                raise self.broken(
                    "the window has both its ends", f"at the {word} second it is refused as {rejected.reason}"
                ) from rejected
        law = "outside its window nothing verifies"
        if window is not None and Component.DATE in self.scheme.covers(signed):
            self.refused(signed, law, "an old request does", now=self.now + window.past + 1)
            self.refused(signed, law, "one that is ahead does", now=self.now - window.future - 1)
        valid = claim.signatures[0]
        at = claim if claim.at is not None else claim._replace(at=self.now)
        for place in (0, len(valid) // 2):
            wrong = valid[:place] + ("B" if valid[place] in "Aa" else "a") + valid[place + 1 :]
            written = self.scheme.write(at._replace(signatures=(wrong,)), signed).apply(signed)
            self.refused(written, "a wrong signature does not verify", f"character {place} may be another")

    def tampering_is_refused(self, request: Request, signed: Request, verified: Verified) -> None:
        patched = {name.lower() for name, _ in self.sign(request).headers}
        for component in verified.covers:
            tried = 0
            for changed in self._changes(component, request, signed, patched):
                try:
                    after = self.only(Rejected, "verifying raises nothing but Rejected", self.verify, changed)
                except Rejected as rejected:
                    self.hides(rejected)
                    tried += 1
                    continue
                if component is not Component.HEADERS and component in after.covers:
                    raise self.broken(
                        "what is covered cannot be changed", f"the {component} can, and covers says that it is covered"
                    )
            if component is Component.HEADERS:
                self.headers_claimed = True
                self.headers_tried = self.headers_tried or tried > 0

    def _changes(self, component: Component, request: Request, signed: Request, patched: set[str]) -> list[Request]:
        if component is not Component.DATE:
            return tampered(component, signed, patched)
        # The old signature under a time that is one second later, where the time is sent.
        claim = self.unsigned(self.now + 1)._replace(signatures=self.claim(signed).signatures)
        later = self.scheme.draft(request, claim)[0].apply(signed)
        later = self.scheme.write(claim, request).apply(later)
        return [] if later == signed else [later]

    def covers_headers_that_it_names(self) -> None:
        if self.headers_claimed and not self.headers_tried:
            raise self.broken(
                "what is covered cannot be changed",
                "covers says headers, and every header of the requests can be changed; pass headers= that are signed",
            )

    def answers_are_signed(self, signed: Request) -> None:
        law = "with signs_responses, and not without, response_headers signs an answer"
        made = [
            self.only((), "response_headers raises nothing", self.scheme.response_headers, secret, signed, response)
            for secret, response in (
                (self.secret, _ANSWER),
                (self.secret, _ANSWER),
                (self.secret, Response(200, (), b"another")),
                (self.secret + b"2", _ANSWER),
            )
        ]
        if bool(made[0]) is not self.scheme.signs_responses:
            raise self.broken(law, "it gives headers" if made[0] else "it gives none for a GET or a POST")
        if made[0] and (made[0] != made[1] or made[0] in made[2:]):
            raise self.broken(law, "its headers differ for one answer, or are the same for two, or for two secrets")
        if self.shows(*(value for _, value in made[0])):
            raise self.broken("the secret is never sent", "it is in the headers of an answer")

    def odd_requests_are_rejected(self, signed: Request, claim: Claim) -> None:
        law = "read raises nothing but Rejected"
        for odd in odd_requests(signed):
            try:
                self._reads(odd, law)
                need = self.only(Rejected, "body_need raises nothing", self.scheme.body_need, odd)
                if not isinstance(need, BodyNeed):
                    raise self.broken("body_need returns a BodyNeed", f"it returns {type(need).__name__}")
                self.only(Rejected, "covers raises nothing", self.scheme.covers, odd)
                self.only(Rejected, "verifying raises nothing but Rejected", self.verify, odd)
            except Rejected as rejected:
                self.hides(rejected)
                if any(signature in str(rejected) for signature in claim.signatures):
                    raise self.broken(
                        "an error never shows a signature", "Rejected holds one, which may be good"
                    ) from None

    def _reads(self, odd: Request, law: str) -> None:
        try:
            self.only(Rejected, law, self.scheme.read, odd)
        except Rejected as rejected:
            if rejected.scheme != self.scheme.name:
                raise self.broken(
                    "Rejected names its scheme, whose refusal the client gets", f"it names {rejected.scheme!r}"
                ) from None
            raise


def _parts(request: Request) -> tuple[object, ...]:
    return request.method, request.target, tuple(request.headers), request.body, request.origin
