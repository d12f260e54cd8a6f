"""The laws that check_scheme() holds schemes to: those of this package keep them, and each broken one is named."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from undersign import (
    BodyNeed,
    CannotSign,
    Claim,
    Component,
    GoGrid,
    GoTom,
    HttpHmac,
    KeyedTimestamp,
    Patch,
    Reason,
    Recipe,
    Rejected,
    Request,
    Response,
    Scheme,
)
from undersign.core.dates import Window
from undersign.scheme import Body
from undersign.testing import check_scheme

CUSTOM = (("X-One", "1"), ("x-two", "0"))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("scheme", "options"),
    [
        (GoTom(), {}),
        (GoTom(), {"key_id": "us:er\\ü", "secret": "sécret of some length", "now": 1_730_974_875.75}),
        (GoTom(multipart_as_empty=True, date_precision="milliseconds", date_header="X-Date"), {}),
        (GoTom(window=Window(0, 0)), {}),
        (HttpHmac(provider="p", signed_headers=("X-One", "X-Two")), {"headers": CUSTOM}),
        (HttpHmac(provider="p", signed_headers=("X-Two", "X-One"), drop_blank_headers=True), {"headers": CUSTOM}),
        *((HttpHmac(provider="p", algorithm=name), {}) for name in ("md5", "sha224", "sha256", "sha384", "sha512")),
        (GoGrid(), {}),
        (GoGrid(placement="query", window=Window(60, 0)), {"key_id": "a b&ü"}),
        (GoGrid(placement="form"), {}),
        (GoGrid(allow_http=True), {"requests": [Request("GET", "/", origin="http://127.0.0.1")]}),
        (
            KeyedTimestamp(
                key_param="apikey", name="k", methods=("GET", "POST", "PUT"), algorithm="sha256", window=Window(9, 9)
            ),
            {},
        ),
    ],
)
def test_the_schemes_of_this_package_keep_the_laws(scheme: Scheme, options: dict[str, Any]) -> None:
    check_scheme(scheme, **options)


@dataclass(frozen=True)
class Good(GoTom):
    """The scheme that the broken ones are made from."""

    name: str = "broken"


@dataclass(frozen=True)
class Windowless(Good):
    """Its window is a number."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", Window(1, 1))
        super().__post_init__()
        object.__setattr__(self, "window", 600)


def broken(**methods: Any) -> Scheme:
    """A scheme with one method that is broken."""
    made: Any = dataclass(frozen=True)(type("Broken", (Good,), methods))
    scheme: Scheme = made()
    return scheme


class Undecorated(GoTom):
    pass


@dataclass(frozen=True)
class Unhashable(Good):
    listed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Remembering(Good):
    seen: dict[str, int] = field(default_factory=dict, hash=False, compare=False)

    def read(self, request: Request) -> Claim | None:
        self.seen[request.method] = 1
        return super().read(request)


@dataclass(frozen=True)
class Growing(Good):
    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "provider", self.provider + "_")


@dataclass(frozen=True)
class TwoForms(GoGrid):
    """A string to sign that differs for what is signed already, which its signature does not mind."""

    name: str = "broken"

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        return claim and _with_string(claim, lambda string: string + b"\0again")

    def signature(self, secret: bytes, string: bytes) -> str:
        return super().signature(secret, string.removesuffix(b"\0again"))


@dataclass(frozen=True)
class WrongCandidates(GoGrid):
    name: str = "broken"

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> Iterable[str]:
        return reversed(list(super().candidates(secret, claim, body, seconds)))


@dataclass(frozen=True)
class CoversMore(GoGrid):
    name: str = "broken"
    component: Component = Component.BODY

    def covers(self, request: Request) -> frozenset[Component]:
        return super().covers(request) | {self.component}


def _claims_all(self: Any, request: Request) -> Claim:
    return Claim("key", 1.0, ("x",), string=lambda body, second: b"")


def _refuses_others(self: Any, request: Request) -> Claim | None:
    if not request.values("authorization"):
        raise Rejected(Reason.MALFORMED, "no Authorization", scheme=self.name)
    return GoTom.read(self, request)


