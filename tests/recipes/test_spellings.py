"""Recipes whose carriers have another spelling: Basic, hex in any case, and a nonce that may be empty."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any
from urllib.parse import quote_plus

import pytest

from undersign import (
    CannotSign,
    ConfigError,
    Credential,
    Reason,
    Recipe,
    Rejected,
    Request,
    Verifier,
    explain,
    presets,
    sign,
)
from undersign.testing import check_scheme

from .by_hand import KEY, both_ways, mac, post, recipe, refused, signed, verified

# Basic

BASIC: dict[str, Any] = {"headers": {"Authorization": "Basic {basic}", "X-Time": "{time}"}}


def sent_as(request: Request, credentials: bytes | str, **headers: str) -> Request:
    text = credentials if isinstance(credentials, str) else base64.b64encode(credentials).decode()
    others = tuple(pair for pair in request.headers if pair[0] != "Authorization")
    return dataclasses.replace(request, headers=(*others, ("Authorization", f"Basic {text}"), *headers.items()))


@pytest.mark.parametrize("encoding", ["hex", "HEX", "base64", "base64url-nopad"])
def test_key_id_and_signature_go_as_user_and_password(encoding: str) -> None:
    scheme = recipe(["method", "time"], encoding=encoding, **BASIC)
    sent = signed(scheme, post())
    (authorization,) = sent.values("authorization")
    word, _, credentials = authorization.partition(" ")
    assert (word, base64.b64decode(credentials).partition(b":")[0]) == ("Basic", KEY.encode())
    assert verified(scheme, sent).key_id == KEY
    check_scheme(scheme)
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme


def test_only_one_spelling_of_basic_verifies() -> None:
    scheme = recipe(["method", "time"], **BASIC)
    signature = mac(b"POST1730974875").encode()
    sent = signed(scheme, post())
    plain = base64.b64encode(b"key-1:" + signature).decode()
    assert sent.values("authorization") == [f"Basic {plain}"]
    assert plain.endswith("="), "so that the last letter has bits that say nothing"
    loose = {
        "Q": "R",
        "g": "h",
        "w": "x",
        "A": "B",
        "U": "V",
        "c": "d",
        "k": "l",
        "M": "N",
        "I": "J",
        "Y": "Z",
        "E": "F",
    }
    unpadded = plain.rstrip("=")
    for other in (
        unpadded,
        f"{plain}=",
        unpadded[:-1] + loose.get(unpadded[-1], "/") + plain[len(unpadded) :],
        plain[:8] + "\n" + plain[8:],
        plain.replace("a", "-", 1),
        base64.b64encode(b"key-1:" + signature.upper()).decode(),
        base64.b64encode(b"key-1:" + signature + b" ").decode(),
        base64.b64encode(b":" + signature).decode(),
        base64.b64encode(b"key-1").decode(),
        base64.b64encode(b"a:b:c").decode(),
        "",
    ):
        assert refused(scheme, sent_as(sent, other)) is Reason.MISSING, other
    assert refused(scheme, sent_as(sent, b"key-1:" + b"0" * 64)) is Reason.MISMATCH
    twice = dataclasses.replace(sent, headers=(*sent.headers, ("Authorization", f"Basic {plain}")))
    assert refused(scheme, twice) is Reason.MALFORMED


def test_user_and_password_of_someone_else_are_not_of_the_scheme() -> None:
    scheme = recipe(["method", "time"], **BASIC)
    for credentials in (b"user:password", b"user:", b":", "dXNlcg", "x"):
        assert refused(scheme, sent_as(post(), credentials)) is Reason.MISSING


def test_a_key_id_in_basic_is_text_without_a_colon() -> None:
    scheme = recipe(["key_id", "time"], headers={"X-Auth": "v1 {basic} {time}"})
    for key_id in ("clé", "a b"):
        both_ways_with(scheme, key_id)
    with pytest.raises(CannotSign, match="a character that ends it"):
        both_ways_with(scheme, "a:b")


def both_ways_with(scheme: Recipe, key_id: str) -> None:
    sent = sign(scheme, post(), Credential(key_id, "secret of many letters"), now=1).apply(post())
    verifier = Verifier(scheme, {key_id: "secret of many letters"}, clock=lambda: 1)
    assert verifier.verify(sent).key_id == key_id


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"A": "{basic}", "B": "{key_id}"}, "in two places"),
        ({"A": "{basic} {signature}"}, "twice"),
        ({"A": "{basic}{time}"}, "ambiguous"),
    ],
)
def test_basic_is_where_key_id_and_signature_are(headers: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        recipe(["method"], window=None, headers=headers)


# Hex in any case


@pytest.mark.parametrize("encoding", ["hex", "HEX"])
def test_a_signature_in_either_case_is_one_signature(encoding: str) -> None:
    scheme = recipe(["time"], encoding=encoding, any_case=True)
    strict = recipe(["time"], encoding=encoding)
    signature = mac(b"1730974875")
    own = signature if encoding == "hex" else signature.upper()
    sent = both_ways(scheme, post(), b"1730974875", own)
    ids = set()
    for spelled in (signature, signature.upper(), signature[:40].upper() + signature[40:]):
        other = dataclasses.replace(sent, headers=(("X-Signature", f"{KEY} 1730974875 {spelled}"),))
        ids.add(verified(scheme, other).replay_id)
        if spelled != own:
            assert refused(strict, other) is Reason.MALFORMED
    assert len(ids) == 1
    for wrong in (signature[:-1], signature + "0", "g" + signature[1:]):
        other = dataclasses.replace(sent, headers=(("X-Signature", f"{KEY} 1730974875 {wrong}"),))
        assert refused(scheme, other) is Reason.MALFORMED
    check_scheme(scheme)
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme


def test_a_signature_in_either_case_is_found_where_the_time_is_not_sent() -> None:
    headers = {"X-Key": "{key_id}", "X-Signature": "{signature}"}
    scheme = recipe(["key_id", "secret", "time"], mac="hash-sha256", any_case=True, headers=headers)
    sent = signed(scheme, post())
    (signature,) = sent.values("x-signature")
    shouted = dataclasses.replace(sent, headers=(("X-Key", KEY), ("X-Signature", signature.upper())))
    assert verified(scheme, shouted, 1730974875 + 300).replay_id == verified(scheme, sent).replay_id
    assert refused(scheme, shouted, 1730974875 + 301) is Reason.MISMATCH


def test_case_has_a_meaning_in_other_encodings() -> None:
    for encoding in ("base64", "base64url"):
        with pytest.raises(ConfigError, match="any_case is for hex alone"):
            recipe(["time"], encoding=encoding, any_case=True)
    with pytest.raises(ConfigError, match="any_case is true or false"):
        recipe(["time"], any_case="yes")


# A nonce that may be empty

NONCE: dict[str, Any] = {"joiner": "\n", "nonce": "optional", "window": None}


def test_an_empty_nonce_is_a_line_of_its_own() -> None:
    scheme = recipe(["method", "nonce", "key_id"], headers={"X-Id": "{nonce}", "X-S": "{key_id} {signature}"}, **NONCE)
    assert not scheme.needs_nonce
    sent = both_ways(scheme, post(), b"POST\n\nkey-1")
    assert sent.values("x-id") == [""]
    absent = dataclasses.replace(sent, headers=tuple(pair for pair in sent.headers if pair[0] != "X-Id"))
    assert verified(scheme, absent).replay_id == verified(scheme, sent).replay_id
    with_one = both_ways(scheme, post(), b"POST\nn 1\nkey-1", nonce="n 1")
    assert with_one.values("x-id") == ["n 1"]
    assert verified(scheme, with_one).nonce == "n 1"
    for changed in ("", "n 2"):
        other = tuple((name, changed if name == "X-Id" else value) for name, value in with_one.headers)
        assert refused(scheme, dataclasses.replace(with_one, headers=other)) is Reason.MISMATCH
    twice = dataclasses.replace(with_one, headers=(*with_one.headers, ("X-Id", "n 1")))
    assert refused(scheme, twice) is Reason.MALFORMED
    check_scheme(scheme)
    assert Recipe.from_mapping(scheme.as_mapping()) == scheme


def test_an_empty_nonce_may_be_a_parameter() -> None:
    query = {"id": "{nonce}", "k": "{key_id}", "s": "{signature}"}
    scheme = recipe(["method", "nonce"], headers={}, query=query, **NONCE)
    sent = both_ways(scheme, post("/p"), b"POST\n")
    assert sent.target == f"/p?id=&k={KEY}&s={mac(b'POST' + bytes([10]))}"
    assert verified(scheme, dataclasses.replace(sent, target=sent.target.replace("id=&", "")))


def test_what_cannot_be_said_of_an_optional_nonce() -> None:
    with pytest.raises(ConfigError, match="give it a carrier of its own"):
        recipe(["method", "nonce"], headers={"X-S": "{nonce} {key_id} {signature}"}, **NONCE)
    with pytest.raises(ConfigError, match="nonce True is unknown: use one of required"):
        recipe(["method"], nonce=True)


KRAKEN_SECRET = base64.b64encode(b"a secret of many letters").decode()


@pytest.mark.parametrize("nonce", ["a7f2", "-1", "1.5", "", "1" * 21, "1\n2"])
def test_a_nonce_that_is_no_number_is_neither_signed_nor_taken(nonce: str) -> None:
    scheme = presets.kraken()
    request = Request(
        "POST",
        "/0/private/Balance",
        (("Content-Type", "application/x-www-form-urlencoded"),),
        b"a=1",
        "https://api.kraken.com",
    )
    credential = Credential("key", KRAKEN_SECRET)
    with pytest.raises(CannotSign, match="nonce"):
        sign(scheme, request, credential, now=0, nonce=nonce)
    signed = sign(scheme, request, credential, now=0, nonce="1616492376594").apply(request)
    assert isinstance(signed.body, bytes)
    sent = signed.with_body(signed.body.replace(b"1616492376594", quote_plus(nonce).encode()))
    with pytest.raises(Rejected) as refused:
        Verifier(scheme, {"key": KRAKEN_SECRET}).verify(sent)
    assert refused.value.reason is Reason.MALFORMED


def test_an_explanation_takes_a_number_for_a_nonce_that_is_one() -> None:
    request = Request("POST", "/0/private/Balance", (), b"", "https://api.kraken.com")
    assert ("nonce", "1616492376594") in explain(presets.kraken(), request, "key", now=1616492376.594).patch.form
