"""Presets of the families, with the signatures that others have published."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tests.core.plain import refused
from undersign import (
    Acquia,
    CannotSign,
    Claim,
    ConfigError,
    Credential,
    Mashery,
    Patch,
    Reason,
    Request,
    Scheme,
    Tyk,
    Verifier,
    Window,
    sign,
)
from undersign.registry import build_scheme, scheme_names
from undersign.testing import check_scheme

ORIGIN = "https://api.example.com"
TYK_KEY = "5bcef48a3f03d311ff27d156630baf849e3b438b8a48fec99239d5c9"
TYK_MD5 = "eb7cc742c07c2ce0d71fa2d5a6f81a91"
TYK_SHA256 = "fce2e80253cd438b666341176f34bde499116b63719e2482dae6965518ffd316"
DATE = ("Date", "Fri, 19 Mar 1982 00:00:04 GMT")
DATE_SECONDS = 385_344_004
TEXT = ("Content-Type", "text/plain")
GO_ID = "efdde334-fe7b-11e4-a322-1697f925ec7b"


@pytest.mark.parametrize(("name", "scheme"), [("acquia", Acquia()), ("mashery", Mashery()), ("tyk", Tyk())])
def test_each_is_known_by_its_name_and_keeps_the_laws(name: str, scheme: Scheme) -> None:
    assert name in scheme_names()
    assert build_scheme(name) == scheme
    assert scheme.name == name
    check_scheme(scheme)


@pytest.mark.parametrize(
    ("scheme", "key", "secret", "now", "sig"),
    [
        (Mashery(), "2fvmer3qbk7f3jnqneg58bu2", "qvxkmw57pec7", 1200603038, "65a08176826fa4621116997e1dd775fa"),
        (Mashery(), TYK_KEY, "foobar", 1546259837, TYK_MD5),
        (Tyk(algorithm="md5"), TYK_KEY, "foobar", 1546259837, TYK_MD5),
        (Tyk(), TYK_KEY, "foobar", 1546259837, TYK_SHA256),
        (Mashery(algorithm="sha256"), TYK_KEY, "foobar", 1546259837, TYK_SHA256),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_published_signatures_of_the_gateways(
    scheme: Scheme, key: str, secret: str, now: int, sig: str, method: str
) -> None:
    hashed = hashlib.new("md5" if len(sig) == 32 else "sha256", f"{key}{secret}{now}".encode(), usedforsecurity=False)
    assert hashed.hexdigest() == sig
    request = Request(method, "/v1/search?q=1", (("Content-Type", "application/x-www-form-urlencoded"),), b"", ORIGIN)
    signed = sign(scheme, request, Credential(key, secret), now=now).apply(request)
    assert signed.target == f"/v1/search?q=1&apikey={key}&sig={sig}"
    for clock in (now - 300, now, now + 300):
        assert Verifier(scheme, {key: secret}, clock=lambda at=clock: at).verify(signed).key_id == key  # type: ignore[misc]
    for clock in (now - 301, now + 301):
        verifier = Verifier(scheme, {key: secret}, clock=lambda at=clock: at)  # type: ignore[misc]
        assert refused(verifier, signed).reason is Reason.MISMATCH


def test_tyk_takes_the_hash_in_any_case_as_its_gateway_decodes_it() -> None:
    now, request = 1546259837, Request("GET", "/v1/search", (), b"", ORIGIN)
    for sig in (TYK_SHA256, TYK_SHA256.upper(), TYK_SHA256[:9].upper() + TYK_SHA256[9:]):
        sent = Patch((), (("apikey", TYK_KEY), ("sig", sig))).apply(request)
        verifier = Verifier(Tyk(), {TYK_KEY: "foobar"}, clock=lambda: now)
        assert verifier.verify(sent).key_id == TYK_KEY
        wrong = Patch((), (("sig", ("0" if sig[0] != "0" else "1") + sig[1:]),)).apply(sent)
        assert refused(verifier, wrong).reason is Reason.MISMATCH
        mashery = Verifier(Mashery(algorithm="sha256"), {TYK_KEY: "foobar"}, clock=lambda: now)
        if sig == TYK_SHA256:
            assert mashery.verify(sent).key_id == TYK_KEY
        else:  # whose gateway compares text
            assert refused(mashery, sent).reason is Reason.MALFORMED


def test_tyk_reads_key_and_hash_from_headers_where_its_gateway_does() -> None:
    now, request = 1546259837, Request("POST", "/v1/search?apikey=mine", (), b"{}", ORIGIN)
    scheme = Tyk(sig_header="X-Signature")
    signed = sign(scheme, request, Credential(TYK_KEY, "foobar"), now=now).apply(request)
    assert signed.headers == (("Authorization", TYK_KEY), ("X-Signature", TYK_SHA256))
    assert (signed.target, signed.body) == (request.target, request.body)
    verifier = Verifier(scheme, {TYK_KEY: "foobar"}, clock=lambda: now + 300)
    assert verifier.verify(signed).key_id == TYK_KEY
    shouted = Patch((("X-Signature", TYK_SHA256.upper()),)).apply(signed)
    assert verifier.verify(shouted).replay_id == verifier.verify(signed).replay_id
    with_param = Patch((), (("apikey", TYK_KEY), ("sig", TYK_SHA256))).apply(request)
    assert refused(verifier, with_param).reason is Reason.MISSING
    renamed = Tyk(sig_header="X-Sig", key_header="X-Key", algorithm="md5")
    patch = sign(renamed, request, Credential(TYK_KEY, "foobar"), now=now)
    assert patch == Patch((("X-Key", TYK_KEY), ("X-Sig", TYK_MD5)))
    check_scheme(scheme)
    check_scheme(renamed)
    with pytest.raises(ConfigError, match="placement"):
        Tyk(sig_header="X-Signature", placement="form")
    with pytest.raises(ConfigError, match="two headers"):
        Tyk(sig_header="Authorization")
    with pytest.raises(ConfigError, match="no HTTP token"):
        Tyk(sig_header="X Signature")


@pytest.mark.parametrize(
    ("method", "headers", "signed_headers", "key_id", "signature"),
    [
        # The tests of Acquia's PHP library 1.0.1 and, with POST, of its Go library's version 1.
        ("GET", (TEXT, DATE, ("Custom1", "Value1")), ("Custom1",), "1", "0Qub9svYlxjAr8OO7N0/3u0sohs="),
        ("POST", (TEXT, DATE), (), GO_ID, "6DQcBYwaKdhRm/eNBKIN2jM8HF8="),
        ("POST", (TEXT, DATE, ("Custom1", "Value1")), ("Custom1",), GO_ID, "QRMtvnGmlP1YbaTwpWyB/6A8dRU="),
    ],
)
def test_the_published_signatures_of_acquia(
    method: str, headers: tuple[tuple[str, str], ...], signed_headers: tuple[str, ...], key_id: str, signature: str
) -> None:
    scheme = Acquia(signed_headers=signed_headers)
    request = Request(method, "/resource/1?key=value", headers, b"test content", ORIGIN)
    canonical = scheme.string_to_sign(request, Claim(key_id, None))
    assert scheme.signature(b"secret-key", canonical) == signature
    patch = scheme.write(Claim(key_id, None, (signature,)), request)
    assert patch.headers == (("Authorization", f"Acquia {key_id}:{signature}"),)
    verifier = Verifier(scheme, {key_id: "secret-key"}, clock=lambda: DATE_SECONDS + 900)
    assert verifier.verify(patch.apply(request)).at == DATE_SECONDS


def test_acquias_date_is_written_as_its_libraries_write_it() -> None:
    request = Request("GET", "/resource/1?key=value", (TEXT,), b"", ORIGIN)
    for now in (DATE_SECONDS, DATE_SECONDS + 0.999):
        signed = sign(Acquia(), request, Credential("1", "secret-key"), now=now).apply(request)
        lines = ["GET", hashlib.md5(b"", usedforsecurity=False).hexdigest(), TEXT[1], DATE[1], "", request.target]
        by_hand = hmac.new(b"secret-key", "\n".join(lines).encode(), "sha1").digest()
        authorization = f"Acquia 1:{base64.b64encode(by_hand).decode()}"
        assert signed.headers == (TEXT, DATE, ("Authorization", authorization))
    renamed = sign(Acquia(date_header="X-Date"), request, Credential("1", "s"), now=DATE_SECONDS)
    assert renamed.headers[0] == ("X-Date", DATE[1])
    with pytest.raises(ConfigError, match="date_precision is seconds"):
        Acquia(date_precision="milliseconds")
    with pytest.raises(CannotSign, match="no time"):
        Acquia().draft(request, Claim("1", None))


def test_the_options_of_the_family_are_there() -> None:
    assert build_scheme("tyk", {"algorithm": "md5", "sig_param": "signature", "key_param": "key"}).window == Window(
        300, 300
    )
    assert build_scheme("acquia", {"signed_headers": ["X-A"], "algorithm": "sha256"}) == Acquia(
        signed_headers=("X-A",), algorithm="sha256"
    )