def _raises_key_error(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    known: dict[str, Claim] = {}
    return claim if claim is None or request.target.startswith("/") else known[request.target]


def _shows_signature(self: Any, request: Request) -> Claim | None:
    try:
        return GoTom.read(self, request)
    except Rejected:
        raise Rejected(Reason.MALFORMED, str(request.headers), scheme=self.name) from None


def _changes_request(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
    object.__setattr__(request, "method", request.method + "X")
    return GoTom.draft(self, request, claim)


def _appends(self: Any, claim: Claim, request: Request) -> Patch:
    patch = GoTom.write(self, claim, request)
    place = sum(name.startswith("X-Try") for name, _ in request.headers)
    return Patch((*patch.headers, (f"X-Try-{place}", "1")))


def _sets_length(self: Any, claim: Claim, request: Request) -> Patch:
    return Patch((*GoTom.write(self, claim, request).headers, ("Content-Length", "0")))


def _sets_type(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
    drafted, string = GoTom.draft(self, request, claim)
    return Patch((*drafted.headers[:1], ("Content-Type", "application/json"))), string


def _sends_secret(self: Any, claim: Claim, request: Request) -> Patch:
    shown = base64.b64encode(b"a secret that nothing else looks like").decode()
    return Patch((*GoTom.write(self, claim, request).headers, ("X-Debug", shown)))


def _refuses_with_secret(self: Any, request: Request, claim: Claim) -> Any:
    raise CannotSign("no: a secret that nothing else looks like")


def _signs_once(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
    if request.values("authorization"):
        raise CannotSign("it is signed")
    return GoTom.draft(self, request, claim)


def _rejects_with_secret(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    if claim and request.target == "/" and request.method:
        raise Rejected(Reason.MALFORMED, b"a secret that nothing else looks like".hex(), scheme=self.name)
    return claim


def _no_need_at_all(self: Any, head: Request) -> Any:
    return GoTom.body_need(self, head) if head.target.startswith("/") else None


def _writes_a_nonce(self: Any, claim: Claim, request: Request) -> Patch:
    return Patch((*GoTom.write(self, claim, request).headers, ("X-Nonce", str(next(_counter)))))


def _not_ascii(self: Any, secret: bytes, string: bytes) -> str:
    return "é" + GoTom.signature(self, secret, string)


_counter = itertools.count()


def _salted(self: Any, secret: bytes, string: bytes) -> str:
    return GoTom.signature(self, secret, string + b"%d" % next(_counter))


def _ignores_secret(self: Any, secret: bytes, string: bytes) -> str:
    return base64.b64encode(hashlib.sha256(string).digest()[:20]).decode()


def _with_string(claim: Claim, change: Callable[[bytes], bytes]) -> Claim:
    """The claim with a string to sign that is changed."""
    made = claim.string
    assert made is not None
    return claim._replace(string=lambda body, second: change(made(body, second)))


def stringed(change: Callable[[bytes, Request], bytes]) -> Scheme:
    """A scheme whose string to sign is changed where it is signed and where it is verified."""

    def draft(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
        drafted, string = GoTom.draft(self, request, claim)
        return drafted, change(string, drafted.apply(request))

    def read(self: Any, request: Request) -> Claim | None:
        claim = GoTom.read(self, request)
        return claim and _with_string(claim, lambda string: change(string, request))

    return broken(draft=draft, read=read)


def _without(part: int) -> Any:
    """The string to sign without one of its lines."""

    def change(string: bytes, request: Request) -> bytes:
        lines = string.split(b"\n")
        return b"\n".join(lines[:part] + lines[part + 1 :])

    return change


def _leaves_one_out(self: Any, string: bytes, request: Request, claim: Claim, drafted: Patch) -> Any:
    return GoTom.shown_parts(self, string, request, claim, drafted)[1:]


def _holds_the_secret(string: bytes, request: Request) -> bytes:
    return string + b"a secret that nothing else looks like"


def _drafts_another(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
    drafted, string = GoTom.draft(self, request, claim)
    return drafted, string + b"signing"


def _drafts_by_chance(self: Any, request: Request, claim: Claim) -> tuple[Patch, bytes]:
    # signs() and is_pure() sign three times before they draft.
    drafted, string = GoTom.draft(self, request, claim)
    return drafted, string + (b"%d" % place if (place := next(_drafts)) > 3 else b"")


_drafts = itertools.count(1)


def _reads_no_string(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    return claim and claim._replace(string=None)


def _tells_detail(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(401, (), str(rejected).encode())


def _tells_reason(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(401, (), rejected.reason.value.encode())


def _tells_unknown_keys(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(404 if rejected.reason is Reason.UNKNOWN_KEY else 401, (), b"no")


def _welcomes(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(200, (), b"")


def _forbids_by_key(self: Any, head: Request) -> Response:
    return Response(403, (), repr(head.values("authorization")).encode())


def _forbids_by_chance(self: Any, head: Request) -> Response:
    return Response(403, (), b"%d" % next(_answers))


_answers = itertools.count()


def _fails(self: Any, *arguments: Any) -> Any:
    raise ZeroDivisionError


def _no_secret_needed(self: Any, head: Request) -> BodyNeed:
    return BodyNeed(digests=("sha256",))


def _is_a_second_off(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    return claim and claim._replace(at=(claim.at or 0) + 1)


def _sometimes_covers(self: Any, request: Request) -> frozenset[Component]:
    return GoTom.covers(self, request) - ({Component.BODY} if next(_counter) % 2 else set())


def _no_sentence(self: Any, secret: bytes) -> Any:
    return None if secret.startswith(b"a secret") else False


def _problem_with_secret(self: Any, secret: bytes) -> str | None:
    return f"{secret!r} is too long" if secret.endswith(b"2") else None


def _decodes(self: Any, secret: bytes, string: bytes) -> str:
    return GoTom.signature(self, base64.b64decode(secret + b"====", b"  ", validate=secret == b"\xff\xfe"), string)


def _bytes(self: Any, secret: bytes, string: bytes) -> Any:
    return GoTom.signature(self, secret, string).encode()


def _does_not_escape(self: Any, claim: Claim, request: Request) -> Patch:
    return Patch((("Authorization", f"{self.provider} {claim.key_id}:{claim.signatures[0]}"),))


def _cuts_spaces(self: Any, claim: Claim, request: Request) -> Patch:
    return GoTom.write(self, claim._replace(key_id=claim.key_id.replace(" ", "")), request)


def _looks_at_the_body(self: Any, head: Request) -> BodyNeed:
    return BodyNeed(raw=True) if head.body else GoTom.body_need(self, head)


def _hashes_what_there_is_not(self: Any, head: Request) -> BodyNeed:
    return BodyNeed(digests=("md5", "crc32"))


def _reads_exact_names(self: Any, request: Request) -> Claim | None:
    return GoTom.read(self, request) if any(name == "Authorization" for name, _ in request.headers) else None


def _by_order(string: bytes, request: Request) -> bytes:
    order = "".join(name for name, _ in request.headers if name.lower() in ("date", "content-type"))
    return string + order.lower().encode()


def _signs_all_headers(string: bytes, request: Request) -> bytes:
    others = [name for name, _ in request.headers if name.lower() not in ("authorization", "date", "content-type")]
    return string + b"%d" % len(others)


def _wants_every_authorization(self: Any, request: Request) -> Claim | None:
    if any(not value.startswith(self.provider) for value in request.values("authorization")):
        raise Rejected(Reason.MALFORMED, "that is not ours", scheme=self.name)
    return GoTom.read(self, request)


def _names_no_scheme(self: Any, request: Request) -> Claim | None:
    try:
        return GoTom.read(self, request)
    except Rejected as rejected:
        raise Rejected(rejected.reason, rejected.detail) from None


def _any_first_character(self: Any, secret: bytes, string: bytes) -> str:
    return "A" + GoTom.signature(self, secret, string)[1:]


def _reads_any_first_character(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    return claim and claim._replace(signatures=("A" + claim.signatures[0][1:],))


def _claims_at_times(self: Any, request: Request) -> Claim | None:
    # The first six verify: as it is, by digests, and handed on in four ways.
    claim = GoTom.read(self, request)
    if claim is not None and next(_reads) >= 6:
        return None
    return claim


_reads = itertools.count()


@dataclass(frozen=True)
class Several(Good):
    """Sends all signatures, separated by commas, as a scheme with several does."""

    several_signatures: ClassVar[bool] = True
    turns_them: bool = False
    wants_the_first: bool = False

    def write(self, claim: Claim, request: Request) -> Patch:
        written = super().write(claim, request)
        sent = claim.signatures[::-1] if self.turns_them else claim.signatures
        return Patch((*written.headers, ("X-Signatures", ",".join(sent))))

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        if claim is None:
            return None
        signatures = tuple(",".join(request.values("x-signatures")).split(","))
        if self.wants_the_first and signatures[0] > min(signatures):
            raise Rejected(Reason.MALFORMED, "they are not in order", scheme=self.name)
        return claim._replace(signatures=signatures)


@pytest.mark.parametrize(
    ("scheme", "law"),
    [
        (
            broken(secret_problem=_fails),
            "secret_problem says what is wrong with a secret, and raises nothing: ZeroDivision",
        ),
        (broken(secret_problem=_no_sentence), "it returns bool, and not a sentence or None"),
        (
            broken(secret_problem=_problem_with_secret),
            "an error never shows the secret: the sentence of secret_problem",
        ),
        (broken(secret_problem=lambda self, secret: "no"), "the secret is not in its form; pass secret="),
        (broken(signature=_decodes), "signature raises nothing, whatever the secret: .*: Error came out of it"),
        (broken(signature=_bytes), "a signature is text: it is bytes"),
        (broken(write=_does_not_escape), "a key id that is signed with is read back, .*: signed with 'a"),
        (broken(write=_cuts_spaces), "signed with 'a b' it verifies as 'ab'"),
        (broken(body_need=_looks_at_the_body), "it looks at the body itself, which has not come yet"),
        (broken(body_need=_hashes_what_there_is_not), "body_need names all that is needed of a body: ValueError"),
        (
            broken(could_cover=lambda self: frozenset()),
            "could_cover names all that is ever covered: it leaves out body,",
        ),
        (broken(could_cover=_fails), "could_cover raises nothing"),
        (broken(read=_reads_exact_names), "with header names in lower case, as HTTP/2 sends them it is refused"),
        (stringed(_by_order), "with headers in another order it is refused as mismatch"),
        (stringed(_signs_all_headers), "with more headers it is refused as mismatch"),
        (broken(read=_wants_every_authorization), "it refuses one, so no other scheme can have it"),
        (broken(read=_names_no_scheme), "Rejected names its scheme, whose refusal the client gets: it names ''"),
        (broken(several_signatures=True), "with several_signatures write sends all of them, .*: of 2 it reads 1"),
        (
            broken(signature=_any_first_character, read=_reads_any_first_character),
            "a wrong signature does not verify: character 0 may be another",
        ),
        (broken(read=_claims_at_times), "read is a pure function: it claims a request at one time and not at another"),
        (broken(shown_parts=_fails), "shown_parts raises nothing: ZeroDivisionError"),
        (Several(turns_them=True), "of 2 it reads 2, or others"),
        (Several(wants_the_first=True), "with two, of which one fits, it is refused as malformed"),
        (Undecorated(), "a scheme is a frozen dataclass"),
        (Unhashable(), "it cannot be hashed"),
        (Windowless(), "a scheme has a name and a window"),
        (Remembering(), "a scheme holds no state"),
        (broken(read=_claims_all), "read returns None for a request that is not signed"),
        (broken(read=_refuses_others), "it refuses one, so no other scheme can have it"),
        (broken(read=_raises_key_error), "read raises nothing but Rejected: KeyError"),
        (broken(read=_shows_signature), "an error never shows a signature"),
        (broken(read=_is_a_second_off), "the window has both its ends"),
        (broken(draft=_changes_request), "signing leaves the request as it was"),
        (broken(draft=_fails), "signing raises nothing but CannotSign: ZeroDivisionError"),
        (broken(draft=_sets_type), "it replaces the Content-Type that the request has"),
        (broken(write=_appends), "signing twice is signing once"),
        (broken(write=_sets_length), "a patch sets what it must and nothing else"),
        (broken(write=_sends_secret), "the secret is never sent"),
        (broken(signature=_salted), "signing is a pure function"),
        (broken(signature=_not_ascii), "a signature is printable ASCII"),
        (broken(write=_writes_a_nonce), "signing is a pure function"),
        (broken(draft=_refuses_with_secret), "an error never shows the secret: CannotSign"),
        (broken(draft=_signs_once), "signing twice is signing once: what is signed cannot be signed again"),
        (broken(read=_rejects_with_secret), "an error never shows the secret: Rejected"),
        (
            broken(body_need=_no_need_at_all),
            "body_need returns a BodyNeed: it returns NoneType|verifying raises nothing",
        ),
        (Growing(), "made anew from its fields it is another"),
        (TwoForms(), "signer and verifier share one string to sign: they make two of one request"),
        (broken(read=_reads_no_string), "what is signed verifies: it is refused as unavailable"),
        (broken(draft=_drafts_by_chance), "draft is a pure function"),
        (broken(signature=_ignores_secret), "signature depends on secret and string to sign"),
        (broken(shown_parts=_leaves_one_out), "the parts that are shown join to the string to sign"),
        (stringed(_without(0)), "what is covered cannot be changed: the method can"),
        (stringed(_without(1)), "what is covered cannot be changed: the body can"),
        (stringed(_without(2)), "what is covered cannot be changed: the content-type can"),
        (stringed(_without(3)), "what is covered cannot be changed: the date can"),
        (stringed(_without(5)), "what is covered cannot be changed: the target can"),
        (
            broken(draft=_drafts_another),
            "what is signed verifies: it is refused as mismatch",
        ),
        (broken(refusal=_tells_detail), "a refusal never tells the client why"),
        (broken(refusal=_tells_reason), "a refusal never tells the client why: the answer for"),
        (broken(refusal=_tells_unknown_keys), "get different answers"),
        (broken(refusal=_welcomes), "a refusal is an error: its status is 200"),
        (broken(refusal=_fails), "refusal raises nothing: ZeroDivisionError"),
        (broken(forbidden=_fails), "forbidden raises nothing: ZeroDivisionError"),
        (broken(forbidden=lambda self, head: Response(200, (), b"")), "a refusal is an error: its status is 200"),
        (broken(forbidden=_forbids_by_key), "forbidden has one body, whoever signs: the credentials change it"),
        (broken(forbidden=_forbids_by_chance), "forbidden has one body, whoever signs: it differs from one time"),
        (broken(body_need=_no_secret_needed), "body_need names all that is needed of a body"),
        (broken(covers=_sometimes_covers), "covers is a pure function"),
        (broken(private_headers=lambda self: frozenset({"X-Date"})), "private_headers are in lower case"),
        (WrongCandidates(), "candidates are the signatures of the seconds"),
        (CoversMore(), "what is covered cannot be changed: the body can"),
        (CoversMore(component=Component.TARGET), "the target can"),
        (CoversMore(component=Component.AUTHORITY), "the authority can"),
        (CoversMore(component=Component.HEADERS), "covers says headers"),
        (stringed(_holds_the_secret), "a string to sign holds no secret"),
        (GoTom(signed_headers=("X-One",)), "pass headers= that are signed"),
    ],
)
def test_a_broken_law_is_named(scheme: Scheme, law: str) -> None:
    with pytest.raises(AssertionError, match=law) as caught:
        check_scheme(scheme)
    assert str(caught.value).startswith(f"{scheme.name} breaks a law, ")
    assert "\n" not in str(caught.value)


def test_a_scheme_that_sends_several_signatures_keeps_the_laws() -> None:
    check_scheme(Several())


def test_a_scheme_need_not_cover_the_time_that_it_sends() -> None:
    check_scheme(broken(covers=lambda self, request: GoTom.covers(self, request) - {Component.DATE}))


def test_a_scheme_that_signs_nothing_is_broken() -> None:
    with pytest.raises(AssertionError, match="it can sign none of those that were tried"):
        check_scheme(GoGrid(methods=("PATCH",)))
    check_scheme(GoGrid(methods=("PATCH",)), requests=[Request("PATCH", "/", origin="https://a.example")])


def test_a_scheme_may_have_a_key_id_of_its_own() -> None:
    def read(self: Any, request: Request) -> Claim | None:
        claim = GoTom.read(self, request)
        return claim and claim._replace(key_id="own")

    with pytest.raises(AssertionError, match="pass key_id if it has one of its own"):
        check_scheme(broken(read=read))
    check_scheme(broken(read=read), key_id="own")


def test_a_recipe_needs_neither_key_id_nor_extras_nor_a_secret_in_its_form() -> None:
    recipe = {"name": "r", "parts": ["body", "extra:token"], "mac": "hmac-sha256", "window": False}
    headers = {"X-Sig": "{signature}", "X-Token": "{extra.token}"}
    for secret in ({}, {"secret": "hex"}, {"secret": "base64"}, {"secret": "base64", "secret_prefix": "whsec_"}):
        check_scheme(Recipe.from_mapping({**recipe, **secret, "headers": headers}))


def test_what_is_given_is_taken() -> None:
    scheme = Recipe(name="r", parts=["body"], mac="hmac-sha256", window=None, headers={"X-Sig": "{signature}"})
    with pytest.raises(AssertionError, match="pass key_id if it has one of its own"):
        check_scheme(scheme, key_id="another")
    hexadecimal = dataclasses.replace(scheme, secret="hex")
    with pytest.raises(AssertionError, match="the secret is not in its form"):
        check_scheme(hexadecimal, secret="no hex")
