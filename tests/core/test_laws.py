"""The laws that hold for every request, scheme, key, secret and clock, searched for exceptions."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.core import strategies as some
from tests.core.leaks import assert_hides
from tests.core.plain import DATE, FORM, NOW, SECRET, USER, gogrid_form, gogrid_request, gotom_request, raw_http
from undersign import (
    AsyncVerifier,
    BodyDigest,
    Claim,
    Credential,
    GoGrid,
    GoTom,
    HttpHmac,
    KeyedTimestamp,
    Patch,
    Rejected,
    Request,
    Scheme,
    Verified,
    Verifier,
    Window,
    sign,
)
from undersign.core.http1 import RequestReader
from undersign.core.message import BodyHasher
from undersign.scheme import Body

Signing = tuple[Scheme, Request, Credential, float]


# What is signed verifies


@given(some.signings())
def test_what_is_signed_verifies_sync_async_and_in_steps(signing: Signing) -> None:
    scheme, request, credential, now = signing
    signed = sign(scheme, request, credential, now=now).apply(request)
    verifier = Verifier(scheme, {credential.key_id: credential.secret}, clock=lambda: now)
    async_verifier = AsyncVerifier(scheme, {credential.key_id: credential.secret}, clock=lambda: now)
    verified = verifier.verify(signed)
    assert (verified.scheme, verified.key_id, verified.secret_index) == (scheme.name, credential.key_id, 0)
    assert verifier.finish(verifier.begin(signed).with_body(signed.body)) == verified
    assert asyncio.run(async_verifier.verify(signed)) == verified


@given(some.signings(), st.integers(1, 40))
def test_a_digest_of_the_body_serves_as_well_as_its_bytes(signing: Signing, size: int) -> None:
    scheme, request, credential, now = signing
    signed = sign(scheme, request, credential, now=now).apply(request)
    need = scheme.body_need(request)
    assume(not need.raw)
    assert isinstance(signed.body, bytes)
    hasher = BodyHasher(need.digests)
    for start in range(0, len(signed.body), size):
        hasher.update(signed.body[start : start + size])
    streamed = Request(signed.method, signed.target, signed.headers, hasher.result(), signed.origin)
    unsigned = Request(request.method, request.target, request.headers, hasher.result(), request.origin)
    assert sign(scheme, unsigned, credential, now=now) == sign(scheme, request, credential, now=now)
    assert Verifier(scheme, {credential.key_id: credential.secret}, clock=lambda: now).verify(streamed)


@given(some.signings())
def test_another_secret_does_not_verify(signing: Signing) -> None:
    scheme, request, credential, now = signing
    signed = sign(scheme, request, credential, now=now).apply(request)
    other = hashlib.sha256(credential.secret.reveal()).digest()
    with pytest.raises(Rejected, match="mismatch"):
        Verifier(scheme, {credential.key_id: other}, clock=lambda: now).verify(signed)


@given(some.signings())
def test_signing_leaves_the_request_as_it_was(signing: Signing) -> None:
    scheme, request, credential, now = signing
    before = (request.method, request.target, request.headers, request.body, request.origin)
    sign(scheme, request, credential, now=now).apply(request)
    assert (request.method, request.target, request.headers, request.body, request.origin) == before


@given(some.signings())
def test_signing_twice_is_signing_once(signing: Signing) -> None:
    scheme, request, credential, now = signing
    once = sign(scheme, request, credential, now=now).apply(request)
    assert sign(scheme, once, credential, now=now).apply(once) == once


@given(some.signings(), st.integers(1, 10**9))
def test_signing_again_later_leaves_one_signature(signing: Signing, later: int) -> None:
    scheme, request, credential, now = signing
    assume(now + later < 253_402_300_799)
    signed = sign(scheme, request, credential, now=now).apply(request)
    again = sign(scheme, signed, credential, now=now + later).apply(signed)
    assert Verifier(scheme, {credential.key_id: credential.secret}, clock=lambda: now + later).verify(again)


# What is covered cannot be changed


@given(some.http_hmac_schemes(), some.http_hmac_requests(), st.data())
def test_a_change_of_anything_that_http_hmac_covers_is_refused(
    scheme: HttpHmac, request: Request, data: st.DataObject
) -> None:
    secret = b"long enough to be found in a traceback"
    signed = sign(scheme, request, Credential("user", secret), now=NOW).apply(request)
    changed = data.draw(_changes(signed))
    assume(_plain_form(scheme, changed) != _plain_form(scheme, signed))
    verifier = Verifier(scheme, {"user": secret, "user2": secret + b"2"}, clock=lambda: NOW)
    with pytest.raises(Rejected) as caught:
        verifier.verify(changed)
    assert_hides(caught.value, secret)


def _changes(request: Request) -> st.SearchStrategy[Request]:
    """The request with its method, target, body or one header changed, repeated or dropped."""
    method, target, headers, body, origin = (
        request.method,
        request.target,
        request.headers,
        request.body,
        request.origin,
    )
    assert isinstance(body, bytes)

    def with_header(place: int, value: str | None, times: int) -> Request:
        place %= len(headers)
        name, old = headers[place]
        changed = ((name, old if value is None else value),) * times
        return Request(method, target, headers[:place] + changed + headers[place + 1 :], body, origin)

    return st.one_of(
        some.methods.map(lambda other: Request(other, target, headers, body, origin)),
        some.near(target).map(lambda other: Request(method, other, headers, body, origin)),
        some.mutated(lambda: body).map(lambda other: Request(method, target, headers, other, origin)),
        st.builds(with_header, st.integers(0, 20), st.none() | some.header_values, st.integers(0, 2)),
        st.builds(with_header, st.integers(0, 20), some.near(*(value for _, value in headers)), st.just(1)),
    )


def _plain_form(scheme: HttpHmac, request: Request) -> object:
    """What the scheme covers of a request, taken apart plainly."""

    def values(name: str) -> list[str]:
        return [value.strip(" \t") for key, value in request.headers if key.lower() == name.lower()]

    def fold(value: str) -> str:
        return "".join(character.lower() if character.isascii() else character for character in value)

    custom = []
    for name in scheme.signed_headers:
        found = values(name)
        custom.append([] if scheme.drop_blank_headers and found in ([""], ["0"]) else found)
    content_types = [fold(value) for value in values("Content-Type")]
    as_empty = scheme.multipart_as_empty and request.method == "POST" and content_types[:1] and (
        content_types[0].partition(";")[0].strip() == "multipart/form-data"
    )  # fmt: skip
    body = b"" if as_empty else request.body
    authorization = values("Authorization")
    return request.method, request.target, body, content_types, values(scheme.date_header), custom, authorization


# A patch changes what it says and nothing else


@given(some.signings())
def test_signing_keeps_every_other_byte_of_query_and_form(signing: Signing) -> None:
    scheme, request, credential, now = signing
    signed = sign(scheme, request, credential, now=now).apply(request)
    assert isinstance(signed.body, bytes)
    assert isinstance(request.body, bytes)
    assert signed.target.startswith(request.target)
    assert signed.body.startswith(request.body)
    assert [pair for pair in signed.headers if pair[0].lower().startswith("z")] == [
        pair for pair in request.headers if pair[0].lower().startswith("z")
    ]


_fields = st.lists(
    st.sampled_from(["a=1", "b", "%61=2", "c=%2f", "", "=", "d+e=3", "%zz=%", "ü=ü".encode().decode("latin-1")]),
    max_size=5,
).map("&".join)


@given(_fields, st.sampled_from(["a", "b", "d e", "new", "ü", "=&%+"]), some.key_ids)
def test_a_field_is_replaced_in_place_or_appended_and_all_else_stays(query: str, name: str, value: str) -> None:
    before = query.split("&")
    own = [place for place, field in enumerate(before) if _plain_name(field) == name]
    assume(len(own) < 2)
    patched = Patch(query=((name, value),)).apply(Request("GET", "/p?" + query)).target.removeprefix("/p?")
    if own:
        after = patched.split("&")
        assert after[: own[0]] + after[own[0] + 1 :] == before[: own[0]] + before[own[0] + 1 :]
        assert after[own[0]].partition("=")[0] == before[own[0]].partition("=")[0]
        assert _plain_value(after[own[0]]) == value
    else:
        joint = "" if query == "" or query.endswith("&") else "&"
        assert patched.startswith(query + joint)
        appended = patched.removeprefix(query + joint)
        assert (_plain_name(appended), _plain_value(appended)) == (name, value)
        assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+=(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", appended)


@given(_fields, some.key_ids)
def test_a_url_and_a_target_are_patched_alike(query: str, value: str) -> None:
    assume("ü" not in query.encode("latin-1").decode())  # a URL holds text, a target the wire's bytes
    patch = Patch(query=(("new", value), ("newer", "2")))
    on_target = patch.apply(Request("GET", "/p?" + query)).target
    assert patch.url(f"https://h/p?{query}#f?g") == f"https://h{on_target}#f?g"


_patches = st.builds(
    Patch,
    headers=st.lists(st.tuples(st.sampled_from(["A", "a", "B", "C"]), st.sampled_from("12")), max_size=3).map(tuple),
    query=st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("12")), max_size=3).map(tuple),
    form=st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("12")), max_size=2).map(tuple),
)
_patchable = st.builds(
    Request,
    st.just("POST"),
    st.sampled_from(["/", "/?x=0", "/?w&y"]),
    st.lists(st.tuples(st.sampled_from(["a", "B", "D"]), st.just("0")), max_size=4).map(tuple),
    st.sampled_from([b"", b"x=0&w", b"w&"]),
)


@given(_patches, _patches, _patchable)
def test_two_patches_in_one_do_what_they_do_in_turn(first: Patch, second: Patch, request: Request) -> None:
    together, in_turn = (first + second).apply(request), second.apply(first.apply(request))
    assert (together.target, together.body) == (in_turn.target, in_turn.body)
    assert sorted(together.headers) == sorted(in_turn.headers)


@given(_patches, _patchable)
def test_a_patch_applied_twice_is_applied_once(patch: Patch, request: Request) -> None:
    once = patch.apply(request)
    assert patch.apply(once) == once


def _plain_name(field: str) -> str:
    return _plain_text(field.partition("=")[0])


def _plain_value(field: str) -> str:
    return _plain_text(field.partition("=")[2])


def _plain_text(encoded: str) -> str:
    data = encoded.replace("+", " ").encode("latin-1")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), data).decode("utf-8", "replace")


# Nothing but Rejected comes out of a verifier

_VERIFIER = Verifier([GoTom(signed_headers=("X-One",)), GoGrid()], {USER: SECRET, "key": SECRET}, clock=lambda: NOW)
_AUTHORIZATION = dict(gotom_request().headers)["Authorization"]

_odd_headers = st.lists(
    st.tuples(
        some.near("Authorization", "Date", "Content-Type", "Content_Type", "X-One", "X-HTTP-Method-Override"),
        some.near(_AUTHORIZATION, "gotom_app_api", DATE, FORM[1], "application/json", "multipart/form-data"),
    ),
    max_size=5,
).map(tuple)
_odd_digests = st.builds(
    BodyDigest, st.dictionaries(st.sampled_from(["md5", "sha1"]), some.anything), st.integers(0, 9)
)
_odd_requests = st.builds(
    Request,
    some.near("GET", "POST", "get"),
    some.near("/", "*", "http://h/p", gogrid_request().target, "/?sig=" + "0" * 32),
    _odd_headers,
    st.binary(max_size=30) | some.mutated(lambda: bytes(gogrid_form().body)) | _odd_digests,  # type: ignore[arg-type]
    some.near("https://api.example.com", "http://api.example.com", ""),
)


def _outcome(raw_or_request: bytes | Request) -> Verified | Rejected:
    try:
        if isinstance(raw_or_request, bytes):
            raw_or_request = Request.from_http(raw_or_request, "https://api.example.com")
        return _VERIFIER.verify(raw_or_request)
    except Rejected as rejected:
        assert_hides(rejected, SECRET)
        _VERIFIER.refusal(rejected, Request("GET", "/"))
        return rejected


@given(st.binary(max_size=200))
def test_no_bytes_make_a_verifier_raise_anything_but_rejected(raw: bytes) -> None:
    assert isinstance(_outcome(raw), Rejected)


@given(
    st.one_of(
        *(
            some.mutated(make)
            for make in (
                lambda: raw_http(gotom_request("POST", "/a?b", b'{"a": 1}')),
                lambda: raw_http(gotom_request("POST", "/a?b", b'{"a": 1}'), chunks=[1, 3]),
                lambda: raw_http(gogrid_request()),
                lambda: raw_http(gogrid_form()),
            )
        )
    )
)
def test_no_change_of_a_good_request_makes_a_verifier_raise_anything_but_rejected(raw: bytes) -> None:
    _outcome(raw)


@given(_odd_requests)
def test_no_request_makes_a_verifier_raise_anything_but_rejected(request: Request) -> None:
    _outcome(request)
    assert isinstance(asyncio.run(_async_outcome(request)), (Verified, Rejected))


@given(_odd_requests, some.anything)
def test_no_target_makes_a_refusal_raise(request: Request, key_id: str) -> None:
    rejected = Rejected(*(_outcome(Request("GET", "/")).args), scheme="gogrid", key_id=key_id)  # type: ignore[union-attr]
    assert _VERIFIER.refusal(rejected, request).status in (400, 401, 403)


async def _async_outcome(request: Request) -> Verified | Rejected:
    try:
        return await AsyncVerifier(_VERIFIER.schemes, {USER: SECRET}, clock=lambda: NOW).verify(request)
    except Rejected as rejected:
        return rejected


# Bytes on the wire


@given(some.methods, some.targets, some.other_headers, some.bodies, st.none() | st.lists(st.integers(1, 9), max_size=3))
def test_a_request_written_out_is_read_as_it_was(
    method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes, chunks: list[int] | None
) -> None:
    headers = tuple((f"Z-{name}", value) for name, value in headers if _is_field_value(value))
    request = Request(method, target, headers, body)
    read = Request.from_http(raw_http(request, chunks=chunks), "https://api.example.com")
    assert (read.method, read.target, read.body, read.origin) == (method, target, body, "https://api.example.com")
    assert tuple(pair for pair in read.headers if pair[0].startswith("Z-")) == headers


def _is_field_value(value: str) -> bool:
    # h11 holds more for white space than HTTP does: it refuses \x85 and \xa0 as text, which they are as bytes.
    return value == value.strip()


_raws = st.one_of(
    st.sampled_from(
        [
            raw_http(gotom_request("POST", "/a?b", b'{"a": 1}')),
            raw_http(gotom_request("POST", "/a?b", b'{"a": 1}'), chunks=[1, 3]),
            raw_http(gogrid_request()) + b"GET / HTTP/1.1\r\n\r\n",
            b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n",
        ]
    ),
    some.mutated(lambda: raw_http(gotom_request("POST", "/a?b", b'{"a": 1}'), chunks=[1, 3])),
    some.mutated(lambda: raw_http(gotom_request("POST", "/a?b", b'{"a": 1}'))),
)


@given(_raws, st.lists(st.integers(0, 300), max_size=6))
def test_the_pieces_in_which_bytes_arrive_make_no_difference(raw: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(raw), *(cut for cut in cuts if cut <= len(raw))})
    pieces = [raw[start:end] for start, end in itertools.pairwise(places)]
    assert _read_in(pieces) == _read_in([raw]) == _read_in([bytes([byte]) for byte in raw])


def _read_in(pieces: list[bytes]) -> object:
    reader = RequestReader()
    body = b""
    try:
        for piece in pieces:
            body += b"".join(reader.feed(piece))
        return reader.finish(), body
    except Rejected:
        return "refused"


# Windows

_fractions = st.floats(0, 1, exclude_max=True)


@given(some.windows, st.integers(-(10**9), 4 * 10**9), st.integers(-40, 40), _fractions, _fractions)
def test_a_window_includes_both_ends_whatever_the_fractions(
    window: Window, now: int, ahead: int, fraction_now: float, fraction_at: float
) -> None:
    assume(now + fraction_now < now + 1)
    assume(now + ahead + fraction_at < now + ahead + 1)
    reason = window.outside(now + ahead + fraction_at, now + fraction_now)
    expected = "stale" if ahead < -window.past else "future" if ahead > window.future else None
    assert (reason and reason.value) == expected
    assert (now + ahead in window.seconds(now + fraction_now)) == (expected is None)


@given(some.keyed_schemes(), st.integers(0, 2**31), st.integers(-40, 40), _fractions, _fractions)
def test_a_keyed_timestamp_verifies_in_its_window_both_ends_included(
    scheme: KeyedTimestamp, signed_at: int, ahead: int, fraction_signed: float, fraction_now: float
) -> None:
    assume(signed_at + fraction_signed < signed_at + 1)
    assume(signed_at + ahead + fraction_now < signed_at + ahead + 1)
    request = Request("GET", "/", origin="https://api.example.com")
    patch = sign(scheme, request, Credential("key", "secret"), now=signed_at + fraction_signed)
    verifier = Verifier(scheme, {"key": "secret"}, clock=lambda: signed_at + ahead + fraction_now)
    if -scheme.window.future <= ahead <= scheme.window.past:
        assert verifier.verify(patch.apply(request)).at == signed_at
    else:
        with pytest.raises(Rejected, match="mismatch"):
            verifier.verify(patch.apply(request))


@given(
    st.lists(st.integers(-90, 200), min_size=1, max_size=12), some.windows, st.integers(-300, 300), st.integers(1, 200)
)
def test_a_rolling_window_finds_what_a_full_search_finds(
    steps: list[int], window: Window, signed_at: int, granularity: int
) -> None:
    scheme = _Coarse(window=window, granularity=granularity if granularity > 20 else 1)
    (signature,) = scheme.candidates(b"secret", Claim("key", None), b"", [NOW + signed_at])
    request = Request("GET", f"/?key=key&sig={signature}", origin="https://h")
    verifier = Verifier(scheme, {"key": "secret"}, clock=lambda: now)
    now = NOW
    for step in steps:
        now = now + step if scheme.granularity == 1 else now + abs(step)
        wanted = [second for second in window.seconds(now) if scheme.slot(second) == scheme.slot(NOW + signed_at)]
        try:
            assert verifier.verify(request).at == wanted[-1]
        except Rejected:
            assert not wanted


class _Coarse(KeyedTimestamp):
    """A scheme whose signature holds for several seconds."""

    granularity: int

    def __init__(self, *, window: Window, granularity: int) -> None:
        super().__init__(key_param="key", name="coarse", window=window)
        object.__setattr__(self, "granularity", granularity)

    def slot(self, second: float) -> int:
        return int(second // self.granularity)

    def read(self, request: Request) -> Claim | None:
        claim = super().read(request)
        return claim and claim._replace(string=lambda _, second: f"{claim.key_id}\0{self.slot(second)}".encode())

    def candidates(self, secret: bytes, claim: Claim, body: Body, seconds: Sequence[int]) -> list[str]:
        signed = (f"{claim.key_id}\0{self.slot(second)}".encode() for second in seconds)
        return [self.signature(secret, string) for string in signed]
