"""The laws that check_scheme() holds schemes to: those of this package keep them, and each broken one is named."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Sequence
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
    Rejected,
    Request,
    Response,
    Scheme,
)
from undersign.clock import Window
from undersign.testing import check_scheme

CUSTOM = (("X-One", "1"), ("x-two", "0"))


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
        (KeyedTimestamp(key_param="apikey", name="k", methods=("GET", "POST", "PUT"), algorithm="sha256", window=Window(9, 9)), {}),
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
    """A canonical form that differs for what is signed already, which its signature does not mind."""

    name: str = "broken"

    def canonical(self, request: Request, claim: Claim) -> bytes:
        return super().canonical(request, claim) + (b"\0again" if "sig=" in request.target else b"")

    def signature(self, secret: bytes, canonical: bytes) -> str:
        return super().signature(secret, canonical.removesuffix(b"\0again"))


@dataclass(frozen=True)
class WrongCandidates(GoGrid):
    name: str = "broken"

    def candidates(self, secret: bytes, claim: Claim, seconds: Sequence[int]) -> Iterable[str]:
        return reversed(list(super().candidates(secret, claim, seconds)))


@dataclass(frozen=True)
class CoversMore(GoGrid):
    name: str = "broken"
    component: Component = Component.BODY

    def covers(self, request: Request) -> frozenset[Component]:
        return super().covers(request) | {self.component}


def _claims_all(self: Any, request: Request) -> Claim:
    return Claim("key", 1.0, ("x",))


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


def _changes_request(self: Any, request: Request, claim: Claim) -> Patch:
    object.__setattr__(request, "method", request.method + "X")
    return GoTom.prepare(self, request, claim)


def _appends(self: Any, claim: Claim, request: Request) -> Patch:
    patch = GoTom.write(self, claim, request)
    place = sum(name.startswith("X-Try") for name, _ in request.headers)
    return Patch((*patch.headers, (f"X-Try-{place}", "1")))


def _sets_length(self: Any, claim: Claim, request: Request) -> Patch:
    return Patch((*GoTom.write(self, claim, request).headers, ("Content-Length", "0")))


def _sets_type(self: Any, request: Request, claim: Claim) -> Patch:
    return Patch((*GoTom.prepare(self, request, claim).headers[:1], ("Content-Type", "application/json")))


def _sends_secret(self: Any, claim: Claim, request: Request) -> Patch:
    shown = base64.b64encode(b"a secret that nothing else looks like").decode()
    return Patch((*GoTom.write(self, claim, request).headers, ("X-Debug", shown)))


def _refuses_with_secret(self: Any, request: Request, claim: Claim) -> Patch:
    raise CannotSign("no: a secret that nothing else looks like")


def _signs_once(self: Any, request: Request, claim: Claim) -> Patch:
    if request.values("authorization"):
        raise CannotSign("it is signed")
    return GoTom.prepare(self, request, claim)


def _rejects_with_secret(self: Any, request: Request) -> Claim | None:
    claim = GoTom.read(self, request)
    if claim and request.target == "/" and request.method:
        raise Rejected(Reason.MALFORMED, b"a secret that nothing else looks like".hex(), scheme=self.name)
    return claim


def _no_need_at_all(self: Any, head: Request) -> Any:
    return GoTom.body_need(self, head) if head.target.startswith("/") else None


def _writes_a_nonce(self: Any, claim: Claim, request: Request) -> Patch:
    return Patch((*GoTom.write(self, claim, request).headers, ("X-Nonce", str(next(_counter)))))


def _not_ascii(self: Any, secret: bytes, canonical: bytes) -> str:
    return "é" + GoTom.signature(self, secret, canonical)


_counter = itertools.count()


def _salted(self: Any, secret: bytes, canonical: bytes) -> str:
    return GoTom.signature(self, secret, canonical + b"%d" % next(_counter))


def _ignores_secret(self: Any, secret: bytes, canonical: bytes) -> str:
    return base64.b64encode(hashlib.sha256(canonical).digest()[:20]).decode()


def _without(part: int) -> Any:
    """The canonical form without one of its lines."""

    def canonical(self: Any, request: Request, claim: Claim) -> bytes:
        lines = GoTom.canonical(self, request, claim).split(b"\n")
        return b"\n".join(lines[:part] + lines[part + 1 :])

    return canonical


def _leaves_one_out(self: Any, canonical: bytes, request: Request, prepared: Patch) -> Any:
    return GoTom.parts(self, canonical, request, prepared)[1:]


def _holds_the_secret(self: Any, request: Request, claim: Claim) -> bytes:
    return GoTom.canonical(self, request, claim) + b"a secret that nothing else looks like"


def _takes_time_of_claim(self: Any, request: Request, claim: Claim) -> bytes:
    return GoTom.canonical(self, request, claim) + (b"" if claim.signatures else b"signing")


def _tells_detail(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(401, (), str(rejected).encode())


def _tells_reason(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(401, (), rejected.reason.value.encode())


def _tells_unknown_keys(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(404 if rejected.reason is Reason.UNKNOWN_KEY else 401, (), b"no")


def _welcomes(self: Any, rejected: Rejected, head: Request) -> Response:
    return Response(200, (), b"")


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


def _flaw_with_secret(self: Any, secret: bytes) -> str | None:
    return f"{secret!r} is too long" if secret.endswith(b"2") else None


def _decodes(self: Any, secret: bytes, canonical: bytes) -> str:
    return GoTom.signature(self, base64.b64decode(secret + b"====", b"  ", validate=secret == b"\xff\xfe"), canonical)


def _bytes(self: Any, secret: bytes, canonical: bytes) -> Any:
    return GoTom.signature(self, secret, canonical).encode()


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


def _by_order(self: Any, request: Request, claim: Claim) -> bytes:
    order = "".join(name for name, _ in request.headers if name.lower() in ("date", "content-type"))
    return GoTom.canonical(self, request, claim) + order.lower().encode()


def _signs_all_headers(self: Any, request: Request, claim: Claim) -> bytes:
    others = [name for name, _ in request.headers if name.lower() not in ("authorization", "date", "content-type")]
    return GoTom.canonical(self, request, claim) + b"%d" % len(others)


def _wants_every_authorization(self: Any, request: Request) -> Claim | None:
    if any(not value.startswith(self.provider) for value in request.values("authorization")):
        raise Rejected(Reason.MALFORMED, "that is not ours", scheme=self.name)
    return GoTom.read(self, request)


def _names_no_scheme(self: Any, request: Request) -> Claim | None:
    try:
        return GoTom.read(self, request)
    except Rejected as rejected:
        raise Rejected(rejected.reason, rejected.detail) from None


def _any_first_character(self: Any, secret: bytes, canonical: bytes) -> str:
    return "A" + GoTom.signature(self, secret, canonical)[1:]


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


def _seen(self: Any, method: str, target: str, headers: Any) -> Any:
    """What `read` and `canonical` say, but for refusals."""
    pairs = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    request = Request(method, target, tuple(pairs.items()))
    claim = GoTom.read(self, request)
    if claim is None:
        return None
    return claim.key_id, claim.at, claim.signatures[0].encode(), GoTom.canonical(self, request, claim)


def _glances_at_nothing(self: Any, method: str, target: str, headers: Any) -> Any:
    return (*_seen(self, method, target, headers)[:3], b"nothing")


def _glances_at_repeats(self: Any, method: str, target: str, headers: Any) -> Any:
    try:
        return _seen(self, method, target, headers)
    except (CannotSign, Rejected):
        return None


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
        (broken(secret_flaw=_fails), "secret_flaw says what is wrong with a secret, and raises nothing: ZeroDivision"),
        (broken(secret_flaw=_no_sentence), "it returns bool, and not a sentence or None"),
        (broken(secret_flaw=_flaw_with_secret), "an error never shows the secret: the sentence of secret_flaw"),
        (broken(secret_flaw=lambda self, secret: "no"), "the secret is not in its form; pass secret="),
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
        (broken(canonical=_by_order), "with headers in another order it is refused as mismatch"),
        (broken(canonical=_signs_all_headers), "with more headers it is refused as mismatch"),
        (broken(read=_wants_every_authorization), "it refuses one, so no other scheme can have it"),
        (broken(read=_names_no_scheme), "Rejected names its scheme, whose refusal the client gets: it names ''"),
        (broken(several_signatures=True), "with several_signatures write sends all of them, .*: of 2 it reads 1"),
        (
            broken(signature=_any_first_character, read=_reads_any_first_character),
            "a wrong signature does not verify: character 0 may be another",
        ),
        (broken(read=_claims_at_times), "read is a pure function: it claims a request at one time and not at another"),
        (broken(glance=_glances_at_nothing), "a glance sees what read and canonical do, or nothing"),
        (broken(glance=_glances_at_repeats), "it sees one that is refused"),
        (broken(glance=_fails), "a glance sees what read and canonical do, or nothing: ZeroDivisionError"),
        (broken(parts=_fails), "parts raises nothing: ZeroDivisionError"),
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
        (broken(prepare=_changes_request), "signing leaves the request as it was"),
        (broken(prepare=_fails), "signing raises nothing but CannotSign: ZeroDivisionError"),
        (broken(prepare=_sets_type), "it replaces the Content-Type that the request has"),
        (broken(write=_appends), "signing twice is signing once"),
        (broken(write=_sets_length), "a patch sets what it must and nothing else"),
        (broken(write=_sends_secret), "the secret is never sent"),
        (broken(signature=_salted), "signing is a pure function"),
        (broken(signature=_not_ascii), "a signature is printable ASCII"),
        (broken(write=_writes_a_nonce), "signing is a pure function"),
        (broken(prepare=_refuses_with_secret), "an error never shows the secret: CannotSign"),
        (broken(prepare=_signs_once), "signing twice is signing once: what is signed cannot be signed again"),
        (broken(read=_rejects_with_secret), "an error never shows the secret: Rejected"),
        (
            broken(body_need=_no_need_at_all),
            "body_need returns a BodyNeed: it returns NoneType|verifying raises nothing",
        ),
        (Growing(), "made anew from its fields it is another"),
        (TwoForms(), "signer and verifier share one canonical form"),
        (broken(signature=_ignores_secret), "signature depends on secret and canonical form"),
        (broken(parts=_leaves_one_out), "parts join to the canonical form"),
        (broken(canonical=_without(0)), "what is covered cannot be changed: the method can"),
        (broken(canonical=_without(1)), "what is covered cannot be changed: the body can"),
        (broken(canonical=_without(2)), "what is covered cannot be changed: the content-type can"),
        (broken(canonical=_without(3)), "what is covered cannot be changed: the date can"),
        (broken(canonical=_without(5)), "what is covered cannot be changed: the target can"),
        (
            broken(canonical=_takes_time_of_claim),
            "what is signed verifies: it is refused as mismatch",
        ),
        (broken(refusal=_tells_detail), "a refusal never tells the client why"),
        (broken(refusal=_tells_reason), "a refusal never tells the client why: the answer for"),
        (broken(refusal=_tells_unknown_keys), "get different answers"),
        (broken(refusal=_welcomes), "a refusal is an error: its status is 200"),
        (broken(refusal=_fails), "refusal raises nothing: ZeroDivisionError"),
        (broken(body_need=_no_secret_needed), "body_need names all that is needed of a body"),
        (broken(covers=_sometimes_covers), "covers is a pure function"),
        (broken(private_headers=lambda self: frozenset({"X-Date"})), "private_headers are in lower case"),
        (WrongCandidates(), "candidates are the signatures of the seconds"),
        (CoversMore(), "what is covered cannot be changed: the body can"),
        (CoversMore(component=Component.TARGET), "the target can"),
        (CoversMore(component=Component.AUTHORITY), "the authority can"),
        (CoversMore(component=Component.HEADERS), "covers says headers"),
        (broken(canonical=_holds_the_secret), "canonical holds no secret"),
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


def test_who_changes_what_is_read_or_signed_starts_without_a_glance() -> None:
    seen = ("GET", "/things", [(b"authorization", b"x"), (b"date", b"x"), (b"content-type", b"text/plain")])
    assert type(Good()).glance is GoTom.glance
    for changed in (
        broken(read=lambda self, request: None),
        broken(canonical=lambda self, request, claim: b""),
        broken(covers=lambda self, request: frozenset()),
    ):
        assert type(changed).glance is Scheme.glance
        assert changed.glance(*seen) is None
    assert type(broken(prepare=GoTom.prepare)).glance is GoTom.glance
    assert type(broken(read=GoTom.read, glance=GoTom.glance)).glance is GoTom.glance


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
