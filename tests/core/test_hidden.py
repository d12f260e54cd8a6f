"""No error shows a secret or a signature that could be used, whatever collects its traceback."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from undersign import (
    AsyncVerifier,
    BodyDigest,
    CannotSign,
    Component,
    ConfigError,
    Credential,
    GoGrid,
    GoTom,
    Patch,
    Reason,
    Rejected,
    Request,
    Secret,
    Signer,
    UndersignError,
    Verifier,
    sign,
)
from undersign.core.http1 import RequestReader
from undersign.policy import MemoryReplayGuard

from .leaks import assert_hides
from .plain import (
    FORM,
    NOW,
    gogrid_form,
    gogrid_request,
    gogrid_signature,
    gotom_request,
    gotom_signature,
    guarded,
    replaced,
)

_SECRET = "a-secret-that-is-found-wherever-it-shows"
_KEY = "key"
_ORIGIN = "https://api.example.com"
_GOTOM_SIGNATURE = gotom_signature("POST", "/", b"{}", secret=_SECRET)
_GOGRID_SIGNATURE = gogrid_signature(_KEY, _SECRET, NOW)
_PRIVATE = (_SECRET, _GOTOM_SIGNATURE, _GOGRID_SIGNATURE)

_GOTOM = replaced(gotom_request("POST", "/", b"{}"), "Authorization", f"gotom_app_api {_KEY}:{_GOTOM_SIGNATURE}")
_GOGRID = gogrid_request(secret=_SECRET)
_FORM = gogrid_form(secret=_SECRET)
_FIELDS = f"api_key=key&sig={_GOGRID_SIGNATURE}&v=1.5".encode()


def _more(request: Request, query: str) -> Request:
    return Request(request.method, f"{request.target}&{query}", request.headers, request.body, request.origin)


# Each carries a signature that would be good, were it not for the one fault.
_REFUSALS: dict[str, tuple[Request, Reason]] = {
    "ambiguous": (Request("POST", _GOGRID.target, _GOTOM.headers, b"{}", _ORIGIN), Reason.AMBIGUOUS),
    "ambiguous in the form": (
        Request("POST", "/", (*replaced(_GOTOM, "Content-Type").headers, FORM), _FORM.body, _ORIGIN),
        Reason.AMBIGUOUS,
    ),
    "over http": (Request("GET", _GOGRID.target, origin="http://h"), Reason.INSECURE),
    "two signatures": (_more(_GOGRID, f"sig={_GOGRID_SIGNATURE}"), Reason.MALFORMED),
    "in both places": (Request("POST", _GOGRID.target, (FORM,), _FORM.body, _ORIGIN), Reason.MALFORMED),
    "key not UTF-8": (Request("GET", f"/?api_key=%ff&sig={_GOGRID_SIGNATURE}", origin=_ORIGIN), Reason.MALFORMED),
    "no key": (Request("GET", f"/?sig={_GOGRID_SIGNATURE}", origin=_ORIGIN), Reason.MALFORMED),
    "no version": (Request("GET", f"/?api_key=key&sig={_GOGRID_SIGNATURE}", origin=_ORIGIN), Reason.MALFORMED),
    "signature too long": (Request("GET", f"/?api_key=key&sig={_GOGRID_SIGNATURE}0", origin=_ORIGIN), Reason.MALFORMED),
    "another method": (Request("PUT", _GOGRID.target, origin=_ORIGIN), Reason.MALFORMED),
    "a fragment": (Request("GET", _GOGRID.target + "#", origin=_ORIGIN), Reason.MALFORMED),
    "version": (gogrid_request(secret=_SECRET, version="2.0"), Reason.UNSUPPORTED_VERSION),
    "other window": (gogrid_request(secret=_SECRET, seconds=NOW - 601), Reason.MISMATCH),
    "no such key": (gogrid_request(key="nobody", secret=_SECRET), Reason.UNKNOWN_KEY),
    "form too large": (Request("POST", "/", (FORM,), _FIELDS + b"&" * 2**20, _ORIGIN), Reason.BODY_TOO_LARGE),
    "too many fields": (
        Request("POST", "/", (FORM,), _FIELDS + b"&" * 10**4, _ORIGIN),
        Reason.BODY_TOO_LARGE,
    ),
    "missing": (Request("GET", f"/?signature={_GOGRID_SIGNATURE}", origin=_ORIGIN), Reason.MISSING),
    "stale": (replaced(_GOTOM, "Date", "2001-01-01T00:00:00Z"), Reason.STALE),
    "future": (replaced(_GOTOM, "Date", "2041-01-01T00:00:00Z"), Reason.FUTURE),
    "no date": (replaced(_GOTOM, "Date"), Reason.MALFORMED),
    "no content type": (replaced(_GOTOM, "Content-Type"), Reason.MALFORMED),
    "repeated header": (replaced(_GOTOM, "Date", "a", "b"), Reason.MALFORMED),
    "repeated authorization": (
        replaced(_GOTOM, "Authorization", *_GOTOM.values("authorization") * 2),
        Reason.MALFORMED,
    ),
    "bad form": (replaced(_GOTOM, "Authorization", _GOTOM.values("authorization")[0] + "="), Reason.MALFORMED),
    "user not UTF-8": (replaced(_GOTOM, "Authorization", f"gotom_app_api \xff:{_GOTOM_SIGNATURE}"), Reason.MALFORMED),
    "control character": (
        replaced(_GOTOM, "Authorization", f"gotom_app_api a\x00:{_GOTOM_SIGNATURE}"),
        Reason.MALFORMED,
    ),
    "lower-case method": (Request("post", "/", _GOTOM.headers, b"{}"), Reason.MALFORMED),
    "override": (replaced(_GOTOM, "X-HTTP-Method-Override", "PUT"), Reason.MALFORMED),
    "no digest": (Request("POST", "/", _GOTOM.headers, BodyDigest({}, 2)), Reason.MALFORMED),
    "mismatch": (Request("POST", "/", _GOTOM.headers, b"[]"), Reason.MISMATCH),
    "unknown user": (replaced(_GOTOM, "Authorization", f"gotom_app_api me:{_GOTOM_SIGNATURE}"), Reason.UNKNOWN_KEY),
}


def _lookup(key_id: str, scheme: str) -> list[str]:
    return [_SECRET] if key_id == _KEY else []


@pytest.mark.parametrize("fault", _REFUSALS)
def test_no_refusal_shows_a_secret_or_a_signature(fault: str) -> None:
    request, reason = _REFUSALS[fault]
    schemes = [GoTom(), GoGrid()]
    verifier = Verifier(schemes, {_KEY: [_SECRET]}, clock=lambda: NOW, replay=MemoryReplayGuard())
    async_verifier = AsyncVerifier(schemes, _lookup, clock=lambda: NOW)
    with pytest.raises(Rejected) as caught:
        verifier.verify(request)
    with pytest.raises(Rejected) as caught_async:
        asyncio.run(async_verifier.verify(request))
    for refusal in (caught.value, caught_async.value):
        assert refusal.reason is reason
        assert_hides(refusal, *_PRIVATE)


_RAW = (
    f"POST /?sig={_GOGRID_SIGNATURE} HTTP/1.1\r\nHost: h\r\nAuthorization: gotom_app_api {_KEY}:{_GOTOM_SIGNATURE}\r\n"
    f"Content-Length: {len(_FIELDS)}\r\n\r\n"
).encode() + _FIELDS
_CHUNKED = _RAW.replace(b"Content-Length: %d" % len(_FIELDS), b"Transfer-Encoding: chunked")
_CHUNKED = _CHUNKED.replace(b"\r\n\r\n", b"\r\n\r\n%x\r\n" % len(_FIELDS)) + b"\r\n0\r\n"
_NOT_CLEAN = {
    "bare LF": _RAW.replace(b"Host: h\r", b"Host: h"),
    "no host": _RAW.replace(b"Host: h\r\n", b""),
    "two hosts": _RAW.replace(b"Host: h", b"Host: h\r\nHost: h"),
    "what h11 refuses": _RAW.replace(b"Host: h", b"Host : h"),
    "head too long": _RAW.replace(b"Host: h", b"Host: " + b"h" * 65536),
    "no end of the head": _RAW.partition(b"\r\n\r\n")[0],
    "body cut off": _RAW[:-1],
    "bytes behind": _RAW + b"x",
    "trailers": _CHUNKED + f"X: {_GOGRID_SIGNATURE}\r\n\r\n".encode(),
    "last line in LF": _CHUNKED + b"\n",
    "no last chunk": _CHUNKED.replace(b"0\r\n", b""),
}


@pytest.mark.parametrize("fault", _NOT_CLEAN)
def test_no_message_that_is_not_clean_shows_the_signature_in_it(fault: str) -> None:
    assert Request.from_http(_RAW).body == Request.from_http(_CHUNKED + b"\r\n").body == _FIELDS
    with pytest.raises(Rejected, match="malformed") as caught:
        Request.from_http(_NOT_CLEAN[fault])
    assert_hides(caught.value, *_PRIVATE)
    with pytest.raises(Rejected, match="malformed") as caught:
        _read(_NOT_CLEAN[fault])
    assert_hides(caught.value, *_PRIVATE)


def _read(raw: bytes) -> None:
    reader = RequestReader()
    reader.feed(raw)
    reader.finish()


def test_every_reason_that_a_verifier_finds_is_among_these() -> None:
    elsewhere = {Reason.REPLAYED, Reason.UNAVAILABLE, Reason.LENGTH_REQUIRED, Reason.LOSSY_TARGET}
    assert {reason for _, reason in _REFUSALS.values()} == set(Reason) - elsewhere


def test_a_replay_shows_nothing() -> None:
    verifier = Verifier(GoTom(), {_KEY: _SECRET}, clock=lambda: NOW, replay=guarded())
    verifier.verify(_GOTOM)
    with pytest.raises(Rejected, match="replayed") as caught:
        verifier.verify(_GOTOM)
    assert_hides(caught.value, *_PRIVATE)


def test_a_guard_that_fails_shows_nothing() -> None:
    guard = MemoryReplayGuard(capacity=1, born=0)
    guard.remember("other", NOW + 10_000, NOW)
    verifier = Verifier(GoTom(), {_KEY: _SECRET}, clock=lambda: NOW, replay=guard)
    with pytest.raises(Rejected, match=r"unavailable: .* is full") as caught:
        verifier.verify(_GOTOM)
    assert_hides(caught.value, *_PRIVATE)


@pytest.mark.parametrize("bad", [5, "\ud800", object()])
def test_a_lookup_with_one_bad_secret_does_not_show_the_good_one(bad: Any) -> None:
    async def async_lookup(key_id: str, scheme: str) -> list[Any]:
        return [_SECRET, bad]

    with pytest.raises(Rejected, match="unavailable") as caught:
        Verifier(GoTom(), lambda *_: [_SECRET, bad], clock=lambda: NOW).verify(_GOTOM)
    assert_hides(caught.value, *_PRIVATE)
    for lookup in (async_lookup, lambda *_: [_SECRET, bad]):
        with pytest.raises(Rejected, match="unavailable") as caught:
            asyncio.run(AsyncVerifier(GoTom(), lookup, clock=lambda: NOW).verify(_GOTOM))
        assert_hides(caught.value, *_PRIVATE)


def _sign(scheme: Any, request: Request) -> object:
    return sign(scheme, request, Credential(_KEY, _SECRET), now=NOW)


_SIGNED_TWICE = Request("GET", _GOGRID.target + f"&sig={_GOGRID_SIGNATURE}", origin=_ORIGIN)
# For what type checkers would refuse already.
_credential: Any = Credential
_verifier: Any = Verifier
_async_verifier: Any = AsyncVerifier

_BROKEN: dict[str, Callable[[], object]] = {
    "other origin": lambda: sign(GoTom(), Request("GET", "/"), Credential(_KEY, _SECRET, ["https://h"]), now=NOW),
    "clock": lambda: sign(GoTom(), Request("GET", "/"), Credential(_KEY, _SECRET), now=float("nan")),
    "year": lambda: sign(GoTom(), Request("GET", "/"), Credential(_KEY, _SECRET), now=1e15),
    "target": lambda: _sign(GoTom(), Request("GET", "/ü")),
    "header": lambda: _sign(GoTom(), replaced(_GOTOM, "Content-Type", "a", "b")),
    "host": lambda: _sign(GoTom(signed_headers=("Host",)), _GOTOM),
    "digest": lambda: _sign(GoTom(), Request("POST", "/", (), BodyDigest({}, 1))),
    "key id that gotom cannot write": lambda: sign(
        GoTom(), Request("POST", "/", (), b"{}"), Credential("\ud800", _SECRET), now=NOW
    ),
    "http": lambda: _sign(GoGrid(), Request("GET", "/", origin="http://h")),
    "method": lambda: _sign(GoGrid(), Request("PUT", "/")),
    "version": lambda: _sign(GoGrid(), Request("GET", "/?v=2.0")),
    "twice": lambda: _sign(GoGrid(), _SIGNED_TWICE),
    "other place": lambda: _sign(GoGrid(), Request("POST", _GOGRID.target, (FORM,), b"", _ORIGIN)),
    "streamed": lambda: _sign(GoGrid(), Request("POST", "/", (FORM,), BodyDigest({}, 1))),
    "key id that gogrid cannot write": lambda: sign(
        GoGrid(), Request("GET", "/"), Credential("a\tb", _SECRET), now=NOW
    ),
    "patch": lambda: Patch(query=(("sig", _GOGRID_SIGNATURE),)).apply(_SIGNED_TWICE),
    "patch of a url": lambda: Patch(query=(("sig", _GOGRID_SIGNATURE),)).url(f"https://h{_SIGNED_TWICE.target}"),
    "patch that is no text": lambda: Patch(query=(("sig", _GOGRID_SIGNATURE), ("v", "\ud800"))).apply(_GOGRID),
    "patch of a stream": lambda: Patch(form=(("sig", _GOGRID_SIGNATURE),)).apply(
        Request("POST", "/", _GOTOM.headers, BodyDigest({}, 1))
    ),
    "secret that is no text": lambda: Secret(_SECRET + "\ud800"),
    "secret of a credential": lambda: Credential(_KEY, _SECRET + "\ud800"),
    "secrets in a list": lambda: _credential(_KEY, [_SECRET]),
    "key id of a credential": lambda: Credential("", _SECRET),
    "origin of a credential": lambda: Credential(_KEY, _SECRET, ["h"]),
    "one bad key": lambda: Verifier(GoTom(), {_KEY: _SECRET, "other": ""}),
    "one bad secret": lambda: Verifier(GoTom(), {_KEY: [_SECRET, ""]}),
    "bad key id": lambda: Verifier(GoTom(), {"": _SECRET}),
    "scheme of keys": lambda: AsyncVerifier(GoTom(), {"gotmo": {_KEY: _SECRET}}),
    "mixed keys": lambda: _async_verifier(GoTom(), {"gotom": {_KEY: _SECRET}, _KEY: _SECRET}),
    "nested keys": lambda: _verifier(GoTom(), {"gotom": {_KEY: {"x": _SECRET}}}),
    "keys that are none": lambda: _verifier(GoTom(), [(_KEY, _SECRET)]),
    "a pair for a credential": lambda: sign(GoTom(), _GOTOM, (_KEY, _SECRET), now=NOW),  # type: ignore[arg-type]
    "a secret for a credential": lambda: Signer(GoTom(), _SECRET),  # type: ignore[arg-type]
    "older secrets": lambda: sign(GoTom(), _GOTOM, Credential(_KEY, "new", older=[_SECRET]), now=NOW),
    "no schemes": lambda: Verifier([], {_KEY: _SECRET}),
    "names": lambda: AsyncVerifier([GoTom(), GoTom()], {_KEY: _SECRET}),
    "requirement": lambda: Verifier(GoGrid(), {_KEY: _SECRET}, require={Component.BODY}),
    "requirement that is none": lambda: _verifier(GoGrid(), {_KEY: _SECRET}, require={"x"}),
    "undecided": lambda: Verifier(GoGrid(), {_KEY: _SECRET}).finish(Verifier(GoGrid(), {}).begin(_FORM)),
}


@pytest.mark.parametrize("fault", _BROKEN)
def test_no_error_of_signing_or_building_shows_a_secret_or_a_signature(fault: str) -> None:
    with pytest.raises((CannotSign, ConfigError)) as caught:
        _BROKEN[fault]()
    assert_hides(caught.value, *_PRIVATE)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), UndersignError)


def test_what_collects_tracebacks_would_find_a_secret_that_shows() -> None:
    with pytest.raises(ConfigError) as caught:
        raise ConfigError(_SECRET)
    with pytest.raises(AssertionError, match="shows in"):
        assert_hides(caught.value, _SECRET)
    with pytest.raises(Rejected) as refusal:
        GoTom().read(replaced(_GOTOM, "Date", "\x00" + _SECRET))
    assert_hides(refusal.value, _SECRET)
